"""Adjustments of simple and step policies, with the examples of the AWS pages."""

import pytest

from emulator.models.step_scaling import new_capacity, step_for

# API_StepAdjustment: "suppose that you have an alarm with a breach threshold of 50".
ABOVE = [{"MetricIntervalLowerBound": 0, "MetricIntervalUpperBound": 10, "ScalingAdjustment": 1}]
BELOW = [{"MetricIntervalLowerBound": -10, "MetricIntervalUpperBound": 0, "ScalingAdjustment": -1}]
# The user guide's scale-out and scale-in policies: 0 and 10 and 30 percent from the breach on.
OUT = [
    {"MetricIntervalLowerBound": 0, "MetricIntervalUpperBound": 10, "ScalingAdjustment": 0},
    {"MetricIntervalLowerBound": 10, "MetricIntervalUpperBound": 20, "ScalingAdjustment": 10},
    {"MetricIntervalLowerBound": 20, "ScalingAdjustment": 30},
]


@pytest.mark.parametrize(("value", "adjustment"), [(50, 1), (59.9, 1), (60, None), (49, None)])
def test_above_the_threshold_the_lower_bound_is_inclusive(value: float, adjustment: int | None) -> None:
    assert step_for(ABOVE, value, 50) == adjustment


@pytest.mark.parametrize(("value", "adjustment"), [(50, -1), (40.1, -1), (40, None), (51, None)])
def test_below_the_threshold_the_upper_bound_is_inclusive(value: float, adjustment: int | None) -> None:
    assert step_for(BELOW, value, 50) == adjustment


@pytest.mark.parametrize(("value", "adjustment"), [(55, 0), (60, 10), (70, 30), (1000, 30)])
def test_a_step_without_an_upper_bound_has_no_end(value: float, adjustment: int) -> None:
    assert step_for(OUT, value, 50) == adjustment


def test_exact_and_relative_changes() -> None:
    assert new_capacity(3, "ExactCapacity", 5) == 5
    assert new_capacity(3, "ChangeInCapacity", 5) == 8
    assert new_capacity(3, "ChangeInCapacity", -2) == 1


@pytest.mark.parametrize(
    ("current", "percent", "change"), [(10, 10, 1), (127, 10, 12), (67, 1, 1), (58, -1, -1), (667, -1, -6)]
)
def test_percentages_are_rounded_as_the_user_guide_says(current: int, percent: int, change: int) -> None:
    """12.7 is rounded to 12, .67 to 1, -.58 to -1 and -6.67 to -6."""
    assert new_capacity(current, "PercentChangeInCapacity", percent) == current + change


def test_the_least_change_of_a_percentage() -> None:
    """The example of MinAdjustmentMagnitude: 25 percent of 4 is 1, but 2 are added."""
    assert new_capacity(4, "PercentChangeInCapacity", 25, least_change=2) == 6
