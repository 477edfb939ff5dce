"""Termination: the hook of the group is completed once; whatever else comes is let pass, or handed back."""

import json
from datetime import datetime
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from spot_asg.termination import handler
from spot_asg.termination.action import Ending, LifecycleAction, is_over
from spot_asg.termination.handler import complete, count_short_lived, lambda_handler

OVER = "No active Lifecycle Action found with instance ID i-0"


def body(**detail: Any) -> str:
    """The example of the user guide of EC2 Auto Scaling."""
    return json.dumps(
        {
            "source": "aws.autoscaling",
            "detail-type": "EC2 Instance-terminate Lifecycle Action",
            "time": "2026-01-01T12:00:00Z",
            "detail": {
                "LifecycleActionToken": "87654321-4321-4321-4321-210987654321",
                "AutoScalingGroupName": "spot",
                "LifecycleHookName": "leave",
                "EC2InstanceId": "i-0",
                "LifecycleTransition": "autoscaling:EC2_INSTANCE_TERMINATING",
                "Origin": "AutoScalingGroup",
                "Destination": "EC2",
                **detail,
            },
        }
    )


class AutoScaling:
    """Has open actions; a completed one is not open any more."""

    def __init__(self, *open_instances: str, refuses: str = "") -> None:
        self.open = set(open_instances)
        self.refuses = refuses
        self.completed: list[dict[str, str]] = []

    def complete_lifecycle_action(self, **parameters: str) -> None:
        if self.refuses:
            raise ClientError({"Error": {"Code": self.refuses, "Message": "refused"}}, "CompleteLifecycleAction")
        if parameters["InstanceId"] not in self.open:
            raise ClientError({"Error": {"Code": "ValidationError", "Message": OVER}}, "CompleteLifecycleAction")
        self.open.remove(parameters["InstanceId"])
        self.completed.append(parameters)


class Ec2:
    """Knows when i-0 was launched."""

    def __init__(self, launched: datetime) -> None:
        self.launched = launched

    def get_paginator(self, operation: str) -> Any:
        assert operation == "describe_instances"
        return self

    def paginate(self, InstanceIds: list[str]) -> Any:  # noqa: N803
        if InstanceIds != ["i-0"]:
            raise ClientError({"Error": {"Code": "InvalidInstanceID.NotFound"}}, "DescribeInstances")
        yield {"Reservations": []}
        yield {"Reservations": [{"Instances": [{"LaunchTime": self.launched}]}]}


class CloudWatch:
    """Keeps what was published."""

    def __init__(self) -> None:
        self.data: list[dict[str, Any]] = []

    def put_metric_data(self, Namespace: str, MetricData: list[dict[str, Any]]) -> None:  # noqa: N803
        assert Namespace == "Spot"
        self.data += MetricData


def ended(instance_id: str = "i-0", group: str = "spot") -> str:
    """The example of a successful terminate event in the same guide, shortened."""
    detail = {"AutoScalingGroupName": group, "EC2InstanceId": instance_id, "StatusCode": "InProgress"}
    kind = "EC2 Instance Terminate Successful"
    return json.dumps(
        {"source": "aws.autoscaling", "detail-type": kind, "time": "2026-01-01T12:00:00Z", "detail": detail}
    )


@pytest.mark.parametrize(
    ("text", "launched", "counts"),
    [
        (ended(), "2026-01-01T11:56:00+00:00", True),
        (ended(), "2026-01-01T11:45:01+00:00", True),
        (ended(), "2026-01-01T11:45:00+00:00", False),
        (ended("i-1"), "2026-01-01T11:56:00+00:00", False),
        (ended(group="spot-2"), "2026-01-01T11:56:00+00:00", False),
    ],
)
def test_an_instance_of_the_group_that_lived_shortly_is_counted(text: str, launched: str, counts: bool) -> None:
    """A group of one whose bootstrap fails: every few minutes an end, and hardly ever an instance that is missing."""
    cloudwatch, ending = CloudWatch(), Ending.of(text)
    assert ending
    assert count_short_lived(Ec2(datetime.fromisoformat(launched)), cloudwatch, ending, "spot", "Spot") is counts
    assert len(cloudwatch.data) == counts
    for datum in cloudwatch.data:
        assert datum["MetricName"] == "ShortLivedInstances" and datum["Timestamp"] == ending.time
        assert datum["Dimensions"] == [{"Name": "AutoScalingGroupName", "Value": "spot"}]


