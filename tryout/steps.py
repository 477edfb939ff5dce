"""What a scenario's steps are: methods that say what their evidence is, where they belong and what they build on."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

Evidence = Literal["real-code", "emulated", "our-model", "recorded"]
"""What a step rests on: the delivered code ran; a third-party emulator answered; we model the service; or it was only
recorded that something was asked for."""

Where = Literal["emulator", "anywhere", "account"]
"""Where a step may be played: ``make try``, ``make verify``, or both. In an account it reads, uses what the stack has,
and changes only what goes with the stack: what stands beside the stack there is somebody's."""

StepMethod = Callable[[Any], str]
AnyStep = TypeVar("AnyStep", bound=StepMethod)


class StepFailedError(Exception):
    """What a step wanted to see did not happen; the message says what was seen instead."""


class StepNotRunError(Exception):
    """A step needs a tool that this machine lacks, or what an account has not; the message names it."""


# Why a step is played on the embedded AWS only.
CLOCK = "moves the clock of the embedded AWS: it would take hours or days"
PLANTED = "plants a fault, a figure or an event that no account can be told to have"
STAND_IN = "what runs on the instance is a process of this machine"
BESIDE = "would make, change or count what is in the account beside the stack"
EMPTY = "counts on an account with nothing else in it"
LEAVES = "would leave in the account what outlives the stack"


@dataclass(frozen=True)
class Step:
    """One step as the report has it.

    Attributes:
        name: of the method.
        needs: names of the steps that it builds on; None means all that come before it.
        emulated: why it is played on the embedded AWS only; empty: it is not.
    """

    title: str
    evidence: Evidence
    run: StepMethod
    name: str
    needs: frozenset[str] | None = None
    emulated: str = ""


@dataclass(frozen=True)
class Marked:
    """What the decorator says of a method."""

    title: str
    evidence: Evidence
    only: tuple[str, ...]
    needs: frozenset[str] | None
    where: Where
    emulated: str


def step(
    title: str,
    evidence: Evidence,
    *,
    only: Sequence[str] = (),
    needs: Sequence[StepMethod] | None = None,
    where: Where = "emulator",
    emulated: str = "",
) -> Callable[[AnyStep], AnyStep]:
    """Marks a method as a step. It returns what was seen, raises StepFailedError, or StepNotRunError.

    Args:
        only: the variants that it belongs to; all, if none is named.
        needs: the steps that it builds on, by their methods; by default all that come before it in the variant. If one
            of them was not run, or failed, this one is not run and says which it waits for.
        emulated: why it is played on the embedded AWS only, where it is not for the reason of its scenario.
    """

    def mark(method: AnyStep) -> AnyStep:
        names = None if needs is None else frozenset(each.__name__ for each in needs)
        method.step = Marked(title, evidence, tuple(only), names, where, emulated)  # type: ignore[attr-defined]
        return method

    return mark


def expect(condition: bool, seen: str) -> None:
    """Fails the step unless the condition holds.

    Raises:
        StepFailedError: with what was seen.
    """
    if not condition:
        raise StepFailedError(seen)
