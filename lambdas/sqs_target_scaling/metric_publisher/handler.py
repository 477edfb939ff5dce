"""Every minute: Auto Scaling + SQS -> CloudWatch. The post's Metric-Publisher.

The event says only that a minute has passed. A late or repeated one publishes what is true now, under the present
time, so it needs no memory of the ones before it.
"""

import logging
import os
from typing import Any

from shared.aws import client
from sqs_target_scaling.metric_publisher.backlog import backlog_per_instance, backlog_without_instances, in_service

logger = logging.getLogger(__name__)


class GroupNotFoundError(LookupError):
    """The Auto Scaling group is not there: nothing true could be published."""


def lambda_handler(event: Any, context: Any) -> dict[str, float]:
    """Publishes the backlog of the group and queue that the environment names."""
    return publish(
        client("autoscaling"),
        client("sqs"),
        client("cloudwatch"),
        group_name=os.environ["GROUP_NAME"],
        queue_url=os.environ["QUEUE_URL"],
        queue_name=os.environ["QUEUE_NAME"],
        namespace=os.environ["METRIC_NAMESPACE"],
    )


def publish(
    autoscaling: Any, sqs: Any, cloudwatch: Any, *, group_name: str, queue_url: str, queue_name: str, namespace: str
) -> dict[str, float]:
    """Publishes BPI (messages per instance) and BacklogWithoutInstances (messages), both in one call.

    Raises:
        GroupNotFoundError: when there is no group of that name.
        botocore.exceptions.ClientError: when a call is refused, or has failed five times.
    """
    instances = in_service(lifecycle_states(autoscaling, group_name))
    visible = visible_messages(sqs, queue_url)
    values = {
        "BPI": backlog_per_instance(visible, instances),
        "BacklogWithoutInstances": float(backlog_without_instances(visible, instances)),
    }
    dimensions = [{"Name": "QueueName", "Value": queue_name}]
    cloudwatch.put_metric_data(
        Namespace=namespace,
        MetricData=[
            {"MetricName": name, "Dimensions": dimensions, "Value": value, "Unit": "Count"}
            for name, value in values.items()
        ],
    )
    logger.info("published the backlog", extra={"visible": visible, "in_service": instances, **values})
    return {"visible": visible, "in_service": instances, **values}


def lifecycle_states(autoscaling: Any, group_name: str) -> list[str]:
    """Returns the lifecycle state of each instance of the group."""
    pages = autoscaling.get_paginator("describe_auto_scaling_groups").paginate(AutoScalingGroupNames=[group_name])
    groups = [group for page in pages for group in page["AutoScalingGroups"]]
    if not groups:
        raise GroupNotFoundError(f"there is no Auto Scaling group named {group_name!r}")
    return [instance["LifecycleState"] for group in groups for instance in group["Instances"]]


def visible_messages(sqs: Any, queue_url: str) -> int:
    """Returns how many messages can be received now; SQS itself calls the number approximate."""
    name = "ApproximateNumberOfMessages"
    return int(sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=[name])["Attributes"][name])
