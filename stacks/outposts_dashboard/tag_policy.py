"""Policies that enforce the tag. They are written for people to attach, and never attached."""

import json
from typing import Any

from stacks.outposts_dashboard.settings import OutpostsDashboardSettings

# What the dashboards show and AWS Organizations can enforce; ``rds:db`` it can only report:
# https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_supported-resources-enforcement.html
ENFORCED_FOR = ("ec2:instance", "elasticloadbalancing:loadbalancer", "s3:bucket")

MOST_CHARACTERS = {"tag policy": 10_000, "service control policy": 10_240}
"""https://docs.aws.amazon.com/organizations/latest/userguide/orgs_reference_limits.html and
https://aws.amazon.com/about-aws/whats-new/2026/05/aws-organizations-increased-scp-quotas/; by the API spaces count."""

# What makes the things that the dashboards find by the tag, on the resource that takes the tag of the request:
# https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
CREATED_BY = {
    "autoscaling:CreateAutoScalingGroup": "arn:*:autoscaling:*:*:autoScalingGroup:*:autoScalingGroupName/*",
    "ec2:RunInstances": "arn:*:ec2:*:*:instance/*",
    "elasticloadbalancing:CreateLoadBalancer": "arn:*:elasticloadbalancing:*:*:loadbalancer/app/*",
    "rds:CreateDBInstance": "arn:*:rds:*:*:db:*",
    "s3:CreateBucket": "arn:*:s3:::*",
}


class PolicyTooLongError(ValueError):
    """AWS Organizations takes no policy of that length; the message is meant for the user."""


def text_of(kind: str, policy: dict[str, Any]) -> str:
    """The text of a policy: indented, or without spaces where it would be too long.

    Args:
        kind: a key of MOST_CHARACTERS.

    Raises:
        PolicyTooLongError: it is too long without spaces too.
    """
    most = MOST_CHARACTERS[kind]
    indented, compact = json.dumps(policy, indent=2) + "\n", json.dumps(policy, separators=(",", ":"))
    if len(compact) > most:
        raise PolicyTooLongError(
            f"the {kind} has {len(compact)} characters, AWS Organizations takes {most}: list fewer tag_values, "
            "or none, which allows every value"
        )
    return indented if len(indented) <= most else compact


def tag_policy(settings: OutpostsDashboardSettings) -> dict[str, Any]:
    """The policy: the key in this capitalization and, where the settings name values, these alone.

    https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_example-tag-policies.html
    """
    rule: dict[str, Any] = {"tag_key": {"@@assign": settings.tag_name}}
    if settings.tag_values:
        rule["tag_value"] = {"@@assign": list(settings.tag_values)}
    rule["enforced_for"] = {"@@assign": list(ENFORCED_FOR)}
    return {"tags": {settings.tag_name.lower(): rule}}


def service_control_policy(settings: OutpostsDashboardSettings) -> dict[str, Any]:
    """What a tag policy leaves open: nothing is created without the tag, or with a value that is not of the settings.

    https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps_examples_tagging.html
    """
    key = f"aws:RequestTag/{settings.tag_name}"
    # A negated operator is true also where the key is missing.
    missing = {"StringNotEquals": {key: list(settings.tag_values)}} if settings.tag_values else {"Null": {key: "true"}}
    statement = {
        "Sid": "DenyCreationWithoutTag",
        "Effect": "Deny",
        "Action": list(CREATED_BY),
        "Resource": list(CREATED_BY.values()),
        "Condition": missing,
    }
    return {"Version": "2012-10-17", "Statement": [statement]}
