"""Alarms on metric math: their periods, what is missing, and whom they tell."""

from collections.abc import Iterator
from typing import Any

import pytest

from emulator.client import EmbeddedAws
from tests.embedded_aws import Stack, eventually


@pytest.fixture
def stack(aws: EmbeddedAws) -> Iterator[Stack]:
    aws.minute_lasts(0.2)
    yield Stack(aws)
    aws.minute_lasts(60)


def alarm(expression: str = "one + two", *, periods: int = 1, points: int | None = None, **more: Any) -> dict[str, Any]:
    queries: list[dict[str, Any]] = [
        {
            "Id": name,
            "ReturnData": False,
            "MetricStat": {"Metric": {"Namespace": "Tried", "MetricName": name}, "Period": 60, "Stat": "Maximum"},
        }
        for name in ("one", "two")
    ]
    properties = {
        "ComparisonOperator": "GreaterThanThreshold",
        "Threshold": 5,
        "EvaluationPeriods": periods,
        "TreatMissingData": "notBreaching",
        "Metrics": [{"Id": "sum", "Expression": expression}, *queries],
        **({"DatapointsToAlarm": points} if points else {}),
        **more,
    }
    return {"Alarm": {"Type": "AWS::CloudWatch::Alarm", "Properties": properties}}


def state(aws: EmbeddedAws) -> str:
    (found,) = aws.client("cloudwatch").describe_alarms()["MetricAlarms"]
    return str(found["StateValue"])


def publish(aws: EmbeddedAws, **values: float) -> None:
    data = [{"MetricName": name, "Value": value} for name, value in values.items()]
    aws.client("cloudwatch").put_metric_data(Namespace="Tried", MetricData=data)


def published(aws: EmbeddedAws, wanted: str, **values: float) -> bool:
    publish(aws, **values)
    return state(aws) == wanted


def test_a_sum_rings_and_is_silent_again(aws: EmbeddedAws, stack: Stack) -> None:
    stack.create(alarm())
    eventually(lambda: published(aws, "OK", one=3, two=2), "5 is not above 5")
    eventually(lambda: published(aws, "ALARM", one=4, two=2), "6 is above 5")
    eventually(lambda: state(aws) == "OK", "nothing is missing data")


def test_a_missing_metric_of_two_counts_as_nothing(aws: EmbeddedAws, stack: Stack) -> None:
    stack.create(alarm(Threshold=3))
    eventually(lambda: published(aws, "ALARM", one=4), "4 and nothing")


def test_what_is_missing_rings_where_the_alarm_says_so(aws: EmbeddedAws, stack: Stack) -> None:
    stack.create(alarm(TreatMissingData="breaching"))
    eventually(lambda: state(aws) == "ALARM", "no data at all")


def test_some_of_several_periods_are_enough_where_the_alarm_says_so(aws: EmbeddedAws, stack: Stack) -> None:
    stack.create(alarm(periods=50, points=1))
    publish(aws, one=9)
    eventually(lambda: state(aws) == "ALARM", "one of fifty")
    stack.update(alarm(periods=50))
    eventually(lambda: state(aws) == "OK", "one of fifty is not all")


def test_an_alarm_whose_expression_nobody_knows_stays_as_it_is(aws: EmbeddedAws, stack: Stack) -> None:
    stack.create(alarm("ANOMALY_DETECTION_BAND(one)", TreatMissingData="breaching"))
    eventually(lambda: published(aws, "INSUFFICIENT_DATA", one=9), "its first state")
    stack.delete()
    assert aws.client("cloudwatch").describe_alarms()["MetricAlarms"] == []
