"""An instance profile of a stack: its Ref is its name, as CloudFormation's page says."""

from typing import Any

from emulator.client import EmbeddedAws
from tests.emulator.conftest import Stack

TRUST = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "ec2.amazonaws.com"}}


def resources(role: str) -> dict[str, Any]:
    document = {"Version": "2012-10-17", "Statement": [TRUST]}
    made = {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": document}}
    profile = {"Type": "AWS::IAM::InstanceProfile", "Properties": {"Roles": [{"Ref": role}]}}
    return {"One": made, "Two": made, "Profile": profile}


def test_ref_is_the_name_through_an_update_and_the_end(aws: EmbeddedAws, stack: Stack) -> None:
    iam = aws.client("iam")
    made = stack.create(resources("One"))
    found = iam.get_instance_profile(InstanceProfileName=made["Profile"])["InstanceProfile"]
    assert found["Roles"][0]["RoleName"] == made["One"] and not made["Profile"].startswith("arn:")
    changed = stack.update(resources("Two"))
    assert changed["Profile"] == made["Profile"]
    found = iam.get_instance_profile(InstanceProfileName=made["Profile"])["InstanceProfile"]
    assert [role["RoleName"] for role in found["Roles"]] == [made["Two"]]
    stack.delete()
    assert not iam.list_instance_profiles()["InstanceProfiles"]
