"""The scaling policy of the Target-Setter, as Auto Scaling keeps it."""

from typing import Any


class PolicyNotFoundError(LookupError):
    """The scaling policy is not there: no target could be set."""


def find_policy(autoscaling: Any, group_name: str, policy_name: str) -> dict[str, Any]:
    """Returns the policy of that name as DescribePolicies gives it, whatever other policies the group has.

    Raises:
        PolicyNotFoundError: when the group has no policy of that name.
    """
    pages = autoscaling.get_paginator("describe_policies").paginate(
        AutoScalingGroupName=group_name, PolicyNames=[policy_name]
    )
    for policy in (policy for page in pages for policy in page["ScalingPolicies"]):
        if policy["PolicyName"] == policy_name:
            return dict(policy)
    raise PolicyNotFoundError(f"Auto Scaling group {group_name!r} has no scaling policy named {policy_name!r}")
