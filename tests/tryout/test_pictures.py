"""Dashboards are kept with their metrics, and drawn as their bodies say."""

import datetime
import inspect
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from emulator.client import EmbeddedAws
from stacks.series import SOLUTIONS
from tests.variants import ROOT
from tryout.dashboards.body import DashboardError, Row, Widget, rows, seconds_shown, widgets
from tryout.dashboards.kept import Alarm, Kept, keep, read
from tryout.dashboards.labels import filled_in, found_labels, labels
from tryout.dashboards.reader import MAX_QUERIES, NONE_FOUND, Line, Shown
from tryout.pictures import __main__ as command
from tryout.pictures.charts import number
from tryout.pictures.drawing import draw, drawn, place
from tryout.pictures.markdown import parse
from tryout.pictures.page import Page
from tryout.pictures.window import Window
from tryout.scenario import scenario_of

MINUTE = 60.0
NOON = 1_800_014_400.0  # 2027-01-15 12:00 UTC
CPU = ["AWS/EC2", "CPUUtilization", "InstanceId", "i-1"]


def graph(*metrics: Any, x: int = 0, y: int = 0, width: int = 12, height: int = 6, **properties: Any) -> dict[str, Any]:
    return {
        "type": "metric",
        "x": x,
        "y": y,
        "width": width,
        "height": height,
        "properties": {"metrics": list(metrics), "region": "us-east-1", **properties},
    }


def kept_with(
    *given: dict[str, Any], values: tuple[float, ...] = (1, 2, 4), alarms: dict[str, Alarm] | None = None
) -> Kept:
    """A dashboard each metric of which has these values, minute by minute from noon."""
    times = [NOON + MINUTE * minute for minute in range(len(values))]
    body = {"widgets": list(given)}
    shown = {}
    for widget in widgets(body):
        if widget.type == "metric":
            own = rows(widget.properties)
            shown[widget.number] = [
                Shown(row, [Line(label, list(times), list(values))])
                for row, label in zip(own, labels(own), strict=True)
            ]
    return Kept("Board", "any", "default", "2027-01-15T12:30:00+00:00", body, shown, alarms or {})


def words(page: Page) -> list[str]:
    """Every text of a picture."""
    texts = [*page.figure.texts, *(text for axes in page.figure.axes for text in axes.texts)]
    return [str(text.get_text()) for text in texts]


def said(page: Page) -> str:
    return " ".join(words(page))


# The body


@pytest.mark.parametrize(
    ("metrics", "written_out"),
    [
        ([CPU, [".", "NetworkIn", ".", "."]], [CPU, ["AWS/EC2", "NetworkIn", "InstanceId", "i-1"]]),
        ([CPU, ["...", "i-2"]], [CPU, [*CPU[:3], "i-2"]]),
        ([CPU, ["...", "i-2"], ["...", "i-3"]], [CPU, [*CPU[:3], "i-2"], [*CPU[:3], "i-3"]]),
        ([CPU, ["...", "i-2", {"label": "the other"}]], [CPU, [*CPU[:3], "i-2"]]),
        (
            [
                ["AWS/S3", "BucketSizeBytes", "StorageType", "StandardStorage", "BucketName", "b"],
                ["...", "GlacierStorage", ".", "."],
            ],
            [
                ["AWS/S3", "BucketSizeBytes", "StorageType", "StandardStorage", "BucketName", "b"],
                ["AWS/S3", "BucketSizeBytes", "StorageType", "GlacierStorage", "BucketName", "b"],
            ],
        ),
        ([CPU, [{"expression": "SUM(METRICS())"}], ["...", "i-2"]], [CPU, [], [*CPU[:3], "i-2"]]),
    ],
)
def test_dots_stand_for_what_the_metric_before_has(metrics: list[Any], written_out: list[list[str]]) -> None:
    found = [
        [row.namespace, row.metric, *(part for pair in row.dimensions for part in pair)] if row.metric else []
        for row in rows({"metrics": metrics})
    ]
    assert found == written_out


