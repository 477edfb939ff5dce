"""Roles that were given too much on purpose, and the rule of ``reach`` that must say so."""

from typing import Any

from tests.conformance.authorization.breaks import Change, PolicyBreak
from tests.conformance.templates import Json

_TAG = {"aws:ResourceTag/a": "b"}


def allows(action: str, resource: str = "*", condition: Json | None = None) -> Change:
    """Allows the first role of the template one thing more."""

    def change(resources: dict[str, Json]) -> None:
        policy = next(one for one in resources.values() if one["Type"] == "AWS::IAM::Policy")
        more: dict[str, Any] = {"Condition": condition} if condition else {}
        statement = {"Effect": "Allow", "Action": action, "Resource": resource, **more}
        policy["Properties"]["PolicyDocument"]["Statement"].append(statement)

    return change


def _broken(name: str, rule: str, action: str, resource: str = "*", condition: Json | None = None) -> PolicyBreak:
    service = action.split(":")[0]
    region = "" if service == "iam" else "us-east-1"
    arn = f"arn:aws:{service}:{region}:111122223333:{resource}" if resource != "*" else "*"
    return PolicyBreak(name, "default/spot_asg", allows(action, arn, condition), rule)


REACH_BREAKS: tuple[PolicyBreak, ...] = (
    _broken("a role that writes policies of roles", "escalation", "iam:PutRolePolicy", "role/own"),
    _broken("every action of IAM", "escalation", "iam:*"),
    _broken(
        "any role passed to one service",
        "escalation",
        "iam:PassRole",
        "role/*",
        {"StringEquals": {"iam:PassedToService": "lambda.amazonaws.com"}},
    ),
    _broken("any role assumed", "escalation", "sts:AssumeRole"),
    _broken("the code of any function", "escalation", "lambda:UpdateFunctionCode", "function:*"),
    _broken("the user data of any instance", "escalation", "ec2:ModifyInstanceAttribute", "instance/*"),
    _broken("commands to any instance", "escalation", "ssm:SendCommand"),
    _broken("any stack changed", "escalation", "cloudformation:UpdateStack", "stack/*"),
    _broken("reserved instances bought", "purchase", "ec2:PurchaseReservedInstancesOffering"),
    _broken("a savings plan bought", "purchase", "savingsplans:CreateSavingsPlan"),
    _broken("capacity reserved", "purchase", "ec2:CreateCapacityReservation", "capacity-reservation/*"),
    _broken("a reservation made longer", "purchase", "ec2:ModifyCapacityReservation", "capacity-reservation/cr-1"),
    _broken("scheduled instances run", "purchase", "ec2:RunScheduledInstances"),
    _broken("a domain registered", "purchase", "route53domains:RegisterDomain"),
    _broken("any instance ended", "touch", "ec2:TerminateInstances", "instance/*"),
    _broken(
        "a tag that need not be there",
        "touch",
        "ec2:TerminateInstances",
        "instance/*",
        {"StringEqualsIfExists": _TAG},
    ),
    _broken(
        "everything but what has a tag", "touch", "ec2:TerminateInstances", "instance/*", {"StringNotEquals": _TAG}
    ),
    _broken("any value of a tag's key", "touch", "ec2:StopInstances", "*", {"StringLike": {"aws:ResourceTag/a": "*"}}),
    _broken(
        "a tag of whoever calls",
        "touch",
        "ec2:TerminateInstances",
        "instance/*",
        {"StringEquals": {"aws:PrincipalTag/a": "b"}},
    ),
    _broken(
        "our tag on any volume", "touch", "ec2:CreateTags", "volume/*", {"StringEquals": {"aws:RequestTag/a": "b"}}
    ),
    _broken("every role of AWS's services", "touch", "iam:DeleteServiceLinkedRole", "role/aws-service-role/*"),
    _broken(
        "every role that the console has made for services",
        "escalation",
        "iam:PassRole",
        "role/service-role/*",
        {"StringEquals": {"iam:PassedToService": "lambda.amazonaws.com"}},
    ),
    _broken("the logs of every function", "touch", "logs:DeleteLogGroup", "log-group:/aws/lambda/*"),
    _broken("any tag on any volume", "touch", "ec2:CreateTags", "volume/*"),
)
