"""A role of a stack has the boundary that its template names."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from emulator.client import EmbeddedAws
from tests.emulator.conftest import Stack

TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": "arn:aws:iam::123456789012:root"}}
    ],
}
ALL = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
QUEUES = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sqs:*", "Resource": "*"}]}


def resources(**more: Any) -> dict[str, Any]:
    policies = [{"PolicyName": "all", "PolicyDocument": ALL}]
    return {
        "Role": {
            "Type": "AWS::IAM::Role",
            "Properties": {"AssumeRolePolicyDocument": TRUST, "Policies": policies} | more,
        }
    }


def test_a_boundary_limits_the_role_until_the_template_drops_it(aws: EmbeddedAws, stack: Stack) -> None:
    iam = aws.client("iam")
    boundary = iam.create_policy(PolicyName="queues", PolicyDocument=json.dumps(QUEUES))["Policy"]["Arn"]
    role = stack.create(resources(PermissionsBoundary=boundary))["Role"]
    found = iam.get_role(RoleName=role)["Role"]
    assert found["PermissionsBoundary"]["PermissionsBoundaryArn"] == boundary

    def buckets() -> Any:
        taken = aws.client("sts").assume_role(RoleArn=found["Arn"], RoleSessionName="one")["Credentials"]
        return aws.client(
            "s3",
            aws_access_key_id=taken["AccessKeyId"],
            aws_secret_access_key=taken["SecretAccessKey"],
            aws_session_token=taken["SessionToken"],
        ).list_buckets()

    with pytest.raises(ClientError, match="AccessDenied"):
        buckets()
    assert stack.update(resources())["Role"] == role
    assert "PermissionsBoundary" not in iam.get_role(RoleName=role)["Role"]
    buckets()


def test_a_boundary_that_is_no_policy_is_refused(stack: Stack) -> None:
    with pytest.raises(AssertionError, match="none"):
        stack.create(resources(PermissionsBoundary="arn:aws:iam::123456789012:policy/none"))
