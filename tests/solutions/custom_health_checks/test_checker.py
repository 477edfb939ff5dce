"""The Checker: who waits, what the checks say about it, and what becomes of its hook."""

import io
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from threading import Barrier
from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from custom_health_checks.checker.handler import LookError, check
from custom_health_checks.checker.looks import ProbeError
from custom_health_checks.checker.members import AT_ONCE, Rules
from custom_health_checks.checker.request import Request, UnknownEventError, request_of
from custom_health_checks.checker.service import to_replace
from custom_health_checks.checker.verdict import Verdict, of_answer, of_command, of_entry, of_value, together
from custom_health_checks.checker.waiting import LOOK_SECONDS, Action, Member, action_for

NOW = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)
GROUP, PREFIX = "checks-Group1-ABC", "checks-Group1-"
TAG = {
    "kind": "tag",
    "key": "Compliance-Check",
    "initial": "UnSuccessful",
    "success": "Successful",
    "failure": "Failed",
}
HTTP = {"kind": "http", "port": 80, "path": "/health", "status": 200, "prober": "prober"}
DOCUMENT = {"kind": "ssm-document", "document": "AcmeCheck"}
TABLE = {"kind": "table", "table": "inventory", "key": "instance_id"}


def refused(code: str, message: str = "") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, "CompleteLifecycleAction")


