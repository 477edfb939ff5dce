"""What a scenario's steps are: methods that say what their evidence is, where they belong and what they build on."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

Evidence = Literal["real-code", "emulated", "our-model", "recorded"]
"""What a step rests on: the delivered code ran; a third-party emulator answered; we model the service; or it was only
recorded that something was asked for."""

StepMethod = Callable[[Any], str]
AnyStep = TypeVar("AnyStep", bound=StepMethod)


class StepFailedError(Exception):
    """What a step wanted to see did not happen; the message says what was seen instead."""


class StepNotRunError(Exception):
    """A step needs a tool that this machine lacks; the message names it."""


@dataclass(frozen=True)
class Step:
    """One step as the report has it.

    Attributes:
        name: of the method.
        needs: names of the steps that it builds on; None means all that come before it.
    """

    title: str
    evidence: Evidence
    run: StepMethod
    name: str
    needs: frozenset[str] | None = None


@dataclass(frozen=True)
class Marked:
    """What the decorator says of a method."""

    title: str
    evidence: Evidence
    only: tuple[str, ...]
    needs: frozenset[str] | None


def step(
    title: str, evidence: Evidence, *, only: Sequence[str] = (), needs: Sequence[StepMethod] | None = None
) -> Callable[[AnyStep], AnyStep]:
    """Marks a method as a step. It returns what was seen, raises StepFailedError, or StepNotRunError.

    Args:
        only: the variants that it belongs to; all, if none is named.
        needs: the steps that it builds on, by their methods; by default all that come before it in the variant. If one
            of them was not run, or failed, this one is not run and says which it waits for.
    """

    def mark(method: AnyStep) -> AnyStep:
        names = None if needs is None else frozenset(each.__name__ for each in needs)
        method.step = Marked(title, evidence, tuple(only), names)  # type: ignore[attr-defined]
        return method

    return mark


def expect(condition: bool, seen: str) -> None:
    """Fails the step unless the condition holds.

    Raises:
        StepFailedError: with what was seen.
    """
    if not condition:
        raise StepFailedError(seen)
