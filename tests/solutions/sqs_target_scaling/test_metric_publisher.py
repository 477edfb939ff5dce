"""The Metric-Publisher: what it publishes for a group and a queue, also with nothing in service."""

import sys
from subprocess import run
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sqs_target_scaling.metric_publisher import backlog
from sqs_target_scaling.metric_publisher.handler import GroupNotFoundError, lambda_handler, publish

COUNTS = st.integers(min_value=0, max_value=10**6)


class AutoScaling:
    """Holds groups, each a list of lifecycle states, and answers one page for each."""

    def __init__(self, *groups: list[str]) -> None:
        self.groups = groups

    def get_paginator(self, operation: str) -> Any:
        assert operation == "describe_auto_scaling_groups"
        return self

    def paginate(self, AutoScalingGroupNames: list[str]) -> Any:  # noqa: N803
        assert AutoScalingGroupNames == ["workers"]
        yield {"AutoScalingGroups": []}
        for states in self.groups:
            yield {"AutoScalingGroups": [{"Instances": [{"LifecycleState": state} for state in states]}]}


class Sqs:
    """Holds one queue with so many visible messages."""

    def __init__(self, visible: int) -> None:
        self.visible = visible

    def get_queue_attributes(self, QueueUrl: str, AttributeNames: list[str]) -> Any:  # noqa: N803
        assert QueueUrl == "https://sqs/work"
        return {"Attributes": {AttributeNames[0]: str(self.visible)}}


class CloudWatch:
    """Keeps what was published."""

    def __init__(self) -> None:
        self.calls: list[dict[str, Any]] = []

    def put_metric_data(self, **parameters: Any) -> None:
        self.calls.append(parameters)

    @property
    def values(self) -> dict[str, float]:
        return {datum["MetricName"]: datum["Value"] for call in self.calls for datum in call["MetricData"]}


def published(visible: int, *groups: list[str]) -> CloudWatch:
    cloudwatch = CloudWatch()
    names = {"group_name": "workers", "queue_url": "https://sqs/work", "queue_name": "work", "namespace": "Work"}
    publish(AutoScaling(*groups), Sqs(visible), cloudwatch, **names)
    return cloudwatch


def test_the_backlog_is_divided_among_the_instances_in_service() -> None:
    assert published(50, ["InService"] * 4).values == {"BPI": 12.5, "BacklogWithoutInstances": 0}


def test_instances_that_start_or_leave_take_no_message() -> None:
    states = ["Pending", "InService", "Standby", "Terminating:Wait", "Pending:Wait", "Terminating", "InService"]
    assert published(12, states).values["BPI"] == 6


def test_with_nothing_in_service_the_whole_backlog_is_published_twice() -> None:
    assert published(7, ["Pending"]).values == {"BPI": 7, "BacklogWithoutInstances": 7}


def test_an_empty_queue_is_published_as_zero_and_not_left_out() -> None:
    assert published(0, []).values == {"BPI": 0, "BacklogWithoutInstances": 0}


def test_both_metrics_go_out_in_one_call_under_the_name_of_the_queue() -> None:
    (call,) = published(3, ["InService"]).calls
    assert call["Namespace"] == "Work"
    assert [datum["Unit"] for datum in call["MetricData"]] == ["Count", "Count"]
    assert all(datum["Dimensions"] == [{"Name": "QueueName", "Value": "work"}] for datum in call["MetricData"])


def test_a_group_that_is_not_there_is_an_error_and_nothing_is_published() -> None:
    with pytest.raises(GroupNotFoundError, match="'workers'"):
        published(3)


def test_a_missing_environment_variable_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GROUP_NAME", raising=False)
    with pytest.raises(KeyError, match="GROUP_NAME"):
        lambda_handler({}, None)


@given(visible=COUNTS, in_service=COUNTS)
def test_the_backlog_per_instance_is_always_a_number_and_never_more_than_the_backlog(
    visible: int, in_service: int
) -> None:
    assert 0 <= backlog.backlog_per_instance(visible, in_service) <= visible


@given(visible=COUNTS, in_service=st.integers(min_value=1, max_value=10**6))
def test_twice_the_instances_halve_the_backlog_of_each(visible: int, in_service: int) -> None:
    once, twice = (backlog.backlog_per_instance(visible, count) for count in (in_service, 2 * in_service))
    assert once == 2 * twice


@given(visible=COUNTS, in_service=COUNTS)
def test_a_backlog_is_without_instances_exactly_while_there_are_none(visible: int, in_service: int) -> None:
    assert backlog.backlog_without_instances(visible, in_service) == (0 if in_service else visible)


@pytest.mark.parametrize(("visible", "in_service"), [(-1, 0), (0, -1)])
def test_a_negative_count_is_refused(visible: int, in_service: int) -> None:
    for rule in (backlog.backlog_per_instance, backlog.backlog_without_instances):
        with pytest.raises(ValueError, match="not negative"):
            rule(visible, in_service)


def test_importing_the_handlers_makes_no_client_and_needs_nothing_beyond_boto3() -> None:
    # In a process of its own: this one has imported half of the world.
    check = """
import sys; sys.path.insert(0, "lambdas")
import boto3
before = set(sys.modules)
from shared import aws
import sqs_target_scaling.metric_publisher.handler
import sqs_target_scaling.target_setter.handler
import sqs_target_scaling.testing.handler
assert aws.client.cache_info().currsize == 0 and boto3.DEFAULT_SESSION is None
foreign = {name for name in set(sys.modules) - before if name.split(".")[0] not in ("shared", "sqs_target_scaling")}
assert not foreign, foreign
"""
    result = run([sys.executable, "-c", check], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr


def test_the_rules_know_no_aws() -> None:
    check = """
import sys; sys.path.insert(0, "lambdas")
import sqs_target_scaling.metric_publisher.backlog
import sqs_target_scaling.target_setter.target
import sqs_target_scaling.testing.messages
assert not {"boto3", "botocore"} & set(sys.modules)
"""
    result = run([sys.executable, "-c", check], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
