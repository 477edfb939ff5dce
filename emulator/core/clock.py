"""The clock: what the services do several times a second, and what they publish and decide when a minute is over.

A minute lasts 60 seconds unless somebody says otherwise, so that a test of minutes can be one of seconds.
"""

import logging
import re
import time
from collections.abc import Callable, Iterator
from typing import Any

from ministack.services import cloudwatch

from emulator.core.events import TIME_PASSED
from emulator.core.patch import private
from emulator.core.service import services, tell
from emulator.core.store import request_scope, stores

log = logging.getLogger(__name__)

MINUTE = 60.0
_metrics: Any = private(cloudwatch, "_metrics")


def seconds_of(duration: str) -> int:
    """Of an ISO 8601 duration such as PT1H2M3S.

    Raises:
        ValueError: it is none.
    """
    found = re.fullmatch(r"PT(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?", duration)
    if not found:
        raise ValueError(f"a duration is such as PT5M, got {duration}")
    hours, minutes, seconds = (int(part or 0) for part in found.groups())
    return 3600 * hours + 60 * minutes + seconds


class Clock:
    """When the next minute is over.

    Attributes:
        seconds: how long a minute lasts.
        length: how long the minute that has just ended took in fact, in seconds.
    """

    def __init__(self) -> None:
        self.seconds = self.length = MINUTE
        self._over: float | None = None
        self._began = 0.0

    def set(self, seconds: float) -> None:
        """Begins a minute now, and lets it and the next ones last so long. Raises ValueError if that is no duration."""
        if not 0.1 <= seconds <= MINUTE:
            raise ValueError(f"a minute lasts 0.1 to {MINUTE:g} seconds, not {seconds:g}")
        self.seconds, self._over = seconds, None

    def begin_next(self) -> None:
        """Ends the minute that is on its way, a whole one for whoever asks, and lets the next one begin."""
        self.length, self._over = MINUTE, None

    def clear(self) -> None:
        """Lets minutes last a minute."""
        self.set(MINUTE)

    def is_over(self, now: float) -> bool:
        """Whether a minute has ended by *now* (seconds of any steady clock), which begins the next one."""
        if self._over is None:
            self._over, self._began = now + self.seconds, now
        if now < self._over:
            return False
        self.length, self._began = now - self._began, now
        # Minutes that nobody looked at are not made up for: one late datapoint instead of several.
        self._over = self._over + self.seconds if now < self._over + self.seconds else now + self.seconds
        return True


clock = Clock()
stores.append(clock)


def tick() -> None:
    """What the server does several times a second; an error stops one service once, and the log has it."""
    for service in services():
        if service.tick is not None:
            _attempt(service.name, service.tick)
    if clock.is_over(time.monotonic()):
        _end_minute()
        if clock.length < MINUTE:
            age_metrics(MINUTE - clock.length)


def pass_minutes(count: int) -> None:
    """Lets so many minutes be over at once, one after the other: nobody waits for them."""
    for _ in range(count):
        clock.begin_next()
        tell(TIME_PASSED, MINUTE)
        _end_minute()
        age_metrics(MINUTE)


def _end_minute() -> None:
    for scope in set().union(*(service.scopes() for service in services())):
        with request_scope(*scope):
            # First what is published, so that whoever decides sees the datapoints of this minute.
            for phase in ("measure", "react"):
                for service in services():
                    if (act := getattr(service, phase)) is not None:
                        _attempt(service.name, act)


def _attempt(name: str, act: Callable[[], object]) -> None:
    try:
        act()
    except Exception:
        log.exception("what time brings about failed in %s", name)


def age_metrics(seconds: float) -> int:
    """Moves every datapoint so many seconds into the past, and returns how many there are.

    After a short minute that makes it a whole one for whoever reads metrics by the minute.
    """
    count = 0
    for point in _datapoints():
        point["Timestamp"] -= seconds
        count += 1
    return count


def _datapoints() -> Iterator[dict[str, Any]]:
    """Every datapoint of every account, Region and metric (``Timestamp``: epoch seconds)."""
    for points in _metrics._data.values():
        yield from points
