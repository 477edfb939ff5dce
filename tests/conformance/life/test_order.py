"""The rule of birth and death over every template, and that it catches what it is for."""

from typing import Any

import pytest

from tests.conformance.life.order import findings
from tests.conformance.templates import every_template, found

Json = dict[str, Any]


@every_template
def test_what_something_needs_is_there_before_it(variant: str, slug: str) -> None:
    template = found(variant, slug)
    assert [str(found) for found in findings(template.resources, str(template))] == []


def ref(name: str) -> Json:
    return {"Ref": name}


def group(*, depends: list[str]) -> dict[str, Json]:
    """A group in a private subnet behind a NAT gateway, with a policy, and an interface endpoint."""
    made = {
        "Vpc": ("AWS::EC2::VPC", {}),
        "Gateway": ("AWS::EC2::InternetGateway", {}),
        "Attachment": ("AWS::EC2::VPCGatewayAttachment", {"VpcId": ref("Vpc"), "InternetGatewayId": ref("Gateway")}),
        "Public": ("AWS::EC2::Subnet", {"VpcId": ref("Vpc")}),
        "Private": ("AWS::EC2::Subnet", {"VpcId": ref("Vpc")}),
        "PublicTable": ("AWS::EC2::RouteTable", {"VpcId": ref("Vpc")}),
        "PrivateTable": ("AWS::EC2::RouteTable", {"VpcId": ref("Vpc")}),
        "PublicTables": (
            "AWS::EC2::SubnetRouteTableAssociation",
            {"SubnetId": ref("Public"), "RouteTableId": ref("PublicTable")},
        ),
        "PrivateTables": (
            "AWS::EC2::SubnetRouteTableAssociation",
            {"SubnetId": ref("Private"), "RouteTableId": ref("PrivateTable")},
        ),
        "PublicRoute": ("AWS::EC2::Route", {"RouteTableId": ref("PublicTable"), "GatewayId": ref("Gateway")}),
        "Nat": ("AWS::EC2::NatGateway", {"SubnetId": ref("Public")}),
        "PrivateRoute": ("AWS::EC2::Route", {"RouteTableId": ref("PrivateTable"), "NatGatewayId": ref("Nat")}),
        "Endpoint": (
            "AWS::EC2::VPCEndpoint",
            {"SubnetIds": [ref("Private")], "SecurityGroupIds": [ref("EndpointGroup")]},
        ),
        "EndpointGroup": ("AWS::EC2::SecurityGroup", {"VpcId": ref("Vpc")}),
        "EndpointRule": ("AWS::EC2::SecurityGroupIngress", {"GroupId": ref("EndpointGroup")}),
        "Role": ("AWS::IAM::Role", {}),
        "Policy": ("AWS::IAM::Policy", {"Roles": [ref("Role")]}),
        "Profile": ("AWS::IAM::InstanceProfile", {"Roles": [ref("Role")]}),
        "Template": ("AWS::EC2::LaunchTemplate", {"LaunchTemplateData": {"IamInstanceProfile": ref("Profile")}}),
        "Group": (
            "AWS::AutoScaling::AutoScalingGroup",
            {"VPCZoneIdentifier": [ref("Private")], "LaunchTemplate": ref("Template")},
        ),
    }
    found: dict[str, Json] = {
        name: {"Type": kind, "Properties": properties} for name, (kind, properties) in made.items()
    }
    found["Group"]["DependsOn"] = depends
    return found


NEEDED = [
    "PublicTables",
    "PrivateTables",
    "PublicRoute",
    "Attachment",
    "Nat",
    "PrivateRoute",
    "Endpoint",
    "EndpointRule",
    "Policy",
]


def test_a_group_that_has_all_it_needs_is_let_alone() -> None:
    assert findings(group(depends=NEEDED), "here") == []


@pytest.mark.parametrize("missing", NEEDED)
def test_a_group_is_told_what_it_may_outlive(missing: str) -> None:
    others = [name for name in NEEDED if name != missing]
    if missing in ("Nat",):
        others.remove("PrivateRoute")  # which refers to it
    told = findings(group(depends=others), "here")
    assert missing in " ".join(found.reason for found in told)
    assert all(found.resource == "Group" and found.page.startswith("https://") and found.fix for found in told)


def test_a_subnet_that_leads_nowhere_needs_nothing() -> None:
    resources = group(depends=["Policy"])
    for name in ("PrivateRoute", "Endpoint"):
        del resources[name]
    assert findings(resources, "here") == []


def test_an_instance_that_completes_a_hook_may_renew_it() -> None:
    def told(*actions: str) -> list[str]:
        resources = group(depends=NEEDED)
        statement = {"Effect": "Allow", "Action": [f"autoscaling:{action}" for action in actions], "Resource": "*"}
        resources["Policy"]["Properties"]["PolicyDocument"] = {"Statement": [statement]}
        return [found.rule for found in findings(resources, "here")]

    assert told("CompleteLifecycleAction") == ["hook-renewed"]
    assert told("CompleteLifecycleAction", "RecordLifecycleActionHeartbeat") == []
    assert told("DescribeAutoScalingInstances") == []


def answered(*, depends: list[str]) -> dict[str, Json]:
    role = {"Fn::GetAtt": ["Role", "Arn"]}
    return {
        "Role": {"Type": "AWS::IAM::Role"},
        "Policy": {"Type": "AWS::IAM::Policy", "Properties": {"Roles": [{"Ref": "Role"}]}},
        "Function": {"Type": "AWS::Lambda::Function", "Properties": {"Role": role}},
        "Custom": {
            "Type": "Custom::Thing",
            "Properties": {"ServiceToken": {"Fn::GetAtt": ["Function", "Arn"]}},
            "DependsOn": depends,
        },
        "Mapping": {
            "Type": "AWS::Lambda::EventSourceMapping",
            "Properties": {"FunctionName": {"Ref": "Function"}},
            "DependsOn": depends,
        },
        "Schedule": {
            "Type": "AWS::Scheduler::Schedule",
            "Properties": {"Target": {"RoleArn": role}},
            "DependsOn": depends,
        },
    }


def test_a_pipeline_comes_after_what_its_builds_act_by() -> None:
    def pipeline(*depends: str) -> list[str]:
        roles = {name: {"Type": "AWS::IAM::Role"} for name in ("Role", "BuildRole")}
        policies = {
            f"{role}Policy": {"Type": "AWS::IAM::Policy", "Properties": {"Roles": [{"Ref": role}]}} for role in roles
        }
        build = {"Type": "AWS::CodeBuild::Project", "Properties": {"ServiceRole": {"Fn::GetAtt": ["BuildRole", "Arn"]}}}
        made = {
            "Type": "AWS::CodePipeline::Pipeline",
            "Properties": {"RoleArn": {"Fn::GetAtt": ["Role", "Arn"]}, "Stages": [{"Ref": "Build"}]},
            "DependsOn": list(depends),
        }
        template: dict[str, Json] = {**roles, **policies, "Build": build, "Pipeline": made}
        return [found.reason.split(",")[0] for found in findings(template, "here")]

    assert pipeline() == ["BuildRolePolicy", "RolePolicy"]
    assert pipeline("RolePolicy", "BuildRolePolicy") == []


def test_custom_resources_mappings_and_schedules_come_after_the_policies_by_which_they_act() -> None:
    told = {(found.resource, found.rule) for found in findings(answered(depends=[]), "here")}
    assert told == {("Custom", "custom-resource"), ("Mapping", "event-source"), ("Schedule", "schedule")}
    assert findings(answered(depends=["Policy"]), "here") == []
