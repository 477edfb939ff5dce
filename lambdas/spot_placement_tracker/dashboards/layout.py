"""Dashboards as CloudWatch takes them, from the file and what is known of its series. No AWS in here.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html
"""

import colorsys
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

from spot_placement_tracker.history import Zones
from spot_placement_tracker.insights import Line, Size, sizes
from spot_placement_tracker.questions import Dashboard, Json, Place, Question, workloads

COLUMNS = 24
MOST_WIDGETS = 500
"""Of one dashboard, as the page above says."""
MOST_METRICS = 2_500
"""Of all graphs of one dashboard; 500 of one graph, of which ten Regions with all their zones are a fraction
(https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_limits.html)."""
MOST_ROWS = 100
"""Of a table in a text; ``python -m stacks spot_placement_tracker report`` has all."""
LEAST_PERIOD = 900
"""Seconds of a point in a graph; rounds that are further apart have a point each, so that the line has no gaps."""
SEARCHED = 100
"""Metrics that a search counts for, which CloudWatch cuts off there."""
GOLDEN_ANGLE = 137.508


@dataclass(frozen=True)
class Frame:
    """What all dashboards of a stack share.

    Attributes:
        region: where the metrics are.
        stack, address: who writes them, and where the file is, for people; the address also proves whose they are.
        days: that the report looks back.
        every_minutes: between two rounds.
    """

    namespace: str
    region: str
    stack: str
    address: str
    days: int
    every_minutes: int

    @property
    def period(self) -> int:
        """Seconds of a point in a graph."""
        return max(LEAST_PERIOD, 60 * self.every_minutes)


def bodies(dashboards: Sequence[Dashboard], zones: Zones, lines: Sequence[Line], frame: Frame) -> dict[str, Json]:
    """The body of each dashboard by its name; what is too much for one continues in ``<name>-2``, and so on.

    They open with as many days as the report looks back, because the changes of the scores are what counts.

    Args:
        lines: of the report, in whatever order; none before the first.
    """
    found: dict[str, Json] = {}
    taken = {dashboard.name for dashboard in dashboards}
    for dashboard in dashboards:
        colours = _Colours()
        graphs = [
            _graph(question, question.places(zones.get(question.key, ())), colours, frame)
            for question in dashboard.questions
        ]
        pages = list(_pages(graphs))
        names = [dashboard.name, *_further(dashboard.name, len(pages) - 1, taken)]
        taken |= set(names)
        for number, page in enumerate(pages):
            widgets, bottom = _placed(page, dashboard)
            if number == 0:
                widgets += _texts(dashboard, lines, frame, bottom)
            else:
                widgets.append(_text(f"Continued from **{dashboard.name}**. {_mark(frame)}", bottom, 2))
            if number + 1 < len(pages):
                widgets[-1]["properties"]["markdown"] += f" Continued in **{names[number + 1]}**."
            # With periodOverride auto, the default, CloudWatch would draw the best score of hours, and no drop.
            found[names[number]] = {"start": f"-P{frame.days}D", "periodOverride": "inherit", "widgets": widgets}
    return found


def is_ours(body: str, address: str) -> bool:
    """Whether this stack has written a dashboard: every body of ours names the address of our file."""
    return address in body


