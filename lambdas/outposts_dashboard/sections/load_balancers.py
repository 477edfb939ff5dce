"""Tagged Application Load Balancers and their target groups."""

from collections.abc import Callable
from typing import Any

from outposts_dashboard.sections.tagged import tagged
from outposts_dashboard.wanted import Wanted

PAGE = 400  # https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DescribeLoadBalancers.html

Clients = Callable[[str], Any]


def discover(clients: Clients, wanted: Wanted) -> list[dict[str, Any]]:
    """Each with the names by which CloudWatch knows it and its groups, sorted.

    All load balancers and all target groups are listed, 400 a call, which asks no group of a single one.
    """
    arns = tagged(clients("resourcegroupstaggingapi"), wanted, "elasticloadbalancing:loadbalancer")
    arns = {arn: value for arn, value in arns.items() if ":loadbalancer/app/" in arn}
    if not arns:
        return []
    client = clients("elbv2")
    sized = {"PaginationConfig": {"PageSize": PAGE}}
    groups: dict[str, list[str]] = {}
    for page in client.get_paginator("describe_target_groups").paginate(**sized):
        for group in page["TargetGroups"]:
            for arn in group.get("LoadBalancerArns", []):
                groups.setdefault(arn, []).append(group["TargetGroupArn"].rpartition(":")[2])
    found = [
        {
            "id": one["LoadBalancerArn"].partition(":loadbalancer/")[2],
            "name": one["LoadBalancerName"],
            "groups": sorted(groups.get(one["LoadBalancerArn"], [])),
            "tag": arns[one["LoadBalancerArn"]],
        }
        for page in client.get_paginator("describe_load_balancers").paginate(**sized)
        for one in page["LoadBalancers"]
        if one["LoadBalancerArn"] in arns
    ]
    return sorted(found, key=lambda one: str(one["id"]))