def test_a_lifecycle_action_is_no_end() -> None:
    assert Ending.of(body()) is None


def completed(autoscaling: AutoScaling, text: str) -> bool:
    return complete(autoscaling, text, group_name="spot", hook_name="leave")


def test_the_action_is_completed_by_its_token_and_goes_on() -> None:
    autoscaling = AutoScaling("i-0")
    assert completed(autoscaling, body())
    assert autoscaling.completed == [
        {
            "AutoScalingGroupName": "spot",
            "LifecycleHookName": "leave",
            "InstanceId": "i-0",
            "LifecycleActionToken": "87654321-4321-4321-4321-210987654321",
            "LifecycleActionResult": "CONTINUE",
        }
    ]


def test_twice_is_once() -> None:
    autoscaling = AutoScaling("i-0")
    assert [completed(autoscaling, body()) for _ in range(3)] == [True, False, False]
    assert len(autoscaling.completed) == 1


def test_too_late_is_all_right() -> None:
    assert not completed(AutoScaling(), body())


@pytest.mark.parametrize(
    "detail",
    [
        {"AutoScalingGroupName": "spot-2"},
        {"LifecycleHookName": "other"},
        {"LifecycleTransition": "autoscaling:EC2_INSTANCE_LAUNCHING"},
    ],
)
def test_another_group_hook_or_transition_is_nobody_of_ours(detail: dict[str, str]) -> None:
    autoscaling = AutoScaling("i-0")
    assert not completed(autoscaling, body(**detail))
    assert autoscaling.open == {"i-0"}


@pytest.mark.parametrize(
    ("code", "message", "over"),
    [
        ("ValidationError", OVER, True),
        ("ValidationError", "AutoScalingGroup name not found - spot", True),
        ("ValidationError", "1 validation error detected: Value '' at 'lifecycleActionToken'", False),
        ("AccessDenied", OVER, False),
        ("Throttling", "Rate exceeded", False),
    ],
)
def test_only_an_action_that_is_not_open_is_over(code: str, message: str, over: bool) -> None:
    assert is_over(code, message) is over


def test_an_event_without_its_parts_is_refused() -> None:
    for text in ("", "null", "[]", "{}", json.dumps({"source": "aws.autoscaling", "detail": None})):
        with pytest.raises((KeyError, TypeError, ValueError)):
            LifecycleAction.of(text)


def test_what_failed_is_handed_back_and_the_rest_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    autoscaling = AutoScaling("i-0")
    monkeypatch.setattr(handler, "client", lambda _: autoscaling)
    monkeypatch.setenv("GROUP_NAME", "spot")
    monkeypatch.setenv("HOOK_NAME", "leave")
    bodies = {"bad": "{", "good": body(), "null": "null"}
    records = [{"messageId": name, "body": text} for name, text in bodies.items()]
    answer = lambda_handler({"Records": records}, SimpleNamespace())
    assert answer == {"batchItemFailures": [{"itemIdentifier": "bad"}, {"itemIdentifier": "null"}]}
    assert autoscaling.open == set()


def test_a_refused_completion_comes_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handler, "client", lambda _: AutoScaling("i-0", refuses="AccessDenied"))
    monkeypatch.setenv("GROUP_NAME", "spot")
    monkeypatch.setenv("HOOK_NAME", "leave")
    answer = lambda_handler({"Records": [{"messageId": "one", "body": body()}]}, SimpleNamespace())
    assert answer == {"batchItemFailures": [{"itemIdentifier": "one"}]}
