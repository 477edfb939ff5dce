"""The time that a dashboard shows, and its ticks."""

import datetime
import math
from dataclasses import dataclass

from tryout.dashboards.body import Widget
from tryout.dashboards.kept import Kept

STEPS = [60 * m for m in (1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720)] + [86400 * d for d in (1, 2, 7, 14, 30)]


@dataclass(frozen=True)
class Window:
    """The time that all graphs of a dashboard show: from its first to its last datapoint, in seconds.

    A widget that has a start of its own is none of them.
    """

    begin: float = 0
    end: float = 0

    @classmethod
    def of(cls, kept: Kept, widget: Widget | None = None) -> "Window":
        """The window of a dashboard, or of one of its widgets; expressions that fill time up do not widen it."""
        own = {each.number for each in kept.widgets if "start" in each.properties}
        among = {widget.number} if widget and widget.number in own else kept.shown.keys() - own
        shown = [each for number in sorted(among) for each in kept.shown.get(number, [])]
        plain = [each for each in shown if "FILL" not in each.row.expression] or shown
        times = [time for each in plain for line in each.lines for time in line.times]
        period = max((each.row.period for each in plain if each.lines), default=60)
        return cls(min(times), max(max(times), min(times) + period)) if times else cls()

    @property
    def text(self) -> str:
        """From when to when, in UTC."""
        if not self.end:
            return ""
        begin, end = utc(self.begin), utc(self.end)
        form = "%H:%M" if begin.date() == end.date() else "%Y-%m-%d %H:%M"
        return f"{begin:%Y-%m-%d %H:%M} to {end.strftime(form)} UTC"

    def ticks(self, most: int) -> tuple[list[float], list[str]]:
        """Round times in it, *most* at most, and what they are called."""
        step = next((step for step in STEPS if (self.end - self.begin) / step <= most), STEPS[-1])
        first = math.ceil(self.begin / step) * step
        times = [float(time) for time in range(first, math.floor(self.end) + 1, step)]
        form = "%m/%d" if step >= STEPS[-5] else "%H:%M"
        if form == "%H:%M" and self.end - self.begin > STEPS[-5]:
            form = "%m/%d %H:%M"
        return times, [utc(time).strftime(form) for time in times]


def utc(seconds: float) -> datetime.datetime:
    """A time in UTC."""
    return datetime.datetime.fromtimestamp(seconds, datetime.UTC)
