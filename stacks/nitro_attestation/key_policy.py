"""The policy of an attested key, written out: nothing in an IAM policy, in a grant or in another key gets around it.

Pure: principals come in as whatever the caller has, ARNs or references. Who can change this policy can open the key; no
statement in it can help that, so that the changes are watched.
https://docs.aws.amazon.com/kms/latest/developerguide/policy-evaluation.html
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from config.models import CommonSettings
from stacks.nitro_attestation.key_settings import AttestedKey
from stacks.nitro_attestation.measurements import Reference
from stacks.shared.preflight import CDK_QUALIFIER

Json = dict[str, Any]

OPERATIONS = ("kms:Decrypt", "kms:GenerateDataKey")
"""What a workload may do: of the operations that take a document (Recipient), those of a symmetric key."""
TAKE_A_DOCUMENT = ("kms:Decrypt", "kms:DeriveSharedSecret", "kms:GenerateDataKey", "kms:GenerateDataKeyPair")
"""Those that use a key. The fifth, GenerateRandom, uses none."""
WAYS_AROUND = (
    "kms:CreateGrant",
    "kms:Decapsulate",
    "kms:GenerateDataKeyPairWithoutPlaintext",
    "kms:GenerateMac",
    "kms:ImportKeyMaterial",
    "kms:ReEncryptFrom",
    "kms:ReEncryptTo",
    "kms:ReplicateKey",
    "kms:Sign",
    "kms:UpdatePrimaryRegion",
    "kms:Verify",
    "kms:VerifyMac",
)
"""Denied to everybody. A grant's constraints know no document, re-encryption is a decryption under another key, and the
others ask for no document at all."""
PRODUCE = ("kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKeyWithoutPlaintext")
"""What a producer of secrets needs; it never sees a plaintext that it did not bring."""
ADMINISTER = (
    "kms:CancelKeyDeletion",
    "kms:DescribeKey",
    "kms:DisableKey",
    "kms:DisableKeyRotation",
    "kms:EnableKey",
    "kms:EnableKeyRotation",
    "kms:GetKeyPolicy",
    "kms:GetKeyRotationStatus",
    "kms:ListGrants",
    "kms:ListKeyPolicies",
    "kms:ListResourceTags",
    "kms:PutKeyPolicy",
    "kms:RevokeGrant",
    "kms:ScheduleKeyDeletion",
    "kms:TagResource",
    "kms:UntagResource",
    "kms:UpdateKeyDescription",
)
"""Administration without use: what CloudFormation's handlers of AWS::KMS::Key call, and what people need at work."""
READ = (
    "kms:DescribeKey",
    "kms:GetKeyPolicy",
    "kms:GetKeyRotationStatus",
    "kms:ListGrants",
    "kms:ListKeyPolicies",
    "kms:ListResourceTags",
)
"""What the account's own IAM policies may give: looking, so that everybody who should can check the key."""


@dataclass(frozen=True)
class Principals:
    """Who a key is for, as ARNs.

    Attributes:
        account: the root of the account, that is its IAM policies.
    """

    account: Any
    workloads: Sequence[Any]
    producers: Sequence[Any]
    administrators: Sequence[Any]


def deploying_role(key: AttestedKey, common: CommonSettings, *, partition: str, account: str, region: str) -> str:
    """ARN of the role that CloudFormation takes: KMS creates no key that its creator could not change again.

    It must exist, as every principal of a key policy must, and be the one: a deployment by another role fails with
    "The new key policy will not allow you to update the key policy in the future"
    (https://github.com/aws-solutions/innovation-sandbox-on-aws/issues/31).
    https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html#allow-iam-policies
    """
    if key.cloudformation_role_arn:
        return key.cloudformation_role_arn
    qualifier = common.bootstrap_qualifier or CDK_QUALIFIER
    return f"arn:{partition}:iam::{account}:role/cdk-{qualifier}-cfn-exec-role-{account}-{region}"


def document(references: Sequence[Reference], operations: Sequence[str], who: Principals) -> Json:
    """The key policy."""
    statements = [
        {
            "Sid": "AttestedUse",
            "Effect": "Allow",
            "Principal": {"AWS": _one_or_many(who.workloads)},
            "Action": _one_or_many(operations),
            "Resource": "*",
            # Keys of one block are joined by AND, which is right for an Allow.
            "Condition": {
                "StringEqualsIgnoreCase": {one.condition_key: _one_or_many(one.values) for one in references}
            },
        },
        *(_only(reference) for reference in references),
        {
            "Sid": "NoWayAround",
            "Effect": "Deny",
            "Principal": {"AWS": "*"},
            "Action": list(WAYS_AROUND),
            "Resource": "*",
        },
        _allow("Administration", who.administrators, ADMINISTER),
        _allow("Looking", [who.account], READ),
    ]
    if who.producers:
        statements.append(_allow("Producers", who.producers, PRODUCE))
    return {"Version": "2012-10-17", "Statement": statements}


def _only(reference: Reference) -> Json:
    """A Deny of its own for each PCR: in one block two PCRs would deny only where both differ.

    An absent key makes a negated operator true, so that a request without a document is denied:
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
    """
    return {
        "Sid": f"Only{reference.condition_key.rpartition(':')[2]}",
        "Effect": "Deny",
        "Principal": {"AWS": "*"},
        "Action": list(TAKE_A_DOCUMENT),
        "Resource": "*",
        "Condition": {"StringNotEqualsIgnoreCase": {reference.condition_key: _one_or_many(reference.values)}},
    }


def _allow(sid: str, principals: Sequence[Any], actions: Sequence[str]) -> Json:
    return {
        "Sid": sid,
        "Effect": "Allow",
        "Principal": {"AWS": _one_or_many(principals)},
        "Action": list(actions),
        "Resource": "*",
    }


def _one_or_many(values: Sequence[Any]) -> Any:
    return values[0] if len(values) == 1 else list(values)
