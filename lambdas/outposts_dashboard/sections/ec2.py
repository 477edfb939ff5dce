"""Tagged EC2 instances, wherever they run."""

from collections.abc import Callable, Iterable
from typing import Any

from outposts_dashboard.wanted import Wanted, batches, tags_of

PAGE = 1000  # https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeInstances.html
TYPES_PAGE = 100  # https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeInstanceTypes.html
# Values of all filters of a request: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Filtering.html
MOST_FILTER_VALUES = 200
THERE = ("pending", "running", "stopping", "stopped")  # and not shutting-down or terminated

Clients = Callable[[str], Any]


def discover(clients: Clients, wanted: Wanted) -> list[dict[str, Any]]:
    """Every instance that is there and tagged, of reservations of any size, sorted by name and id."""
    client = clients("ec2")
    found: dict[str, dict[str, Any]] = {}
    states = {"Name": "instance-state-name", "Values": list(THERE)}
    for tagged in wanted.filters(MOST_FILTER_VALUES - len(THERE)):
        pages = client.get_paginator("describe_instances").paginate(
            Filters=[tagged, states], PaginationConfig={"PageSize": PAGE}
        )
        for instance in (one for page in pages for group in page["Reservations"] for one in group["Instances"]):
            tags = tags_of(instance.get("Tags"))
            if instance["State"]["Name"] in THERE and wanted.matches(tags.get(wanted.tag_name)):
                found[instance["InstanceId"]] = _plain(instance, tags, wanted)
    silent = _silent(client, {one["type"] for one in found.values()})
    for one in found.values():
        one["nitro"] = one["type"] not in silent
    return sorted(found.values(), key=lambda one: (one["name"], one["id"]))


def _plain(instance: dict[str, Any], tags: dict[str, str], wanted: Wanted) -> dict[str, Any]:
    mappings = instance.get("BlockDeviceMappings") or []
    return {
        "id": instance["InstanceId"],
        "name": tags.get("Name") or instance["InstanceId"],
        "type": instance.get("InstanceType", ""),
        "state": instance["State"]["Name"],
        "outpost": instance.get("OutpostArn", "").rpartition("/")[2],
        "volumes": sorted(mapping["Ebs"]["VolumeId"] for mapping in mappings if "Ebs" in mapping),
        "tag": tags[wanted.tag_name],
    }


def _silent(client: Any, types: Iterable[str]) -> set[str]:
    """Those of the types whose instances have no EBS metrics of their own, so that their volumes' are shown.

    They are those on Xen and bare metal (https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/
    viewing_metrics_with_cloudwatch.html#ebs-metrics-nitro). An instance's own Hypervisor says xen for Nitro too. Asked
    by a filter: by name, one unknown type fails them all.
    """
    found = set()
    for batch in batches(sorted(types), TYPES_PAGE):
        pages = client.get_paginator("describe_instance_types").paginate(
            Filters=[{"Name": "instance-type", "Values": batch}],
            PaginationConfig={"PageSize": TYPES_PAGE},
        )
        for one in (one for page in pages for one in page["InstanceTypes"]):
            if one.get("Hypervisor") == "xen" or one.get("BareMetal"):
                found.add(one["InstanceType"])
    return found
