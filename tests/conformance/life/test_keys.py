"""The rule of keys over every template, and that it catches what it is for."""

from typing import Any

import pytest

from tests.conformance.life.keys import findings
from tests.conformance.templates import every_template, found

Json = dict[str, Any]
KNOWN = {
    (
        "nitro_attestation",
        "key-principal",
    ): "the role of cdk bootstrap, or of cloudformation_role_arn; check looks"
}
"""What stays, and why."""


@every_template
def test_every_key_can_be_made_and_changed(variant: str, slug: str) -> None:
    template = found(variant, slug)
    assert [str(one) for one in findings(template.resources, str(template)) if (slug, one.rule) not in KNOWN] == []


def test_what_is_known_is_found() -> None:
    seen = {
        (slug, one.rule)
        for variant, slug in (("attested", "nitro_attestation"),)
        for one in findings(found(variant, slug).resources, slug)
    }
    assert seen == set(KNOWN)


ROOT = {"Fn::Join": ["", ["arn:", {"Ref": "AWS::Partition"}, ":iam::", {"Ref": "AWS::AccountId"}, ":root"]]}
NAMED = {"Fn::Join": ["", ["arn:aws:iam::", {"Ref": "AWS::AccountId"}, ":role/deployer"]]}


def stack(principal: Any, action: Any = "kms:*", **more: Any) -> dict[str, Json]:
    statement = {"Effect": "Allow", "Principal": {"AWS": principal}, "Action": action, "Resource": "*", **more}
    return {
        "Role": {"Type": "AWS::IAM::Role", "Properties": {}},
        "Bucket": {"Type": "AWS::S3::Bucket", "Properties": {}},
        "Key": {"Type": "AWS::KMS::Key", "Properties": {"KeyPolicy": {"Statement": [statement]}}},
    }


@pytest.mark.parametrize(
    "principal", [ROOT, [ROOT, {"Fn::GetAtt": ["Role", "Arn"]}], "arn:aws:iam::123456789012:role/of-a-setting"]
)
def test_the_account_a_role_and_a_setting_are_principals(principal: Any) -> None:
    assert findings(stack(principal), "here") == []


@pytest.mark.parametrize(
    ("resources", "rule", "reason"),
    [
        (stack([ROOT, NAMED]), "key-principal", "nothing in the stack makes arn:aws:iam::...:role/deployer"),
        (stack([ROOT, {"Fn::GetAtt": ["Bucket", "Arn"]}]), "key-principal", "Bucket is no principal"),
        (stack(ROOT, ["kms:Decrypt"]), "key-lockout", "nobody may call PutKeyPolicy"),
        (stack(ROOT, Condition={"Bool": {"aws:MultiFactorAuthPresent": "true"}}), "key-lockout", "nobody may"),
    ],
)
def test_a_key_that_kms_refuses_is_found(resources: dict[str, Json], rule: str, reason: str) -> None:
    (one,) = findings(resources, "here")
    assert one.rule == rule and reason in one.reason and one.verdict == "fails"
