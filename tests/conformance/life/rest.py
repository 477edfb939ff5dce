"""No alarm is on at rest: when a group has its smallest size and all of it serves.

What is known of that state are the metrics of groups and of capacity reservations. A group may be spread over its
reservations in any way: AWS promises none. An alarm on anything else is not judged.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import Any

from emulator.models.metric_math import MetricMathError, evaluate
from tests.conformance.findings import Finding, Rule

# Which of the zones with free reservations comes first, it does not say.
SPREAD = "https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-availability-zone-balanced.html"

Json = dict[str, Any]
Values = Mapping[tuple[str, str], float]
_OPERATORS = {
    "GreaterThanThreshold": lambda value, threshold: value > threshold,
    "GreaterThanOrEqualToThreshold": lambda value, threshold: value >= threshold,
    "LessThanThreshold": lambda value, threshold: value < threshold,
    "LessThanOrEqualToThreshold": lambda value, threshold: value <= threshold,
}
_WHOLE = ("GroupMinSize", "GroupDesiredCapacity", "GroupInServiceInstances", "GroupTotalInstances")
_NONE = ("GroupPendingInstances", "GroupTerminatingInstances", "GroupStandbyInstances")


def findings(resources: Mapping[str, Json], where: str) -> list[Finding]:
    """Alarms that are on in some state of rest."""
    found = []
    for name, resource in resources.items():
        if resource["Type"] != "AWS::CloudWatch::Alarm":
            continue
        for state in _rests(resources):
            if _is_on(resource["Properties"], state):
                reason = "it is on although the group has its size: " + _shown(state)
                fix = "compare what does not depend on the spread, or leave the alarm out"
                found.append(Finding(where, name, "rest", "fails", reason, SPREAD, fix))
                break
    return found


def _rests(resources: Mapping[str, Json]) -> Iterator[Values]:
    """Each state of rest, as values of metrics by resource and name."""
    groups = [(name, r) for name, r in resources.items() if r["Type"] == "AWS::AutoScaling::AutoScalingGroup"]
    if len(groups) != 1:
        return
    ((group, resource),) = groups
    size = int(resource["Properties"]["MinSize"])
    known = {(group, name): float(size) for name in _WHOLE} | {(group, name): 0.0 for name in _NONE}
    reserved = {
        name: int(r["Properties"]["InstanceCount"])
        for name, r in resources.items()
        if r["Type"] == "AWS::EC2::CapacityReservation"
    }
    for spread in _spreads(size, list(reserved.values())):
        yield known | {
            (name, metric): value
            for (name, total), used in zip(reserved.items(), spread, strict=True)
            for metric, value in {
                "UsedInstanceCount": float(used),
                "AvailableInstanceCount": float(total - used),
                "TotalInstanceCount": float(total),
                "InstanceUtilization": 100 * used / total,
            }.items()
        }


def _spreads(size: int, room: Sequence[int]) -> Iterator[tuple[int, ...]]:
    """Every way in which a group fills its reservations."""
    if not room:
        yield ()
        return
    for others in product(*(range(min(size, each) + 1) for each in room[1:])):
        if 0 <= (first := size - sum(others)) <= room[0]:
            yield (first, *others)


def _is_on(alarm: Json, state: Values) -> bool:
    value = _value(alarm, state)
    compare = _OPERATORS.get(alarm["ComparisonOperator"])
    return value is not None and compare is not None and compare(value, float(alarm["Threshold"]))


def _value(alarm: Json, state: Values) -> float | None:
    """What an alarm compares; None where a metric of it is not known."""
    if "Metrics" not in alarm:
        return _of(alarm, state)
    values: dict[str, float | None] = {}
    for query in alarm["Metrics"]:
        if statistic := query.get("MetricStat"):
            values[query["Id"]] = _of(statistic["Metric"], state)
    if None in values.values():
        return None
    try:
        for query in alarm["Metrics"]:
            if "Expression" in query:
                values[query["Id"]] = evaluate(query["Expression"], values)
    except MetricMathError:
        return None
    (returned,) = [query["Id"] for query in alarm["Metrics"] if query.get("ReturnData", True)]
    return values[returned]


def _of(metric: Json, state: Values) -> float | None:
    owners = [
        str(item["Value"].get("Ref")) for item in metric.get("Dimensions") or [] if isinstance(item["Value"], dict)
    ]
    return state.get((owners[0], str(metric["MetricName"]))) if len(owners) == 1 else None


def _shown(state: Values) -> str:
    return ", ".join(f"{value:g}" for (_, name), value in state.items() if name == "UsedInstanceCount") or "no instance"


RULES = (
    Rule(
        "rest",
        "no alarm is on while a group has its smallest size, however it is spread over its reservations",
        SPREAD,
        (
            "an alarm on all reservations of one zone",
            "an alarm on the idle reservations of one zone",
            "an alarm on a group of its smallest size",
        ),
    ),
)
