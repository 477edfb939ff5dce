"""The Demand-Publisher: what it makes of a queue, its arrivals and durations, also where data is missing."""

import sys
from datetime import UTC, datetime, timedelta
from subprocess import run
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sqs_target_scaling.demand_publisher.demand import arrival_rate, demand_per_instance
from sqs_target_scaling.demand_publisher.handler import lambda_handler, publish
from sqs_target_scaling.metric_publisher.handler import GroupNotFoundError
from sqs_target_scaling.target_setter.metric import MetricDataError
from tests.solutions.sqs_target_scaling.test_metric_publisher import AutoScaling, Sqs

NOW = datetime(2026, 1, 1, 12, 0, 42, tzinfo=UTC)
COUNTS = st.integers(min_value=0, max_value=10**6)
RATES = st.floats(min_value=0, max_value=1e4)
DURATIONS = st.floats(min_value=1e-3, max_value=43_200)


def demand(visible: int, instances: int, rate: float = 0, mpd: float = 25, latency: float = 300) -> float:
    return demand_per_instance(visible, instances, arrivals_per_second=rate, mpd_seconds=mpd, latency_seconds=latency)


# The rule


@pytest.mark.parametrize(
    ("visible", "instances", "rate", "wanted"),
    [
        (0, 4, 0, 0),
        (0, 5, 0.2, 1),  # 0.2 messages per second of 25 s keep five instances busy
        (0, 10, 0.2, 0.5),
        (4, 4, 0, 0),  # one waiting message for each instance is its next one
        (52, 4, 0, 1),  # 48 messages of 25 s are 1,200 s, or four instances for 300 s
        (100, 4, 0.16, 3),
        (13, 0, 0, 1),  # none counts as one
    ],
)
def test_needed_are_those_that_keep_up_and_those_that_work_off_what_waits(
    visible: int, instances: int, rate: float, wanted: float
) -> None:
    assert demand(visible, instances, rate) == pytest.approx(wanted)


@given(COUNTS, COUNTS, RATES, DURATIONS, DURATIONS)
def test_the_demand_is_a_number_for_every_count(
    visible: int, instances: int, rate: float, mpd: float, latency: float
) -> None:
    assert 0 <= demand(visible, instances, rate, mpd, latency) < float("inf")


@given(COUNTS, COUNTS, RATES, DURATIONS)
def test_more_of_anything_never_lowers_the_demand_and_more_instances_never_raise_it(
    visible: int, instances: int, rate: float, mpd: float
) -> None:
    now = demand(visible, instances, rate, mpd)
    assert demand(visible + 1, instances, rate, mpd) >= now
    assert demand(visible, instances, rate + 1, mpd) >= now
    assert demand(visible, instances, rate, mpd + 1) >= now
    assert demand(visible, instances + 1, rate, mpd) <= now


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"visible": -1}, "counts are not negative: visible=-1"),
        ({"instances": -1}, "in_service=-1"),
        ({"rate": -0.1}, "arrivals_per_second=-0.1"),
        ({"rate": float("nan")}, "arrivals_per_second=nan"),
        ({"mpd": 0}, "mpd_seconds must be a finite number above 0, got 0"),
        ({"latency": float("inf")}, "latency_seconds must be a finite number above 0, got inf"),
    ],
)
def test_what_cannot_be_is_refused(wrong: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        demand(**{"visible": 1, "instances": 1, **wrong})


def test_the_rate_is_over_the_minutes_that_are_known() -> None:
    assert arrival_rate({1: 12, 2: 0}) == 0.1
    assert arrival_rate({}) == 0


# The function


class CloudWatch:
    """Answers the three series, a page each, and keeps what was published and asked."""

    def __init__(self, status: str = "Complete", **series: list[float]) -> None:
        self.status, self.series = status, series
        self.published: dict[str, float] = {}
        self.asked: dict[str, Any] = {}

    def get_paginator(self, operation: str) -> Any:
        assert operation == "get_metric_data"
        return self

    def paginate(self, **parameters: Any) -> Any:
        self.asked = parameters
        for name, values in self.series.items():
            minutes = [NOW - timedelta(minutes=number) for number in range(len(values))]
            result = {"Id": name, "Timestamps": minutes, "Values": values, "StatusCode": self.status}
            yield {"MetricDataResults": [result]}

    def put_metric_data(self, **parameters: Any) -> None:
        self.published = {datum["MetricName"]: datum["Value"] for datum in parameters["MetricData"]}


def published(cloudwatch: CloudWatch, visible: int, *states: str, group: AutoScaling | None = None) -> dict[str, float]:
    publish(
        group or AutoScaling(list(states)),
        Sqs(visible),
        cloudwatch,
        group_name="workers",
        queue_url="https://sqs/work",
        queue_name="work",
        namespace="Work",
        latency_seconds=300,
        estimated_seconds=25,
        window=timedelta(minutes=10),
        now=NOW,
    )
    return cloudwatch.published


def test_arrivals_and_measured_durations_make_the_demand() -> None:
    cloudwatch = CloudWatch(sums=[100, 50], counts=[2, 1], sent=[6, 6])
    assert published(cloudwatch, 0, "InService", "InService", "Pending") == {
        "Demand": pytest.approx(0.1 * 50 / 2),
        "BacklogWithoutInstances": 0,
    }


def test_before_anything_was_measured_the_estimate_counts() -> None:
    assert published(CloudWatch(), 13, "InService")["Demand"] == 1


def test_with_nothing_in_service_the_backlog_is_told() -> None:
    assert published(CloudWatch(), 7, "Pending")["BacklogWithoutInstances"] == 7


def test_it_asks_for_whole_minutes_of_the_window() -> None:
    cloudwatch = CloudWatch()
    published(cloudwatch, 0)
    assert cloudwatch.asked["EndTime"] == datetime(2026, 1, 1, 12, 0, tzinfo=UTC)
    assert cloudwatch.asked["StartTime"] == datetime(2026, 1, 1, 11, 50, tzinfo=UTC)
    metrics = [query["MetricStat"]["Metric"] for query in cloudwatch.asked["MetricDataQueries"]]
    assert [(metric["Namespace"], metric["MetricName"]) for metric in metrics] == [
        ("Work", "MsgProcessingDuration"),
        ("Work", "MsgProcessingDuration"),
        ("AWS/SQS", "NumberOfMessagesSent"),
    ]


def test_a_series_without_an_answer_is_not_taken_for_silence() -> None:
    cloudwatch = CloudWatch(status="InternalError", sent=[1])
    with pytest.raises(MetricDataError, match=r"InternalError for the sent of .*NumberOfMessagesSent"):
        published(cloudwatch, 5, "InService")
    assert cloudwatch.published == {}


def test_a_group_that_is_gone_publishes_nothing() -> None:
    cloudwatch = CloudWatch()
    with pytest.raises(GroupNotFoundError):
        published(cloudwatch, 5, group=AutoScaling())
    assert cloudwatch.published == {}


def test_a_missing_variable_is_named() -> None:
    with pytest.raises(KeyError, match="GROUP_NAME"):
        lambda_handler({}, None)


def test_the_rule_runs_without_aws() -> None:
    check = "import sys; import sqs_target_scaling.demand_publisher.demand; assert 'boto3' not in sys.modules"
    run([sys.executable, "-c", check], check=True, env={"PYTHONPATH": "lambdas"})
