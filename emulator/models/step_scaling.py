"""How a simple or step scaling policy changes a capacity (our model). No AWS in here.

Follows https://docs.aws.amazon.com/autoscaling/ec2/userguide/as-scaling-simple-step.html and
https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_StepAdjustment.html.
"""

import math
from collections.abc import Iterable, Mapping
from typing import Any


def step_for(steps: Iterable[Mapping[str, Any]], value: float, threshold: float) -> int | None:
    """The ScalingAdjustment of the step that contains *value*; None when no step does.

    With a threshold of 50, bounds 0 and 10 mean "greater than or equal to 50 and less than 60", bounds -10 and 0 mean
    "greater than 40 and less than or equal to 50" (API_StepAdjustment).
    """
    distance = value - threshold
    steps = list(steps)
    below = distance < 0 or (
        distance == 0 and not any(_lower(step) == 0 or _lower(step) < 0 < _upper(step) for step in steps)
    )
    for step in steps:
        lower, upper = _lower(step), _upper(step)
        if (lower < distance <= upper) if below else (lower <= distance < upper):
            return int(step["ScalingAdjustment"])
    return None


def _lower(step: Mapping[str, Any]) -> float:
    bound = step.get("MetricIntervalLowerBound")
    return -math.inf if bound is None else float(bound)


def _upper(step: Mapping[str, Any]) -> float:
    bound = step.get("MetricIntervalUpperBound")
    return math.inf if bound is None else float(bound)


def new_capacity(current: int, kind: str, adjustment: int, least_change: int = 0) -> int:
    """The capacity after an adjustment, before the group's minimum and maximum are applied.

    Percentages: "Values greater than 1 are rounded down. Values between 0 and 1 are rounded to 1. Values between 0
    and -1 are rounded to -1. Values less than -1 are rounded up." *least_change* is MinAdjustmentMagnitude.
    """
    if kind == "ExactCapacity":
        return adjustment
    if kind == "ChangeInCapacity":
        return current + adjustment
    exact = current * adjustment / 100
    change = math.copysign(1, exact) if 0 < abs(exact) < 1 else math.trunc(exact)
    if adjustment and abs(change) < least_change:
        change = math.copysign(least_change, adjustment)
    return current + int(change)
