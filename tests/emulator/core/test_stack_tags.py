"""What a stack makes is shown by GetResources with the tags of the stack, for each kind that a stack here may keep.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-resource-tags.html and
https://docs.aws.amazon.com/resourcegroupstagging/latest/APIReference/API_GetResources.html
"""

import json
import os
from importlib import import_module
from typing import Any

import pytest

from emulator.client import EmbeddedAws
from tests.conformance.schemas import schema
from tests.embedded_aws import Stack, eventually

os.environ.setdefault("MINISTACK_TEST_NO_AUTOSTART", "1")
service: Any = import_module("emulator.core.service")

STATEMENT = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "kms:*", "Resource": "*"}
COMPONENT = {"Name": "web", "Version": "1.0.0", "Platform": "Linux", "Data": "name: web"}
KINDS: dict[str, dict[str, Any]] = {
    "AWS::EC2::Volume": {"AvailabilityZone": "us-east-1a", "Size": 1},
    "AWS::EC2::VPC": {"CidrBlock": "10.9.0.0/16"},
    "AWS::ECR::Repository": {},
    "AWS::ImageBuilder::Component": COMPONENT,
    "AWS::KMS::Key": {"KeyPolicy": {"Version": "2012-10-17", "Statement": [STATEMENT]}},
    "AWS::S3::Bucket": {},
    "AWS::SQS::Queue": {},
    "AWS::SecretsManager::Secret": {"GenerateSecretString": {}},
}


def deployed(aws: EmbeddedAws, kind: str, verb: str, **tags: str) -> dict[str, str]:
    """A stack of one resource with tags of the stack; what GetResources shows of the resource."""
    formation, tagging = aws.client("cloudformation"), aws.client("resourcegroupstaggingapi")
    given: Any = {"Name": "own"} if "ImageBuilder" in kind else [{"Key": "Name", "Value": "own"}]
    resource = {"Type": kind, "Properties": {**KINDS[kind], "Tags": given}}
    body, of_stack = json.dumps({"Resources": {"One": resource}}), [{"Key": k, "Value": v} for k, v in tags.items()]
    getattr(formation, f"{verb.lower()}_stack")(StackName="tried", TemplateBody=body, Tags=of_stack)

    def done() -> bool:
        return bool(formation.describe_stacks(StackName="tried")["Stacks"][0]["StackStatus"] == f"{verb}_COMPLETE")

    eventually(done, f"{verb}_COMPLETE")
    found = tagging.get_resources(TagFilters=[{"Key": "Name", "Values": ["own"]}])["ResourceTagMappingList"]
    return {tag["Key"]: tag["Value"] for one in found for tag in one["Tags"]}


@pytest.mark.parametrize("kind", KINDS)
def test_a_resource_has_the_tags_of_its_stack_as_long_as_it_is_there(aws: EmbeddedAws, kind: str) -> None:
    shown = deployed(aws, kind, "CREATE", project="one", other="x")
    assert shown["project"] == "one" and shown["other"] == "x"
    shown = deployed(aws, kind, "UPDATE", project="two")
    assert shown["project"] == "two" and "other" not in shown
    Stack(aws).delete()
    if "EC2" in kind or "KMS" in kind:
        return  # EC2's is shown for a while, as "recently deleted" resources are, and a key waits for its deletion
    left = aws.client("resourcegroupstaggingapi").get_resources(TagFilters=[{"Key": "project"}])
    assert left["ResourceTagMappingList"] == []


def test_only_types_get_them_whose_schema_says_so() -> None:
    types = {name: one for each in service.services() for name, one in each.types.items()}
    tagged = [name for name, one in types.items() if one.ec2_tags or one.tag_map]
    assert len(tagged) > 15
    for name in tagged:
        tagging = schema(name)["tagging"]
        assert tagging["taggable"] and tagging["tagOnCreate"], name
        assert tagging["tagProperty"] == "/properties/Tags", name


def test_a_version_that_is_kept_can_be_deleted_by_its_arn(aws: EmbeddedAws, stack: Stack) -> None:
    resource = {"Type": "AWS::ImageBuilder::Component", "Properties": COMPONENT, "DeletionPolicy": "Retain"}
    arn = stack.create({"One": resource})["One"]
    stack.delete()
    builder = aws.client("imagebuilder")
    assert builder.delete_component(componentBuildVersionArn=arn)["componentBuildVersionArn"] == arn
    assert builder.list_components()["componentVersionList"] == []
    with pytest.raises(builder.exceptions.ResourceNotFoundException):
        builder.delete_component(componentBuildVersionArn=arn)
