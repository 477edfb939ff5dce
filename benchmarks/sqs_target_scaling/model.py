"""A discrete-event model of a queue, its workers and the group that scales them. No AWS, clock or chance in here.

Messages come in order of their time and are taken one at a time, oldest first. Every minute a strategy sees the queue
and the group and gives a datapoint for each of its policies; ``emulator.models.target_tracking`` makes the capacity of
them. What AWS documents is modelled there; what it does not is one of the assumptions.
"""

import heapq
import math
from bisect import bisect_right
from collections import defaultdict, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any, NamedTuple, Protocol

from benchmarks.sqs_target_scaling.assumptions import Assumptions
from emulator.models.target_tracking import Capacity, TargetTracking, desired_capacity

MINUTE = 60


class Message(NamedTuple):
    """One message: when it is sent and how long it takes, both in seconds."""

    sent_at: float
    seconds: float


class View(NamedTuple):
    """What is to be seen at the end of a minute.

    Attributes:
        now: seconds since the start.
        visible: messages that wait.
        in_flight: messages in work.
        in_service: instances in service.
        sent: messages sent in the minute that ends.
        sums: processing durations of the messages done, added up by minute.
        counts: messages done, by minute.
    """

    now: float
    visible: int
    in_flight: int
    in_service: int
    sent: int
    sums: dict[int, float]
    counts: dict[int, float]


class Strategy(Protocol):
    """A way to scale. It lives for one run."""

    @property
    def name(self) -> str:
        """What tables and pictures call it."""

    @property
    def policies(self) -> Sequence[TargetTracking]:
        """Its target tracking policies."""

    @property
    def from_aws(self) -> bool:
        """Whether its metrics are those of SQS and the group, which come later than a function's."""

    def datapoints(self, view: View) -> Sequence[float | None]:
        """Returns the datapoint of each policy for the minute that ends; it may move targets, too."""


class Moment(NamedTuple):
    """One minute of a run, for its picture."""

    minute: float
    visible: int
    in_service: int


@dataclass(frozen=True)
class Outcome:
    """What a run came to.

    Attributes:
        done_at: when each message was done, in seconds, in the order of the messages.
        latencies: seconds from sending a message to its end, in the same order.
        most_instances: the most in service at the end of any minute.
        instance_hours: from each launch to its end, until the run ends.
        timeline: minute by minute.
    """

    done_at: Sequence[float]
    latencies: Sequence[float]
    most_instances: int
    instance_hours: float
    timeline: Sequence[Moment]

    @property
    def minutes(self) -> float:
        """When the last message was done."""
        return max(self.done_at) / MINUTE

    def share_within(self, seconds: float) -> float:
        """The share of the messages whose latency is within so many seconds."""
        return sum(latency <= seconds for latency in self.latencies) / len(self.latencies)


def simulate(
    messages: Sequence[Message], strategy: Strategy, assumptions: Assumptions | None = None, *, until: float = 0
) -> Outcome:
    """Runs the messages through a queue and the group of a strategy.

    Args:
        messages: in order of their time, at least one.
        strategy: a new one.
        assumptions: None: the defaults.
        until: seconds; the run ends then, or when all messages are done, if that is later.
    """
    return _Run(messages, strategy, assumptions or Assumptions(), until).outcome()


# Phases of an instance. Plain texts: an enum's members take a measurable part of a run.
_LAUNCHING, _BOOTING, _WORKING, _DRAINING, _GONE = "launching", "booting", "working", "draining", "gone"
_IN_SERVICE = (_WORKING, _BOOTING)


@dataclass(slots=True, eq=False)
class _Instance:
    launched_at: float
    phase: str
    in_service_at: float = -math.inf
    busy: bool = False