class Aws:
    """Instances of groups, their tags, and every other thing that a check looks at; keeps what is done."""

    class Exceptions:
        class InvalidInstanceId(ClientError):  # type: ignore[misc]  # noqa: N818
            """As the SSM client has it."""

    exceptions = Exceptions

    def __init__(self, **states: str) -> None:
        self.states = {f"i-{name}": state for name, state in states.items()}
        self.warm: dict[str, str] = {}
        self.groups = dict.fromkeys(self.states, GROUP)
        self.tags = {name: {"Compliance-Check": "UnSuccessful"} for name in self.states}
        self.started = dict.fromkeys(self.states, NOW)
        self.done: list[tuple[str, str]] = []
        self.refusal: ClientError | None = None
        self.broken: set[str] = set()
        self.unseen: set[str] = set()
        self.answer: dict[str, Any] = {"status": 200}
        self.asked: list[dict[str, Any]] = []
        self.runs: list[dict[str, Any]] = []
        self.sent: list[dict[str, Any]] = []
        self.registered = True
        self.entry: dict[str, Any] | None = None
        self.health: dict[str, str] = {}
        self.failures: dict[str, dict[str, str]] = {}
        self.marked: list[str] = []
        self.desired = len(self.states)

    def __call__(self, _service: str) -> "Aws":
        return self

    def get_paginator(self, operation: str) -> Any:
        pages: dict[str, Any] = {
            "describe_auto_scaling_instances": self._instances,
            "describe_auto_scaling_groups": self._group,
            "describe_warm_pool": self._pool,
            "list_command_invocations": self._commands,
            "describe_instances": self._described,
            "scan": self._scan,
        }
        return type("Pages", (), {"paginate": staticmethod(pages[operation])})

    def _instances(self, InstanceIds: list[str]) -> Iterator[dict[str, Any]]:  # noqa: N803
        yield {"AutoScalingInstances": []}
        for name, state in {**self.states, **self.warm}.items():
            if name in InstanceIds:
                item = {"InstanceId": name, "AutoScalingGroupName": self.groups[name], "LifecycleState": state}
                yield {"AutoScalingInstances": [item]}

    def _group(self, AutoScalingGroupNames: list[str]) -> Iterator[dict[str, Any]]:  # noqa: N803
        assert AutoScalingGroupNames == [GROUP]
        members = [
            {"InstanceId": name, "LifecycleState": state, "HealthStatus": self.health.get(name, "Healthy")}
            for name, state in self.states.items()
        ]
        yield {"AutoScalingGroups": []}
        yield {"AutoScalingGroups": [{"Instances": members[:1], "DesiredCapacity": self.desired}]}
        yield {"AutoScalingGroups": [{"Instances": members[1:], "DesiredCapacity": self.desired}]}

    def _pool(self, AutoScalingGroupName: str) -> Iterator[dict[str, Any]]:  # noqa: N803
        assert AutoScalingGroupName == GROUP
        for name, state in self.warm.items():
            yield {"Instances": [{"InstanceId": name, "LifecycleState": state}]}

    def _commands(self, InstanceId: str, Filters: list[dict[str, str]]) -> Iterator[dict[str, Any]]:  # noqa: N803
        assert Filters == [{"key": "DocumentName", "value": "AcmeCheck"}]
        yield {"CommandInvocations": []}
        for run in self.runs:
            yield {"CommandInvocations": [run]}

    def _described(self, InstanceIds: list[str]) -> Iterator[dict[str, Any]]:  # noqa: N803
        yield {"Reservations": []}
        (name,) = InstanceIds
        if name in self.broken:
            raise refused("RequestLimitExceeded")
        tags = [{"Key": key, "Value": value} for key, value in self.tags[name].items()]
        found = {"InstanceId": name, "LaunchTime": self.started[name], "PrivateIpAddress": "10.0.0.9", "Tags": tags}
        yield {"Reservations": [{"Instances": [found]}] if name not in self.unseen else []}

    def _scan(self, TableName: str, ConsistentRead: bool) -> Iterator[dict[str, Any]]:  # noqa: N803
        assert TableName == "failures" and ConsistentRead
        yield {"Items": []}
        for name in list(self.failures):
            yield {"Items": [{"instance_id": {"S": name}}]}

    def update_item(self, **parameters: Any) -> dict[str, Any]:
        assert parameters["ConditionExpression"] == "attribute_not_exists(looked) OR looked < :minute"
        name, minute = parameters["Key"]["instance_id"]["S"], parameters["ExpressionAttributeValues"][":minute"]["N"]
        found = self.failures.setdefault(name, {"failures": "0", "looked": ""})
        if found["looked"] == minute:
            raise refused("ConditionalCheckFailedException")
        found |= {"failures": str(int(found["failures"]) + 1), "looked": minute}
        return {"Attributes": {"failures": {"N": found["failures"]}}}

    def delete_item(self, **parameters: Any) -> None:
        self.failures.pop(parameters["Key"]["instance_id"]["S"], None)

    def set_instance_health(self, **parameters: Any) -> None:
        assert parameters["HealthStatus"] == "Unhealthy" and parameters["ShouldRespectGracePeriod"]
        self.marked.append(parameters["InstanceId"])
        self.health[parameters["InstanceId"]] = "Unhealthy"

    def complete_lifecycle_action(self, **parameters: Any) -> None:
        assert parameters["AutoScalingGroupName"] == GROUP and parameters["LifecycleHookName"] == "checked"
        if self.refusal:
            raise self.refusal
        self.done.append((parameters["InstanceId"], parameters["LifecycleActionResult"]))
        self.states[parameters["InstanceId"]] = "InService"

    def record_lifecycle_action_heartbeat(self, **parameters: Any) -> None:
        if self.refusal:
            raise self.refusal
        self.done.append((parameters["InstanceId"], "heartbeat"))

    def invoke(self, FunctionName: str, Payload: bytes) -> dict[str, Any]:  # noqa: N803
        assert FunctionName == "prober"
        self.asked.append(json.loads(Payload))
        error = {"FunctionError": "Unhandled"} if "errorMessage" in self.answer else {}
        return {"Payload": io.BytesIO(json.dumps(self.answer).encode()), **error}

    def send_command(self, **parameters: Any) -> None:
        if not self.registered:
            raise self.Exceptions.InvalidInstanceId({"Error": {"Code": "InvalidInstanceId"}}, "SendCommand")
        self.sent.append(parameters)

    def get_item(self, **parameters: Any) -> dict[str, Any]:
        if parameters["TableName"] == "failures":
            return {"Item": {"failures": {"N": self.failures[parameters["Key"]["instance_id"]["S"]]["failures"]}}}
        assert parameters["TableName"] == "inventory" and parameters["ConsistentRead"]
        return {"Item": self.entry} if self.entry is not None else {}


