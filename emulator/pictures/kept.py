"""A dashboard that was kept: its body and what its metrics were, in one JSON file that outlives the stack.

It is read as a browser would: GetDashboard, GetMetricData, DescribeAlarms. Metric math, which the embedded AWS leaves
silently empty, is computed by ``emulator.metric_math``. What neither can answer has a reason instead of data.
"""

import datetime
import json
import re
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from emulator.metric_math import MetricMathError, evaluate
from emulator.pictures.body import Row, Widget, alarms, labels, rows, seconds_shown, widgets

MAX_QUERIES = 500  # of one GetMetricData
MAX_ALARM_NAMES = 100  # of one DescribeAlarms
STATISTICS = {"Average", "Sum", "Minimum", "Maximum", "SampleCount"}

NO_DATAPOINTS = "its metrics have no datapoints in this scenario"
NO_SEARCH = "it needs SEARCH, which the embedded AWS does not answer"
NO_INSIGHTS = "it needs Metrics Insights, which the embedded AWS does not answer"

Client = Callable[[str, str], Any]
"""A boto3 client, by service and Region (empty: the default one)."""


@dataclass(frozen=True)
class Line:
    """What is drawn of a row: seconds since the epoch in ascending order, and the value of each."""

    label: str
    times: list[float] = field(default_factory=list)
    values: list[float] = field(default_factory=list)


@dataclass(frozen=True)
class Shown:
    """A row with its data.

    Attributes:
        why_empty: the reason, if there are no lines.
    """

    row: Row
    lines: list[Line] = field(default_factory=list)
    why_empty: str = ""


@dataclass(frozen=True)
class Alarm:
    """An alarm of a widget; its state is empty if DescribeAlarms does not know it."""

    name: str
    state: str = ""
    threshold: float | None = None


