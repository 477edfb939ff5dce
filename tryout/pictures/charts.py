"""The views of a metric widget without a time axis: bars, slices, gauges, numbers and tables; and every legend."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tryout.dashboards.body import Row, Widget, alarms
from tryout.dashboards.kept import Kept
from tryout.dashboards.reader import NO_DATAPOINTS, Line
from tryout.pictures.page import GREY, INK, LIGHT, Box, Page, grid
from tryout.pictures.window import Window

PALETTE = (
    "#1f77b4", "#ff7f0e", "#2ca02c", "#d62728", "#9467bd", "#8c564b", "#e377c2", "#7f7f7f", "#bcbd22", "#17becf",
)  # fmt: skip
LEGEND_LINE = 16
SECTORS = 60

TOTALS: Mapping[str, Callable[[Sequence[float]], float]] = {
    "Sum": sum,
    "SampleCount": sum,
    "Minimum": min,
    "Maximum": max,
}


@dataclass(frozen=True)
class Series:
    """A line with its row and its colour."""

    row: Row
    line: Line
    color: str


class Charts:
    """A metric widget that has data: its legend, and the views that show a moment."""

    def __init__(self, page: Page, kept: Kept, widget: Widget, box: Box, window: Window) -> None:
        self._page, self._widget, self._box, self._window = page, widget, box, window
        self._properties = widget.properties
        self._alarms = [kept.alarms[arn] for arn in alarms(widget)]
        colours = iter(PALETTE * (1 + sum(len(each.lines) + 1 for each in kept.shown[widget.number]) // len(PALETTE)))
        self._series: list[Series] = []
        self._legend: list[tuple[str, str]] = []  # text and colour
        for each in kept.shown[widget.number]:
            if not each.row.visible:
                continue
            for place, line in enumerate(each.lines):
                color = each.row.color if each.row.color and place == 0 else next(colours)
                series = Series(each.row, line, color)
                self._series.append(series)
                self._legend.append((line.label, series.color))
            if not each.lines:
                why = "no data" if each.why_empty == NO_DATAPOINTS else each.why_empty
                self._legend.append((f"{each.row.label or each.row.metric or each.row.expression} ({why})", LIGHT))

    def _with_legend(self) -> Box:
        """Draws the legend, and returns the room that it leaves."""
        position = (self._properties.get("legend") or {}).get("position", "bottom")
        box = self._box.within(0, 2, 0, 6)
        if position == "hidden" or not self._legend:
            return box
        if position == "right":
            width = min(220.0, box.width * 0.36)
            column = Box(box.x + box.width - width, box.y, width - 8, box.height)
            self._entries(column, [[entry] for entry in self._legend])
            return box.within(right=width)
        lines = self._legend_lines(box.width - 24)
        height = LEGEND_LINE * min(len(lines), max(1, int(box.height * 0.35 // LEGEND_LINE)))
        self._entries(Box(box.x + 12, box.y + box.height - height, box.width - 24, height), lines)
        return box.within(bottom=height + 2)

    def _legend_lines(self, width: float) -> list[list[tuple[str, str]]]:
        lines: list[list[tuple[str, str]]] = [[]]
        used = 0.0
        for text, colour in self._legend:
            text = self._page.shortened(text, width - 18)
            needed = self._page.measure(text) + 32
            if lines[-1] and used + needed > width:
                lines.append([])
                used = 0
            lines[-1].append((text, colour))
            used += needed
        return lines

    def _entries(self, box: Box, lines: Sequence[Sequence[tuple[str, str]]]) -> None:
        room = max(1, int(box.height // LEGEND_LINE))
        for number_of_line, line in enumerate(lines[:room]):
            x, y = box.x, box.y + LEGEND_LINE * (number_of_line + 0.5)
            if number_of_line == room - 1 and len(lines) > room:
                left = sum(len(each) for each in lines[number_of_line:])
                self._page.text(x, y, f"… {left} more", color=GREY, italic=True)
                return
            for text, colour in line:
                self._page.card(Box(x, y - 5, 10, 10), colour, colour)
                text = self._page.shortened(text, box.x + box.width - x - 14)
                self._page.text(x + 15, y, text, color=GREY if colour == LIGHT else INK)
                x += self._page.measure(text) + 32

    def _value(self, series: Series) -> float:
        """The newest value, or that of the whole time if the widget says so."""
        values = series.line.values
        if not self._properties.get("setPeriodToTimeRange"):
            return values[-1]
        total = TOTALS.get(series.row.stat)
        return total(values) if total else sum(values) / len(values)

    def _scale(self, axes: Any, limits: Mapping[str, Any], *, is_right: bool) -> None:
        values = [value for series in self._series if series.row.right == is_right for value in series.line.values]
        values += [value for value, line in self._levels() if (line.get("yAxis") == "right") == is_right]
        values = [value for value in values if math.isfinite(value)] or [0.0]
        low, high = min(values), max(values)
        if self._properties.get("stacked"):
            low, high = min(0.0, axes.dataLim.y0), max(axes.dataLim.y1, high)
        room = (high - low) * 0.08 or max(abs(high) * 0.1, 0.5)
        bottom = float(limits["min"]) if limits.get("min") is not None else low - room
        top = float(limits["max"]) if limits.get("max") is not None else high + room
        axes.set_ylim(bottom, top if top > bottom else bottom + 1)
        from matplotlib.ticker import FuncFormatter, MaxNLocator

        axes.yaxis.set_major_locator(MaxNLocator(4))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: number(value)))

    def _levels(self) -> list[tuple[float, Mapping[str, Any]]]:
        """Horizontal annotations: their values, and where they come from."""
        given = (self._properties.get("annotations") or {}).get("horizontal") or []
        lines = [line for entry in given for line in (entry if isinstance(entry, list) else [entry])]
        found = [(float(line["value"]), line) for line in lines if line.get("visible", True) and "value" in line]
        for alarm in self._alarms:
            if alarm.threshold is not None:
                found.append((alarm.threshold, {"label": f"{alarm.name} ({alarm.state})", "color": "#d62728"}))
        return found

    def _bars(self) -> None:
        plot = self._with_legend()
        axes = self._page.axes(plot.within(left=44, right=16, top=4, bottom=8))
        values = [self._value(series) for series in self._series]
        axes.bar(range(len(values)), values, width=0.6, color=[series.color for series in self._series])
        axes.set_xlim(-0.6, len(values) - 0.4)
        axes.set_xticks([])
        for place, value in enumerate(values):
            axes.annotate(
                number(value), (place, value), xytext=(0, 2), textcoords="offset points", ha="center", fontsize=7.5
            )
        self._scale(axes, {"min": 0, **((self._properties.get("yAxis") or {}).get("left") or {})}, is_right=False)
        bare(axes)
        axes.grid(axis="y", color=LIGHT, linewidth=0.8)
        axes.set_axisbelow(True)

    def _pie(self) -> None:
        plot = self._with_legend()
        side = min(plot.width - 24, plot.height - 8)
        axes = self._page.axes(Box(plot.x + (plot.width - side) / 2, plot.y + (plot.height - side) / 2, side, side))
        values = [max(0.0, self._value(series)) for series in self._series]
        axes.set(xlim=(-1.15, 1.15), ylim=(-1.15, 1.15), aspect="equal")
        axes.axis("off")
        if not sum(values):
            axes.annotate("every value is 0", (0, 0), ha="center", va="center", fontsize=8, color=GREY)
            return
        axes.pie(
            values,
            colors=[series.color for series in self._series],
            startangle=90,
            counterclock=False,
            wedgeprops={"width": 0.42, "edgecolor": "white", "linewidth": 1},
        )
        axes.annotate(number(sum(values)), (0, 0), ha="center", va="center", fontsize=13, color=INK)

    def _gauge(self) -> None:
        limits = (self._properties.get("yAxis") or {}).get("left") or {}
        low, high = float(limits.get("min", 0)), float(limits.get("max", 100))
        columns = max(1, min(len(self._series), int(self._box.width // 150)))
        for cell, series in zip(grid(self._box, len(self._series), columns), self._series, strict=True):
            inner = cell.within(10, 4, 10, 26)
            axes = self._page.axes(inner)
            axes.axis("off")
            axes.set(xlim=(-1.35, 1.35), ylim=(-0.3, 1.1), aspect="equal")
            value = self._value(series)
            share = min(1.0, max(0.0, (value - low) / (high - low)))
            _arc(axes, 0, 1, LIGHT)
            _arc(axes, 0, share, series.color)
            axes.annotate(number(value), (0, 0.1), ha="center", va="center", fontsize=16, color=INK)
            axes.annotate(number(low), (-0.85, -0.17), ha="center", va="center", fontsize=7.5, color=GREY)
            axes.annotate(number(high), (0.85, -0.17), ha="center", va="center", fontsize=7.5, color=GREY)
            self._named(series, cell.x + cell.width / 2, cell.y + cell.height - 16, cell.width - 20)

    def _numbers(self) -> None:
        columns = max(1, min(len(self._series), int(self._box.width // 130)))
        for cell, series in zip(
            grid(self._box.within(bottom=6), len(self._series), columns), self._series, strict=True
        ):
            spark = bool(self._properties.get("sparkline")) and cell.height > 80 and len(series.line.values) > 1
            pixels = min(34.0, max(16.0, cell.height * 0.28))
            middle = cell.y + cell.height / 2 - (cell.height * 0.22 if spark else 10)
            self._page.text(cell.x + cell.width / 2, middle, number(self._value(series)), pixels=pixels, align="center")
            if spark:
                axes = self._page.axes(cell.within(16, cell.height * 0.5, 16, 28))
                axes.plot(series.line.times, series.line.values, color=series.color, linewidth=1.3)
                axes.set_xlim(self._window.begin, self._window.end)
                axes.axis("off")
            below = cell.y + cell.height - 14 if spark else middle + pixels / 2 + 14
            self._named(series, cell.x + cell.width / 2, below, cell.width - 16)

    def _named(self, series: Series, x: float, y: float, width: float) -> None:
        """The name of a value, after a square of its colour, centred at *x*."""
        text = self._page.shortened(series.line.label, width - 16)
        left = x - (self._page.measure(text) + 15) / 2
        self._page.card(Box(left, y - 5, 10, 10), series.color, series.color)
        self._page.text(left + 15, y, text, color=GREY)

    def _table(self) -> None:
        columns: dict[str, Callable[[Sequence[float]], float]] = {
            "Latest": lambda values: values[-1],
            "Min": min,
            "Max": max,
            "Sum": sum,
            "Avg": lambda values: sum(values) / len(values),
        }
        box = self._box.within(14, 0, 14, 6)
        width = min(80.0, box.width * 0.13)
        first = box.width - width * len(columns)
        for place, name in enumerate(columns):
            right = box.x + first + width * (place + 1)
            self._page.text(right, box.y + 10, name, bold=True, align="right")
        room = int((box.height - 24) // 18)
        for line, series in enumerate(self._series):
            y = box.y + 30 + 18 * line
            if line == room - 1 and len(self._series) > room:
                self._page.text(box.x, y, f"… {len(self._series) - line} more", color=GREY, italic=True)
                return
            self._page.card(Box(box.x, y - 5, 10, 10), series.color, series.color)
            self._page.text(box.x + 15, y, self._page.shortened(series.line.label, first - 20))
            for place, compute in enumerate(columns.values()):
                text = number(compute(series.line.values))
                self._page.text(box.x + first + width * (place + 1), y, text, align="right")


def number(value: float) -> str:
    """A value as CloudWatch writes it: at most three figures behind the point, K, M, G and T above a thousand."""
    for size, letter in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "K")):
        if abs(value) >= size:
            return f"{value / size:.3g}{letter}"
    return f"{value:.3g}" if abs(value) < 100 else f"{value:.0f}"


def _arc(axes: Any, begin: float, end: float, color: str) -> None:
    """A part of a half ring, from left (0) to right (1)."""
    angles = [math.pi * (1 - (begin + (end - begin) * step / SECTORS)) for step in range(SECTORS + 1)]
    axes.plot(
        [math.cos(angle) for angle in angles],
        [math.sin(angle) for angle in angles],
        color=color,
        linewidth=11,
        solid_capstyle="butt",
    )


def bare(axes: Any) -> None:
    """Leaves a frame only where the axis is."""
    for name in ("top", "left", "right"):
        axes.spines[name].set_visible(False)
