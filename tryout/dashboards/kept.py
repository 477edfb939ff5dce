"""A dashboard that was kept: its body and what its metrics were, in one JSON file that outlives the stack.

It is read as a browser would: GetDashboard, GetMetricData, DescribeAlarms. What could not be answered has a reason
instead of data.
"""

import datetime
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tryout.dashboards.body import Row, Widget, alarms, rows, seconds_shown, widgets
from tryout.dashboards.reader import NO_DATAPOINTS, Client, Line, Reader, Shown

MAX_ALARM_NAMES = 100  # of one DescribeAlarms


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
    body = json.loads(client("cloudwatch", "", "").get_dashboard(DashboardName=dashboard)["DashboardBody"])
    now = datetime.datetime.now(datetime.UTC)
    found = _alarms(client, [arn for widget in widgets(body) for arn in alarms(widget)])
    of_widgets = {
        widget.number: rows(widget.properties) or [row for arn in alarms(widget) for row in _rows_of(found[arn])]
        for widget in widgets(body)
        if widget.type == "metric"
    }
    reader = Reader(client, now - datetime.timedelta(seconds=seconds_shown(body)), now)
    reader.ask([row for of_widget in of_widgets.values() for row in of_widget])
    shown = {number: reader.shown(of_widget) for number, of_widget in of_widgets.items()}
    known = {arn: Alarm(_name(arn), a.get("StateValue", ""), a.get("Threshold")) for arn, a in found.items()}
    return Kept(dashboard, solution, variant, now.isoformat(timespec="seconds"), body, shown, known)


def _name(arn: str) -> str:
    return arn.split(":alarm:", 1)[-1]


def _alarms(client: Client, arns: Sequence[str]) -> dict[str, Mapping[str, Any]]:
    """What DescribeAlarms says of alarms, by their ARNs; nothing of those that it does not know."""
    found: dict[str, Mapping[str, Any]] = {arn: {} for arn in arns}
    for begin in range(0, len(arns), MAX_ALARM_NAMES):
        names = [_name(arn) for arn in arns[begin : begin + MAX_ALARM_NAMES]]
        pages = client("cloudwatch", "", "").get_paginator("describe_alarms")
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
