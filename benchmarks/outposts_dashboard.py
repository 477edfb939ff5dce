"""Discovery and layout for ever more tagged resources: calls, time and memory, read page by page as from AWS."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from benchmarks.growth import Growing, Ran, timed

TAG = {"Key": "OutpostID", "Value": "op-0123456789abcdef0"}
# What each API gives on a page at most; whoever asks for less is given less, for more an error.
PAGES = {
    "list_outposts": 1000,
    "get_outpost_instance_types": 1000,
    "describe_instances": 1000,
    "describe_instance_types": 100,
    "get_resources": 100,
    "describe_load_balancers": 400,
    "describe_target_groups": 400,
    "describe_auto_scaling_groups": 100,
    "describe_db_instances": 100,
}
KEYS = {
    "list_outposts": "Outposts",
    "get_outpost_instance_types": "InstanceTypes",
    "describe_instances": "Reservations",
    "describe_instance_types": "InstanceTypes",
    "get_resources": "ResourceTagMappingList",
    "describe_load_balancers": "LoadBalancers",
    "describe_target_groups": "TargetGroups",
    "describe_auto_scaling_groups": "AutoScalingGroups",
    "describe_db_instances": "DBInstances",
}


class Account:
    """An account with so many tagged resources of each kind, as any client of it; counts the calls.

    Args:
        counts: how many: ``outposts``, ``types`` (of each), ``instances``, ``balancers``, ``buckets``, ``groups``,
            ``databases``.
    """

    def __init__(self, counts: Mapping[str, int]) -> None:
        self.counts = {**dict.fromkeys(("outposts", "types", "instances", "balancers"), 0), **counts}
        self.calls: Counter[str] = Counter()

    def client(self, _service: str) -> "Account":
        """The client of a service."""
        return self

    def get_paginator(self, operation: str) -> Any:
        """Pages of the size that is asked for."""
        account = self

        class Pages:
            def paginate(self, *, PaginationConfig: Mapping[str, int], **asked: Any) -> Iterator[dict[str, Any]]:  # noqa: N803
                size = PaginationConfig["PageSize"]
                if size > PAGES[operation]:
                    raise ValueError(f"{operation} gives {PAGES[operation]} at most, {size} were asked for")
                items = account.items(operation, asked)
                for start in range(0, max(len(items), 1), size):
                    account.calls[operation] += 1
                    yield {KEYS[operation]: items[start : start + size]}

        return Pages()

    def items(self, operation: str, asked: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Everything that the operation would list."""
        if operation == "get_resources":
            return [one for kind in asked["ResourceTypeFilters"] for one in self._tagged(kind)]
        if operation == "describe_instance_types":
            return []  # all of them have EBS metrics of their own
        many = {
            "list_outposts": "outposts",
            "get_outpost_instance_types": "types",
            "describe_instances": "instances",
            "describe_load_balancers": "balancers",
            "describe_target_groups": "balancers",
            "describe_auto_scaling_groups": "groups",
            "describe_db_instances": "databases",
        }
        make = getattr(self, f"_{operation}")
        return [make(number) for number in range(self.counts.get(many[operation], 0))]

    def _tagged(self, kind: str) -> list[dict[str, Any]]:
        if kind == "s3":
            arns = [f"arn:aws:s3:::bucket-{number}" for number in range(self.counts.get("buckets", 0))]
        elif kind == "elasticloadbalancing:loadbalancer":
            arns = [_balancer(number) for number in range(self.counts["balancers"])]
        else:
            arns = []
        return [{"ResourceARN": arn, "Tags": [TAG]} for arn in arns]

    def _list_outposts(self, number: int) -> dict[str, Any]:
        name = f"op-{number:017x}"
        return {"OutpostId": name, "OwnerId": "123456789012", "Name": f"rack-{number}", "LifeCycleStatus": "ACTIVE"}

    def _get_outpost_instance_types(self, number: int) -> dict[str, Any]:
        return {"InstanceType": f"m{number}.large"}

    def _describe_instances(self, number: int) -> dict[str, Any]:
        tags = [TAG, {"Key": "Name", "Value": f"server-{number}"}]
        state = {"Name": "running"}
        here = {"InstanceId": f"i-{number:017x}", "InstanceType": "m5.large", "State": state, "Tags": tags}
        return {"Instances": [here]}

    def _describe_load_balancers(self, number: int) -> dict[str, Any]:
        return {"LoadBalancerArn": _balancer(number), "LoadBalancerName": f"lb-{number}"}

    def _describe_target_groups(self, number: int) -> dict[str, Any]:
        arn = f"arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/tg-{number}/{number:016x}"
        return {"TargetGroupArn": arn, "LoadBalancerArns": [_balancer(number)]}

    def _describe_auto_scaling_groups(self, number: int) -> dict[str, Any]:
        metrics = [{"Metric": name} for name in ("GroupDesiredCapacity", "GroupInServiceInstances")]
        return {"AutoScalingGroupName": f"group-{number}", "Tags": [TAG], "EnabledMetrics": metrics}

    def _describe_db_instances(self, number: int) -> dict[str, Any]:
        return {"DBInstanceIdentifier": f"db-{number}", "DBInstanceStatus": "available", "TagList": [TAG]}


def _balancer(number: int) -> str:
    return f"arn:aws:elasticloadbalancing:eu-west-1:123456789012:loadbalancer/app/lb-{number}/{number:016x}"


def mixture(resources: int) -> dict[str, int]:
    """So many tagged resources: mostly instances; and two Outposts with fifty types each."""
    shares = {"instances": 0.8, "balancers": 0.02, "buckets": 0.1, "groups": 0.04, "databases": 0.04}
    return {"outposts": 2, "types": 50, **{kind: round(share * resources) for kind, share in shares.items()}}


def run(count: int) -> Ran:
    """Discovers the account and lays the dashboards out."""
    from outposts_dashboard.discovery import discover
    from outposts_dashboard.layout.pages import dashboards
    from outposts_dashboard.wanted import Wanted

    account = Account(mixture(count))
    wanted = Wanted("board", TAG["Key"], (), False, False, "S3Outposts", {}, "stack")

    def work() -> int:
        found = discover(account.client, wanted, region="eu-west-1", account="123456789012", faults=())
        return len(dashboards(found, wanted))

    return timed(work, account.calls)


GROWING = Growing("outposts_dashboard", "tagged resources", "dashboards", (1_000, 5_000, 10_000), run)
