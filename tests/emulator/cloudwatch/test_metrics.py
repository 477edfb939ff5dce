"""Metrics as the deployed functions read them, and time that passes without waiting."""

import datetime
from typing import Any

import pytest

from emulator.client import EmbeddedAws

DIMENSIONS = [{"Name": "QueueName", "Value": "work"}]


def _read(aws: EmbeddedAws, statistic: str, period: int = 3600, dimensions: Any = DIMENSIONS) -> list[float]:
    now = datetime.datetime.now(datetime.UTC)
    metric = {"Namespace": "Tried", "MetricName": "Duration", "Dimensions": dimensions}
    query = {"Id": "m", "MetricStat": {"Metric": metric, "Period": period, "Stat": statistic}}
    answer = aws.client("cloudwatch").get_metric_data(
        MetricDataQueries=[query],
        StartTime=now - datetime.timedelta(hours=3),
        EndTime=now + datetime.timedelta(minutes=1),
    )
    return list(answer["MetricDataResults"][0]["Values"])


def _publish(aws: EmbeddedAws, *values: float, **more: Any) -> None:
    data = [{"MetricName": "Duration", "Dimensions": DIMENSIONS, "Value": value, **more} for value in values]
    aws.client("cloudwatch").put_metric_data(Namespace="Tried", MetricData=data)


@pytest.mark.parametrize(
    ("statistic", "value"), [("Sum", 12), ("Average", 3), ("SampleCount", 4), ("Minimum", 1), ("Maximum", 6)]
)
def test_a_statistic_covers_every_datapoint_of_its_period(aws: EmbeddedAws, statistic: str, value: float) -> None:
    # One moment for all four: the current hour may end between two calls.
    moment = datetime.datetime.now(datetime.UTC)
    _publish(aws, 1, 2, Timestamp=moment)
    _publish(aws, 3, 6, Timestamp=moment)
    assert _read(aws, statistic) == [value]


def test_values_with_counts_and_statistic_sets_are_weighed(aws: EmbeddedAws) -> None:
    moment = datetime.datetime.now(datetime.UTC)
    counted = {"Values": [1.0, 4.0], "Counts": [2.0, 1.0]}
    summed = {"StatisticValues": {"SampleCount": 3.0, "Sum": 9.0, "Minimum": 2.0, "Maximum": 4.0}}
    data = [
        {"MetricName": "Duration", "Dimensions": DIMENSIONS, "Timestamp": moment, **form} for form in (counted, summed)
    ]
    aws.client("cloudwatch").put_metric_data(Namespace="Tried", MetricData=data)
    assert _read(aws, "SampleCount") == [6]
    assert _read(aws, "Sum") == [15]
    assert _read(aws, "Average") == [2.5]


def test_datapoints_grow_old_without_waiting(aws: EmbeddedAws) -> None:
    _publish(aws, 10)
    aws.age_metrics(7200)
    _publish(aws, 20)
    assert sorted(_read(aws, "Average", period=60)) == [10, 20]
    aws.age_metrics(7200)
    assert _read(aws, "Average", period=60) == [20]


def test_other_dimensions_are_another_metric(aws: EmbeddedAws) -> None:
    _publish(aws, 10)
    assert _read(aws, "Average", dimensions=[{"Name": "QueueName", "Value": "other"}]) == []
    assert _read(aws, "Average", dimensions=[]) == [], "without dimensions it is another metric, too"
    aws.client("cloudwatch").put_metric_data(Namespace="Tried", MetricData=[{"MetricName": "Duration", "Value": 20}])
    assert (_read(aws, "Average", dimensions=[]), _read(aws, "Average")) == ([20], [10])


@pytest.mark.parametrize(
    ("name", "state"), [("work", "ALARM"), ("other", "INSUFFICIENT_DATA"), (None, "INSUFFICIENT_DATA")]
)
def test_an_alarm_weighs_the_metric_of_its_dimensions(aws: EmbeddedAws, name: str | None, state: str) -> None:
    cloudwatch = aws.client("cloudwatch")
    cloudwatch.put_metric_alarm(
        AlarmName="slow",
        Namespace="Tried",
        MetricName="Duration",
        Dimensions=[{"Name": "QueueName", "Value": name}] if name else [],
        Statistic="Maximum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=5,
        ComparisonOperator="GreaterThanThreshold",
    )
    _publish(aws, 10)
    assert cloudwatch.describe_alarms()["MetricAlarms"][0]["StateValue"] == state
