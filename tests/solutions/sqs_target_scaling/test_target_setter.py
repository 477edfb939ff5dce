"""The Target-Setter: which target follows from which durations, and what becomes of the policy."""

import math
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import botocore.session
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sqs_target_scaling.target_setter import target as rules
from sqs_target_scaling.target_setter.handler import set_target
from sqs_target_scaling.target_setter.metric import MetricDataError
from sqs_target_scaling.target_setter.policy import PolicyNotFoundError

NOW = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)
POSITIVE = st.floats(min_value=0, exclude_min=True, allow_infinity=False, allow_nan=False)
SECONDS = st.floats(min_value=0.001, max_value=43_200)


class CloudWatch:
    """Holds durations as GetMetricData gives them, one page for each dictionary; keeps what was published."""

    def __init__(self, *pages: dict[str, Any]) -> None:
        self.pages = pages
        self.asked: dict[str, Any] = {}
        self.published: list[dict[str, Any]] = []

    def get_paginator(self, operation: str) -> Any:
        assert operation == "get_metric_data"
        return self

    def paginate(self, **parameters: Any) -> Any:
        self.asked = parameters
        return iter(self.pages)

    def put_metric_data(self, **parameters: Any) -> None:
        self.published.append(parameters)


class AutoScaling:
    """Holds policies and keeps what was put."""

    def __init__(self, *policies: dict[str, Any]) -> None:
        self.policies = policies
        self.put: list[dict[str, Any]] = []

    def get_paginator(self, operation: str) -> Any:
        assert operation == "describe_policies"
        return self

    def paginate(self, AutoScalingGroupName: str, PolicyNames: list[str]) -> Any:  # noqa: N803
        assert (AutoScalingGroupName, PolicyNames) == ("workers", ["track"])
        # One policy a page, after an empty one, and not only those of the name that was asked for.
        yield {"ScalingPolicies": []}
        for policy in self.policies:
            yield {"ScalingPolicies": [policy]}

    def put_scaling_policy(self, **parameters: Any) -> None:
        self.put.append(parameters)


def page(sums: dict[int, float], counts: dict[int, float], status: str = "Complete") -> dict[str, Any]:
    """Returns a page of datapoints, by how many minutes ago."""
    return {
        "MetricDataResults": [
            {
                "Id": name,
                "Timestamps": [NOW - timedelta(minutes=ago) for ago in series],
                "Values": list(series.values()),
                "StatusCode": status,
            }
            for name, series in (("sums", sums), ("counts", counts))
        ]
    }


def policy(target: float = 12.0, **fields: Any) -> dict[str, Any]:
    metric = {"MetricName": "BPI", "Namespace": "Work", "Statistic": "Average"}
    tracking = {"CustomizedMetricSpecification": metric, "TargetValue": target, "DisableScaleIn": True}
    return {
        "AutoScalingGroupName": "workers",
        "PolicyName": "track",
        "PolicyARN": "arn:aws:autoscaling:us-east-1:123456789012:scalingPolicy:1",
        "PolicyType": "TargetTrackingScaling",
        "StepAdjustments": [],
        "EstimatedInstanceWarmup": 90,
        "Alarms": [{"AlarmName": "TargetTracking-workers-AlarmHigh"}],
        "TargetTrackingConfiguration": tracking,
        "Enabled": False,
        **fields,
    }


def set_to(cloudwatch: CloudWatch, autoscaling: AutoScaling, latency: float = 300) -> dict[str, Any]:
    names = {"group_name": "workers", "policy_name": "track", "queue_name": "work", "namespace": "Work"}
    window = timedelta(minutes=30)
    return set_target(cloudwatch, autoscaling, **names, latency_seconds=latency, window=window, now=NOW)


TWENTY_FIVE_SECONDS = page({1: 250.0}, {1: 10.0})


@pytest.mark.parametrize(("mpd", "acceptable"), [(25, 12), (50, 6), (1, 300), (0.25, 1200)])
def test_the_post_s_examples(mpd: float, acceptable: float) -> None:
    assert rules.acceptable_backlog_per_instance(300, mpd) == acceptable


def test_a_target_below_one_is_not_floored() -> None:
    assert rules.acceptable_backlog_per_instance(100, 3000) == 0.0333


@given(latency=POSITIVE, mpd=POSITIVE)
def test_the_target_is_above_zero_and_one_that_cloudwatch_takes(latency: float, mpd: float) -> None:
    target = rules.acceptable_backlog_per_instance(latency, mpd)
    assert math.isfinite(target)
    assert 2.0**-360 < target < 2.0**360


