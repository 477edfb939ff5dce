"""Every case of a subject, generated from the calls of its happy path and from its event."""

import re
from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass
from functools import partial

from tests.faults.events import FOREIGN, late, malformed
from tests.faults.subject import Event, Subject
from tests.faults.world import meddling, refusals
from tests.faults.world.wire import Call, Fault


@dataclass(frozen=True)
class Case:
    """One thing that goes wrong, and what may come of it.

    Args:
        subject: to whom.
        where: the call or event it happens to.
        what: what happens.
        fault: makes the meddling with the call, if there is any.
        events: what is delivered, given the event of the world.
        own: whether a delivery that ends well must have done the event's work; a foreign or malformed event has none.
        must_succeed: whether failing visibly is not good enough.
        call: the call that it happens to, if it is one.
    """

    subject: Subject
    where: str
    what: str
    fault: Callable[[], Fault] | None = None
    events: Callable[[Event], Sequence[Event]] = lambda event: [event]
    own: bool = True
    must_succeed: bool = False
    call: Call | None = None

    def __str__(self) -> str:
        return f"{self.subject.name} - {self.where} - {self.what}"


CHANGES_NOTHING = re.compile(r"(BatchGet|Describe|Get|Head|List|Lookup|Query|Scan|Search)[A-Z]?")
"""Operations that only read: whoever is stopped after one, or asks again, has changed nothing by it."""


ONE_AFTER_THE_OTHER = "one after the other"


def short(*generated: Sequence[Case]) -> list[Case]:
    """Returns those that ``make test`` runs of one handler, given the cases of each of its worlds.

    Every line that calls AWS fails once, in the first world in which it does: one that changes something is the last
    that the process does, one that only reads is denied. What is no event of the function's own comes to the first
    world, one after the other, which is looked at after each. ``make faults`` runs everything: every fault of every
    call, from wherever the line is reached, and all events to every world.
    """
    calls = [(case.call, world) for world, cases_ in enumerate(generated) for case in cases_ if case.call]
    first: dict[object, tuple[int, int]] = {}
    for call, world in calls:
        first[line_of(call)] = min((world, call.nth), first.get(line_of(call), (world, call.nth)))

    def is_run(case: Case, world: int) -> bool:
        call = case.call
        if call is None:
            return case.own
        worst = "denied" if CHANGES_NOTHING.match(call.operation) else "stopped after it"
        return case.what == worst and (world, call.nth) == first[line_of(call)]

    others = [case for case in generated[0] if not case.own]
    together = [
        Case(case.subject, "events that are not its own", ONE_AFTER_THE_OTHER, events=partial(_all, others), own=False)
        for case in others[:1]
    ]
    return [*(case for world, cases_ in enumerate(generated) for case in cases_ if is_run(case, world)), *together]


def line_of(call: Call) -> object:
    """The line of the handler's code, or of a module that it uses, that makes this kind of call."""
    return call.service, call.operation, call.path[:1]


def _all(others: Sequence[Case], event: Event) -> Sequence[Event]:
    return [each for other in others for each in other.events(event)]


def cases(subject: Subject, calls: Sequence[Call], event: Event) -> Iterator[Case]:
    """Yields the cases of a subject whose happy path makes these calls for this event."""
    yield Case(subject, "event", "delivered once", must_succeed=True)
    for call in sorted(calls, key=str):  # threads make theirs in any order
        for what, fault, must_succeed in _faults(call):
            yield Case(subject, str(call), what, fault, must_succeed=must_succeed, call=call)
    yield from _deliveries(subject, event)


def _faults(call: Call) -> Iterator[tuple[str, Callable[[], Fault], bool]]:
    """Yields what can go wrong with a call, and whether the subject must get over it by itself."""
    throttled = refusals.THROTTLED_BY.get(call.service, refusals.THROTTLED)
    yield "throttled once", partial(meddling.Refused, call, throttled, lasting=False), True
    yield "throttled for good", partial(meddling.Refused, call, throttled, lasting=True), False
    yield "no connection", partial(meddling.TimedOut, call, connected=False), False
    yield "no answer in time", partial(meddling.TimedOut, call, connected=True), False
    yield "denied", partial(meddling.Refused, call, refusals.DENIED, lasting=True), False
    yield "failing with 500", partial(meddling.Refused, call, refusals.BROKEN, lasting=True), False
    yield "its answer lost once", partial(meddling.AnswerLost, call), True
    yield "its answer lost for good", partial(meddling.AnswerLost, call, lasting=True), False
    yield "stopped after it", partial(meddling.Stopped, call), False
    if call.unknown:
        unknown = refusals.Refusal(400, call.unknown)
        yield "what was just made not known once", partial(meddling.Refused, call, unknown, lasting=False), True
    if call.paging:
        yield "answered in two pages", partial(meddling.Paged, call), True
        yield "empty pages among them", partial(meddling.Paged, call, empty_between=True), True
        yield "second page failing", partial(meddling.Paged, call, second_fails=True), False
    if call.takes_entries:
        yield "one entry failing once", partial(meddling.EntryFailed, call), False
        yield "one entry failing for good", partial(meddling.EntryFailed, call, lasting=True), False


def _deliveries(subject: Subject, event: Event) -> Iterator[Case]:
    """Yields the other ways in which the event, or something else, can arrive."""
    yield Case(subject, "event", "delivered twice", events=lambda event: [event, event])
    if late(event) is not None:
        yield Case(subject, "event", "a day late", events=lambda event: [late(event)])
        yield Case(subject, "event", "out of order", events=lambda event: [event, late(event)])
    foreign = FOREIGN | {f"of its own kind, {number}": other for number, other in enumerate(subject.foreign, start=1)}
    for what, other in foreign.items():
        yield Case(subject, "foreign event", what, events=partial(_only, other), own=False)
    # The names are of the recorded event; each world may have another, so it is spoilt anew.
    for what, _ in malformed(event):
        yield Case(subject, "malformed event", what, events=partial(_spoilt, what), own=False)


def _only(other: Event, event: Event) -> Sequence[Event]:
    return [deepcopy(other)]


def _spoilt(what: str, event: Event) -> Sequence[Event]:
    return [dict(malformed(event))[what]]
