"""What the worker does with messages, interruptions and errors, in simulated time."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise
from threading import Event
from typing import Any

import hypothesis
import pytest
from hypothesis import strategies as st

from stacks.sqs_target_scaling.user_data.worker import (
    Drain,
    Heartbeat,
    InterruptedWorkError,
    Job,
    Settings,
    Watch,
    Worker,
    code,
    work,
)
from tests.solutions.sqs_target_scaling.fakes import (
    EPOCH,
    Beats,
    Group,
    Metadata,
    Metrics,
    Queue,
    SimulatedTime,
    Table,
    body,
    refusal,
)

SETTINGS = Settings(
    queue_url="https://sqs/queue",
    queue_name="queue",
    results_table="results",
    metric_namespace="Ns",
    hook_name="hook-1",
    aws_region="eu-west-1",
    heartbeat_seconds=30,
    longest_message_seconds=43_200,
)

HOOK_SECONDS = 900  # of the template: test_stack.py


class Machine:
    """A worker and everything around it."""

    def __init__(self, *bodies: str) -> None:
        self.time = SimulatedTime()
        self.journal: list[tuple[str, dict[str, Any]]] = []
        self.lines: list[dict[str, Any]] = []
        self.queue, self.table = Queue(self.journal, bodies=list(bodies)), Table(self.journal)
        self.metrics, self.group, self.metadata = Metrics(self.journal), Group(self.journal), Metadata()
        self.drain = Drain(self.time.clock, lambda event, **facts: self.lines.append({"event": event} | facts))
        self.watch = Watch(self.metadata, self.drain)  # type: ignore[arg-type]
        self.watch.look()
        self.worker = Worker(
            SETTINGS,
            self.drain,
            self.watch,
            self.queue,
            self.table,
            self.metrics,
            self.group,
            heartbeat=Beats(self.journal, self.time),
        )

    def calls(self, *but: str) -> list[str]:
        return [operation for operation, _ in self.journal if operation not in but]

    def requests(self, operation: str) -> list[dict[str, Any]]:
        return [request for name, request in self.journal if name == operation]

    def events(self) -> list[str]:
        return [line["event"] for line in self.lines]

    def spot_notice(self, seconds: float) -> None:
        time = datetime.fromtimestamp(EPOCH + self.time.elapsed + seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        self.metadata.items["spot/instance-action"] = json.dumps({"action": "terminate", "time": time})
        self.watch.look()

    def terminates(self) -> None:
        self.metadata.items["autoscaling/target-lifecycle-state"] = "Terminated"
        self.watch.look()


# One message


def test_the_effect_comes_before_the_deletion_and_the_metric_last() -> None:
    machine = Machine(body())
    machine.worker.work_once()
    assert machine.calls() == [
        "receive_message",
        "get_item",
        "heartbeat begins",
        "heartbeat begins",
        "put_item",
        "heartbeat ends",
        "heartbeat ends",
        "delete_message",
        "put_metric_data",
    ]
    assert machine.lines[-1] == {"event": "done", "id": "job-1", "seconds": 25.0, "message": "m-1", "receives": 2}


def test_a_message_is_polled_for_alone_and_for_long() -> None:
    machine = Machine()
    machine.worker.work_once()
    assert machine.requests("receive_message") == [
        {
            "QueueUrl": "https://sqs/queue",
            "MaxNumberOfMessages": 1,
            "WaitTimeSeconds": 20,
            "MessageSystemAttributeNames": ["ApproximateReceiveCount"],
        }
    ]


def test_the_effect_names_the_job_and_leaves_the_table_after_a_week() -> None:
    machine = Machine(body(seconds=25))
    machine.worker.work_once()
    (request,) = machine.requests("put_item")
    assert request["ConditionExpression"] == "attribute_not_exists(message_id)"
    assert machine.table.items["job-1"] == {
        "message_id": {"S": "job-1"},
        "duration_seconds": {"N": "25.000"},
        "instance_id": {"S": "i-1"},
        "finished_at": {"N": "1700000025"},
        "expires_at": {"N": "1700604825"},
    }


def test_the_metric_is_the_time_the_work_took_not_the_time_it_asked_for() -> None:
    machine = Machine(body(seconds=1))
    machine.worker.work = lambda job, drain: drain.pause(42)
    machine.worker.work_once()
    (request,) = machine.requests("put_metric_data")
    dimensions = [{"Name": "QueueName", "Value": "queue"}]
    datum = {"MetricName": "MsgProcessingDuration", "Dimensions": dimensions, "Unit": "Seconds", "Value": 42.0}
    assert request == {"Namespace": "Ns", "MetricData": [datum]}


def test_a_duplicate_is_neither_worked_on_nor_recorded_again_but_counted() -> None:
    machine = Machine(body(), body())
    machine.worker.work_once()
    machine.journal.clear()
    machine.worker.work_once()
    assert machine.calls() == ["receive_message", "get_item", "delete_message", "put_metric_data"]
    (datum,) = machine.requests("put_metric_data")[0]["MetricData"]
    assert (datum["MetricName"], datum["Unit"], datum["Value"]) == ("DuplicateMessages", "Count", 1)
    assert machine.events()[-1] == "duplicate"
    assert machine.time.elapsed == 25


def test_a_duplicate_that_somebody_else_finishes_meanwhile_has_one_effect() -> None:
    machine = Machine(body(seconds=10))
    machine.time.at(5, lambda: machine.table.items.update({"job-1": {"by": {"S": "i-2"}}}))
    machine.worker.work_once()
    assert machine.table.items["job-1"] == {"by": {"S": "i-2"}}
    assert machine.events()[-1] == "duplicate"
    assert machine.requests("delete_message")


def test_an_unpublished_metric_does_not_fail_its_message() -> None:
    machine = Machine(body())
    machine.metrics.errors["put_metric_data"] = [refusal("AccessDenied")]
    machine.worker.work_once()
    assert machine.requests("delete_message")
    assert machine.events() == ["received", "done", "metric-failed"]


@pytest.mark.parametrize(
    ("service", "operation"), [("table", "get_item"), ("table", "put_item"), ("queue", "delete_message")]
)
def test_what_fails_is_left_to_come_back_and_the_worker_goes_on(service: str, operation: str) -> None:
    machine = Machine(body(), body())
    getattr(machine, service).errors[operation] = [refusal("ThrottlingException")]
    machine.worker.work_once()
    assert machine.events()[-1] == "failed"
    assert machine.calls().count("delete_message") == (operation == "delete_message")
    assert machine.requests("change_message_visibility") == []
    machine.worker.work_once()
    assert machine.events()[-1] in ("done", "duplicate")
    assert list(machine.table.items) == ["job-1"]


def test_work_that_raises_is_left_to_come_back() -> None:
    machine = Machine(body())

    def broken(job: Job, drain: Drain) -> None:
        raise ZeroDivisionError("division by zero")

    machine.worker.work = broken
    machine.worker.work_once()
    assert machine.lines[-1] == {"event": "failed", "error": "ZeroDivisionError: division by zero"}
    assert machine.table.items == {}
    assert machine.requests("delete_message") == []


def test_a_failing_receive_is_followed_by_a_pause_that_draining_ends() -> None:
    machine = Machine()
    machine.queue.errors["receive_message"] = [refusal("AccessDenied"), refusal("AccessDenied")]
    machine.worker.work_once()
    assert machine.time.elapsed == 5
    machine.time.at(6, lambda: machine.drain.begin("signal"))
    machine.worker.work_once()
    assert machine.time.elapsed == 6


# Malformed messages

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
nearly_jobs = st.fixed_dictionaries(
    {}, optional={"id": json_values | st.just("job"), "duration_seconds": json_values | st.just(-0.001)}
)


@hypothesis.settings(deadline=None, max_examples=60)
@hypothesis.given(st.text() | (json_values | nearly_jobs).map(json.dumps))
def test_whatever_the_body_is_the_worker_neither_raises_nor_deletes_what_it_did_not_do(text: str) -> None:
    machine = Machine(text)
    machine.worker.work_once()
    deleted = "delete_message" in machine.calls()
    assert deleted == bool(machine.table.items) == ("done" in machine.events())
    assert deleted or machine.events() == ["malformed"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "not json",
        "[]",
        "7",
        '{"duration_seconds": 1}',
        '{"id": "", "duration_seconds": 1}',
        '{"id": 7, "duration_seconds": 1}',
        '{"id": "\\ud800", "duration_seconds": 1}',
        body("x" * 2049),
        '{"id": "a"}',
        '{"id": "a", "duration_seconds": "1"}',
        '{"id": "a", "duration_seconds": true}',
        '{"id": "a", "duration_seconds": NaN}',
        '{"id": "a", "duration_seconds": 1e999}',
        body(seconds=-1),
        body(seconds=43_200.5),
        '{"id": "a", "duration_seconds": ' + "9" * 5000 + "}",
        "[" * 100_000,
    ],
)
def test_a_malformed_message_goes_back_at_once_and_is_never_deleted(text: str) -> None:
    machine = Machine(text)
    machine.worker.work_once()
    assert machine.calls() == ["receive_message", "change_message_visibility"]
    assert machine.requests("change_message_visibility")[0]["VisibilityTimeout"] == 0
    (line,) = machine.lines
    assert (line["event"], line["message"]) == ("malformed", "m-1")
    assert len(json.dumps(line)) < 400


@pytest.mark.parametrize("seconds", [0, 0.25, 43_200])
def test_the_whole_range_of_durations_is_work(seconds: float) -> None:
    machine = Machine(body(seconds=seconds))
    machine.worker.work_once()
    assert machine.time.elapsed == seconds
    assert [event for event in machine.events() if event != "too-long"] == ["received", "done"]


# Heartbeats


def extensions(machine: Machine) -> list[int]:
    return [request["VisibilityTimeout"] for request in machine.requests("change_message_visibility")]


def test_a_heartbeat_extends_the_visibility_to_three_beats() -> None:
    machine = Machine(body(seconds=100))
    machine.worker.work_once()
    assert extensions(machine) == [90, 90, 90]


# SQS refuses what passes twelve hours since the receive: localstack/localstack#3956, aws/aws-sdk-net#794.
@pytest.mark.parametrize("heartbeat_seconds", [1, 30, 3_600, 10_800])
def test_the_visibility_never_passes_twelve_hours_in_sum(heartbeat_seconds: float) -> None:
    machine = Machine(body(seconds=43_200))
    machine.worker.settings = replace(SETTINGS, heartbeat_seconds=heartbeat_seconds)
    ends: list[float] = []
    machine.queue.change_message_visibility = lambda **request: ends.append(  # type: ignore[method-assign]
        machine.time.elapsed + request["VisibilityTimeout"]
    )
    machine.worker.work_once()
    assert 43_100 <= max(ends) <= 43_200 - 30, "as long as SQS lets it, counted from a receive that took its time"
    assert machine.events()[-1] == "done"


def test_a_message_that_takes_longer_than_it_may_is_no_longer_kept() -> None:
    machine = Machine(body(seconds=1))
    machine.worker.settings = replace(SETTINGS, longest_message_seconds=100)
    machine.worker.work = lambda job, drain: drain.pause(10_000)
    machine.worker.work_once()
    assert extensions(machine) == [90, 90, 90]
    assert machine.events() == ["received", "too-long", "done"]


def test_beats_come_at_their_interval_and_a_failed_one_is_tried_again_soon() -> None:
    time = SimulatedTime()
    beats: list[float] = []
    lines: list[str] = []

    def beat() -> bool:
        beats.append(time.elapsed)
        if len(beats) == 2:
            raise refusal("ThrottlingException")
        return len(beats) < 5

    drain = Drain(time.clock, lambda event, **facts: lines.append(event))
    heartbeat = Heartbeat(beat, 30, drain)
    time.at(100, heartbeat._over.set)
    heartbeat.run()
    assert beats == [30, 60, 65, 95]
    heartbeat._over.clear()
    heartbeat.run()
    assert beats[4:] == [130], "the fifth said that it was the last"
    assert lines == ["heartbeat-failed"]


def test_the_heartbeat_runs_beside_the_work_and_ends_with_it() -> None:
    beaten = Event()

    def beat() -> bool:
        beaten.set()
        return True

    heartbeat = Heartbeat(beat, 0.001, Drain())
    with heartbeat:
        assert beaten.wait(5)
    assert not heartbeat._thread.is_alive()


# Draining


def end_on(machine: Machine, moment: float, action: Callable[[], Any]) -> None:
    """Runs the worker on a queue whose receive takes its 20 s when nothing is there."""
    machine.time.at(moment, action)
    machine.queue.on_receive = lambda: None if machine.queue.bodies else machine.time.wait(Event(), 20)
    machine.worker.run()


def test_sigterm_finishes_the_message_in_hand_and_receives_no_more() -> None:
    machine = Machine(body("a"), body("b"))
    end_on(machine, 10, lambda: machine.drain.begin("signal"))
    assert list(machine.table.items) == ["a"]
    assert machine.calls().count("receive_message") == 1
    assert machine.events() == ["received", "draining", "done", "drained", "stopped"]
    assert machine.requests("complete_lifecycle_action") == []


def test_a_message_received_after_draining_began_is_released() -> None:
    machine = Machine(body())
    machine.queue.on_receive = lambda: machine.drain.begin("signal")
    machine.worker.run()
    assert machine.requests("change_message_visibility")[0]["VisibilityTimeout"] == 0
    assert machine.events() == ["draining", "released", "drained", "stopped"]
    assert machine.table.items == {}


def test_the_terminating_hook_is_completed_after_the_message_in_hand() -> None:
    machine = Machine(body(seconds=3600))
    end_on(machine, 10, machine.terminates)
    assert machine.time.elapsed == 3600
    assert list(machine.table.items) == ["job-1"]
    (request,) = machine.requests("complete_lifecycle_action")
    assert request == {
        "AutoScalingGroupName": "group-1",
        "LifecycleHookName": "hook-1",
        "InstanceId": "i-1",
        "LifecycleActionResult": "CONTINUE",
    }
    assert machine.events()[-3:] == ["drained", "hook-completed", "stopped"]


# A message longer than the hook's timeout was never done: villasv/aws-airflow-stack#184,
# wellcomecollection/storage-service#1195, aws/aws-cdk#38661.
@pytest.mark.parametrize("seconds", [3_600, 43_200])
def test_scale_in_waits_for_a_message_of_hours_by_a_hook_that_the_worker_renews(seconds: int) -> None:
    machine = Machine(body(seconds=seconds))
    renewed: list[float] = []
    machine.group.record_lifecycle_action_heartbeat = lambda **_: renewed.append(  # type: ignore[method-assign]
        machine.time.elapsed
    )
    end_on(machine, 10, machine.terminates)
    gaps = [later - sooner for sooner, later in pairwise([10, *renewed, seconds])]
    assert max(gaps) < HOOK_SECONDS / 2
    assert seconds < 100 * HOOK_SECONDS, "EC2 Auto Scaling waits a hundred of them in all"
    assert list(machine.table.items) == ["job-1"]
    assert machine.events()[-3:] == ["drained", "hook-completed", "stopped"]


def test_a_renewal_names_the_hook_and_waits_until_it_waits() -> None:
    machine = Machine(body(seconds=400))
    machine.group.states = ["InService", "Terminating", "Terminating:Wait"]
    end_on(machine, 10, machine.terminates)
    (request,) = machine.requests("record_lifecycle_action_heartbeat")
    assert request == {"AutoScalingGroupName": "group-1", "LifecycleHookName": "hook-1", "InstanceId": "i-1"}


def test_the_hook_of_an_instance_that_stays_is_not_renewed() -> None:
    machine = Machine(body(seconds=3_600))
    machine.worker.work_once()
    assert machine.requests("describe_auto_scaling_instances") == []


def test_a_worker_that_hangs_does_not_keep_its_instance_for_ever() -> None:
    machine = Machine(body(seconds=1))
    machine.worker.settings = replace(SETTINGS, longest_message_seconds=600)
    machine.worker.work = lambda job, drain: drain.pause(100_000)
    end_on(machine, 10, machine.terminates)
    assert len(machine.requests("record_lifecycle_action_heartbeat")) == 600 / 120


def test_a_message_that_asks_for_more_than_it_may_take_is_malformed() -> None:
    machine = Machine(body(seconds=601))
    machine.worker.settings = replace(SETTINGS, longest_message_seconds=600)
    machine.worker.work_once()
    assert machine.lines[0]["error"] == "ValueError: duration_seconds is not a number from 0 to 600"


def test_a_signal_on_a_terminating_instance_completes_the_hook_too() -> None:
    machine = Machine()
    machine.metadata.items["autoscaling/target-lifecycle-state"] = "Terminated"
    end_on(machine, 10, lambda: machine.drain.begin("signal"))
    assert machine.requests("complete_lifecycle_action")


@pytest.mark.parametrize("state", ["InService", "Standby", "Detached", "Warmed:Stopped"])
def test_other_target_states_do_not_drain(state: str) -> None:
    machine = Machine()
    machine.metadata.items["autoscaling/target-lifecycle-state"] = state
    machine.watch.look()
    assert not machine.drain.begun.is_set()


@pytest.mark.parametrize("state", ["Terminating:Proceed", "Terminating:Wait"])
def test_a_hook_that_is_gone_is_no_error(state: str) -> None:
    machine = Machine()
    machine.group.states = [state]
    machine.group.errors["complete_lifecycle_action"] = [refusal("ValidationError")]
    end_on(machine, 1, machine.terminates)
    assert len(machine.requests("complete_lifecycle_action")) == 1
    assert machine.events()[-1] == "stopped"


def test_an_instance_that_left_its_group_has_no_hook() -> None:
    machine = Machine()
    machine.group.states = [""]
    end_on(machine, 1, machine.terminates)
    assert machine.requests("complete_lifecycle_action") == []
    assert machine.events()[-1] == "stopped"


def test_a_hook_that_does_not_wait_yet_is_completed_when_it_does() -> None:
    machine = Machine()
    machine.group.states = ["InService", "Terminating", "Terminating:Wait"]
    machine.group.errors["complete_lifecycle_action"] = [refusal("ValidationError"), refusal("ValidationError")]
    end_on(machine, 1, machine.terminates)
    assert machine.events()[-4:] == ["hook-failed", "hook-failed", "hook-completed", "stopped"]


def test_a_hook_that_cannot_be_completed_is_left_to_its_timeout_after_a_minute() -> None:
    machine = Machine()
    machine.group.errors["describe_auto_scaling_instances"] = [refusal("AccessDenied") for _ in range(99)]
    end_on(machine, 1, machine.terminates)
    assert machine.events().count("hook-failed") == 12
    assert machine.time.elapsed == 20 + 12 * 5
    assert machine.events()[-1] == "stopped"


def test_spot_work_that_can_end_in_time_ends() -> None:
    machine = Machine(body(seconds=100))
    machine.time.at(10, lambda: machine.spot_notice(120))
    machine.time.at(300, machine.terminates)
    machine.worker.run()
    assert list(machine.table.items) == ["job-1"]
    assert machine.requests("delete_message")


def test_spot_work_that_cannot_end_in_time_is_given_back_at_once() -> None:
    machine = Machine(body(seconds=116))
    machine.time.at(10, lambda: machine.spot_notice(120))  # gone at 130, to be left at 115
    machine.time.at(300, machine.terminates)
    machine.worker.work_once()
    assert machine.time.elapsed == 10
    assert machine.requests("change_message_visibility")[-1]["VisibilityTimeout"] == 0
    assert machine.table.items == {}
    assert machine.requests("delete_message") == machine.requests("put_metric_data") == []
    assert machine.lines[-1] | {"event": "released", "id": "job-1", "reason": "spot"} == machine.lines[-1]


def test_after_a_spot_notice_the_worker_stays_to_complete_the_hook() -> None:
    machine = Machine()
    machine.time.at(5, lambda: machine.spot_notice(120))
    end_on(machine, 95, machine.terminates)
    assert machine.time.elapsed == 95
    assert machine.calls().count("receive_message") == 1
    assert machine.events() == ["draining", "drained", "draining", "hook-completed", "stopped"]


def test_after_a_spot_notice_a_signal_ends_the_worker() -> None:
    machine = Machine()
    machine.time.at(5, lambda: machine.spot_notice(120))
    end_on(machine, 50, lambda: machine.drain.begin("signal"))
    assert machine.time.elapsed == 50
    assert machine.requests("complete_lifecycle_action") == []


def test_real_work_finds_out_between_its_steps_that_it_must_stop() -> None:
    time = SimulatedTime()
    drain = Drain(time.clock, lambda event, **facts: None)
    drain.begin("spot", 60)
    drain.pause(0)
    time.wait(Event(), 46)
    with pytest.raises(InterruptedWorkError):
        drain.pause(0)


@pytest.mark.parametrize("wrong", [OSError("timed out"), "not json", "[]", "{}", '{"time": 7}', '{"time": "soon"}'])
def test_a_metadata_hiccup_is_logged_and_forgotten(wrong: str | Exception) -> None:
    machine = Machine(body())
    machine.metadata.items["spot/instance-action"] = wrong
    machine.watch.look()
    assert machine.events() == ["metadata-failed"]
    machine.worker.work_once()
    assert list(machine.table.items) == ["job-1"]


def test_a_signal_reaches_the_watch_at_once() -> None:
    machine = Machine()
    machine.watch.signals.put(15)

    class SignalSeenError(Exception):
        pass

    def end(reason: str, seconds_left: float = 0) -> None:
        raise SignalSeenError(reason)

    machine.drain.begin = end  # type: ignore[method-assign]
    with pytest.raises(SignalSeenError, match="signal"):
        machine.watch.run(3600)


# Settings

ENVIRONMENT = {name.upper(): str(value) for name, value in vars(SETTINGS).items()}


def test_the_environment_becomes_the_settings() -> None:
    assert Settings.read(ENVIRONMENT) == SETTINGS
    required = {name: ENVIRONMENT[name] for name in ENVIRONMENT if not name.startswith(("WATCH", "POLL", "HOOK_BEAT"))}
    assert Settings.read(required) == SETTINGS


def test_everything_that_is_missing_is_named_at_once() -> None:
    with pytest.raises(ValueError, match=r"^set in the environment: QUEUE_URL, HOOK_NAME$"):
        Settings.read(ENVIRONMENT | {"QUEUE_URL": "", "HOOK_NAME": ""})


@pytest.mark.parametrize("wrong", ["0", "-1", "nan", "inf", "soon", "10801"])
def test_a_heartbeat_that_is_no_duration_is_refused(wrong: str) -> None:
    with pytest.raises(ValueError, match="HEARTBEAT_SECONDS"):
        Settings.read(ENVIRONMENT | {"HEARTBEAT_SECONDS": wrong})


def test_errors_of_aws_have_a_code_and_others_have_none() -> None:
    assert (code(refusal("Throttling")), code(OSError())) == ("Throttling", "")


def test_the_delivered_work_waits_for_the_jobs_seconds() -> None:
    time = SimulatedTime()
    work(Job("a", 12.5), Drain(time.clock, lambda event, **facts: None))
    assert time.elapsed == 12.5
