"""Every minute: Auto Scaling + SQS + CloudWatch -> CloudWatch. Ours, in place of the post's two functions.

The event says only that a minute has passed. A late or repeated one publishes what is true now, under the present
time, so it needs no memory of the ones before it.
"""

import logging
import os
from datetime import UTC, datetime, timedelta
from typing import Any

from shared.aws import client
from sqs_target_scaling.demand_publisher.demand import arrival_rate, demand_per_instance
from sqs_target_scaling.metric_publisher.backlog import backlog_without_instances, in_service
from sqs_target_scaling.metric_publisher.handler import lifecycle_states, visible_messages
from sqs_target_scaling.target_setter.metric import duration_queries, minutes, query
from sqs_target_scaling.target_setter.target import average_duration

logger = logging.getLogger(__name__)


def lambda_handler(event: Any, context: Any) -> dict[str, float]:
    """Publishes the demand of the group and queue that the environment names."""
    return publish(
        client("autoscaling"),
        client("sqs"),
        client("cloudwatch"),
        group_name=os.environ["GROUP_NAME"],
        queue_url=os.environ["QUEUE_URL"],
        queue_name=os.environ["QUEUE_NAME"],
        namespace=os.environ["METRIC_NAMESPACE"],
        latency_seconds=float(os.environ["ACCEPTABLE_LATENCY_SECONDS"]),
        estimated_seconds=float(os.environ["ESTIMATED_MESSAGE_SECONDS"]),
        window=timedelta(minutes=float(os.environ["WINDOW_MINUTES"])),
        now=datetime.now(UTC),
    )


def publish(
    autoscaling: Any,
    sqs: Any,
    cloudwatch: Any,
    *,
    group_name: str,
    queue_url: str,
    queue_name: str,
    namespace: str,
    latency_seconds: float,
    estimated_seconds: float,
    window: timedelta,
    now: datetime,
) -> dict[str, float]:
    """Publishes Demand (instances needed for each in service) and BacklogWithoutInstances, both in one call.

    Raises:
        GroupNotFoundError: when there is no group of that name.
        MetricDataError, botocore.exceptions.ClientError: when AWS did not say what arrived, or refused a call.
    """
    instances = in_service(lifecycle_states(autoscaling, group_name))
    visible = visible_messages(sqs, queue_url)
    # Whole minutes: a part of one would look like a minute in which little was sent.
    end = now.replace(second=0, microsecond=0)
    queries = [
        *duration_queries(namespace, queue_name),
        query("sent", "AWS/SQS", "NumberOfMessagesSent", queue_name, "Sum"),
    ]
    found = minutes(cloudwatch, queries, start=end - window, end=end)
    average = average_duration(found["sums"], found["counts"])
    rate = arrival_rate(found["sent"])
    values = {
        "Demand": demand_per_instance(
            visible,
            instances,
            arrivals_per_second=rate,
            mpd_seconds=estimated_seconds if average is None else average,
            latency_seconds=latency_seconds,
        ),
        "BacklogWithoutInstances": float(backlog_without_instances(visible, instances)),
    }
    dimensions = [{"Name": "QueueName", "Value": queue_name}]
    units = {"Demand": "None", "BacklogWithoutInstances": "Count"}
    cloudwatch.put_metric_data(
        Namespace=namespace,
        MetricData=[
            {"MetricName": name, "Dimensions": dimensions, "Value": value, "Unit": units[name]}
            for name, value in values.items()
        ],
    )
    result = {"visible": visible, "in_service": instances, "arrivals_per_second": rate, **values}
    logger.info("published the demand", extra={**result, "average_seconds": average})
    return result
