"""The two metrics of the Target-Setter, as CloudWatch keeps them: what messages took, and the target in force."""

from datetime import datetime
from typing import Any, NamedTuple

PERIOD_SECONDS = 60


class MetricDataError(RuntimeError):
    """CloudWatch could not say what messages took; that is not the same as none having been processed."""


class Durations(NamedTuple):
    """What the messages of each minute took: seconds in all, and how many messages."""

    sums: dict[datetime, float]
    counts: dict[datetime, float]


def processing_durations(
    cloudwatch: Any, namespace: str, queue_name: str, *, start: datetime, end: datetime
) -> Durations:
    """Returns what MsgProcessingDuration (seconds) has kept between start and end, from every page.

    Raises:
        MetricDataError: when a series came back as anything but data.
    """
    found = minutes(cloudwatch, duration_queries(namespace, queue_name), start=start, end=end)
    return Durations(found["sums"], found["counts"])


def duration_queries(namespace: str, queue_name: str) -> list[dict[str, Any]]:
    """Returns the queries for what the messages of each minute took: ``sums`` and ``counts``.

    Sum and SampleCount are asked for instead of Average, which would forget how many messages a minute had
    (https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricData.html).
    """
    return [
        query("sums", namespace, "MsgProcessingDuration", queue_name, "Sum"),
        query("counts", namespace, "MsgProcessingDuration", queue_name, "SampleCount"),
    ]


def query(series: str, namespace: str, metric_name: str, queue_name: str, statistic: str) -> dict[str, Any]:
    """Returns one query of GetMetricData, for a metric of the queue minute by minute."""
    dimensions = [{"Name": "QueueName", "Value": queue_name}]
    metric = {"Namespace": namespace, "MetricName": metric_name, "Dimensions": dimensions}
    return {"Id": series, "MetricStat": {"Metric": metric, "Period": PERIOD_SECONDS, "Stat": statistic}}


def minutes(
    cloudwatch: Any, queries: list[dict[str, Any]], *, start: datetime, end: datetime
) -> dict[str, dict[datetime, float]]:
    """Returns the values of each query, by id and minute, from every page.

    Raises:
        MetricDataError: when a series came back as anything but data.
    """
    found: dict[str, dict[datetime, float]] = {query["Id"]: {} for query in queries}
    pages = cloudwatch.get_paginator("get_metric_data").paginate(
        MetricDataQueries=queries, StartTime=start, EndTime=end
    )
    for result in (result for page in pages for result in page["MetricDataResults"]):
        # PartialData only means that the series goes on on the next page.
        if result.get("StatusCode", "Complete") not in ("Complete", "PartialData"):
            asked = next(query["MetricStat"]["Metric"] for query in queries if query["Id"] == result["Id"])
            raise MetricDataError(f"GetMetricData answered {result['StatusCode']} for the {result['Id']} of {asked}")
        found[result["Id"]].update(zip(result["Timestamps"], result["Values"], strict=True))
    return found


def publish_target(cloudwatch: Any, namespace: str, queue_name: str, target: float) -> None:
    """Publishes AcceptableBPI (messages per instance), which the dashboard shows beside BPI."""
    dimensions = [{"Name": "QueueName", "Value": queue_name}]
    datum = {"MetricName": "AcceptableBPI", "Dimensions": dimensions, "Value": target, "Unit": "Count"}
    cloudwatch.put_metric_data(Namespace=namespace, MetricData=[datum])