def rules(*checks: dict[str, Any], longest: int = 300, warm_pool: bool = False) -> Rules:
    return Rules(PREFIX, "checked", checks or (TAG,), 300, longest, warm_pool)


def look(aws: Aws, request: Request | str, given_rules: Rules | None = None) -> dict[str, list[str]]:
    asked = Request(instance_ids=(request,)) if isinstance(request, str) else request
    return check(aws, given_rules or rules(), asked, now=NOW)


SWEEP = Request(group=GROUP)


# Which instance, and when


@pytest.mark.parametrize("state", ["Pending:Wait", "Warmed:Pending:Wait"])
def test_an_instance_that_waits_and_has_passed_enters_service(state: str) -> None:
    aws = Aws(a=state)
    aws.tags["i-a"] = {"Compliance-Check": "Successful"}
    assert look(aws, "i-a") == {"CONTINUE": ["i-a"]}
    assert aws.done == [("i-a", "CONTINUE")]


def test_the_hook_is_completed_once_however_often_the_event_comes() -> None:
    aws = Aws(a="Pending:Wait")
    aws.tags["i-a"] = {"Compliance-Check": "Successful"}
    assert [look(aws, "i-a") for _ in range(3)] == [{"CONTINUE": ["i-a"]}, {}, {}]
    assert aws.done == [("i-a", "CONTINUE")]


@pytest.mark.parametrize("tag_first", [True, False])
def test_tag_and_launch_event_may_come_in_either_order(tag_first: bool) -> None:
    aws = Aws(a="Pending" if tag_first else "Pending:Wait")
    if tag_first:
        aws.tags["i-a"] = {"Compliance-Check": "Successful"}
        assert look(aws, "i-a") == {}  # the tag event: nothing waits yet
        aws.states["i-a"] = "Pending:Wait"
    else:
        assert look(aws, "i-a") == {"nothing": ["i-a"]}  # the launch event: the tag is not yet right
        aws.tags["i-a"] = {"Compliance-Check": "Successful"}
    look(aws, "i-a")
    assert aws.done == [("i-a", "CONTINUE")]


def test_through_a_warm_pool_an_instance_is_let_in_twice_without_a_second_change_of_its_tag() -> None:
    aws = Aws(a="Warmed:Pending:Wait")
    aws.tags["i-a"] = {"Compliance-Check": "Successful"}
    look(aws, "i-a")
    aws.states["i-a"] = "Warmed:Stopped"
    assert look(aws, "i-a") == {}
    aws.states["i-a"] = "Pending:Wait"
    look(aws, "i-a")
    assert aws.done == [("i-a", "CONTINUE")] * 2


@pytest.mark.parametrize("state", ["Pending", "InService", "Warmed:Stopped", "Terminating:Wait", "Standby"])
def test_an_instance_that_does_not_wait_is_left_alone(state: str) -> None:
    aws = Aws(a=state)
    aws.tags["i-a"] = {"Compliance-Check": "Successful"}
    assert look(aws, "i-a") == {} and look(aws, SWEEP) == {}
    assert aws.done == []


def test_an_instance_of_another_group_or_of_none_is_left_alone() -> None:
    aws = Aws(a="Pending:Wait")
    aws.tags["i-a"] = {"Compliance-Check": "Successful"}
    aws.groups["i-a"] = "checks-Group12-XYZ"
    assert look(aws, "i-a") == {} and look(aws, "i-b") == {}
    assert aws.done == []


@pytest.mark.parametrize("value", ["UnSuccessful", "successful", " Successful", None])
def test_any_other_value_leaves_it_waiting(value: str | None) -> None:
    aws = Aws(a="Pending:Wait")
    aws.tags["i-a"] = {} if value is None else {"Compliance-Check": value}
    assert look(aws, "i-a") == {"nothing": ["i-a"]}
    assert aws.done == []


