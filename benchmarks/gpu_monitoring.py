"""The look at a GPU fleet for ever more instances: time, memory and calls, page by page as from EC2 and CloudWatch."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from benchmarks.growth import Growing, Ran, timed

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
TYPES = ("g5.xlarge", "g5.12xlarge", "p4d.24xlarge", "c7g.large")
GPUS = {"g5.xlarge": 1, "g5.12xlarge": 4, "p4d.24xlarge": 8}
PAGE = 1_000
HOURS = 24


class Fleet:
    """EC2 and CloudWatch of an account with so many tagged instances; counts the calls."""

    def __init__(self, instances: int) -> None:
        self.instances = instances
        self.calls: Counter[str] = Counter()

    def get_paginator(self, operation: str) -> Any:
        """Pages as large as the API's."""
        fleet, pages = self, getattr(self, f"_{operation}")

        class Pages:
            def paginate(self, **asked: Any) -> Iterator[dict[str, Any]]:
                for page in pages(asked):
                    fleet.calls[operation] += 1
                    yield page

        return Pages()

    def put_metric_data(self, **_: Any) -> None:
        """Takes the datapoints."""
        self.calls["put_metric_data"] += 1

    def _describe_instances(self, _: Any) -> Iterator[dict[str, Any]]:
        for start in range(0, self.instances, PAGE):
            numbers = range(start, min(start + PAGE, self.instances))
            yield {"Reservations": [{"Instances": [self._instance(number) for number in numbers]}]}

    def _describe_instance_types(self, asked: Any) -> Iterator[dict[str, Any]]:
        yield {"InstanceTypes": [_type(name) for name in asked["InstanceTypes"]]}

    def _get_metric_data(self, asked: Any) -> Iterator[dict[str, Any]]:
        yield {"MetricDataResults": [_result(query) for query in asked["MetricDataQueries"]]}

    def _instance(self, number: int) -> dict[str, Any]:
        launched = NOW - timedelta(days=2)
        kind = TYPES[number % len(TYPES)]
        return {"InstanceId": f"i-{number:017x}", "InstanceType": kind, "LaunchTime": launched, "Tags": []}


def _type(name: str) -> dict[str, Any]:
    gpus = [{"Manufacturer": "NVIDIA", "Count": GPUS[name]}] if name in GPUS else []
    return {"InstanceType": name, "GpuInfo": {"Gpus": gpus}}


def _result(query: Any) -> dict[str, Any]:
    stat = query["MetricStat"]
    times = _times(stat["Period"])
    return {
        "Id": query["Id"],
        "StatusCode": "Complete",
        "Timestamps": times,
        "Values": [float(len(times))] * len(times),
    }


@cache  # what is measured is the look, not this account
def _times(period: int) -> list[datetime]:
    points = HOURS if period == 3600 else 3
    return [NOW - timedelta(seconds=period * number) for number in range(1, points + 1)]


def run(count: int) -> Ran:
    """One look at the fleet, with its metrics published."""
    from gpu_monitoring.fleet.handler import count as look
    from gpu_monitoring.fleet.waste import Rules

    fleet: Any = Fleet(count)
    rules = Rules(idle_percent=5, idle_hours=4, silent=timedelta(minutes=20))

    def work() -> int:
        found = look(fleet, fleet, tag=("gpu", "on"), rules=rules, namespace="benchmark", now=NOW)
        return sum(found.values())

    return timed(work, fleet.calls)


GROWING = Growing("gpu_monitoring", "instances", "judged", (2_500, 5_000, 10_000), run)