@given(latency=SECONDS, mpd=SECONDS)
def test_twice_the_latency_allows_twice_the_backlog(latency: float, mpd: float) -> None:
    once, twice = (rules.acceptable_backlog_per_instance(factor * latency, mpd) for factor in (1, 2))
    # Each is rounded to three digits: half a unit in the third, at worst of 1.00.
    assert twice == pytest.approx(2 * once, rel=0.0101)


@given(latency=SECONDS, mpd=SECONDS)
def test_the_target_means_the_latency_to_within_its_three_digits(latency: float, mpd: float) -> None:
    assert rules.acceptable_backlog_per_instance(latency, mpd) * mpd == pytest.approx(latency, rel=0.0051)


@pytest.mark.parametrize("value", [0, -1, math.inf, math.nan])
def test_what_is_no_duration_is_refused(value: float) -> None:
    with pytest.raises(ValueError, match="latency_seconds"):
        rules.acceptable_backlog_per_instance(value, 25)
    with pytest.raises(ValueError, match="mpd_seconds"):
        rules.acceptable_backlog_per_instance(300, value)


def test_every_message_weighs_the_same_in_the_average_whatever_its_minute() -> None:
    assert rules.average_duration({1: 100.0, 2: 90.0}, {1: 100.0, 2: 1.0}) == pytest.approx(190 / 101)


def test_a_minute_with_half_of_its_numbers_is_left_out_of_the_average() -> None:
    assert rules.average_duration({1: 10.0, 2: 500.0}, {1: 2.0, 3: 7.0}) == 5


@pytest.mark.parametrize(
    ("sums", "counts"),
    [({}, {}), ({1: 0.0}, {1: 3.0}), ({1: 5.0}, {1: 0.0}), ({1: -5.0}, {1: 1.0}), ({1: math.inf}, {1: 1.0})],
    ids=["no datapoints", "no seconds", "no messages", "negative seconds", "endless seconds"],
)
def test_without_a_meaningful_average_nothing_changes(sums: dict[int, float], counts: dict[int, float]) -> None:
    cloudwatch, autoscaling = CloudWatch(page(sums, counts)), AutoScaling(policy())
    assert set_to(cloudwatch, autoscaling) == {"changed": False, "target": 12, "average_seconds": None}
    assert autoscaling.put == cloudwatch.published == []


@given(st.dictionaries(st.integers(), st.tuples(st.floats(0.001, 1000), st.integers(1, 1000)), min_size=1, max_size=20))
def test_the_average_lies_between_the_shortest_and_the_longest_minute(minutes: dict[int, tuple[float, int]]) -> None:
    sums = {minute: mean * count for minute, (mean, count) in minutes.items()}
    average = rules.average_duration(sums, {minute: count for minute, (_, count) in minutes.items()})
    means = [mean for mean, _ in minutes.values()]
    assert average is not None
    assert min(means) * (1 - 1e-9) <= average <= max(means) * (1 + 1e-9)


def test_the_window_is_asked_for_by_the_minute_with_sums_and_counts() -> None:
    cloudwatch = CloudWatch(TWENTY_FIVE_SECONDS)
    set_to(cloudwatch, AutoScaling(policy()))
    assert (cloudwatch.asked["StartTime"], cloudwatch.asked["EndTime"]) == (NOW - timedelta(minutes=30), NOW)
    stats = [query["MetricStat"] for query in cloudwatch.asked["MetricDataQueries"]]
    assert [(stat["Stat"], stat["Period"]) for stat in stats] == [("Sum", 60), ("SampleCount", 60)]
    assert all(stat["Metric"]["Dimensions"] == [{"Name": "QueueName", "Value": "work"}] for stat in stats)
    assert all(stat["Metric"]["MetricName"] == "MsgProcessingDuration" for stat in stats)


def test_a_series_goes_on_on_the_next_page() -> None:
    first, last = page({1: 250.0}, {1: 10.0}, "PartialData"), page({2: 750.0}, {2: 10.0})
    assert set_to(CloudWatch(first, {"MetricDataResults": []}, last), AutoScaling(policy()))["average_seconds"] == 50


@pytest.mark.parametrize("status", ["InternalError", "Forbidden"])
def test_data_that_cloudwatch_could_not_give_is_not_the_same_as_no_data(status: str) -> None:
    autoscaling = AutoScaling(policy())
    with pytest.raises(MetricDataError, match=status):
        set_to(CloudWatch(page({}, {}, status)), autoscaling)
    assert autoscaling.put == []


def test_everything_else_about_the_policy_stays() -> None:
    autoscaling = AutoScaling(policy(99.0))
    set_to(CloudWatch(TWENTY_FIVE_SECONDS), autoscaling)
    wanted = policy(12.0)
    for read_only in ("PolicyARN", "Alarms", "StepAdjustments"):
        del wanted[read_only]
    assert autoscaling.put == [wanted]