@pytest.mark.parametrize("metrics", [[[".", "NetworkIn"]], [["AWS/EC2"]], [[*CPU, "ImageId"]], [[{"label": "none"}]]])
def test_what_is_not_a_metric_is_refused(metrics: list[Any]) -> None:
    with pytest.raises(DashboardError):
        rows({"metrics": metrics})


def test_a_metric_has_the_settings_of_its_widget_unless_it_has_its_own() -> None:
    own = {"period": 60, "stat": "p99", "yAxis": "right", "visible": False, "color": "#123456", "id": "m1"}
    plain, special = rows({"metrics": [CPU, ["...", "i-2", own]], "period": 900, "stat": "Sum", "region": "eu-west-1"})
    assert (plain.period, plain.stat, plain.region, plain.right, plain.visible) == (
        900,
        "Sum",
        "eu-west-1",
        False,
        True,
    )
    assert (special.period, special.stat, special.right, special.visible) == (60, "p99", True, False)
    assert (special.color, special.id) == ("#123456", "m1")


def test_the_legend_says_what_differs() -> None:
    assert labels(rows({"metrics": [CPU]})) == ["CPUUtilization"]
    assert labels(rows({"metrics": [CPU, ["...", "i-2"]]})) == ["i-1", "i-2"]
    assert labels(rows({"metrics": [CPU, [".", "NetworkIn", ".", "."]]})) == ["CPUUtilization", "NetworkIn"]
    assert labels(rows({"metrics": [[*CPU, {"label": "Mine"}], [{"expression": "m1 * 2", "id": "e1"}]]})) == [
        "Mine",
        "e1",
    ]


def test_searches_name_what_they_find_and_labels_fill_themselves_in() -> None:
    found = [Row("Own", "Score", (("Region", "one"), ("Zone", zone))) for zone in ("a", "b")]
    assert found_labels("", found) == ["a", "b"]
    assert found_labels("Zone", found) == ["Zone a", "Zone b"]
    assert found_labels("${PROP('Dim.Region')}", found) == ["${PROP('Dim.Region')}"] * 2
    label = "${PROP('Dim.Region')} ${PROP('Dim.Zone')} ${PROP('MetricName')} max ${MAX} last ${LAST} ${EXPECTED}"
    assert filled_in(label, found[0], [1, 9, 4]) == "one a Score max 9 last 4 ${EXPECTED}"


def test_widgets_without_a_place_get_the_next() -> None:
    text = {"type": "text", "properties": {"markdown": "x"}}
    found = widgets({"widgets": [{**text, "width": 18}, text, {**text, "width": 24, "height": 2}, text]})
    assert [(w.x, w.y, w.width, w.height) for w in found] == [(0, 0, 18, 6), (18, 0, 6, 6), (0, 6, 24, 2), (0, 8, 6, 6)]


@pytest.mark.parametrize(
    ("second", "message"),
    [
        (graph(CPU, x=11, title="Right"), r"widget 2 \(Right\) overlaps widget 1 \(Left\)"),
        (graph(CPU, y=5, title="Below"), r"widget 2 \(Below\) overlaps widget 1 \(Left\)"),
        (graph(CPU, x=13, title="Wide"), r"widget 2 \(Wide\) ends at column 25 of 24"),
        (graph(CPU, x=12, height=0), "height at 1"),
        (graph(CPU, x=-1, y=6), "begin at 0"),
    ],
)
def test_widgets_that_overlap_or_leave_the_grid_are_refused(second: dict[str, Any], message: str) -> None:
    with pytest.raises(DashboardError, match=message):
        widgets({"widgets": [graph(CPU, title="Left"), second]})


@pytest.mark.parametrize(
    ("start", "seconds"),
    [(None, 3 * 3600), ("-PT6H", 6 * 3600), ("-P7D", 7 * 86400), ("-P2W", 14 * 86400), ("-P1DT30M", 86400 + 1800)],
)
def test_a_dashboard_looks_back_as_far_as_it_says(start: str | None, seconds: int) -> None:
    assert seconds_shown({"start": start} if start else {}) == seconds


