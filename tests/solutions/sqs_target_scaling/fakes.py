"""Stand-ins for what the worker talks to: time, four AWS services and the instance metadata."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Event
from typing import Any

from botocore.exceptions import ClientError

from stacks.sqs_target_scaling.user_data.worker import Clock, Drain

EPOCH = 1_700_000_000.0


def refusal(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "as the test wants"}}, "Operation")


class SimulatedTime:
    """Time that passes only in waits, and brings about what was planned for each moment."""

    def __init__(self) -> None:
        self.elapsed = 0.0
        self._planned: list[tuple[float, Callable[[], Any]]] = []
        self.clock = Clock(now=lambda: EPOCH + self.elapsed, monotonic=lambda: self.elapsed, wait=self.wait)

    def at(self, moment: float, action: Callable[[], Any]) -> None:
        self._planned.append((moment, action))
        self._planned.sort(key=lambda plan: plan[0])

    def wait(self, event: Event, seconds: float) -> bool:
        end = self.elapsed + max(seconds, 0)
        while not event.is_set() and self._planned and self._planned[0][0] <= end:
            moment, action = self._planned.pop(0)
            self.elapsed = max(self.elapsed, moment)
            action()
        if not event.is_set():
            self.elapsed = end
        return event.is_set()


@dataclass
class Service:
    """The part that every fake AWS service has: a shared journal of calls, and errors to answer with."""

    journal: list[tuple[str, dict[str, Any]]]
    errors: dict[str, list[Exception]] = field(default_factory=dict)

    def called(self, operation: str, request: dict[str, Any]) -> None:
        self.journal.append((operation, request))
        if self.errors.get(operation):
            raise self.errors[operation].pop(0)


@dataclass
class Queue(Service):
    bodies: list[str] = field(default_factory=list)
    on_receive: Callable[[], Any] = lambda: None

    def receive_message(self, **request: Any) -> dict[str, Any]:
        self.called("receive_message", request)
        self.on_receive()
        if not self.bodies:
            return {}
        message = {"MessageId": "m-1", "ReceiptHandle": "receipt", "Body": self.bodies.pop(0)}
        return {"Messages": [message | {"Attributes": {"ApproximateReceiveCount": "2"}}]}

    def delete_message(self, **request: Any) -> None:
        self.called("delete_message", request)

    def change_message_visibility(self, **request: Any) -> None:
        self.called("change_message_visibility", request)


@dataclass
class Table(Service):
    items: dict[str, dict[str, Any]] = field(default_factory=dict)

    def get_item(self, **request: Any) -> dict[str, Any]:
        self.called("get_item", request)
        item = self.items.get(request["Key"]["message_id"]["S"])
        return {"Item": item} if item else {}

    def put_item(self, **request: Any) -> None:
        self.called("put_item", request)
        key = request["Item"]["message_id"]["S"]
        if key in self.items:
            raise refusal("ConditionalCheckFailedException")
        self.items[key] = request["Item"]


@dataclass
class Metrics(Service):
    def put_metric_data(self, **request: Any) -> None:
        self.called("put_metric_data", request)


@dataclass
class Group(Service):
    states: list[str] = field(default_factory=lambda: ["Terminating:Wait"])

    def describe_auto_scaling_instances(self, **request: Any) -> dict[str, Any]:
        self.called("describe_auto_scaling_instances", request)
        state = self.states.pop(0) if len(self.states) > 1 else self.states[0]
        known = {"AutoScalingGroupName": "group-1", "LifecycleState": state}
        return {"AutoScalingInstances": [known] if state else []}

    def record_lifecycle_action_heartbeat(self, **request: Any) -> None:
        self.called("record_lifecycle_action_heartbeat", request)

    def complete_lifecycle_action(self, **request: Any) -> None:
        self.called("complete_lifecycle_action", request)


@dataclass
class Metadata:
    """The items an instance would find; an exception among them is raised."""

    items: dict[str, str | Exception] = field(default_factory=lambda: {"instance-id": "i-1"})

    def get(self, item: str) -> str | None:
        value = self.items.get(item)
        if isinstance(value, Exception):
            raise value
        return value


class Beats:
    """Takes the heartbeats' place: they beat in simulated time, as long as their blocks run."""

    def __init__(self, journal: list[tuple[str, dict[str, Any]]], time: SimulatedTime) -> None:
        self._journal, self._time = journal, time

    @contextmanager
    def __call__(self, beat: Callable[[], bool], seconds: float, drain: Drain) -> Iterator[None]:
        beating = True

        def again() -> None:
            if beating and beat():
                self._time.at(self._time.elapsed + seconds, again)

        self._time.at(self._time.elapsed + seconds, again)
        self._journal.append(("heartbeat begins", {}))
        try:
            yield
        finally:
            beating = False
        self._journal.append(("heartbeat ends", {}))


def body(name: str = "job-1", seconds: float = 25) -> str:
    return json.dumps({"id": name, "duration_seconds": seconds})
