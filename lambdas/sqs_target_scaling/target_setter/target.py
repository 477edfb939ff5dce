"""How much work may wait for each instance, and what a policy becomes with it. No AWS in here.

The post's equation (1), https://aws.amazon.com/blogs/compute/scaling-an-asg-using-target-tracking-with-a-dynamic-sqs-target/.
"""

import math
from collections.abc import Mapping
from typing import Any

SMALLEST, LARGEST = 8.52e-109, 1.17e108
"""The positive values, in three digits, that CloudWatch takes
(https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_MetricDatum.html): a target that no metric can
reach would be no target."""

KEPT = (
    "AutoScalingGroupName",
    "PolicyName",
    "PolicyType",
    "EstimatedInstanceWarmup",
    "Enabled",
    "TargetTrackingConfiguration",
)
"""What PutScalingPolicy takes of a target tracking policy. The call replaces the whole policy, so all of it goes back
(https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_PutScalingPolicy.html)."""


class WrongPolicyTypeError(ValueError):
    """The policy is there and tracks no target, so it has none to be set."""


def acceptable_backlog_per_instance(latency_seconds: float, mpd_seconds: float) -> float:
    """Returns the acceptable BPI: messages that one instance can finish within the latency (messages per instance).

    Rounded to three significant digits, never to a whole number: a message that takes longer than the latency makes
    it less than 1, and a target of 0 would scale out without end.

    Args:
        latency_seconds: within which a message is to be received and processed.
        mpd_seconds: average message processing duration.

    Raises:
        ValueError: when either is not a finite number above zero.
    """
    for name, value in (("latency_seconds", latency_seconds), ("mpd_seconds", mpd_seconds)):
        if not is_duration(value):
            raise ValueError(f"{name} must be a finite number above 0, got {value!r}")
    return three_digits(min(max(latency_seconds / mpd_seconds, SMALLEST), LARGEST))


def three_digits(value: float) -> float:
    """Returns the value in three significant digits, as far as an average of durations means anything."""
    return float(f"{value:.3g}")


def is_duration(seconds: float) -> bool:
    """Whether this is a length of time that something can take: finite and above zero."""
    return math.isfinite(seconds) and seconds > 0


def average_duration(sums: Mapping[Any, float], counts: Mapping[Any, float]) -> float | None:
    """Returns the average in seconds over all messages of all minutes, or None where there is nothing to go by.

    Every message weighs the same: the average of the minutes' averages would let one slow message in a quiet minute
    count as much as a hundred in a busy one. A minute with only one of its two numbers is left out.

    Args:
        sums: seconds spent, by minute.
        counts: messages processed, by minute.
    """
    minutes = sums.keys() & counts.keys()
    messages = sum(counts[minute] for minute in minutes)
    seconds = sum(sums[minute] for minute in minutes)
    if not messages > 0:
        return None
    return seconds / messages if is_duration(seconds / messages) else None


def tracked_target(policy: Mapping[str, Any]) -> float:
    """Returns the target that a policy, as DescribePolicies gives it, is tracking now.

    Raises:
        WrongPolicyTypeError: when it is not a target tracking policy.
    """
    if policy.get("PolicyType") != "TargetTrackingScaling":
        kind = policy.get("PolicyType")
        raise WrongPolicyTypeError(
            f"policy {policy['PolicyName']!r} is {kind!r}; only a TargetTrackingScaling has a target"
        )
    return float(policy["TargetTrackingConfiguration"]["TargetValue"])


def with_target(policy: Mapping[str, Any], target: float) -> dict[str, Any]:
    """Returns the parameters of PutScalingPolicy that change the target of this policy and nothing else."""
    kept = {name: policy[name] for name in KEPT if name in policy}
    kept["TargetTrackingConfiguration"] = {**_said(policy["TargetTrackingConfiguration"]), "TargetValue": target}
    return kept


def _said(described: Mapping[str, Any]) -> dict[str, Any]:
    """What was said of a policy: DescribePolicies answers empty lists for what was not.

    Sent back, an empty list of Metrics would stand beside the MetricName that excludes it
    (https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_CustomizedMetricSpecification.html).
    """
    return {
        name: _said(value) if isinstance(value, Mapping) else value for name, value in described.items() if value != []
    }
