"""Runs a case in a fresh world and judges how it ends."""

from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass
from enum import Enum

from tests.faults.cases import Case, cases
from tests.faults.subject import Event, Subject, World
from tests.faults.world.meddling import Stopped
from tests.faults.world.wire import Call, EndlessError, Fault, ProcessStoppedError, delivery
from tests.faults.world.worlds import fresh_world


class Verdict(Enum):
    """How a case ends."""

    DONE = "done"
    VISIBLY_FAILED = "visibly failed"
    BAD = "BAD"


@dataclass(frozen=True)
class Outcome:
    """How a case ended, and what there is to say about it."""

    verdict: Verdict
    detail: str = ""


class HappyPathError(AssertionError):
    """The happy path of a subject does not end done, so nothing can be generated from it."""


def record(subject: Subject) -> tuple[list[Call], Event]:
    """Returns the calls of a subject's happy path, and its event.

    Raises:
        HappyPathError: saying what went wrong.
    """
    world: World = fresh_world(subject.world)
    with delivery(world.env) as wire:
        failure = _failure(subject, world.event)
    problem = failure or _false(world.unharmed) or _false(world.invariant)
    if problem:
        raise HappyPathError(f"{subject.name}: {problem}")
    return wire.calls, world.event


def generated(subject: Subject) -> list[Case]:
    """Returns the cases of a subject; where the happy path fails, the happy path alone, which then fails as a case."""
    try:
        calls, event = record(subject)
    except HappyPathError:
        return [Case(subject, "event", "delivered once", must_succeed=True)]
    return list(cases(subject, calls, event))


def run(case: Case) -> Outcome:
    """Runs one case. It ends done, visibly failed, or badly: then the detail says what is wrong."""
    world: World = fresh_world(case.subject.world)
    fault = case.fault() if case.fault else None
    events = case.events(world.event)
    # Those that are not the subject's own have nothing to do with each other: a process each.
    for several in [events] if case.own else [[event] for event in events]:
        failure = _deliver(case.subject, world, several, fault)
        if isinstance(failure, _Endless):
            return Outcome(Verdict.BAD, failure)
        if harm := _false(world.unharmed):
            return Outcome(Verdict.BAD, f"harmed: {harm} (the delivery of {_short(several)} {_ended(failure)})")
    if fault and not fault.happened:
        return Outcome(Verdict.BAD, "the call was not made this time: the happy path is not the same each time")
    undone = _false(world.invariant) if case.own and not failure else ""
    if undone and not case.subject.comes_again:
        return Outcome(Verdict.BAD, f"it returned as if all were done: {undone}")
    if failure and case.must_succeed:
        return Outcome(Verdict.BAD, f"it should have got over this: {failure}")
    if (failure or undone or not case.own) and (problem := _again(case.subject, world)):
        return Outcome(Verdict.BAD, f"delivered again, with nothing in the way: {problem} (it {_ended(failure)})")
    if failure:
        return Outcome(Verdict.VISIBLY_FAILED, failure)
    return Outcome(Verdict.DONE, "when the work came again" if undone else "")


def _again(subject: Subject, world: World) -> str:
    """Delivers the event as whoever delivered it would do again, and returns what is wrong even then."""
    if subject.comes_again:
        subject.comes_again(world)
    return _deliver(subject, world, [world.event]) or _false(world.unharmed) or _false(world.invariant)


class _Endless(str):
    """A failure that no visible end follows."""

    __slots__ = ()


def _deliver(subject: Subject, world: World, events: Sequence[Event], fault: Fault | None = None) -> str:
    """Delivers the events one after the other and returns how the first failing one failed, or nothing."""
    with delivery(world.env, fault) as wire:
        if isinstance(fault, Stopped):
            fault.wire = wire
        failures = [_failure(subject, event) for event in events]
    return next(filter(None, failures), "")


def _failure(subject: Subject, event: Event) -> str:
    try:
        # A copy: the event that is delivered again is the one that was delivered, whatever the subject does to it.
        result = subject.deliver(deepcopy(event))
    except ProcessStoppedError:
        return "the process was stopped"
    except EndlessError as error:
        return _Endless(error)
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return "it reported failed items" if subject.tells(result) else ""


def _false(look: Callable[[], None]) -> str:
    try:
        look()
    except AssertionError as error:
        return str(error) or "an assertion without a sentence failed"
    return ""


def _short(events: Sequence[Event]) -> str:
    return str(list(events))[:80]


def _ended(failure: str) -> str:
    return f"had failed with {failure!r}" if failure else "had returned"