@pytest.mark.parametrize("start", ["2027-01-15T12:00:00Z", "-P", "PT3H", "-PT0H"])
def test_a_dashboard_that_begins_at_a_fixed_time_is_refused(start: str) -> None:
    with pytest.raises(DashboardError, match="-PT6H"):
        seconds_shown({"start": start})


# What is kept


class FakeCloudWatch:
    """Answers each metric with two pages of one datapoint, and remembers what it was asked."""

    def __init__(self, body: dict[str, Any]) -> None:
        self._body = body
        self.sizes: list[int] = []

    def get_dashboard(self, **_: str) -> dict[str, str]:
        return {"DashboardBody": json.dumps(self._body)}

    def get_paginator(self, _: str) -> "FakeCloudWatch":
        return self

    def paginate(self, **asked: Any) -> Iterator[dict[str, Any]]:
        queries = asked["MetricDataQueries"]
        self.sizes.append(len(queries))
        noon = datetime.datetime.fromtimestamp(NOON, datetime.UTC)
        for minute in (1, 0):
            time = noon + datetime.timedelta(minutes=minute)
            yield {
                "MetricDataResults": [
                    {
                        "Id": query["Id"],
                        "Timestamps": [time],
                        "Values": [float(query["MetricStat"]["Metric"]["Dimensions"][0]["Value"]) + minute],
                    }
                    for query in queries
                ]
            }


def test_metrics_are_asked_for_once_and_500_at_a_time_and_pages_are_joined() -> None:
    many = [["Own", "Load", "Number", str(index)] for index in range(MAX_QUERIES + 1)]
    fake = FakeCloudWatch({"widgets": [graph(*many), graph(many[0], x=12)]})
    kept = keep(lambda _service, _region, _account: fake, "Board", "any", "default")
    assert fake.sizes == [MAX_QUERIES, 1]
    assert len(kept.shown[0]) == MAX_QUERIES + 1
    (line,) = kept.shown[0][-1].lines
    assert (line.times, line.values) == ([NOON, NOON + MINUTE], [float(MAX_QUERIES), MAX_QUERIES + 1.0])
    assert kept.shown[1][0].lines[0].values == [0, 1]


@pytest.fixture
def published(aws: EmbeddedAws) -> EmbeddedAws:
    """Two metrics, two datapoints each, in the last minutes."""
    now = datetime.datetime.now(datetime.UTC).replace(second=0, microsecond=0)
    for minutes, one, other in ((3, 4.0, 1.0), (2, 6.0, None), (1, 8.0, 3.0)):
        data = [
            {"MetricName": name, "Value": value, "Timestamp": now - datetime.timedelta(minutes=minutes)}
            for name, value in (("One", one), ("Other", other))
            if value is not None
        ]
        own = [{**each, "Dimensions": [{"Name": "Of", "Value": "it"}]} for each in data]
        aws.client("cloudwatch").put_metric_data(Namespace="Own", MetricData=own)
    return aws


def kept_by(aws: EmbeddedAws, *given: dict[str, Any]) -> Kept:
    aws.client("cloudwatch").put_dashboard(DashboardName="Board", DashboardBody=json.dumps({"widgets": list(given)}))

    def client(service: str, _region: str, account: str) -> Any:
        return aws.client(service, **({"aws_access_key_id": account} if account else {}))

    return keep(client, "Board", "any", "default")


def values(kept: Kept, widget: int = 0) -> list[list[float]]:
    return [line.values for shown in kept.shown[widget] if shown.row.visible for line in shown.lines]


ONE = ["Own", "One", "Of", "it", {"id": "one"}]
OTHER = ["Own", "Other", "Of", "it", {"id": "other", "visible": False}]


