"""What a dashboard's body says: widgets in their places, and the metrics of each. No AWS in here.

Follows https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Json = Mapping[str, Any]

COLUMNS = 24
MAX_ROWS = 1000
DEFAULT_SIZE = 6
DEFAULT_PERIOD = 300
DEFAULT_SECONDS = 3 * 3600  # what the console shows if the body names no start

SAME, ALL_SAME = ".", "..."
_DURATION = re.compile(
    r"^-P(?:(?P<months>\d+)M)?(?:(?P<weeks>\d+)W)?(?:(?P<days>\d+)D)?"
    r"(?:T(?:(?P<hours>\d+)H)?(?:(?P<minutes>\d+)M)?)?$"
)
_SECONDS = {"months": 30 * 86400, "weeks": 7 * 86400, "days": 86400, "hours": 3600, "minutes": 60}


class DashboardError(ValueError):
    """A body is not one that CloudWatch shows as it is meant; the message names the widget."""


@dataclass(frozen=True)
class Widget:
    """One widget in its place, in units of the grid.

    Attributes:
        number: its place in the body's list, from 0.
        type: ``metric``, ``text``, ``alarm``, ``log``, ``explorer`` and what else there may be.
    """

    number: int
    type: str
    x: int
    y: int
    width: int
    height: int
    properties: Json

    @property
    def title(self) -> str:
        """Its title, or an empty string."""
        return str(self.properties.get("title") or "")

    @property
    def name(self) -> str:
        """Names it in messages."""
        return f"widget {self.number + 1} ({self.title or self.type})"

    def overlaps(self, other: "Widget") -> bool:
        """Whether both cover a unit of the grid."""
        return (
            self.x < other.x + other.width
            and other.x < self.x + self.width
            and self.y < other.y + other.height
            and other.y < self.y + self.height
        )


@dataclass(frozen=True)
class Row:
    """One entry of a widget's ``metrics``: a metric, or an expression if it has one.

    Attributes:
        period: in seconds.
        right: whether the right axis is its axis.
        visible: False for what only expressions use.
        account: whose metric it is, where that is not the dashboard's own account.
        seconds: how far back it looks, where that is not as far as the dashboard does; 0: as far.
    """

    namespace: str = ""
    metric: str = ""
    dimensions: tuple[tuple[str, str], ...] = ()
    expression: str = ""
    id: str = ""
    label: str = ""
    color: str = ""
    stat: str = "Average"
    period: int = DEFAULT_PERIOD
    region: str = ""
    right: bool = False
    visible: bool = True
    account: str = ""
    seconds: int = 0


def widgets(body: Json) -> list[Widget]:
    """The widgets of a body.

    Raises:
        DashboardError: two overlap, or one is not within the grid.
    """
    placed: list[Widget] = []
    for number, given in enumerate(body.get("widgets", [])):
        widget = _placed(number, given, placed)
        if widget.x < 0 or widget.y < 0 or widget.width < 1 or widget.height < 1:
            raise DashboardError(f"{widget.name}: x and y begin at 0, width and height at 1, got {given}")
        if widget.x + widget.width > COLUMNS or widget.height > MAX_ROWS:
            right = widget.x + widget.width
            raise DashboardError(f"{widget.name} ends at column {right} of {COLUMNS}, height {widget.height}")
        for other in placed:
            if widget.overlaps(other):
                raise DashboardError(f"{widget.name} overlaps {other.name}")
        placed.append(widget)
    return placed


def _placed(number: int, given: Json, before: Sequence[Widget]) -> Widget:
    """A widget without a place gets the next one: beside the last, or below everything."""
    width, height = int(given.get("width", DEFAULT_SIZE)), int(given.get("height", DEFAULT_SIZE))
    x, y = 0, 0
    if before:
        last = before[-1]
        x, y = last.x + last.width, last.y
        if x + width > COLUMNS:
            x, y = 0, max(widget.y + widget.height for widget in before)
    x, y = int(given.get("x", x)), int(given.get("y", y))
    return Widget(number, str(given.get("type")), x, y, width, height, given.get("properties") or {})


def rows(properties: Json) -> list[Row]:
    """The metrics and expressions of a widget; ``.`` and ``...`` stand for what the row before has there.

    ``.`` is one value. ``...`` is as many values as make the row as long as the one before, so that
    ``["AWS/EC2", "CPUUtilization", "InstanceId", "i-1"], ["...", "i-2"]`` is the same metric of two instances.

    Raises:
        DashboardError: a row is not a metric.
    """
    found: list[Row] = []
    before: list[str] = []
    for given in properties.get("metrics") or []:
        values = [value for value in given if not isinstance(value, Mapping)]
        rendering = next((value for value in given if isinstance(value, Mapping)), {})
        if values:
            before = _written_out(values, before)
            if len(before) < 2 or len(before) % 2:
                raise DashboardError(
                    f"a metric is a namespace, a name, and names and values of dimensions, got {given}"
                )
        elif "expression" not in rendering:
            raise DashboardError(f"neither a metric nor an expression: {given}")
        found.append(_row(before if values else [], rendering, properties))
    return found


def _written_out(values: Sequence[Any], before: Sequence[str]) -> list[str]:
    if ALL_SAME in values:
        place = values.index(ALL_SAME)
        repeated = max(0, len(before) - (len(values) - 1))
        values = [*values[:place], *[SAME] * repeated, *values[place + 1 :]]
    if any(value == SAME and place >= len(before) for place, value in enumerate(values)):
        raise DashboardError(f"{SAME!r} repeats a value that the metric before does not have: {list(values)}")
    return [before[place] if value == SAME else str(value) for place, value in enumerate(values)]


def _row(metric: Sequence[str], rendering: Json, properties: Json) -> Row:
    namespace, name = metric[:2] if metric else ("", "")
    return Row(
        namespace=namespace,
        metric=name,
        dimensions=tuple(zip(metric[2::2], metric[3::2], strict=True)),
        expression=str(rendering.get("expression", "")),
        id=str(rendering.get("id", "")),
        label=str(rendering.get("label", "")),
        color=str(rendering.get("color", "")),
        stat=str(rendering.get("stat", properties.get("stat", "Average"))),
        period=int(rendering.get("period", properties.get("period", DEFAULT_PERIOD))),
        region=str(rendering.get("region", properties.get("region", ""))),
        right=rendering.get("yAxis") == "right",
        visible=rendering.get("visible", True) is not False,
        account=str(rendering.get("accountId", properties.get("accountId", ""))),
        seconds=seconds_shown(properties) if "start" in properties else 0,
    )


def seconds_shown(body: Json) -> int:
    """How far back a dashboard looks, by its ``start`` (``-PT6H``, ``-P7D``).

    Raises:
        DashboardError: it begins at a fixed time, or is no duration.
    """
    start = body.get("start")
    if start is None:
        return DEFAULT_SECONDS
    match = _DURATION.match(str(start))
    total = sum(_SECONDS[unit] * int(count) for unit, count in match.groupdict("0").items()) if match else 0
    if not total:
        raise DashboardError(f"start is a duration here, such as -PT6H or -P7D, got {start!r}")
    return total


def alarms(widget: Widget) -> Iterator[str]:
    """ARNs of the alarms that a widget shows."""
    yield from widget.properties.get("alarms") or []
    yield from (widget.properties.get("annotations") or {}).get("alarms") or []
