"""Generated names are of one stack, in one Region, in one life."""

import json
from typing import Any

from emulator.client import EmbeddedAws
from tests.embedded_aws import eventually

TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "lambda.amazonaws.com"}}],
}
RESOURCES = {
    "Role": {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": TRUST}},
    "Bucket": {"Type": "AWS::S3::Bucket"},
    "Template": {"Type": "AWS::EC2::LaunchTemplate", "Properties": {"LaunchTemplateData": {"ImageId": "ami-1"}}},
}


def created(aws: EmbeddedAws, region: str) -> dict[str, str]:
    formation: Any = aws.client("cloudformation", region_name=region)
    body = json.dumps({"Resources": RESOURCES})
    stack = formation.create_stack(StackName="one", TemplateBody=body, Capabilities=["CAPABILITY_IAM"])["StackId"]

    def done() -> bool:
        return bool(formation.describe_stacks(StackName=stack)["Stacks"][0]["StackStatus"] == "CREATE_COMPLETE")

    eventually(done, "the stack")
    found = formation.describe_stack_resources(StackName=stack)["StackResources"]
    return {each["LogicalResourceId"]: each["PhysicalResourceId"] for each in found}


def test_a_stack_of_the_same_name_has_names_of_its_own(aws: EmbeddedAws) -> None:
    here, there = created(aws, "us-east-1"), created(aws, "eu-central-1")
    assert not set(here.values()) & set(there.values())
    assert here["Bucket"] == here["Bucket"].lower() and here["Role"].startswith("one-Role-")
    formation = aws.client("cloudformation")
    formation.delete_stack(StackName="one")
    eventually(lambda: here["Role"] not in [r["RoleName"] for r in aws.client("iam").list_roles()["Roles"]], "its end")
    assert there["Role"] in [role["RoleName"] for role in aws.client("iam").list_roles()["Roles"]]
    again = created(aws, "us-east-1")
    assert not set(here.values()) & set(again.values())