def test_metrics_and_their_math_are_kept(published: EmbeddedAws) -> None:
    expressions = ["one - other", "FILL(other, REPEAT)", "twice + 1"]
    math = [[{"expression": each}] for each in expressions] + [[{"expression": "one * 2", "id": "twice"}]]
    kept = kept_by(published, graph(ONE, OTHER, *math, period=60, stat="Average"))
    plain, difference, filled, later, twice = values(kept)
    assert plain == [4, 6, 8]
    assert difference == [3, 6, 5], "a datapoint that is missing beside another counts as 0"
    assert filled[:3] == [1, 1, 3] and set(filled[3:]) <= {3}
    assert (twice, later) == ([8, 12, 16], [9, 13, 17])


BOTH = "SEARCH('{Own,Of} Of=\"it\"', 'Average', 60)"


@pytest.mark.parametrize(
    ("expression", "found"),
    [
        (BOTH, [[4, 6, 8], [1, 3]]),
        ("SEARCH('{Own,Of} MetricName=\"Other\"', 'Average', 60)", [[1, 3]]),
        (f"SUM({BOTH})", [[5, 6, 11]]),
        (f"100 * MIN({BOTH}) / MAX({BOTH})", [[25, 100, 37.5]]),
        ("SUM(METRICS())", [[5, 6, 11]]),
        ("AVG([one, other])", [[2.5, 6, 5.5]]),
        ("MAX(all) + 1", [[5, 7, 9]]),
    ],
)
def test_searches_and_what_sums_them_up_are_answered(
    published: EmbeddedAws, expression: str, found: list[list[float]]
) -> None:
    hidden = [[*row[:4], {"id": row[4]["id"], "visible": False}] for row in (ONE, OTHER)]  # type: ignore[index]
    both = [{"expression": BOTH, "id": "all", "visible": False}]
    kept = kept_by(published, graph([{"expression": expression, "label": ""}], *hidden, both, period=60))
    assert values(kept) == found


@pytest.mark.parametrize(
    ("expression", "why"),
    [
        ("SEARCH('{Own,Of} One', 'Sum', 60)", "not modelled here: 'One' of a SEARCH"),
        ("SEARCH('{Own,Of} MetricName=\"Nothing\"', 'Sum', 60)", "its search finds no metric with datapoints"),
        (f"{BOTH} * 2", "it needs metric math that is not modelled here: SEARCH("),
        ("SELECT AVG(One) FROM Own LIMIT 1", "not modelled here: SELECT AVG(One) FROM Own LIMIT 1"),
        ("SELECT AVG(Nothing) FROM Own", "its search finds no metric with datapoints"),
        ("SUM(one)", "it needs metric math that is not modelled here: 'SUM(one)'"),
        ("ANOMALY_DETECTION_BAND(one)", "metric math that is not modelled here: 'ANOMALY_DETECTION_BAND(one)'"),
    ],
)
def test_what_nobody_can_answer_is_said(published: EmbeddedAws, expression: str, why: str) -> None:
    hidden = [*ONE[:4], {"id": "one", "visible": False}]
    kept = kept_by(published, graph([{"expression": expression, "label": "Asked"}], hidden, title="Cannot", period=60))
    (widget,) = kept.widgets
    assert why in kept.why_empty(widget)
    assert f"drawn empty: {kept.why_empty(widget)}" in re.sub(r"\s+", " ", said(drawn(kept)))
    assert kept.summary.startswith("1 widgets, 0 of 1 graphs have data; empty: Cannot (")


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("SELECT AVG(One) FROM SCHEMA(Own, Of)", {"asked": [5, 6, 8]}),
        ('select sum(One) from "Own"', {"asked": [10, 6, 8]}),
        ("SELECT COUNT(One) FROM Own", {"asked": [2, 1, 1]}),
        ("SELECT MIN(One) FROM Own", {"asked": [4, 6, 8]}),
        ("SELECT AVG(One) FROM SCHEMA(Own, Of) GROUP BY Of", {"it": [4, 6, 8], "that": [6]}),
        ("SELECT MAX(One) FROM Own GROUP BY Of", {"it": [4, 6, 8], "that": [6]}),
    ],
)
def test_queries_of_metrics_insights_are_answered(
    published: EmbeddedAws, query: str, found: dict[str, list[float]]
) -> None:
    (first, *_) = kept_by(published, graph(ONE, period=60)).shown[0][0].lines[0].times
    at = datetime.datetime.fromtimestamp(first, datetime.UTC)
    that = {"MetricName": "One", "Value": 6.0, "Timestamp": at, "Dimensions": [{"Name": "Of", "Value": "that"}]}
    published.client("cloudwatch").put_metric_data(Namespace="Own", MetricData=[that])
    label = "" if "GROUP" in query else "asked"
    kept = kept_by(published, graph([{"expression": query, "label": label}], period=60))
    assert {line.label: line.values for line in kept.shown[0][0].lines} == found


