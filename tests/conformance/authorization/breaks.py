"""Policies broken on purpose, each in a real template, and the rule that must say so."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from tests.conformance.policies.evaluation import as_list
from tests.conformance.templates import Json

Change = Callable[[dict[str, Json]], object]


@dataclass(frozen=True)
class PolicyBreak:
    """A change to one template, and the rule of ``authorization`` that catches it."""

    name: str
    template: str
    change: Change
    rule: str


def _statements(resources: dict[str, Json]) -> Iterator[Json]:
    for resource in resources.values():
        if resource["Type"] == "AWS::IAM::Policy":
            yield from resource["Properties"]["PolicyDocument"]["Statement"]


def _with(action: str, **more: Any) -> Change:
    """Changes every statement that has an action: ``Action``, ``Resource``, ``Condition``; None removes."""

    def change(resources: dict[str, Json]) -> None:
        found = [one for one in _statements(resources) if action in as_list(one["Action"])]
        assert found, f"no policy has {action}"
        for one in found:
            one.update({key: value for key, value in more.items() if value is not None})

    return change


def _without(action: str) -> Change:
    """Takes an action away from every policy, with the statement if it was alone in it."""

    def change(resources: dict[str, Json]) -> None:
        for resource in resources.values():
            if resource["Type"] == "AWS::IAM::Policy":
                document = resource["Properties"]["PolicyDocument"]
                for one in document["Statement"]:
                    one["Action"] = [name for name in as_list(one["Action"]) if name != action]
                document["Statement"] = [one for one in document["Statement"] if one["Action"]]

    return change


def _in_organizations(written: str, instead: str) -> Change:
    """Writes something else in every policy of AWS Organizations."""

    def change(resources: dict[str, Json]) -> None:
        for resource in resources.values():
            if resource["Type"] == "AWS::Organizations::Policy":
                content = json.dumps(resource["Properties"]["Content"])
                resource["Properties"]["Content"] = json.loads(content.replace(written, instead))

    return change


_INSTANCE = "arn:aws:ec2:us-east-1:111122223333:instance/*"

AUTHORIZATION_BREAKS: tuple[PolicyBreak, ...] = (
    PolicyBreak(
        "an action that does not exist", "default/spot_asg", _with("dynamodb:PutItem", Action="dynamodb:Put"), "action"
    ),
    PolicyBreak(
        "a wildcard that fits no action",
        "default/spot_asg",
        _with("dynamodb:PutItem", Action="dynamodb:Putt*"),
        "action",
    ),
    PolicyBreak(
        "an action on a resource of another type",
        "default/spot_asg",
        _with("dynamodb:PutItem", Resource="arn:aws:sqs:us-east-1:111122223333:queue"),
        "resource type",
    ),
    PolicyBreak(
        "an action that knows only * on a resource",
        "default/odcr_asg",
        _with("ec2:DescribeInstances", Resource=_INSTANCE),
        "resource type",
    ),
    PolicyBreak(
        "a resource that no action of the statement has",
        "default/spot_asg",
        _with("dynamodb:PutItem", Resource=["arn:aws:dynamodb:us-east-1:111122223333:table/t", _INSTANCE]),
        "resource type",
    ),
    PolicyBreak(
        "a condition key that the action does not bring",
        "default/spot_asg",
        _with("dynamodb:PutItem", Condition={"StringEquals": {"ec2:SubnetID": "subnet-1"}}),
        "condition key",
    ),
    PolicyBreak(
        "a tag of a resource that has none in the call",
        "default/odcr_asg",
        _with("ec2:DescribeInstances", Condition={"StringEquals": {"aws:ResourceTag/a": "b"}}),
        "condition key",
    ),
    PolicyBreak(
        "a condition key without a service",
        "default/spot_asg",
        _with("dynamodb:PutItem", Condition={"StringEquals": {"SourceArn": "x"}}),
        "condition key",
    ),
    PolicyBreak(
        "a launch without a resource that it needs",
        "default/odcr_asg",
        _with("ec2:RunInstances", Resource=_INSTANCE),
        "required resource",
    ),
    PolicyBreak("a launch on any resource", "default/odcr_asg", _with("ec2:RunInstances", Resource="*"), "any launch"),
    PolicyBreak(
        "a load balancer without what its creation reads",
        "nat/outposts_routing",
        _without("ec2:DescribeSubnets"),
        "dependent action",
    ),
    PolicyBreak("a launch without PassRole", "default/odcr_asg", _without("iam:PassRole"), "dependent action"),
    PolicyBreak(
        "tags that may not be set", "default/root_volume_replacement", _without("ec2:CreateTags"), "dependent action"
    ),
    PolicyBreak(
        "a role passed to a service that it does not trust",
        "default/odcr_asg",
        _with("iam:PassRole", Condition={"StringEquals": {"iam:PassedToService": "lambda.amazonaws.com"}}),
        "PassRole",
    ),
    PolicyBreak(
        "any role passed to any service",
        "default/odcr_asg",
        _with("iam:PassRole", Resource="*", Condition={}),
        "PassRole",
    ),
    PolicyBreak(
        "an action that does not exist in a policy of AWS Organizations",
        "default/local_zone_guardrails",
        _in_organizations("ec2:CreateSnapshot", "ec2:MakeSnapshot"),
        "action",
    ),
    PolicyBreak(
        "a NotResource that no action of the statement has",
        "rails/local_zone_guardrails",
        _in_organizations(":bucket/*--", ":table/*--"),
        "resource type",
    ),
)
