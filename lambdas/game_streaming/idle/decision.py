"""Whether an instance has been idle long enough to stop. No AWS in here."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

SETTLES = timedelta(minutes=45)
"""Time after its start in which an instance is left alone, because it may still be installing."""
FRESH = timedelta(minutes=5)
"""Age from which the newest report says nothing about the present."""
COVERED = 0.8
"""Share of the window's minutes that must have a report."""

Reports = Mapping[datetime, float]
"""Number of instances of one kind, by minute."""


class Verdict(StrEnum):
    """The result of a look."""

    STOPPED = "not running"
    SETTLING = "recently started"
    UNREADABLE = "games cannot be read"
    BUSY = "a game runs, or is being prepared"
    WAITING = "not idle for long enough"
    IDLE = "idle"


@dataclass(frozen=True)
class Machine:
    """The instance: whether it is running, and when it was last started."""

    running: bool
    started: datetime


def judge(machine: Machine, regular: Reports, base: Reports, window: timedelta, now: datetime) -> Verdict:
    """Judges the reports of a window. Missing reports prove nothing: only reported zeros count as idle.

    Args:
        regular: instances in which games run.
        base: instances in which applications are prepared.
    """
    if not machine.running:
        return Verdict.STOPPED
    if now - machine.started < SETTLES:
        return Verdict.SETTLING
    for reports in (regular, base):
        if not reports or now - max(reports) > FRESH:
            return Verdict.UNREADABLE
    since = max(now - window, machine.started)
    seen = [[value for at, value in reports.items() if at >= since] for reports in (regular, base)]
    if any(value > 0 for values in seen for value in values):
        return Verdict.BUSY
    minutes = window.total_seconds() / 60
    if any(len(values) < COVERED * minutes for values in seen):
        return Verdict.WAITING
    return Verdict.IDLE