class _Run:
    """The state of one run.

    Two queues of events, both by time: work that ends, as (time, message, instance), which are many; and what the clock
    and the group do, as (time, order of making, what to do, with what). At the same time messages come first, then work
    ends, then the rest happens.
    """

    def __init__(self, messages: Sequence[Message], strategy: Strategy, assumptions: Assumptions, until: float) -> None:
        self._messages, self._strategy, self._assumptions, self._until = messages, strategy, assumptions, until
        self._work: list[tuple[float, int, _Instance]] = []
        self._events: list[tuple[float, int, Callable[[float, Any], None], Any]] = []
        self._order = count()
        self._sent_at = [*(message.sent_at for message in messages), math.inf]
        self._seconds = [message.seconds for message in messages]
        # Messages come and are taken in their order: those from the one number to the other wait.
        self._taken = self._arrived = self._seen = 0
        self._in_flight, self._left = 0, len(messages)
        self._done_at = [math.nan] * len(messages)
        self._sums: dict[int, float] = defaultdict(float)
        self._counts: dict[int, float] = defaultdict(float)
        self._receive_seconds = assumptions.receive_seconds
        self._desired = assumptions.minimum_instances
        self._instances = [_Instance(0, _WORKING) for _ in range(self._desired)]
        self._idle = deque(self._instances)
        self._instance_seconds = 0.0
        self._timeline: list[Moment] = []

    def outcome(self) -> Outcome:
        self._at(MINUTE, self._minute_ends, None)
        while True:
            clock = self._events[0][0]
            self._work_until(clock)
            if not self._left and clock >= self._until:
                break
            now, _, act, argument = heapq.heappop(self._events)
            act(now, argument)
        ended_at = max(self._until, *self._done_at)
        running = sum(ended_at - instance.launched_at for instance in self._instances if instance.phase != _GONE)
        return Outcome(
            done_at=self._done_at,
            latencies=[done_at - sent_at for done_at, sent_at in zip(self._done_at, self._sent_at, strict=False)],
            most_instances=max((seen.in_service for seen in self._timeline), default=self._desired),
            instance_hours=(self._instance_seconds + running) / 3600,
            timeline=self._timeline,
        )

    def _work_until(self, clock: float) -> None:
        """Messages come and work ends, until the clock or the group has something to do.

        Names of its own for what it reads, and what happens most often written out: here is most of a run.
        """
        sent_at, seconds, work, idle = self._sent_at, self._seconds, self._work, self._idle
        ended, sums, counts, receive_seconds = self._done_at, self._sums, self._counts, self._receive_seconds
        arrived, taken, left = self._arrived, self._taken, self._left
        while True:
            done_at = work[0][0] if work else math.inf
            arrives_at = sent_at[arrived]
            if arrives_at <= done_at and arrives_at <= clock:
                if idle:
                    self._arrived = arrived = arrived + 1
                    self._taken = taken
                    self._hand_out(arrives_at)
                    taken = self._taken
                else:  # they wait, as many as come until something else happens
                    arrived = bisect_right(sent_at, min(done_at, clock), arrived)
            elif done_at <= clock:
                _, number, instance = work[0]
                ended[number] = done_at
                left -= 1
                minute = int(done_at // MINUTE)
                sums[minute] += seconds[number]
                counts[minute] += 1
                if instance.phase is not _DRAINING and taken < arrived:  # it takes the next message
                    heapq.heapreplace(work, (done_at + receive_seconds + seconds[taken], taken, instance))
                    taken += 1
                else:
                    heapq.heappop(work)
                    self._rests(done_at, instance)
            else:
                break
        self._arrived, self._taken, self._left = arrived, taken, left

    def _at(self, time: float, act: Callable[[float, Any], None], argument: object) -> None:
        heapq.heappush(self._events, (time, next(self._order), act, argument))

    def _hand_out(self, now: float) -> None:
        """Gives waiting messages to workers without one."""
        while self._taken < self._arrived and self._idle:
            instance = self._idle.popleft()
            if instance.phase is _WORKING:  # else it went while it was idle
                instance.busy = True
                self._in_flight += 1
                number = self._taken
                self._taken += 1
                ends_at = now + self._receive_seconds + self._seconds[number]
                heapq.heappush(self._work, (ends_at, number, instance))

    def _rests(self, now: float, instance: _Instance) -> None:
        """An instance ends its work and takes no other message now."""
        self._in_flight -= 1
        instance.busy = False
        if instance.phase is _DRAINING:
            self._terminate(now, instance)
        else:
            self._idle.append(instance)

    def _minute_ends(self, now: float, _: None) -> None:
        in_service = len([instance for instance in self._instances if instance.phase in _IN_SERVICE])
        visible, sent = self._arrived - self._taken, self._arrived - self._seen
        view = View(now, visible, self._in_flight, in_service, sent, self._sums, self._counts)
        self._seen = self._arrived
        self._timeline.append(Moment(now / MINUTE, view.visible, in_service))
        later = self._assumptions.aws_metric_delay_seconds if self._strategy.from_aws else 0
        datapoints = self._strategy.datapoints(view)
        self._at(now + self._assumptions.metric_delay_seconds + later, self._scale, datapoints)
        self._at(now + MINUTE, self._minute_ends, None)

    def _scale(self, now: float, datapoints: Sequence[float | None]) -> None:
        for policy, value in zip(self._strategy.policies, datapoints, strict=True):
            policy.alarms.observe(value)
        self._instances = [instance for instance in self._instances if instance.phase is not _GONE]
        in_service = [instance for instance in self._instances if instance.phase in _IN_SERVICE]
        warm_since = now - self._assumptions.warmup_seconds
        warm = len([instance for instance in in_service if instance.in_service_at <= warm_since])
        capacity = Capacity(
            desired=self._desired,
            warm=warm,
            warming=len(in_service) - warm,
            terminating=len([instance for instance in self._instances if instance.phase is _DRAINING]),
            minimum=self._assumptions.minimum_instances,
            maximum=self._assumptions.maximum_instances,
        )
        before, self._desired = self._desired, desired_capacity(self._strategy.policies, capacity)
        for _ in range(self._desired - before):
            instance = _Instance(now, _LAUNCHING)
            self._instances.append(instance)
            self._at(now + self._assumptions.launch_seconds, self._in_service, instance)
        for instance in in_service[: max(0, before - self._desired)]:  # the oldest go
            if instance.busy:
                instance.phase = _DRAINING
            else:
                self._terminate(now, instance)

    def _in_service(self, now: float, instance: _Instance) -> None:
        instance.phase, instance.in_service_at = _BOOTING, now
        self._at(now + self._assumptions.boot_seconds, self._booted, instance)

    def _booted(self, now: float, instance: _Instance) -> None:
        if instance.phase is _BOOTING:
            instance.phase = _WORKING
            self._idle.append(instance)
            self._hand_out(now)

    def _terminate(self, now: float, instance: _Instance) -> None:
        instance.phase = _GONE
        self._instance_seconds += now - instance.launched_at