def test_a_failure_value_gives_it_up_at_once() -> None:
    aws = Aws(a="Pending:Wait")
    aws.tags["i-a"] = {"Compliance-Check": "Failed"}
    assert look(aws, "i-a") == {"ABANDON": ["i-a"]}
    assert aws.done == [("i-a", "ABANDON")]


def test_the_sweep_looks_at_every_page_and_at_the_warm_pool() -> None:
    aws = Aws(a="Pending:Wait", b="InService", c="Pending:Wait")
    aws.warm = {"i-w": "Warmed:Pending:Wait"}
    aws.groups["i-w"], aws.started["i-w"] = GROUP, NOW
    for name in ("i-a", "i-c", "i-w"):
        aws.tags[name] = {"Compliance-Check": "Successful"}
    assert look(aws, SWEEP, rules(warm_pool=True)) == {"CONTINUE": ["i-a", "i-c", "i-w"]}


def test_one_instance_that_cannot_be_looked_at_does_not_stop_the_others_and_is_told() -> None:
    aws = Aws(a="Pending:Wait", b="Pending:Wait")
    aws.tags["i-b"] = {"Compliance-Check": "Successful"}
    aws.broken = {"i-a"}
    with pytest.raises(LookError, match=r"i-a: .*RequestLimitExceeded"):
        look(aws, SWEEP)
    assert aws.done == [("i-b", "CONTINUE")]


def test_an_instance_that_ec2_does_not_show_yet_is_a_visible_failure() -> None:
    aws = Aws(a="Pending:Wait")
    aws.unseen = {"i-a"}
    with pytest.raises(LookError, match="does not show i-a"):
        look(aws, "i-a")


def test_somebody_else_was_quicker() -> None:
    aws = Aws(a="Pending:Wait")
    aws.tags["i-a"] = {"Compliance-Check": "Successful"}
    aws.refusal = refused("ValidationError", "No active Lifecycle Action found with instance ID i-a")
    assert look(aws, "i-a") == {"CONTINUE": ["i-a"]}


@pytest.mark.parametrize(
    "refusal", [refused("ValidationError", "AutoScalingGroup name not found"), refused("AccessDenied")]
)
def test_any_other_refusal_is_a_visible_failure(refusal: ClientError) -> None:
    aws = Aws(a="Pending:Wait")
    aws.tags["i-a"] = {"Compliance-Check": "Successful"}
    aws.refusal = refusal
    with pytest.raises(LookError):
        look(aws, "i-a")


# The kinds of checks


def test_an_http_endpoint_is_asked_by_the_prober() -> None:
    aws = Aws(a="Pending:Wait")
    assert look(aws, "i-a", rules(HTTP)) == {"CONTINUE": ["i-a"]}
    assert aws.asked == [{"host": "10.0.0.9", "port": 80, "path": "/health"}]
    aws.states["i-a"], aws.answer = "Pending:Wait", {"status": None}
    assert look(aws, "i-a", rules(HTTP)) == {"nothing": ["i-a"]}


def test_a_prober_that_fails_says_nothing_about_the_instance() -> None:
    aws = Aws(a="Pending:Wait")
    aws.answer = {"errorMessage": "out of memory"}
    with pytest.raises(LookError, match="out of memory"):
        look(aws, "i-a", rules(HTTP))
    assert ProbeError.__mro__[1] is RuntimeError


def test_a_document_is_started_where_it_never_ran_and_its_newest_result_counts() -> None:
    aws = Aws(a="Pending:Wait")
    assert look(aws, "i-a", rules(DOCUMENT)) == {"nothing": ["i-a"]}
    assert aws.sent == [{"DocumentName": "AcmeCheck", "InstanceIds": ["i-a"]}]
    aws.runs = [
        {"Status": "InProgress", "RequestedDateTime": NOW - timedelta(minutes=1)},
        {"Status": "Failed", "RequestedDateTime": NOW - timedelta(minutes=9)},
    ]
    assert look(aws, "i-a", rules(DOCUMENT)) == {"nothing": ["i-a"]}
    aws.runs[0]["Status"] = "Success"
    assert look(aws, "i-a", rules(DOCUMENT)) == {"CONTINUE": ["i-a"]}
    assert len(aws.sent) == 1