@dataclass(frozen=True)
class Kept:
    """A dashboard and its data.

    Attributes:
        solution, variant: whose scenario has kept it.
        at: when, in ISO 8601.
        shown: rows with their data, by the number of the widget.
        alarms: by their ARNs.
    """

    dashboard: str
    solution: str
    variant: str
    at: str
    body: Mapping[str, Any]
    shown: Mapping[int, list[Shown]]
    alarms: Mapping[str, Alarm]

    @property
    def widgets(self) -> list[Widget]:
        """Its widgets, in their places."""
        return widgets(self.body)

    def why_empty(self, widget: Widget) -> str:
        """Why a widget of metrics has nothing to draw; an empty string if it has."""
        shown = self.shown.get(widget.number, [])
        visible = [each for each in shown if each.row.visible]
        if any(each.lines for each in visible):
            return ""
        reasons = dict.fromkeys(each.why_empty for each in visible)
        return "; ".join(reasons) or NO_DATAPOINTS

    @property
    def summary(self) -> str:
        """How many widgets there are, and which are drawn empty, and why."""
        graphs = [widget for widget in self.widgets if widget.type == "metric"]
        empty = {widget.title: why for widget in graphs if (why := self.why_empty(widget))}
        said = "".join(f"; empty: {title or 'untitled'} ({why})" for title, why in empty.items())
        return f"{len(self.widgets)} widgets, {len(graphs) - len(empty)} of {len(graphs)} graphs have data{said}"

    def write(self, path: Path) -> None:
        """Writes it to a file."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(asdict(self), indent=1) + "\n", encoding="utf-8")


def read(path: Path) -> Kept:
    """Reads what was kept."""
    found = json.loads(path.read_text(encoding="utf-8"))
    shown = {int(number): [_shown(each) for each in listed] for number, listed in found["shown"].items()}
    return Kept(**{**found, "shown": shown, "alarms": {arn: Alarm(**each) for arn, each in found["alarms"].items()}})


def _shown(found: Mapping[str, Any]) -> Shown:
    row = {**found["row"], "dimensions": tuple((name, value) for name, value in found["row"]["dimensions"])}
    return Shown(Row(**row), [Line(**line) for line in found["lines"]], found["why_empty"])


def keep(client: Client, dashboard: str, solution: str, variant: str) -> Kept:
    """Reads a dashboard and its metrics, as far back as it looks by itself.

    Raises:
        DashboardError: its widgets overlap, or it is otherwise not one to be shown.
        ClientError: as of GetDashboard and the others.
    """
    body = json.loads(client("cloudwatch", "").get_dashboard(DashboardName=dashboard)["DashboardBody"])
    now = datetime.datetime.now(datetime.UTC)
    found = _alarms(client, [arn for widget in widgets(body) for arn in alarms(widget)])
    of_widgets = {
        widget.number: rows(widget.properties) or [row for arn in alarms(widget) for row in _rows_of(found[arn])]
        for widget in widgets(body)
        if widget.type == "metric"
    }
    reader = _Reader(client, now - datetime.timedelta(seconds=seconds_shown(body)), now)
    reader.ask([row for of_widget in of_widgets.values() for row in of_widget if not row.expression])
    shown = {number: reader.shown(of_widget) for number, of_widget in of_widgets.items()}
    known = {arn: Alarm(_name(arn), a.get("StateValue", ""), a.get("Threshold")) for arn, a in found.items()}
    return Kept(dashboard, solution, variant, now.isoformat(timespec="seconds"), body, shown, known)


class _Reader:
    """Reads the metrics of one dashboard, each once."""

    def __init__(self, client: Client, start: datetime.datetime, end: datetime.datetime) -> None:
        self._client, self._start, self._end = client, start, end
        self._data: dict[tuple[Any, ...], dict[float, float]] = {}
        self._refused: dict[tuple[Any, ...], str] = {}

    def ask(self, wanted: Sequence[Row]) -> None:
        """Asks for metrics, MAX_QUERIES in a call."""
        by_region: dict[str, dict[tuple[Any, ...], Row]] = defaultdict(dict)
        for row in wanted:
            if why := self._refusal(row):
                self._refused[_key(row)] = why
            else:
                by_region[row.region][_key(row)] = row
        for region, metrics in by_region.items():
            everything = list(metrics.items())
            for begin in range(0, len(everything), MAX_QUERIES):
                self._ask(self._client("cloudwatch", region), everything[begin : begin + MAX_QUERIES])

    def _refusal(self, row: Row) -> str:
        """Why the embedded AWS would answer with other data than CloudWatch; an empty string if it does not."""
        if row.stat not in STATISTICS and not re.fullmatch(r"p\d+(\.\d+)?", row.stat):
            return f"the embedded AWS does not compute the statistic {row.stat}"
        if not row.dimensions:
            # It answers for a metric without dimensions with the datapoints of every metric of that name.
            pages = self._client("cloudwatch", row.region).get_paginator("list_metrics")
            listed = pages.paginate(Namespace=row.namespace, MetricName=row.metric)
            if any(metric["Dimensions"] for page in listed for metric in page["Metrics"]):
                return "the embedded AWS does not tell a metric without dimensions from those with them"
        return ""

    def _ask(self, cloudwatch: Any, metrics: Sequence[tuple[tuple[Any, ...], Row]]) -> None:
        queries = [
            {
                "Id": f"m{number}",
                "MetricStat": {
                    "Metric": {
                        "Namespace": row.namespace,
                        "MetricName": row.metric,
                        "Dimensions": [{"Name": name, "Value": value} for name, value in row.dimensions],
                    },
                    "Period": row.period,
                    "Stat": row.stat,
                },
            }
            for number, (_, row) in enumerate(metrics)
        ]
        pages = cloudwatch.get_paginator("get_metric_data").paginate(
            MetricDataQueries=queries, StartTime=self._start, EndTime=self._end
        )
        for page in pages:
            for result in page["MetricDataResults"]:
                key, _ = metrics[int(result["Id"][1:])]
                data = self._data.setdefault(key, {})
                for time, value in zip(result["Timestamps"], result["Values"], strict=True):
                    data[time.timestamp()] = float(value)

    def shown(self, of_widget: Sequence[Row]) -> list[Shown]:
        """The rows of one widget with their data; what is needed first is computed first."""
        found: dict[int, tuple[dict[float, float], str]] = {}
        ids = {row.id: number for number, row in enumerate(of_widget) if row.id}
        for number, row in enumerate(of_widget):
            if not row.expression:
                found[number] = (self._data.get(_key(row), {}), self._refused.get(_key(row), NO_DATAPOINTS))
        to_do = {number: row for number, row in enumerate(of_widget) if row.expression}
        while to_do:
            ready = {n: row for n, row in to_do.items() if not _names(row.expression, ids) & (to_do.keys() - {n})}
            for number, row in (ready or to_do).items():
                found[number] = self._computed(row, {name: found[n] for name, n in ids.items() if n in found})
                del to_do[number]
        return [
            Shown(row, [Line(label, list(times), list(times.values()))] if times else [], "" if times else why)
            for row, label, (times, why) in (
                (row, label, (dict(sorted(found[number][0].items())), found[number][1]))
                for number, (row, label) in enumerate(zip(of_widget, labels(of_widget), strict=True))
            )
        ]

    def _computed(
        self, row: Row, known: Mapping[str, tuple[Mapping[float, float], str]]
    ) -> tuple[dict[float, float], str]:
        if re.search(r"\bSEARCH\s*\(", row.expression):
            return {}, NO_SEARCH
        if re.match(r"\s*SELECT\b", row.expression):
            return {}, NO_INSIGHTS
        used = {name: known[name] for name in known if re.search(rf"\b{re.escape(name)}\b", row.expression)}
        if used and not any(data for data, _ in used.values()):
            return {}, "; ".join(dict.fromkeys(why for _, why in used.values()))
        times = sorted({time for data, _ in used.values() for time in data})
        if "FILL" in row.expression and times:
            times = _every(row.period, times[0], self._end.timestamp())
        computed: dict[float, float] = {}
        before: dict[str, float | None] = {}
        try:
            for time in times:
                now = {name: data.get(time) for name, (data, _) in used.items()}
                value = evaluate(row.expression, now, before)
                before.update({name: given for name, given in now.items() if given is not None})
                if value is not None:
                    computed[time] = value
        except MetricMathError as error:
            return {}, f"metric math that is {error}" if "not modelled" in str(error) else str(error)
        return computed, NO_DATAPOINTS


def _key(row: Row) -> tuple[Any, ...]:
    return row.region, row.namespace, row.metric, row.dimensions, row.stat, row.period


def _names(expression: str, ids: Mapping[str, int]) -> set[int]:
    return {number for name, number in ids.items() if re.search(rf"\b{re.escape(name)}\b", expression)}


def _every(period: int, first: float, last: float) -> list[float]:
    return [first + period * count for count in range(int((last - first) // period) + 1)]


def _name(arn: str) -> str:
    return arn.split(":alarm:", 1)[-1]


def _alarms(client: Client, arns: Sequence[str]) -> dict[str, Mapping[str, Any]]:
    """What DescribeAlarms says of alarms, by their ARNs; nothing of those that it does not know."""
    found: dict[str, Mapping[str, Any]] = {arn: {} for arn in arns}
    for begin in range(0, len(arns), MAX_ALARM_NAMES):
        names = [_name(arn) for arn in arns[begin : begin + MAX_ALARM_NAMES]]
        pages = client("cloudwatch", "").get_paginator("describe_alarms")
        for page in pages.paginate(AlarmNames=names, AlarmTypes=["MetricAlarm", "CompositeAlarm"]):
            for alarm in [*page.get("MetricAlarms", []), *page.get("CompositeAlarms", [])]:
                found[alarm["AlarmArn"]] = alarm
    return found


def _rows_of(alarm: Mapping[str, Any]) -> list[Row]:
    """The metric that an alarm watches, for the widget that shows the alarm alone."""
    if "MetricName" not in alarm:
        return []
    return [
        Row(
            namespace=alarm["Namespace"],
            metric=alarm["MetricName"],
            dimensions=tuple((item["Name"], item["Value"]) for item in alarm.get("Dimensions", [])),
            stat=alarm.get("Statistic") or alarm.get("ExtendedStatistic") or "Average",
            period=int(alarm.get("Period", 60)),
        )
    ]
