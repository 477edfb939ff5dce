"""A launch is judged on all that it uses and makes, on the tags that it sets, and on the role that it passes."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from emulator.client import EmbeddedAws
from tests.emulator.iam.test_authorization import DENIED, Role

RUN = {"Action": "ec2:RunInstances"}
TRUST = {"Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "ec2.amazonaws.com"}}]}


@pytest.fixture
def template(aws: EmbeddedAws) -> dict[str, Any]:
    """A launch template that tags instances and gives them a profile."""
    iam = aws.client("iam")
    role = iam.create_role(RoleName="worker", AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", **TRUST}))
    iam.create_instance_profile(InstanceProfileName="worker")
    iam.add_role_to_instance_profile(InstanceProfileName="worker", RoleName="worker")
    data = {
        "ImageId": "ami-1",
        "InstanceType": "t3.micro",
        "IamInstanceProfile": {"Name": "worker"},
        "TagSpecifications": [{"ResourceType": "instance", "Tags": [{"Key": "Name", "Value": "worker"}]}],
    }
    own = [{"ResourceType": "launch-template", "Tags": [{"Key": "owner", "Value": "a"}]}]  # no launch sets these
    made = aws.client("ec2").create_launch_template(
        LaunchTemplateName="t", LaunchTemplateData=data, TagSpecifications=own
    )
    return {"id": made["LaunchTemplate"]["LaunchTemplateId"], "role": role["Role"]["Arn"]}


def launch(aws: EmbeddedAws, template: dict[str, Any], *statements: dict[str, Any], **more: Any) -> None:
    ec2 = Role(aws, *statements).client("ec2")
    ec2.run_instances(MinCount=1, MaxCount=1, LaunchTemplate={"LaunchTemplateId": template["id"]}, **more)


def tagging(**keys: str) -> dict[str, Any]:
    return {"Action": "ec2:CreateTags", "Condition": {"StringEquals": {"ec2:CreateAction": "RunInstances", **keys}}}


def test_a_launch_with_all_that_it_needs(aws: EmbeddedAws, template: dict[str, Any]) -> None:
    passing = {"Action": "iam:PassRole", "Resource": template["role"]}
    launch(aws, template, RUN, passing, tagging(**{"aws:RequestTag/Name": "worker"}))


@pytest.mark.parametrize(
    "missing",
    [
        pytest.param({"tags": "*", "passed": "none"}, id="the profile's role may not be passed"),
        pytest.param({"passed": "*", "tags": "none"}, id="the template's tags may not be set"),
        pytest.param({"passed": "*", "tags": "volume"}, id="what is tagged is of another kind"),
    ],
)
def test_without_one_of_them_it_is_denied(aws: EmbeddedAws, template: dict[str, Any], missing: dict[str, str]) -> None:
    kinds = {"*": "*", "none": "arn:aws:ec2:*:*:none/*", "volume": "arn:aws:ec2:*:*:volume/*"}
    passed = "*" if missing["passed"] == "*" else "arn:aws:iam::000000000000:role/another"
    statements = (
        RUN,
        {"Action": "iam:PassRole", "Resource": passed},
        {"Action": "ec2:CreateTags", "Resource": kinds[missing["tags"]]},
    )
    with pytest.raises(ClientError, match=DENIED):
        launch(aws, template, *statements)


def test_a_role_is_passed_to_ec2(aws: EmbeddedAws, template: dict[str, Any]) -> None:
    elsewhere = {"StringEquals": {"iam:PassedToService": "lambda.amazonaws.com"}}
    with pytest.raises(ClientError, match=DENIED):
        launch(aws, template, RUN, tagging(), {"Action": "iam:PassRole", "Condition": elsewhere})


SPECIFICATION = [{"ResourceType": "volume", "Tags": [{"Key": "team", "Value": "a"}]}]


def test_tags_of_the_request_are_judged_too(aws: EmbeddedAws, template: dict[str, Any]) -> None:
    names = tagging(**{"aws:RequestTag/Name": "worker"})  # which the volume does not have
    with pytest.raises(ClientError, match=DENIED):
        launch(aws, template, RUN, {"Action": "iam:PassRole"}, names, TagSpecifications=SPECIFICATION)


def test_each_kind_is_judged_by_its_own_tags(aws: EmbeddedAws, template: dict[str, Any]) -> None:
    names, teams = tagging(**{"aws:RequestTag/Name": "worker"}), tagging(**{"aws:RequestTag/team": "a"})
    launch(aws, template, RUN, {"Action": "iam:PassRole"}, names, teams, TagSpecifications=SPECIFICATION)


@pytest.mark.parametrize("kind", ["subnet", "volume", "network-interface", "image", "launch-template"])
def test_a_launch_is_judged_on_all_that_it_uses_and_makes(
    aws: EmbeddedAws, template: dict[str, Any], kind: str
) -> None:
    subnet = aws.client("ec2").describe_subnets()["Subnets"][0]["SubnetId"]
    denied = {"Effect": "Deny", "Action": "ec2:RunInstances", "Resource": f"arn:aws:ec2:*:*:{kind}/*"}
    if kind == "image":
        denied["Resource"] = "arn:aws:ec2:*::image/*"
    with pytest.raises(ClientError, match=DENIED):
        launch(aws, template, RUN, {"Action": ["iam:PassRole", "ec2:CreateTags"]}, denied, SubnetId=subnet)


def test_a_profile_that_is_attached_is_a_role_that_is_passed(aws: EmbeddedAws, template: dict[str, Any]) -> None:
    ec2 = aws.client("ec2")
    (one,) = ec2.run_instances(ImageId="ami-1", MinCount=1, MaxCount=1)["Instances"]
    named = {"InstanceId": one["InstanceId"], "IamInstanceProfile": {"Name": "worker"}}
    attach = {"Action": "ec2:AssociateIamInstanceProfile"}
    with pytest.raises(ClientError, match=DENIED):
        Role(aws, attach).client("ec2").associate_iam_instance_profile(**named)
    aws.client("iam").delete_role_policy(RoleName="tried", PolicyName="tried")
    aws.client("iam").delete_role(RoleName="tried")
    passing = {"Action": "iam:PassRole", "Resource": template["role"]}
    Role(aws, attach, passing).client("ec2").associate_iam_instance_profile(**named)