def test_an_agent_that_has_not_registered_yet_is_tried_again_later() -> None:
    aws = Aws(a="Pending:Wait")
    aws.registered = False
    assert look(aws, "i-a", rules(DOCUMENT)) == {"nothing": ["i-a"]}


def test_an_entry_in_the_table_lets_an_instance_in() -> None:
    aws = Aws(a="Pending:Wait")
    assert look(aws, "i-a", rules(TABLE)) == {"nothing": ["i-a"]}
    aws.entry = {"instance_id": {"S": "i-a"}}
    assert look(aws, "i-a", rules(TABLE)) == {"CONTINUE": ["i-a"]}


def test_all_checks_must_pass() -> None:
    aws = Aws(a="Pending:Wait")
    aws.tags["i-a"] = {"Compliance-Check": "Successful"}
    assert look(aws, "i-a", rules(TAG, TABLE)) == {"nothing": ["i-a"]}
    aws.tags["i-a"] = {"Compliance-Check": "Failed"}
    assert look(aws, "i-a", rules(TAG, TABLE)) == {"ABANDON": ["i-a"]}


# Verdicts


@given(st.lists(st.sampled_from(Verdict)))
def test_one_failure_fails_and_only_passes_pass(verdicts: list[Verdict]) -> None:
    found = together(verdicts)
    assert (found is Verdict.FAILED) == (Verdict.FAILED in verdicts)
    assert (found is Verdict.PASSED) == (bool(verdicts) and all(v is Verdict.PASSED for v in verdicts))


@given(st.text() | st.none(), st.text(min_size=1))
def test_without_a_failure_value_nothing_fails(value: str | None, success: str) -> None:
    assert of_value(value, success, None) is (Verdict.PASSED if value == success else Verdict.PENDING)


@pytest.mark.parametrize(
    ("status", "verdict"),
    [
        ("Success", "passed"),
        ("Failed", "failed"),
        ("TimedOut", "failed"),
        ("Cancelled", "failed"),
        ("Cancelling", "pending"),
        ("Pending", "pending"),
        ("Delayed", "pending"),
        ("InProgress", "pending"),
        (None, "pending"),
    ],
)
def test_statuses_of_commands(status: str | None, verdict: str) -> None:
    assert of_command(status) == verdict


@pytest.mark.parametrize(
    ("status", "verdict"), [(200, "passed"), (503, "pending"), (None, "pending"), (301, "pending")]
)
def test_a_server_that_starts_may_say_anything(status: int | None, verdict: str) -> None:
    assert of_answer(status, 200) == verdict


@pytest.mark.parametrize(
    ("entry", "verdict"),
    [
        (None, "pending"),
        ({}, "pending"),
        ({"state": {"S": "ok"}}, "passed"),
        ({"state": {"S": "bad"}}, "failed"),
        ({"state": {"N": "1"}}, "pending"),
        ({"state": {"NULL": True}}, "pending"),
        ({"state": {"L": []}}, "pending"),
    ],
)
def test_attributes_of_an_entry(entry: dict[str, Any] | None, verdict: str) -> None:
    assert of_entry(entry, "state", "ok", "bad") == verdict


def test_truth_values_of_an_entry_are_written_as_in_json() -> None:
    assert of_entry({"ready": {"BOOL": True}}, "ready", "true", "false") is Verdict.PASSED
    assert of_entry({"ready": {"BOOL": False}}, "ready", "true", "false") is Verdict.FAILED


# Heartbeats


@given(
    heartbeat=st.integers(3 * LOOK_SECONDS, 1800),
    heartbeats=st.integers(1, 12),
    offset=st.floats(0, LOOK_SECONDS, exclude_max=True),
    lost=st.integers(0, 400),
)
def test_heartbeats_of_a_sweep_a_minute_keep_the_wait_open_to_its_end_and_no_longer(
    heartbeat: int, heartbeats: int, offset: float, lost: int
) -> None:
    longest = min(172_800, heartbeat * heartbeats)
    deadline = float(heartbeat)
    for number in range(int(longest / LOOK_SECONDS) + 2):
        waited = number * LOOK_SECONDS + offset
        if waited >= deadline or number == lost:
            continue
        if action_for(Verdict.PENDING, waited=waited, heartbeat=heartbeat, longest=longest) is Action.HEARTBEAT:
            deadline = waited + heartbeat
    assert deadline <= longest
    assert deadline > longest - heartbeat / 2 - 3 * LOOK_SECONDS or heartbeats == 1


