"""Waiting for what other processes bring about."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from tryout.steps import StepFailedError

GROWTH = 1.25
PAUSES = 0.1
"""Of functions and commands between two looks: what they wait for takes seconds here that are minutes in an account."""


@dataclass(frozen=True)
class Pace:
    """How often it is looked, and how long it is waited for.

    Attributes:
        first, last: seconds between two looks, at first and later.
        least: seconds that are waited for at least, whatever the step says.
        factor: what the seconds of a step are multiplied by.
    """

    first: float
    last: float
    least: float
    factor: float


EMULATOR = Pace(first=0.05, last=0.25, least=0, factor=1)
ACCOUNT = Pace(first=0.5, last=15, least=900, factor=30)
"""Stacks, instances and alarms take minutes there; each look is a call that counts against the account's rates."""

_pace: ContextVar[Pace] = ContextVar("pace", default=EMULATOR)


@contextmanager
def paced(pace: Pace) -> Iterator[None]:
    """Everything is waited for at another pace."""
    before = _pace.set(pace)
    try:
        yield
    finally:
        _pace.reset(before)


def wait_until(what: str, condition: Callable[[], bool], seconds: float = 90) -> None:
    """Waits for something, for much longer than it takes: machines may be busy.

    It looks often at first and less often later: each look is a call that the AWS has to answer.

    Raises:
        StepFailedError: it did not happen in time.
    """
    pace = _pace.get()
    patience = max(pace.least, seconds * pace.factor)
    deadline, pause = time.monotonic() + patience, pace.first
    while not condition():
        if time.monotonic() > deadline:
            raise StepFailedError(f"not seen within {patience:g} s: {what}")
        time.sleep(pause)
        pause = min(pause * GROWTH, pace.last)
