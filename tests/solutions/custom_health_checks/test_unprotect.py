"""Unprotect: a group whose instances are protected can be deleted, and CloudFormation always hears the end."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from custom_health_checks.unprotect import handler
from custom_health_checks.unprotect.handler import StillLaunchingError, let_go, unprotect
from custom_health_checks.unprotect.plan import AT_ONCE
from shared import custom_resource

DELETE = {
    "RequestType": "Delete",
    "ResponseURL": "https://cloudformation.example/answer",
    "StackId": "stack",
    "RequestId": "request",
    "LogicalResourceId": "OfGroup",
    "PhysicalResourceId": "unprotect-workers",
    "ResourceProperties": {"GroupName": "workers"},
}


class AutoScaling:
    """A group, one instance a page; keeps what is asked of it."""

    def __init__(self, *states: str, exists: bool = True) -> None:
        self.members = [
            {"InstanceId": f"i-{number}", "LifecycleState": state, "ProtectedFromScaleIn": True}
            for number, state in enumerate(states)
        ]
        self.exists = exists
        self.called: list[tuple[str, Any]] = []
        self.refusal: ClientError | None = None

    def get_paginator(self, operation: str) -> Any:
        assert operation == "describe_auto_scaling_groups"
        return self

    def paginate(self, AutoScalingGroupNames: list[str]) -> Iterator[dict[str, Any]]:  # noqa: N803
        assert AutoScalingGroupNames == ["workers"]
        yield {"AutoScalingGroups": []}
        if self.exists:
            yield {"AutoScalingGroups": [{"Instances": self.members}]}

    def update_auto_scaling_group(self, **parameters: Any) -> None:
        self.called.append(("update", parameters["NewInstancesProtectedFromScaleIn"]))

    def set_instance_protection(self, **parameters: Any) -> None:
        assert parameters["ProtectedFromScaleIn"] is False
        self.called.append(("unprotect", parameters["InstanceIds"]))

    def complete_lifecycle_action(self, **parameters: Any) -> None:
        self.called.append((parameters["LifecycleActionResult"], parameters["InstanceId"]))
        if self.refusal:
            raise self.refusal


def end_protection(autoscaling: AutoScaling, pauses: list[float] | None = None) -> None:
    unprotect(autoscaling, "workers", "checked", pause=(pauses if pauses is not None else []).append)


def test_what_is_in_service_loses_its_protection_and_what_waits_is_given_up() -> None:
    autoscaling = AutoScaling("InService", "Pending:Wait", "Standby", "Terminating:Wait")
    end_protection(autoscaling)
    assert autoscaling.called == [("update", False), ("unprotect", ["i-0", "i-2"]), ("ABANDON", "i-1")]


def test_what_is_not_protected_is_left_alone_unless_it_waits_and_would_be_protected_in_service() -> None:
    autoscaling = AutoScaling("InService", "Standby", "Pending", "Pending:Proceed", "Pending:Wait")
    for member in autoscaling.members:
        member["ProtectedFromScaleIn"] = False
    end_protection(autoscaling)
    assert autoscaling.called == [("update", False), ("ABANDON", "i-4")]


def test_as_many_at_a_time_as_one_call_takes() -> None:
    autoscaling = AutoScaling(*["InService"] * (AT_ONCE + 1))
    end_protection(autoscaling)
    assert [len(ids) for name, ids in autoscaling.called if name == "unprotect"] == [AT_ONCE, 1]


def test_a_group_that_is_gone_already_needs_nothing() -> None:
    autoscaling = AutoScaling(exists=False)
    end_protection(autoscaling)
    assert autoscaling.called == []


def test_an_instance_between_two_states_is_waited_for() -> None:
    autoscaling = AutoScaling("Pending")
    pauses: list[float] = []

    class Arrives(list[float]):
        def append(self, seconds: float) -> None:
            pauses.append(seconds)
            autoscaling.members[0]["LifecycleState"] = "Pending:Wait"

    end_protection(autoscaling, Arrives())
    assert len(pauses) == 1
    assert autoscaling.called[-1] == ("ABANDON", "i-0")


def test_one_that_never_arrives_is_told() -> None:
    with pytest.raises(StillLaunchingError, match="i-0"):
        end_protection(AutoScaling("Pending"))


def test_a_hook_that_waits_no_more_is_no_failure() -> None:
    autoscaling = AutoScaling("Pending:Wait")
    message = "No active Lifecycle Action found with instance ID i-0"
    autoscaling.refusal = ClientError({"Error": {"Code": "ValidationError", "Message": message}}, "Complete")
    end_protection(autoscaling)


# What CloudFormation hears


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    answers: list[dict[str, Any]] = []
    monkeypatch.setattr(custom_resource, "upload", lambda url, body: answers.append({"url": url, **json.loads(body)}))
    monkeypatch.setenv("HOOK_NAME", "checked")
    return answers


@pytest.mark.parametrize("kind", ["Create", "Update"])
def test_nothing_happens_before_the_end(kind: str, said: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handler, "client", lambda _: pytest.fail("no call is made"))
    event = {**DELETE, "RequestType": kind}
    del event["PhysicalResourceId"]
    handler.lambda_handler(event, None)
    (answer,) = said
    assert (answer["Status"], answer["PhysicalResourceId"]) == ("SUCCESS", "OfGroup")
    assert answer["url"] == DELETE["ResponseURL"]


def test_the_end_is_answered_under_the_id_that_it_was_asked_for(
    said: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    autoscaling = AutoScaling("InService")
    monkeypatch.setattr(handler, "client", lambda _: autoscaling)
    handler.lambda_handler(DELETE, None)
    (answer,) = said
    assert (answer["Status"], answer["PhysicalResourceId"]) == ("SUCCESS", "unprotect-workers")
    assert ("unprotect", ["i-0"]) in autoscaling.called


def test_a_failure_is_answered_with_its_reason(said: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch) -> None:
    autoscaling = AutoScaling("Pending:Wait")
    autoscaling.refusal = ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "Complete")
    monkeypatch.setattr(handler, "client", lambda _: autoscaling)
    handler.lambda_handler(DELETE, None)
    (answer,) = said
    assert answer["Status"] == "FAILED" and "AccessDenied" in answer["Reason"]


def test_instances_that_go_on_being_launched_are_named_in_the_answer(
    said: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handler, "client", lambda _: AutoScaling("Pending"))
    monkeypatch.setattr(handler, "ROUND_SECONDS", 0.0)
    handler.lambda_handler(DELETE, None)
    (answer,) = said
    assert answer["Status"] == "FAILED" and "i-0" in answer["Reason"]


@pytest.mark.parametrize("event", [None, {}, {**DELETE, "ResourceProperties": {}}])
def test_what_is_no_request_is_refused(event: Any) -> None:
    with pytest.raises(ValueError, match="not a request of CloudFormation"):
        handler.lambda_handler(event, None)


class Found(AutoScaling):
    """The same group, found by the tags that CloudFormation gives it."""

    def __init__(self, *states: str, exists: bool = True) -> None:
        super().__init__(*states, exists=exists)
        self.asked: list[dict[str, Any]] = []

    def paginate(self, Filters: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:  # type: ignore[override]  # noqa: N803
        self.asked += Filters
        yield {"AutoScalingGroups": []}
        if self.exists:
            yield {"AutoScalingGroups": [{"AutoScalingGroupName": "workers", "Instances": self.members}]}


def test_before_an_update_those_in_service_lose_their_protection_and_nobody_else_is_touched() -> None:
    autoscaling = Found("InService", "Pending:Wait", "Pending", "Standby", "Terminating")
    let_go(autoscaling, "stack", "Group")
    assert autoscaling.called == [("unprotect", ["i-0", "i-3"])]
    assert autoscaling.asked == [
        {"Name": "tag:aws:cloudformation:stack-id", "Values": ["stack"]},
        {"Name": "tag:aws:cloudformation:logical-id", "Values": ["Group"]},
    ]


@pytest.mark.parametrize(("kind", "called"), [("Create", 1), ("Update", 1), ("Delete", 0)])
def test_the_resource_before_an_update_acts_on_every_change_but_its_own_end(
    monkeypatch: pytest.MonkeyPatch, kind: str, called: int
) -> None:
    autoscaling = Found("InService")
    monkeypatch.setattr(handler, "client", lambda service: autoscaling)
    request = {**DELETE, "RequestType": kind, "ResourceProperties": {"GroupLogicalId": "Group"}}
    assert handler.end_protection(request) == "unprotect-workers"
    assert len(autoscaling.called) == called


def test_a_new_stack_has_no_group_yet() -> None:
    autoscaling = Found(exists=False)
    let_go(autoscaling, "stack", "Group")
    assert autoscaling.called == []