def test_metrics_of_another_account_are_those_of_that_account(published: EmbeddedAws) -> None:
    other, now = "210987654321", datetime.datetime.now(datetime.UTC)
    there = {"MetricName": "One", "Value": 9.0, "Timestamp": now, "Dimensions": [{"Name": "Of", "Value": "it"}]}
    published.client("cloudwatch", aws_access_key_id=other).put_metric_data(Namespace="Own", MetricData=[there])
    search = f"SEARCH('{{Own,Of}} MetricName=\"One\" :aws.AccountId=\"{other}\"', 'Average', 60)"
    kept = kept_by(
        published,
        graph([*ONE[:4], {"accountId": other}], period=60),
        graph([{"expression": search}], x=12),
        graph(ONE, y=6, period=60),
    )
    assert [values(kept, widget) for widget in range(3)] == [[[9]], [[9]], [[4, 6, 8]]]


def test_a_widget_with_a_start_of_its_own_shows_another_time(published: EmbeddedAws) -> None:
    now = datetime.datetime.now(datetime.UTC)
    days = [now - datetime.timedelta(days=ago) for ago in (3, 2, 1)]
    old = [{"MetricName": "Old", "Value": 7.0, "Timestamp": day} for day in days]
    published.client("cloudwatch").put_metric_data(Namespace="Own", MetricData=old)
    kept = kept_by(
        published, graph(ONE, period=60), graph(["Own", "Old"], x=12, period=86_400, start="-P14D", title="Old")
    )
    recent, own = kept.widgets
    assert values(kept, 1) == [[7, 7, 7]]
    assert Window.of(kept, recent).end - Window.of(kept, recent).begin <= 3 * MINUTE
    assert Window.of(kept, own).end - Window.of(kept, own).begin == 2 * 86_400


def test_math_on_nothing_says_what_it_lacks(published: EmbeddedAws) -> None:
    search = [{"expression": "SELECT AVG(One) FROM SCHEMA(Own)", "id": "found", "visible": False}]
    silent = ["Own", "Silent", "Of", "it", {"id": "silent", "visible": False}]
    kept = kept_by(
        published,
        graph(search, [{"expression": "found * 2"}]),
        graph(silent, [{"expression": "silent * 2"}], x=12),
    )
    first, second = kept.widgets
    assert kept.why_empty(first) == NONE_FOUND
    assert "no datapoints" in kept.why_empty(second)


def test_no_other_metrics_data_is_drawn(published: EmbeddedAws) -> None:
    kept = kept_by(published, graph(["Own", "One"], period=60), graph([*ONE[:4], {"stat": "tm90"}], x=12))
    without, trimmed = kept.widgets
    assert "no datapoints" in kept.why_empty(without), "a metric without dimensions is another one"
    assert "tm90" in kept.why_empty(trimmed)


