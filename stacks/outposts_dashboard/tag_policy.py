"""A tag policy that enforces the tag. It is written for people to attach, and never attached."""

from typing import Any

from stacks.outposts_dashboard.settings import OutpostsDashboardSettings

# What the dashboards show and AWS Organizations can enforce:
# https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_supported-resources-enforcement.html
ENFORCED_FOR = ("ec2:instance", "elasticloadbalancing:loadbalancer", "rds:db", "s3:bucket")


def tag_policy(settings: OutpostsDashboardSettings) -> dict[str, Any]:
    """The policy: the key in this capitalization and, where the settings name values, these alone.

    https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_example-tag-policies.html
    """
    rule: dict[str, Any] = {"tag_key": {"@@assign": settings.tag_name}}
    if settings.tag_values:
        rule["tag_value"] = {"@@assign": list(settings.tag_values)}
    rule["enforced_for"] = {"@@assign": list(ENFORCED_FOR)}
    return {"tags": {settings.tag_name.lower(): rule}}