def test_no_empty_list_of_the_answer_goes_back() -> None:
    """DescribePolicies answers ``StepAdjustments: []`` for a policy that has none; so may be Metrics and Dimensions."""
    answered = policy()
    answered["TargetTrackingConfiguration"]["CustomizedMetricSpecification"] |= {"Metrics": [], "Dimensions": []}
    autoscaling = AutoScaling(answered)
    set_to(CloudWatch(page({1: 100.0}, {1: 2.0})), autoscaling)
    (put,) = autoscaling.put
    assert put["TargetTrackingConfiguration"] == {
        "CustomizedMetricSpecification": {"MetricName": "BPI", "Namespace": "Work", "Statistic": "Average"},
        "TargetValue": 6.0,
        "DisableScaleIn": True,
    }


def test_the_policy_is_found_by_its_name_among_others() -> None:
    autoscaling = AutoScaling(policy(50.0, PolicyName="cpu"), policy(60.0), policy(70.0, PolicyName="track-2"))
    set_to(CloudWatch(TWENTY_FIVE_SECONDS), autoscaling)
    assert [put["PolicyName"] for put in autoscaling.put] == ["track"]


@pytest.mark.parametrize("target", [12.0, 12.004])
def test_a_target_that_is_right_to_three_digits_is_left_alone_and_still_published(target: float) -> None:
    cloudwatch, autoscaling = CloudWatch(TWENTY_FIVE_SECONDS), AutoScaling(policy(target))
    assert set_to(cloudwatch, autoscaling)["changed"] is False
    assert autoscaling.put == []
    (call,) = cloudwatch.published
    assert call["MetricData"][0]["MetricName"] == "AcceptableBPI"
    assert call["MetricData"][0]["Value"] == 12


def test_a_policy_that_is_not_there_is_an_error_that_names_it() -> None:
    with pytest.raises(PolicyNotFoundError, match="'workers' has no scaling policy named 'track'"):
        set_to(CloudWatch(TWENTY_FIVE_SECONDS), AutoScaling(policy(PolicyName="cpu")))


def test_a_policy_without_a_target_is_refused() -> None:
    autoscaling = AutoScaling(policy(PolicyType="StepScaling"))
    with pytest.raises(rules.WrongPolicyTypeError, match="StepScaling"):
        set_to(CloudWatch(TWENTY_FIVE_SECONDS), autoscaling)
    assert autoscaling.put == []


def test_every_field_of_a_scaling_policy_is_kept_or_known_to_be_of_another_type_of_policy() -> None:
    # A field that AWS adds fails here: then somebody says which of the two it is.
    of_other_types = {
        "AdjustmentType",
        "Cooldown",
        "MetricAggregationType",
        "MinAdjustmentMagnitude",
        "MinAdjustmentStep",
        "PredictiveScalingConfiguration",
        "ScalingAdjustment",
        "StepAdjustments",
    }
    read_only = {"Alarms", "PolicyARN"}
    model = botocore.session.get_session().get_service_model("autoscaling")
    accepted = model.operation_model("PutScalingPolicy").input_shape.members
    described = model.shape_for("ScalingPolicy").members
    assert set(accepted) == set(rules.KEPT) | of_other_types
    assert set(described) == set(rules.KEPT) | of_other_types | read_only


def test_the_real_clients_take_these_parameters_and_a_second_run_changes_nothing(aws: None) -> None:
    cloudwatch, autoscaling = boto3.client("cloudwatch"), boto3.client("autoscaling")
    autoscaling.create_launch_configuration(LaunchConfigurationName="w", ImageId="ami-1", InstanceType="t4g.small")
    autoscaling.create_auto_scaling_group(
        AutoScalingGroupName="workers",
        LaunchConfigurationName="w",
        MinSize=0,
        MaxSize=1,
        AvailabilityZones=["us-east-1a"],
    )
    autoscaling.put_scaling_policy(**rules.with_target(policy(), 12.0))
    now = datetime.now(UTC)
    for ago, seconds in ((1, 25.0), (1, 25.0), (2, 100.0)):
        datum = {
            "MetricName": "MsgProcessingDuration",
            "Dimensions": [{"Name": "QueueName", "Value": "work"}],
            "Timestamp": now - timedelta(minutes=ago),
            "Value": seconds,
        }
        cloudwatch.put_metric_data(Namespace="Work", MetricData=[datum])
    names = {"group_name": "workers", "policy_name": "track", "queue_name": "work", "namespace": "Work"}
    results = [
        set_target(cloudwatch, autoscaling, **names, latency_seconds=300, window=timedelta(minutes=30), now=now)
        for _ in range(2)
    ]
    assert results == [
        {"changed": True, "target": 6.0, "average_seconds": 50.0},
        {"changed": False, "target": 6.0, "average_seconds": 50.0},
    ]