class _Colours:
    """A colour for each place, the same in every graph of a dashboard, for any number of places."""

    def __init__(self) -> None:
        self._places: dict[Place, str] = {}

    def of(self, place: Place) -> str:
        if place not in self._places:
            number = len(self._places)
            hue, lightness = number * GOLDEN_ANGLE % 360 / 360, (0.45, 0.6, 0.35)[number // 12 % 3]
            red, green, blue = (round(255 * part) for part in colorsys.hls_to_rgb(hue, lightness, 0.65))
            self._places[place] = f"#{red:02x}{green:02x}{blue:02x}"
        return self._places[place]


def _graph(question: Question, places: Sequence[Place], colours: _Colours, frame: Frame) -> Json:
    properties: Json = {
        "view": "timeSeries",
        "title": f"SPS for {question.title}",
        "region": frame.region,
        "stat": "Maximum",
        "period": frame.period,
        "metrics": [_metric(question, place, colours, frame) for place in places] or [_search(question, frame)],
        "yAxis": {"left": {"label": "SPS", "min": 0, "max": 10, "showUnits": False}},
    }
    if question.alarm_below is not None:
        line = {"label": "alarm below in every place", "value": question.alarm_below, "color": "#d13212"}
        properties["annotations"] = {"horizontal": [line]}
    return {"type": "metric", "properties": properties}


def _metric(question: Question, place: Place, colours: _Colours, frame: Frame) -> list[object]:
    series = question.series(place)
    dimensions = [part for pair in series.dimensions.items() for part in pair]
    return [frame.namespace, series.name, *dimensions, {"label": series.name, "color": colours.of(place)}]


def _search(question: Question, frame: Frame) -> list[object]:
    """Whichever zones there are: before the first report nobody knows which ones EC2 names.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/search-expression-syntax.html
    """
    schema = "AvailabilityZoneId,DiversificationName,Region,TargetCapacity,UnitType"
    # In a string of a search a quotation mark and a backslash are escaped, and an apostrophe would end the search.
    name = question.name.replace("\\", "\\\\").replace('"', '\\"').replace("'", "\\'")
    what = (
        f'{{"{frame.namespace}",{schema}}} DiversificationName="{name}" '
        f'UnitType="{question.unit}" TargetCapacity="{question.capacity}"'
    )
    label = "${PROP('Dim.Region')} ${PROP('Dim.AvailabilityZoneId')}"
    return [{"expression": f"SEARCH('{what}', 'Maximum', {frame.period})", "id": "zones", "label": label}]


def _weight(graph: Json) -> int:
    metrics = graph["properties"]["metrics"]
    return SEARCHED if isinstance(metrics[0][0], dict) else len(metrics)


def _pages(graphs: Iterable[Json]) -> Iterator[list[Json]]:
    """As many graphs together as one dashboard takes, with room for the texts."""
    page: list[Json] = []
    weight = 0
    for graph in graphs:
        if page and (len(page) >= MOST_WIDGETS - 3 or weight + _weight(graph) > MOST_METRICS):
            yield page
            page, weight = [], 0
        page.append(graph)
        weight += _weight(graph)
    yield page


def _further(name: str, count: int, taken: Collection[str]) -> Iterator[str]:
    """Names for the dashboards that continue one, none of which is taken."""
    number = 2
    while count > 0:
        further = f"{name[:250]}-{number}"
        number += 1
        if further not in taken:
            count -= 1
            yield further


def _placed(graphs: Sequence[Json], dashboard: Dashboard) -> tuple[list[Json], int]:
    """The graphs in rows of 24 columns, and the first free row."""
    width, height = dashboard.width, dashboard.height
    in_row = COLUMNS // width
    placed = [
        {**graph, "x": number % in_row * width, "y": number // in_row * height, "width": width, "height": height}
        for number, graph in enumerate(graphs)
    ]
    return placed, -(-len(graphs) // in_row) * height


def _texts(dashboard: Dashboard, lines: Sequence[Line], frame: Frame, top: int) -> list[Json]:
    keys = {question.key for question in dashboard.questions}
    own = [line for line in lines if line.question.key in keys]
    told = [line for line in own if line.profile.count]
    texts: list[Json] = []
    header = f"## When it runs best\nAverage scores of the last {frame.days} days, hours in UTC. {_mark(frame)}"
    if told:
        order = {question.key: number for number, question in enumerate(dashboard.questions)}
        told.sort(key=lambda line: (order[line.question.key], -line.profile.mean, line.place))
        rows = [
            (
                line.question.title,
                str(line.place),
                f"{line.profile.mean:.1f}",
                f"{line.profile.lowest:.1f}",
                str(line.profile.best_hour()),
                str(line.profile.best_day()),
            )
            for line in told
        ]
        table, height = _table(("configuration", "where", "score", "lowest hour", "best hour", "best day"), rows)
        texts.append(_text(f"{header}\n\n{table}", top, height + 3))
        top += height + 3
    else:
        texts.append(_text(f"{header}\n\nNo data yet: the first report with data shows it.", top, 3))
        top += 3
    if several := sizes(own):
        table, height = _table(
            ("configuration", "where", "largest size that keeps its score", "asked for"), _sized(several)
        )
        texts.append(_text(f"## How large it may be\n\n{table}", top, height + 2))
    elif any(len(group) > 1 for group in workloads(dashboard.questions)):
        texts.append(_text("## How large it may be\n\nNo data yet.", top, 3))
    return texts


def _sized(several: Iterable[Size]) -> list[tuple[str, ...]]:
    return [
        (
            f"{size.question.name}-{size.question.unit}",
            str(size.place),
            str(size),
            ", ".join(map(str, size.of)),
        )
        for size in several
    ]


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> tuple[str, int]:
    """A table, and its height in rows of the grid."""
    shown = rows[:MOST_ROWS]
    text = [" | ".join(columns), " | ".join("---" for _ in columns)]
    text += [" | ".join(cell.replace("|", "/") for cell in row) for row in shown]
    if len(rows) > len(shown):
        text += ["", f"{len(rows) - len(shown)} more: `python -m stacks spot_placement_tracker report`"]
    return "\n".join(text), 1 + -(-3 * len(shown) // 5)  # a line of a table is three fifths of a row of the grid


def _mark(frame: Frame) -> str:
    return f"The stack {frame.stack} writes this dashboard from `{frame.address}` and overwrites what is changed here."


def _text(markdown: str, top: int, height: int) -> Json:
    return {"type": "text", "x": 0, "y": top, "width": COLUMNS, "height": height, "properties": {"markdown": markdown}}
