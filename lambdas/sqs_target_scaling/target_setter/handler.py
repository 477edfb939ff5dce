"""Every half an hour: CloudWatch -> Auto Scaling. The post's Target-Setter.

It compares what is with what should be, and the clock is its only input: a late or repeated event finds the policy
right and leaves it alone, and a policy that a deployment has set back is put right by the next one.
"""

import logging
import os
from datetime import UTC, datetime, timedelta
from typing import Any

from shared.aws import client
from sqs_target_scaling.target_setter.metric import processing_durations, publish_target
from sqs_target_scaling.target_setter.policy import find_policy
from sqs_target_scaling.target_setter.target import (
    acceptable_backlog_per_instance,
    average_duration,
    three_digits,
    tracked_target,
    with_target,
)

logger = logging.getLogger(__name__)


def lambda_handler(event: Any, context: Any) -> dict[str, Any]:
    """Sets the target of the policy that the environment names, from the durations up to now."""
    return set_target(
        client("cloudwatch"),
        client("autoscaling"),
        group_name=os.environ["GROUP_NAME"],
        policy_name=os.environ["POLICY_NAME"],
        queue_name=os.environ["QUEUE_NAME"],
        namespace=os.environ["METRIC_NAMESPACE"],
        latency_seconds=float(os.environ["ACCEPTABLE_LATENCY_SECONDS"]),
        window=timedelta(minutes=float(os.environ["WINDOW_MINUTES"])),
        now=datetime.now(UTC),
    )


def set_target(
    cloudwatch: Any,
    autoscaling: Any,
    *,
    group_name: str,
    policy_name: str,
    queue_name: str,
    namespace: str,
    latency_seconds: float,
    window: timedelta,
    now: datetime,
) -> dict[str, Any]:
    """Makes the acceptable latency over the average duration the policy's target; without data it changes nothing.

    Raises:
        PolicyNotFoundError, WrongPolicyTypeError: when the group has no such policy, or one that tracks no target.
        MetricDataError, botocore.exceptions.ClientError: when AWS did not say what messages took, or refused a call.
    """
    average = average_duration(*processing_durations(cloudwatch, namespace, queue_name, start=now - window, end=now))
    policy = find_policy(autoscaling, group_name, policy_name)
    before = tracked_target(policy)
    target = before if average is None else acceptable_backlog_per_instance(latency_seconds, average)
    changed = three_digits(before) != three_digits(target)
    if changed:
        autoscaling.put_scaling_policy(**with_target(policy, target))
    if average is not None:
        publish_target(cloudwatch, namespace, queue_name, target)
    result = {"changed": changed, "target": target, "average_seconds": average}
    logger.info("compared the target with what messages took", extra={**result, "target_before": before})
    return result
