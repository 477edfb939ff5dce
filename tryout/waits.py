"""Waiting for what other processes bring about."""

import time
from collections.abc import Callable

from tryout.steps import StepFailedError

FIRST_POLL_SECONDS, LAST_POLL_SECONDS = 0.05, 0.1
GROWTH = 1.25


def wait_until(what: str, condition: Callable[[], bool], seconds: float = 90) -> None:
    """Waits for something, for much longer than it takes: machines may be busy.

    It looks often at first and less often later: each look is a call that the embedded AWS has to answer.

    Raises:
        StepFailedError: it did not happen in time.
    """
    deadline, pause = time.monotonic() + seconds, FIRST_POLL_SECONDS
    while not condition():
        if time.monotonic() > deadline:
            raise StepFailedError(f"not seen within {seconds:g} s: {what}")
        time.sleep(pause)
        pause = min(pause * GROWTH, LAST_POLL_SECONDS)
