"""The views of a metric widget: lines and areas through time, and what charts.py draws."""

import datetime
import math
from collections.abc import Mapping, Sequence
from typing import Any

from tryout.dashboards.reader import Line
from tryout.pictures.charts import Charts, Series, bare
from tryout.pictures.page import GREY, LIGHT


class Graph(Charts):
    """A metric widget that has data, as its view."""

    def draw(self) -> None:
        """Draws the widget's view."""
        views = {
            "timeSeries": self._time_series,
            "bar": self._bars,
            "pie": self._pie,
            "gauge": self._gauge,
            "singleValue": self._numbers,
            "table": self._table,
        }
        view = str(self._properties.get("view", "timeSeries"))
        if view not in views:
            self._page.lines(self._box, [f"the view {view!r} is not drawn by this repository"], color=GREY, italic=True)
            return
        views[view]()

    def _time_series(self) -> None:
        plot = self._with_legend()
        right = any(series.row.right for series in self._series)
        axis = self._properties.get("yAxis") or {}
        left_label, right_label = (str((axis.get(side) or {}).get("label") or "") for side in ("left", "right"))
        margins = {"left": 58.0 if left_label else 44.0, "right": (58.0 if right_label else 44.0) if right else 16.0}
        axes = self._page.axes(plot.within(**margins, top=4, bottom=22))
        sides = {False: axes, True: axes.twinx() if right else axes}
        for is_right, side in sides.items():
            members = [series for series in self._series if series.row.right == is_right]
            self._lines(side, members)
        self._frame(axes, plot.width)
        self._scale(axes, axis.get("left") or {}, is_right=False)
        if left_label:
            axes.set_ylabel(left_label, fontsize=7.5, color=GREY)
        if right:
            self._scale(sides[True], axis.get("right") or {}, is_right=True)
            bare(sides[True])
            if right_label:
                sides[True].set_ylabel(right_label, fontsize=7.5, color=GREY)
        self._annotate(axes, sides)

    def _lines(self, axes: Any, members: Sequence[Series]) -> None:
        if self._properties.get("stacked") and members:
            times = sorted({time for series in members for time in series.line.times})
            points = [dict(zip(series.line.times, series.line.values, strict=True)) for series in members]
            layers = [[point.get(time, 0.0) for time in times] for point in points]
            colours = [series.color for series in members]
            if len(times) == 1:  # an area needs two points
                times, layers = [times[0], times[0] + members[0].row.period], [[*layer, *layer] for layer in layers]
            axes.stackplot(times, layers, colors=colours, alpha=0.55, linewidth=0)
            total = [0.0] * len(times)
            for layer, colour in zip(layers, colours, strict=True):
                total = [below + own for below, own in zip(total, layer, strict=True)]
                axes.plot(times, total, color=colour, linewidth=1.2)
            return
        for series in members:
            times, values, alone = _with_gaps(series.line, series.row.period)
            axes.plot(times, values, color=series.color, linewidth=1.5, solid_capstyle="round")
            axes.plot(*alone, "o", color=series.color, markersize=3.2)

    def _frame(self, axes: Any, width: float) -> None:
        """The time axis, and no frame but a line below."""
        pad = (self._window.end - self._window.begin) * 0.015
        axes.set_xlim(self._window.begin - pad, self._window.end + pad)
        times, names = self._window.ticks(max(2, int(width // 85)))
        axes.set_xticks(times, names)
        bare(axes)
        axes.grid(axis="y", color=LIGHT, linewidth=0.8)
        axes.set_axisbelow(True)

    def _annotate(self, axes: Any, sides: Mapping[bool, Any]) -> None:
        annotations = self._properties.get("annotations") or {}
        for value, line in self._levels():
            side = sides[line.get("yAxis") == "right"]
            color = line.get("color") or "#ff9896"
            side.axhline(value, color=color, linewidth=1.2)
            bottom, top = side.get_ylim()
            band = {"above": (value, top), "below": (bottom, value)}.get(str(line.get("fill")))
            if band:
                side.axhspan(*band, color=color, alpha=0.12, linewidth=0)
            if line.get("label"):
                high = value > bottom + 0.85 * (top - bottom)
                side.annotate(
                    str(line["label"]),
                    (0.006, value),
                    xycoords=("axes fraction", "data"),
                    xytext=(0, -3 if high else 3),
                    textcoords="offset points",
                    va="top" if high else "bottom",
                    fontsize=7,
                    color=color,
                )
        for entry in annotations.get("horizontal") or []:
            if isinstance(entry, list) and len(entry) == 2:
                axes.axhspan(*(float(line["value"]) for line in entry), color=entry[0].get("color"), alpha=0.12)
        for entry in annotations.get("vertical") or []:
            moments = [_moment(line) for line in (entry if isinstance(entry, list) else [entry])]
            color = (entry[0] if isinstance(entry, list) else entry).get("color") or "#9467bd"
            for moment in moments:
                axes.axvline(moment, color=color, linewidth=1, linestyle="--")
            if label := (entry[0] if isinstance(entry, list) else entry).get("label"):
                where = {"xycoords": ("data", "axes fraction"), "xytext": (3, -2), "textcoords": "offset points"}
                axes.annotate(str(label), (moments[0], 1), va="top", fontsize=7, color=color, **where)
            if len(moments) == 2:
                axes.axvspan(*moments, color=color, alpha=0.12, linewidth=0)


def _with_gaps(line: Line, period: int) -> tuple[list[float], list[float], tuple[list[float], list[float]]]:
    """A line that breaks where datapoints are missing; and its points without a neighbour, which are drawn as dots."""
    times: list[float] = []
    values: list[float] = []
    alone: tuple[list[float], list[float]] = ([], [])
    for place, (time, value) in enumerate(zip(line.times, line.values, strict=True)):
        near_before = place > 0 and time - line.times[place - 1] <= 1.5 * period
        near_after = place + 1 < len(line.times) and line.times[place + 1] - time <= 1.5 * period
        if times and not near_before:
            times.append(time)
            values.append(math.nan)
        if not near_before and not near_after:
            alone[0].append(time)
            alone[1].append(value)
        times.append(time)
        values.append(value)
    return times, values, alone


def _moment(line: Mapping[str, Any]) -> float:
    return datetime.datetime.fromisoformat(str(line["value"])).timestamp()
