"""The rule of rest over every template, and that it catches what it is for."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stacks.odcr_asg.placement import per_zone
from tests.conformance.life.rest import findings
from tests.conformance.templates import every_template, found

Json = dict[str, Any]


@every_template
def test_no_alarm_is_on_at_rest(variant: str, slug: str) -> None:
    template = found(variant, slug)
    assert [str(found) for found in findings(template.resources, str(template))] == []


def stack(required: int, zones: int, alarm: Json) -> dict[str, Json]:
    """A group, its reservations, and one alarm."""
    count = per_zone(required, zones)
    made = {
        "Group": ("AWS::AutoScaling::AutoScalingGroup", {"MinSize": str(required)}),
        "Alarm": ("AWS::CloudWatch::Alarm", alarm),
        **{f"Zone{n}": ("AWS::EC2::CapacityReservation", {"InstanceCount": count}) for n in range(1, zones + 1)},
    }
    return {name: {"Type": kind, "Properties": properties} for name, (kind, properties) in made.items()}


def zone(metric: str, threshold: float, owner: str = "Zone1") -> Json:
    return {
        "MetricName": metric,
        "Dimensions": [{"Name": "CapacityReservationId", "Value": {"Ref": owner}}],
        "ComparisonOperator": "GreaterThanThreshold",
        "Threshold": threshold,
    }


def total(zones: int, operator: str, threshold: float) -> Json:
    queries = [
        {"Id": f"z{n}", "ReturnData": False, "MetricStat": {"Metric": zone("UsedInstanceCount", 0, f"Zone{n}")}}
        for n in range(1, zones + 1)
    ]
    expression = {"Id": "all", "Expression": " + ".join(f"z{n}" for n in range(1, zones + 1))}
    return {"Metrics": [expression, *queries], "ComparisonOperator": operator, "Threshold": threshold}


# Sizes with which the alarms of a single zone were on from the first day.
@pytest.mark.parametrize(("required", "zones"), [(1, 2), (2, 3), (4, 3), (6, 4), (9, 4), (8, 5), (10, 6), (6, 3)])
def test_the_alarm_of_one_zone_is_on_at_rest(required: int, zones: int) -> None:
    assert findings(stack(required, zones, zone("InstanceUtilization", 99)), "here")
    idle = findings(stack(required, zones, zone("AvailableInstanceCount", per_zone(required, zones) - 1)), "here")
    assert idle and "the group has its size" in idle[0].reason


def test_an_alarm_on_the_size_of_a_group_is_on_at_rest() -> None:
    alarm = zone("GroupInServiceInstances", 5, "Group")
    assert findings(stack(6, 3, alarm), "here")
    assert not findings(stack(6, 3, {**alarm, "Threshold": 6}), "here")
    assert not findings(stack(6, 3, {**alarm, "MetricName": "GroupSomething"}), "here"), "what is not known"


@given(st.integers(1, 30), st.integers(2, 6))
def test_the_sums_of_all_zones_are_silent_for_every_legal_size(required: int, zones: int) -> None:
    """More instances than these are spread in too many ways to try; a sum is the same in all of them."""
    if required > 12:
        zones = min(zones, 3)
    reserved = zones * per_zone(required, zones)
    for alarm in (
        total(zones, "GreaterThanThreshold", reserved - 1),
        total(zones, "LessThanThreshold", required),
    ):
        assert not findings(stack(required, zones, alarm), "here")