@given(waited=st.floats(0, 172_800), heartbeat=st.integers(30, 7200))
def test_without_a_longer_wait_there_is_no_heartbeat(waited: float, heartbeat: int) -> None:
    assert action_for(Verdict.PENDING, waited=waited, heartbeat=heartbeat, longest=heartbeat) is Action.NOTHING


def test_the_function_records_a_heartbeat() -> None:
    aws = Aws(a="Pending:Wait")
    aws.started["i-a"] = NOW - timedelta(seconds=160)
    assert look(aws, SWEEP, rules(longest=3600)) == {"heartbeat": ["i-a"]}
    assert aws.done == [("i-a", "heartbeat")]


# In service


WATCHING = Rules(PREFIX, "checked", (TAG,), 300, 300, warm_pool=False, unhealthy_after=3, failures_table="failures")


def serving(*names: str) -> Aws:
    """Instances in service whose check passes."""
    aws = Aws(**dict.fromkeys(names, "InService"))
    aws.tags = {name: {"Compliance-Check": "Successful"} for name in aws.states}
    return aws


def sweep(aws: Aws, minutes: int = 1, *, begin: int = 0, given: Rules = WATCHING) -> list[dict[str, list[str]]]:
    return [check(aws, given, SWEEP, now=NOW + timedelta(minutes=begin + n)) for n in range(minutes)]


def test_a_member_that_fails_three_looks_in_a_row_is_set_unhealthy_and_no_other() -> None:
    aws = serving("a", "b")
    aws.tags["i-a"] = {}
    assert sweep(aws, 3) == [{"failing": ["i-a"]}, {"failing": ["i-a"]}, {"failing": ["i-a"], "Unhealthy": ["i-a"]}]
    assert aws.marked == ["i-a"] and aws.done == []
    assert sweep(aws, 1, begin=3) == [{}], "one that is unhealthy is EC2 Auto Scaling's business"


def test_a_look_that_passes_begins_the_count_anew() -> None:
    aws = serving("a")
    for value in ("Failed", "Failed", "Successful", "Failed", "Failed"):
        aws.tags["i-a"] = {"Compliance-Check": value}
        sweep(aws, begin=len(aws.asked))
        aws.asked.append({})
    assert aws.marked == [] and aws.failures["i-a"]["failures"] == "2"


def test_the_schedule_s_event_may_come_twice_in_a_minute() -> None:
    aws = serving("a")
    aws.tags["i-a"] = {}
    for _ in range(9):
        sweep(aws)
    assert aws.marked == [] and aws.failures["i-a"]["failures"] == "1"


def test_where_all_fail_one_is_replaced_at_a_time_and_the_next_when_its_successor_serves() -> None:
    aws = serving("a", "b")
    aws.tags = {"i-a": {}, "i-b": {}}
    sweep(aws, 9)
    assert aws.marked == ["i-b"]
    aws.states = {"i-a": "InService", "i-c": "Pending:Wait"}
    aws.tags["i-c"], aws.started["i-c"] = {}, NOW
    sweep(aws, 5, begin=9)
    assert aws.marked == ["i-b"], "its successor waits for its checks"
    aws.states["i-c"], aws.tags["i-c"] = "InService", {"Compliance-Check": "Successful"}
    sweep(aws, 1, begin=14)
    assert aws.marked == ["i-b", "i-a"]


