"""Alarms on metric math: their periods, what is missing, and whom they tell."""

from typing import Any

from emulator.client import EmbeddedAws
from tests.embedded_aws import Stack


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
    if data := [{"MetricName": name, "Value": value} for name, value in values.items()]:
        aws.client("cloudwatch").put_metric_data(Namespace="Tried", MetricData=data)


def after(aws: EmbeddedAws, **values: float) -> str:
    """The state after a minute with these values."""
    publish(aws, **values)
    aws.minutes_pass()
    return state(aws)


def test_a_sum_rings_and_is_silent_again(aws: EmbeddedAws, stack: Stack) -> None:
    stack.create(alarm())
    assert after(aws, one=3, two=2) == "OK", "5 is not above 5"
    assert after(aws, one=4, two=2) == "ALARM", "6 is above 5"
    assert after(aws) == "OK", "nothing is missing data"


def test_a_missing_metric_of_two_counts_as_nothing(aws: EmbeddedAws, stack: Stack) -> None:
    stack.create(alarm(Threshold=3))
    assert after(aws, one=4) == "ALARM", "4 and nothing"


def test_what_is_missing_rings_where_the_alarm_says_so(aws: EmbeddedAws, stack: Stack) -> None:
    stack.create(alarm(TreatMissingData="breaching"))
    assert after(aws) == "ALARM", "no data at all"


def test_some_of_several_periods_are_enough_where_the_alarm_says_so(aws: EmbeddedAws, stack: Stack) -> None:
    stack.create(alarm(periods=50, points=1))
    assert after(aws, one=9) == "ALARM", "one of fifty"
    stack.update(alarm(periods=50))
    assert after(aws) == "OK", "one of fifty is not all"


def test_an_alarm_whose_expression_nobody_knows_stays_as_it_is(aws: EmbeddedAws, stack: Stack) -> None:
    stack.create(alarm("ANOMALY_DETECTION_BAND(one)", TreatMissingData="breaching"))
    assert after(aws, one=9) == "INSUFFICIENT_DATA", "its first state"
    stack.delete()
    assert aws.client("cloudwatch").describe_alarms()["MetricAlarms"] == []
