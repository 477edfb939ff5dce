"""Tagged RDS instances."""

from collections.abc import Callable
from typing import Any

from outposts_dashboard.wanted import Wanted, tags_of

PAGE = 100  # https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_DescribeDBInstances.html

Clients = Callable[[str], Any]


def discover(clients: Clients, wanted: Wanted) -> list[dict[str, Any]]:
    """Each that is not being deleted. The API returns the tags and has no filter by them, so the whole list is read."""
    found = []
    for page in clients("rds").get_paginator("describe_db_instances").paginate(PaginationConfig={"PageSize": PAGE}):
        for one in page["DBInstances"]:
            value = tags_of(one.get("TagList")).get(wanted.tag_name)
            if wanted.matches(value) and one.get("DBInstanceStatus") != "deleting":
                found.append(
                    {
                        "id": one["DBInstanceIdentifier"],
                        "engine": one.get("Engine", ""),
                        "class": one.get("DBInstanceClass", ""),
                        "outpost": _outpost(one),
                        "tag": value,
                    }
                )
    return sorted(found, key=lambda one: str(one["id"]))


def _outpost(instance: dict[str, Any]) -> str:
    """The Outpost of its subnets: those of a database on an Outpost are all there."""
    subnets = (instance.get("DBSubnetGroup") or {}).get("Subnets") or []
    arns = (subnet.get("SubnetOutpost", {}).get("Arn", "") for subnet in subnets)
    return next((arn.rpartition("/")[2] for arn in arns if arn), "")