def test_alarms_are_kept_with_their_states(published: EmbeddedAws) -> None:
    cloudwatch = published.client("cloudwatch")
    cloudwatch.put_metric_alarm(
        AlarmName="TooMuch",
        Namespace="Own",
        MetricName="One",
        Dimensions=[{"Name": "Of", "Value": "it"}],
        Period=60,
        EvaluationPeriods=1,
        Statistic="Average",
        Threshold=7,
        ComparisonOperator="GreaterThanThreshold",
    )
    cloudwatch.set_alarm_state(AlarmName="TooMuch", StateValue="ALARM", StateReason="tried")
    (arn,) = [alarm["AlarmArn"] for alarm in cloudwatch.describe_alarms()["MetricAlarms"]]
    gone = arn.replace("TooMuch", "Gone")
    state = {"type": "alarm", "x": 0, "y": 0, "width": 12, "height": 3, "properties": {"alarms": [arn, gone]}}
    of_alarm = {
        "type": "metric",
        "x": 12,
        "y": 0,
        "properties": {"region": "us-east-1", "annotations": {"alarms": [arn]}, "title": "It"},
    }
    kept = kept_by(published, state, of_alarm)
    assert (kept.alarms[arn], kept.alarms[gone]) == (Alarm("TooMuch", "ALARM", 7), Alarm("Gone"))
    assert values(kept, 1) == [[4, 6, 8]]
    texts = words(drawn(kept))
    assert {"TooMuch", "Alarm", "Gone", "state not known here", "TooMuch (ALARM)"} <= set(texts)


def test_what_was_kept_is_read_as_it_was(published: EmbeddedAws, tmp_path: Path) -> None:
    kept = kept_by(published, graph(ONE, [{"expression": "one / 2", "label": "Half"}], period=60))
    kept.write(tmp_path / "folder" / "kept.json")
    assert read(tmp_path / "folder" / "kept.json") == kept


# The picture

BOARD = (
    {"type": "text", "x": 0, "y": 0, "width": 24, "height": 2, "properties": {"markdown": "# Title\nA **text**."}},
    graph(CPU, ["...", "i-2"], y=2, title="Lines"),
    graph(CPU, ["...", "i-2", {"yAxis": "right"}], x=12, y=2, title="Two axes"),
    graph(CPU, ["...", "i-2"], y=8, width=8, title="Areas", stacked=True),
    graph(CPU, ["...", "i-2"], x=8, y=8, width=8, title="Bars", view="bar"),
    graph(CPU, ["...", "i-2"], x=16, y=8, width=8, title="Slices", view="pie"),
    graph(CPU, y=14, width=6, title="Dial", view="gauge", yAxis={"left": {"min": 0, "max": 10}}),
    graph(CPU, x=6, y=14, width=6, height=3, title="Figure", view="singleValue", sparkline=True),
    graph(CPU, x=6, y=17, width=6, height=3, title="Table", view="table"),
    {"type": "explorer", "x": 12, "y": 14, "width": 6, "height": 6, "properties": {"title": "Found"}},
    {"type": "hologram", "x": 18, "y": 14, "width": 6, "height": 6, "properties": {"title": "Future"}},
)


@pytest.fixture(scope="module")
def board() -> Page:
    """The board, drawn once: tests only read it."""
    return drawn(kept_with(*BOARD))


def test_every_widget_is_drawn_once_in_its_place(board: Page) -> None:
    kept, page = kept_with(*BOARD), board
    titles = [widget.title for widget in kept.widgets if widget.title]
    assert sorted(word for word in words(page) if word in titles) == sorted(titles)
    for text in page.figure.texts:
        if text.get_text() in titles:
            (widget,) = [widget for widget in kept.widgets if widget.title == text.get_text()]
            assert within(page, widget, *text.get_position())
    axes = [each.get_position() for each in page.figure.axes]
    for widget in kept.widgets:
        inside = [
            each for each in axes if within(page, widget, each.x0, each.y0) and within(page, widget, each.x1, each.y1)
        ]
        expected = {"Two axes": 2, "Table": 0}.get(widget.title, 1) if widget.type == "metric" else 0
        assert len(inside) == expected, widget.name
        axes = [each for each in axes if each not in inside]
    assert not axes, "a graph is outside of every widget"


