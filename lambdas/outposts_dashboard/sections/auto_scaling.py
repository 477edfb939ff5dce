"""Tagged Auto Scaling groups."""

from collections.abc import Callable
from typing import Any

from outposts_dashboard.wanted import Wanted, tags_of

PAGE = 100  # https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_DescribeAutoScalingGroups.html
MOST_FILTER_VALUES = 200
SHOWN = ("GroupDesiredCapacity", "GroupInServiceInstances")

Clients = Callable[[str], Any]


def discover(clients: Clients, wanted: Wanted) -> list[dict[str, Any]]:
    """Each with whether it publishes the metrics that are shown: a group does so only when they are enabled."""
    client = clients("autoscaling")
    found: dict[str, dict[str, Any]] = {}
    for tagged in wanted.filters(MOST_FILTER_VALUES):
        pages = client.get_paginator("describe_auto_scaling_groups").paginate(
            Filters=[tagged], PaginationConfig={"PageSize": PAGE}
        )
        for group in (one for page in pages for one in page["AutoScalingGroups"]):
            value = tags_of(group.get("Tags")).get(wanted.tag_name)
            if wanted.matches(value):
                enabled = {metric["Metric"] for metric in group.get("EnabledMetrics") or []}
                name = group["AutoScalingGroupName"]
                found[name] = {"id": name, "metrics": enabled.issuperset(SHOWN), "tag": value}
    return sorted(found.values(), key=lambda one: str(one["id"]))
