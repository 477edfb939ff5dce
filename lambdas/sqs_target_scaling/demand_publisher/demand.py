"""How much of its instances a queue needs. No AWS in here.

The post's backlog per instance is zero both for a group that just keeps up and for one that nobody needs; so its
policy takes instances away until messages wait again. Demand counts what arrives, too: a group that keeps up has 1.
"""

from collections.abc import Mapping
from typing import Any

from sqs_target_scaling.target_setter.target import is_duration

SECONDS_OF_A_MINUTE = 60


def demand_per_instance(
    visible: int, in_service: int, *, arrivals_per_second: float, mpd_seconds: float, latency_seconds: float
) -> float:
    """Returns the share of its instances that a queue needs: instances needed for each in service.

    Needed are those that keep up with what arrives (arrivals per second * seconds each takes), and those that work off
    within the acceptable latency what waits. One waiting message for each instance is its next one, and no backlog.

    Args:
        visible: messages that can be received now.
        in_service: instances in service; none counts as one, as in the backlog per instance.
        arrivals_per_second: messages sent, per second.
        mpd_seconds: average message processing duration.
        latency_seconds: within which a message is to be received and processed.

    Raises:
        ValueError: when a count is negative, or a duration not a finite number above zero.
    """
    if visible < 0 or in_service < 0 or not 0 <= arrivals_per_second < float("inf"):
        raise ValueError(
            "counts are not negative: "
            f"visible={visible}, in_service={in_service}, arrivals_per_second={arrivals_per_second}"
        )
    for name, value in (("latency_seconds", latency_seconds), ("mpd_seconds", mpd_seconds)):
        if not is_duration(value):
            raise ValueError(f"{name} must be a finite number above 0, got {value!r}")
    instances = max(in_service, 1)
    backlog = max(visible - instances, 0)
    return (arrivals_per_second + backlog / latency_seconds) * mpd_seconds / instances


def arrival_rate(sent: Mapping[Any, float]) -> float:
    """Returns messages per second over the minutes of which the count is known; 0 where none is.

    SQS publishes zeros only while a queue is in use, and its newest minutes come late: a minute without a number is
    unknown, not empty (https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-monitoring-using-cloudwatch.html).

    Args:
        sent: messages sent, by minute.
    """
    return sum(sent.values()) / (len(sent) * SECONDS_OF_A_MINUTE) if sent else 0.0
