"""The policy of an attested key: no IAM policy, grant or other key gets around it.

Pure: principals are whatever the caller passes, ARNs or references. Whoever can change this policy can open the key; no
statement can prevent that, so changes are watched.
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

WATCHED = (
    "CancelKeyDeletion",
    "CreateGrant",
    "DisableKey",
    "DisableKeyRotation",
    "EnableKey",
    "PutKeyPolicy",
    "ScheduleKeyDeletion",
)
"""Calls that must be reported, including refused ones: whoever changes the policy can open the key.
https://docs.aws.amazon.com/kms/latest/developerguide/logging-using-cloudtrail.html"""
OPERATIONS = ("kms:Decrypt", "kms:GenerateDataKey")
"""What a workload may do: the operations with a document (Recipient) that a symmetric key supports."""
TAKE_A_DOCUMENT = ("kms:Decrypt", "kms:DeriveSharedSecret", "kms:GenerateDataKey", "kms:GenerateDataKeyPair")
"""The operations with a document that use a key. The fifth, GenerateRandom, uses none."""
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
"""Denied to everybody: a grant cannot require a document, re-encryption is a decryption under another key, and the
others need no document at all."""
PRODUCE = ("kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKeyWithoutPlaintext")
"""What a producer of secrets needs; it never sees a plaintext that is not its own."""
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
"""Administration without use: the calls of CloudFormation's handler for AWS::KMS::Key, and those that people need."""
READ = (
    "kms:DescribeKey",
    "kms:GetKeyPolicy",
    "kms:GetKeyRotationStatus",
    "kms:ListGrants",
    "kms:ListKeyPolicies",
    "kms:ListResourceTags",
)
"""What the account's IAM policies may allow: read access, so that the key can be checked."""


@dataclass(frozen=True)
class Principals:
    """The principals of a key, as ARNs.

    Attributes:
        account: the account's root, which stands for its IAM policies.
    """

    account: Any
    workloads: Sequence[Any]
    producers: Sequence[Any]
    administrators: Sequence[Any]


def deploying_role(key: AttestedKey, common: CommonSettings, *, partition: str, account: str, region: str) -> str:
    """ARN of the role that CloudFormation assumes: KMS creates a key only if its creator may change it later.

    It must exist, like every principal of a key policy, and be the right one: a deployment with another fails with
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
            # Keys in one block are joined by AND, which is right for an Allow.
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
    """A separate Deny for each PCR: one block with two PCRs would deny only where both differ.

    An absent key makes a negated operator true, so a request without a document is denied:
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