def within(page: Page, widget: Widget, x: float, y: float) -> bool:
    """Whether a point (from the bottom left, in parts of the picture) is within a widget."""
    box = place(widget)
    left, down = x * page.width, (1 - y) * page.height
    return box.x <= left <= box.x + box.width and box.y <= down <= box.y + box.height


def test_places_are_those_of_the_grid() -> None:
    left, right, below = widgets({"widgets": [graph(CPU), graph(CPU, x=12), graph(CPU, y=6, width=24)]})
    assert place(left).width == place(right).width == place(below).width / 2 - 4
    assert place(left).y == place(right).y and place(below).y - place(left).y == 6 * 50
    assert place(left).x + place(left).width + 8 == place(right).x


def test_what_this_repository_does_not_draw_is_said(board: Page) -> None:
    text = said(board)
    assert "hologram widget" in text and "does not know this type" in text
    assert "explorer widget" in text and "by tag" in text
    assert "the view 'tea leaves' is not drawn" in said(drawn(kept_with(graph(CPU, view="tea leaves"))))


def test_the_caption_says_what_drew_it_and_where_the_data_is_from(board: Page) -> None:
    text = said(board)
    assert "Drawn by this repository (make pictures)" in text and "not a screenshot" in text
    assert "the scenario of any left in the embedded AWS" in text
    assert "2027-01-15 12:00 to 12:05 UTC" in text


def test_an_empty_dashboard_says_so() -> None:
    assert "This dashboard has no widgets." in words(drawn(kept_with()))


def test_lines_have_the_colours_values_and_gaps_of_the_data() -> None:
    kept = kept_with(graph([*CPU, {"color": "#123456"}], ["...", "i-2"], period=60))
    kept.shown[0][1].lines[0].times[2] += 5 * MINUTE
    first, _, second, dots = drawn(kept).figure.axes[0].lines
    assert (first.get_color(), list(first.get_ydata())) == ("#123456", [1, 2, 4])
    assert second.get_color() == "#1f77b4", "the first of CloudWatch's own"
    assert [f"{value:g}" for value in second.get_ydata()] == ["1", "2", "nan", "4"]
    assert list(dots.get_ydata()) == [4], "a point without neighbours is a dot"


def test_annotations_and_limits_are_drawn() -> None:
    level = {"value": 50, "label": "too much", "color": "#ff0000", "fill": "above"}
    moment = {"value": "2027-01-15T12:01:00Z", "label": "deployed"}
    page = drawn(
        kept_with(graph(CPU, annotations={"horizontal": [level], "vertical": [moment]}, yAxis={"left": {"min": 0}}))
    )
    (axes,) = page.figure.axes
    bottom, top = axes.get_ylim()
    assert bottom == 0 and top > 50
    assert {"too much", "deployed"} <= set(words(page))
    assert any(list(line.get_xdata()) == [NOON + MINUTE, NOON + MINUTE] for line in axes.lines)


@pytest.mark.parametrize(
    ("properties", "shown"),
    [
        ({"view": "singleValue"}, "4"),
        ({"view": "singleValue", "setPeriodToTimeRange": True, "stat": "Sum"}, "7"),
        ({"view": "singleValue", "setPeriodToTimeRange": True, "stat": "Average"}, "2.33"),
        ({"view": "gauge", "yAxis": {"left": {"min": 0, "max": 5}}}, "4"),
        ({"view": "bar"}, "4"),
        ({"view": "pie"}, "4"),
        ({"view": "table"}, "2.33"),
    ],
)
def test_views_of_one_value_show_it(properties: dict[str, Any], shown: str) -> None:
    assert shown in words(drawn(kept_with(graph(CPU, **properties))))


def test_a_row_without_data_stays_in_the_legend() -> None:
    kept = kept_with(graph(CPU, ["...", "i-2", {"label": "Search"}], ["...", "i-3"]))
    kept.shown[0][1] = Shown(kept.shown[0][1].row, [], NONE_FOUND)
    assert f"Search ({NONE_FOUND})" in words(drawn(kept))


