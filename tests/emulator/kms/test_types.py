"""A key of a stack: policies that KMS refuses are refused, and the end of the stack only begins its deletion."""

from typing import Any

import pytest

from emulator.client import EmbeddedAws
from emulator.settings import DEFAULT_ACCOUNT
from tests.embedded_aws import Stack

ROOT = f"arn:aws:iam::{DEFAULT_ACCOUNT}:root"


def key(principal: str = ROOT, action: str = "kms:*", **more: Any) -> dict[str, Any]:
    statement = {"Effect": "Allow", "Principal": {"AWS": principal}, "Action": action, "Resource": "*"}
    policy = {"Version": "2012-10-17", "Statement": [statement]}
    return {"Key": {"Type": "AWS::KMS::Key", "Properties": {"KeyPolicy": policy, **more}}}


def test_a_key_outlives_its_stack_until_its_deletion_is_due(aws: EmbeddedAws, stack: Stack) -> None:
    made = stack.create(key(PendingWindowInDays=7))
    stack.delete()
    found = aws.client("kms").describe_key(KeyId=made["Key"])["KeyMetadata"]
    assert found["KeyState"] == "PendingDeletion"


@pytest.mark.parametrize(
    ("resources", "why"),
    [
        (key(f"arn:aws:iam::{DEFAULT_ACCOUNT}:role/nobody"), "invalid principals"),
        (key(action="kms:DescribeKey"), "will not allow you to update the key policy"),
    ],
)
def test_a_policy_that_kms_refuses_fails_the_stack(stack: Stack, resources: dict[str, Any], why: str) -> None:
    with pytest.raises(AssertionError, match=why):
        stack.create(resources)


def test_the_safety_check_can_be_bypassed(stack: Stack) -> None:
    assert stack.create(key(action="kms:DescribeKey", BypassPolicyLockoutSafetyCheck=True))["Key"]


def test_a_principal_that_exists_passes(aws: EmbeddedAws, stack: Stack) -> None:
    role = aws.client("iam").create_role(RoleName="there", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    try:
        assert stack.create(key(role))["Key"]
    finally:
        aws.client("iam").delete_role(RoleName="there")