def test_between_two_successors_that_do_not_pass_nothing_else_is_replaced() -> None:
    """The check itself is broken: the first successor was given up, and the next one is not launched yet."""
    aws = serving("a", "b")
    aws.tags = {"i-a": {}, "i-b": {}}
    sweep(aws, 3)
    assert aws.marked == ["i-b"]
    aws.states = {"i-a": "InService"}
    sweep(aws, 30, begin=3)
    assert aws.marked == ["i-b"], "the one that is left was set unhealthy, too"


def test_an_instance_on_standby_is_no_missing_one() -> None:
    aws = serving("a", "b", "c")
    aws.states["i-c"], aws.desired, aws.tags["i-a"] = "Standby", 2, {}
    sweep(aws, 3)
    assert aws.marked == ["i-a"]


def test_what_cannot_be_looked_at_counts_neither_way() -> None:
    aws = serving("a")
    aws.broken = {"i-a"}
    with pytest.raises(LookError):
        sweep(aws)
    assert aws.failures == {} and aws.marked == []


def test_nobody_looks_at_instances_in_service_unless_asked_to() -> None:
    aws = serving("a")
    aws.tags["i-a"] = {}
    assert sweep(aws, 9, given=rules()) == [{}] * 9
    assert look(aws, "i-a", WATCHING) == {}, "an event of one instance is no sweep"


@given(states=st.sets(st.sampled_from(["InService", "Standby", "Pending:Wait", "Terminating", "Warmed:Pending:Wait"])))
def test_nothing_is_replaced_while_another_comes_or_goes(states: set[str]) -> None:
    settled = states <= {"InService", "Standby"}
    assert (to_replace({"i-a": 9}, 3, states=[*states], desired=0) == "i-a") == settled


# Many at once


def test_many_that_do_not_answer_are_looked_at_together() -> None:
    """One after the other they would take 100 times the prober's ten seconds, in a function that has 300."""
    together = Barrier(AT_ONCE, timeout=5)

    class Slow(Aws):
        def invoke(self, FunctionName: str, Payload: bytes) -> dict[str, Any]:  # noqa: N803
            together.wait()
            return {"Payload": io.BytesIO(b'{"status": null}')}

    aws = Slow(**{f"{number:02}": "Pending:Wait" for number in range(3 * AT_ONCE)})
    assert len(look(aws, SWEEP, rules(HTTP))["nothing"]) == 3 * AT_ONCE


def test_each_sweep_begins_with_others() -> None:
    aws = Aws(**{f"{number:03}": "Pending:Wait" for number in range(AT_ONCE * 2 + 1)})
    first = [check(aws, rules(), SWEEP, now=NOW + timedelta(minutes=n))["nothing"][0] for n in range(3)]
    assert len(set(first)) == 3


# Requests


def test_the_three_events() -> None:
    launch = {"detail-type": "EC2 Instance-launch Lifecycle Action", "detail": {"EC2InstanceId": "i-0123456789abcdef0"}}
    arn = "arn:aws:ec2:us-east-1:123456789012:instance/i-0000000aaaaaaaaaa"
    tag = {"detail-type": "Tag Change on Resource", "resources": [arn], "detail": {}}
    assert request_of(launch) == Request(("i-0123456789abcdef0",))
    assert request_of(tag) == Request(("i-0000000aaaaaaaaaa",))
    assert request_of({"group": GROUP}) == Request(group=GROUP)


@pytest.mark.parametrize(
    "event",
    [
        None,
        {},
        {"group": ""},
        {"detail-type": "EC2 Instance-launch Lifecycle Action", "detail": {}},
        {"detail-type": "EC2 Instance-launch Lifecycle Action", "detail": {"EC2InstanceId": "eni-1"}},
        {"detail-type": "Tag Change on Resource", "resources": []},
        {"detail-type": "Tag Change on Resource", "resources": ["arn:aws:s3:::bucket"]},
    ],
)
def test_any_other_event_is_refused(event: Any) -> None:
    with pytest.raises(UnknownEventError):
        request_of(event)


def test_only_a_wait_in_our_group_is_ours() -> None:
    assert Member("i-a", GROUP, "Pending:Wait").waits_in(PREFIX)
    assert not Member("i-a", "other", "Pending:Wait").waits_in(PREFIX)