def test_long_legends_and_texts_end_with_how_much_is_left() -> None:
    many = [["Own", "Load", "Number", f"number {index}"] for index in range(60)]
    text = {"type": "text", "x": 12, "y": 0, "properties": {"markdown": "\n\n".join(f"line {n}" for n in range(60))}}
    found = said(drawn(kept_with(graph(*many), text)))
    assert re.search(r"… \d+ more", found) and re.search(r"… \d+ more lines: CloudWatch scrolls", found)


def test_the_same_data_gives_the_same_bytes_without_a_date(tmp_path: Path) -> None:
    pictures = [tmp_path / name for name in ("one.png", "two.png")]
    for picture in pictures:
        draw(kept_with(*BOARD), picture)
    assert pictures[0].read_bytes() == pictures[1].read_bytes()
    with Image.open(pictures[0]) as image:
        assert set(image.info) <= {"dpi"}
        assert image.size == (24 * 60 + 32, 20 * 50 + 96)


@pytest.mark.parametrize(
    ("markdown", "line"),
    [
        ("## A [link](https://x.y)", ("A link", True)),
        ("text with **bold** and `code`", ("text with bold and code", False)),
        ("* item", ("• item", False)),
        ("a_name_with *emphasis*", ("a_name_with emphasis", False)),
    ],
)
def test_marks_of_markdown_are_looks_or_nothing(markdown: str, line: tuple[str, bool]) -> None:
    (found,) = parse(markdown)
    assert (found.cells[0], found.bold) == line


def test_tables_have_cells_and_a_head() -> None:
    text = "| a | b |\n| --- | ---: |\n| 1 | **2** |\n\nnot a | table"
    head, first, prose = [line for line in parse(text) if any(line.cells)]
    assert (head.cells, head.bold) == (("a", "b"), True)
    assert (first.cells, first.bold) == (("1", "2"), False)
    assert prose.cells == ("not a | table",)


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (0.12345, "0.123"), (12.5, "12.5"), (123.4, "123"), (1500, "1.5K"), (2_000_000, "2M"), (-3e9, "-3G")],
)
def test_values_are_short(value: float, text: str) -> None:
    assert number(value) == text


def test_the_time_that_is_shown_is_that_of_the_data() -> None:
    window = Window.of(kept_with(graph(CPU, period=60), values=(1,) * 30))
    assert (window.begin, window.end) == (NOON, NOON + 29 * MINUTE)
    assert window.ticks(5)[1] == ["12:00", "12:10", "12:20"]
    assert Window.of(kept_with()).text == ""


# The command, and what is committed


def test_only_what_was_not_kept_is_tried() -> None:
    slug, variant = next((s.slug, v) for s in SOLUTIONS for v in scenario_of(s.slug).pictured)
    kept = Kept("Board", slug, variant, "2027-01-15T12:30:00+00:00", {"widgets": []}, {}, {})
    assert command.to_try([slug], {}, fresh=False) == [(slug, variant)]
    assert command.to_try([slug], {Path("kept.json"): kept}, fresh=False) == []
    assert command.to_try([slug], {Path("kept.json"): kept}, fresh=True) == [(slug, variant)]


@pytest.mark.parametrize("slug", [solution.slug for solution in SOLUTIONS])
def test_scenarios_that_keep_a_dashboard_say_so_and_have_a_picture(slug: str) -> None:
    source = Path(inspect.getfile(scenario_of(slug))).read_text(encoding="utf-8")
    scenario = scenario_of(slug)
    assert bool(scenario.pictured) == ("keep_dashboard(" in source)
    assert set(scenario.pictured) <= set(scenario.variants)
    pictures = [path for path in command.PICTURES.glob("*.png") if re.fullmatch(rf"{slug}(-.+)?", path.stem)]
    assert bool(pictures) == bool(scenario.pictured), "run 'make pictures'"
    readme = (ROOT / f"stacks/{slug}/README.md").read_text(encoding="utf-8")
    for picture in pictures:
        assert f"](../../{picture.relative_to(ROOT)})" in readme, "the solution's README shows it"
