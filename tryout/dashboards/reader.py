"""Reads the metrics of a dashboard, and computes what the embedded AWS leaves silently empty (our model).

``emulator.models.metric_math`` computes metric math, ``tryout.dashboards.metric_search`` SEARCH, and
``tryout.dashboards.insights`` queries of Metrics Insights, as far as they go. ``SUM``, ``AVG``, ``MIN`` and ``MAX``
over several series at each point in time are here:
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html.
"""

import datetime
import re
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from emulator.models.metric_math import MetricMathError, evaluate
from tryout.dashboards import insights
from tryout.dashboards.body import Row
from tryout.dashboards.labels import filled_in, found_labels, labels
from tryout.dashboards.metric_search import CALL, read

MAX_QUERIES = 500  # of one GetMetricData
STATISTICS = {"Average", "Sum", "Minimum", "Maximum", "SampleCount"}

NO_DATAPOINTS = "its metrics have no datapoints in this scenario"
NONE_FOUND = "its search finds no metric with datapoints in this scenario"

Client = Callable[[str, str, str], Any]
"""A boto3 client, by service, Region and account (empty: the default one)."""

Data = Mapping[float, float]
"""Value by seconds since the epoch, in ascending order."""

_CALL = re.compile(re.sub(r"\?P<\w+>", "?:", CALL))
_ACROSS: Mapping[str, Callable[[Sequence[float]], float]] = {
    "SUM": sum,
    "AVG": lambda values: sum(values) / len(values),
    "MIN": min,
    "MAX": max,
}
_OVER_SEVERAL = re.compile(rf"\b({'|'.join(_ACROSS)})\(\s*({_CALL.pattern}|METRICS\(\s*\)|\[[\w\s,]+\]|[a-z]\w*)\s*\)")


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
class _Answer:
    """The series of a row: one, or as many as a search has found."""

    series: Sequence[tuple[Row, Data]] = ()
    why_empty: str = NO_DATAPOINTS
    searched: bool = False


class Reader:
    """Reads the metrics of one dashboard, each once."""

    def __init__(self, client: Client, start: datetime.datetime, end: datetime.datetime) -> None:
        self._client, self._start, self._end = client, start, end
        self._data: dict[tuple[Any, ...], Data] = {}
        self._found: dict[tuple[Any, ...], list[Row]] = {}

    def ask(self, of_rows: Sequence[Row]) -> None:
        """Asks for all metrics that rows name or search for, MAX_QUERIES in a call."""
        by_place: dict[tuple[str, str, int], dict[tuple[Any, ...], Row]] = defaultdict(dict)
        for row in of_rows:
            for wanted in self._searched(row) if row.expression else [row]:
                if not _refusal(wanted):
                    by_place[wanted.region, wanted.account, wanted.seconds][_key(wanted)] = wanted
        for (region, account, seconds), metrics in by_place.items():
            start = self._end - datetime.timedelta(seconds=seconds) if seconds else self._start
            everything = list(metrics.items())
            for begin in range(0, len(everything), MAX_QUERIES):
                some = everything[begin : begin + MAX_QUERIES]
                self._ask(self._client("cloudwatch", region, account), some, start)

    def shown(self, of_widget: Sequence[Row]) -> list[Shown]:
        """The rows of one widget with their data; what is needed first is computed first."""
        answers: dict[int, _Answer] = {
            number: _Answer([(row, self._data.get(_key(row), {}))], _refusal(row) or NO_DATAPOINTS)
            for number, row in enumerate(of_widget)
            if not row.expression
        }
        ids = {row.id: number for number, row in enumerate(of_widget) if row.id}
        to_do = {number: row for number, row in enumerate(of_widget) if row.expression}
        while to_do:
            ready = {n: row for n, row in to_do.items() if not _names(row.expression, ids) & (to_do.keys() - {n})}
            for number, row in (ready or to_do).items():
                known = {name: answers[n] for name, n in ids.items() if n in answers}
                plain = [answers[n] for n, other in enumerate(of_widget) if not other.expression]
                answers[number] = self._computed(row, known, plain)
                del to_do[number]
        own = labels(of_widget)
        return [_shown(row, own[number], answers[number]) for number, row in enumerate(of_widget)]

    def _searched(self, row: Row) -> list[Row]:
        """The metrics of every search in an expression."""
        try:
            if insights.is_query(row.expression):
                return [found for series in self._queried(row) for found in series]
            return [found for call in _CALL.findall(row.expression) for found in self._find(row, call)]
        except MetricMathError:
            return []  # the row that asks says so

    def _find(self, row: Row, call: str) -> list[Row]:
        search = read(call)
        key = (row.region, row.account, call, row.period, row.seconds)
        if key not in self._found:
            of = replace(row, stat=search.stat, period=search.period or row.period)
            of = replace(of, account=search.account or row.account)
            self._found[key] = self._listed(of, search.namespace, search.finds)
        return self._found[key]

    def _queried(self, row: Row) -> list[list[Row]]:
        """The metrics that a query is about: each as many times as it has statistics to be asked for."""
        query = insights.read(row.expression)
        key = (row.region, row.account, row.expression, row.period, row.seconds)
        if key not in self._found:
            self._found[key] = self._listed(row, query.namespace, query.matches)
        return [[replace(each, stat=stat) for stat in query.statistics] for each in self._found[key]]

    def _listed(self, row: Row, namespace: str, finds: Callable[[str, Mapping[str, str]], bool]) -> list[Row]:
        """The metrics of a namespace that are found, with what else the row says."""
        client = self._client("cloudwatch", row.region, row.account)
        listed = [
            (metric["MetricName"], {item["Name"]: item["Value"] for item in metric["Dimensions"]})
            for page in client.get_paginator("list_metrics").paginate(Namespace=namespace)
            for metric in page["Metrics"]
        ]
        like = Row(stat=row.stat, period=row.period, region=row.region, account=row.account, seconds=row.seconds)
        found = [
            replace(like, namespace=namespace, metric=name, dimensions=tuple(own.items()))
            for name, own in listed
            if finds(name, own)
        ]
        return sorted(found, key=lambda each: (each.metric, each.dimensions))

    def _ask(self, cloudwatch: Any, metrics: Sequence[tuple[tuple[Any, ...], Row]], start: datetime.datetime) -> None:
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
            MetricDataQueries=queries, StartTime=start, EndTime=self._end
        )
        answered: dict[tuple[Any, ...], dict[float, float]] = defaultdict(dict)
        for page in pages:
            for result in page["MetricDataResults"]:
                key, _ = metrics[int(result["Id"][1:])]
                for time, value in zip(result["Timestamps"], result["Values"], strict=True):
                    answered[key][time.timestamp()] = float(value)
        self._data.update({key: dict(sorted(data.items())) for key, data in answered.items()})

    def _computed(self, row: Row, known: Mapping[str, _Answer], plain: Sequence[_Answer]) -> _Answer:
        try:
            if insights.is_query(row.expression):
                return self._selected(row)
            if _CALL.fullmatch(row.expression.strip()):
                return self._search(row, row.expression)
            expression, used = self._without_several(row, known, plain)
            if missing := [answer for answer in used.values() if answer.searched]:
                if missing[0].series:
                    raise MetricMathError(f"not modelled here: {row.expression}")
                return _Answer(why_empty=missing[0].why_empty)
            if used and not any(data for answer in used.values() for _, data in answer.series):
                return _Answer(why_empty="; ".join(dict.fromkeys(answer.why_empty for answer in used.values())))
            return _Answer([(row, self._evaluated(expression, row, used))])
        except MetricMathError as error:
            return _Answer(why_empty=f"it needs metric math that is {error}")

    def _selected(self, row: Row) -> _Answer:
        """The series of a query, named by the values that they are grouped by."""
        query = insights.read(row.expression)
        found = [
            (dict(each[0].dimensions), [self._data.get(_key(one), {}) for one in each]) for each in self._queried(row)
        ]
        series = [
            (Row(query.namespace, query.metric, tuple(zip(query.by, values, strict=True)), period=row.period), data)
            for values, data in query.series(found).items()
            if data
        ]
        if query.by:
            return _Answer(series, NONE_FOUND, searched=True)
        return _Answer([(row, data) for _, data in series], NONE_FOUND)

    def _search(self, row: Row, call: str) -> _Answer:
        found = self._find(row, call)
        refusals = [refusal for each in found if (refusal := _refusal(each))]
        series = [(each, data) for each in found if (data := self._data.get(_key(each), {}))]
        why = refusals[0] if refusals else NONE_FOUND
        return _Answer(series, why, searched=True)

    def _without_several(
        self, row: Row, known: Mapping[str, _Answer], plain: Sequence[_Answer]
    ) -> tuple[str, dict[str, _Answer]]:
        """An expression of single series: those that sum up several stand under names of their own."""
        made: dict[str, _Answer] = {}

        def replaced(match: re.Match[str]) -> str:
            across, operand = _ACROSS[match[1]], match[2]
            if operand.startswith("SEARCH"):
                several: Sequence[_Answer] = [self._search(row, operand)]
            elif operand.startswith("METRICS"):
                several = plain
            elif operand.startswith("["):
                several = [known[name.strip()] for name in operand[1:-1].split(",") if name.strip() in known]
            elif operand in known and known[operand].searched:
                several = [known[operand]]
            else:
                return match[0]  # of one series it is a number over time, which is not modelled
            points: dict[float, list[float]] = defaultdict(list)
            for answer in several:
                for _, data in answer.series:
                    for time, value in data.items():
                        points[time].append(value)
            why = several[0].why_empty if several else NO_DATAPOINTS
            name = f"several{len(made)}"
            made[name] = _Answer([(row, {time: across(points[time]) for time in sorted(points)})], why)
            return name

        expression = _OVER_SEVERAL.sub(replaced, row.expression)
        if "SEARCH(" in expression:
            raise MetricMathError(f"not modelled here: {row.expression}")
        named = {name: known[name] for name in known if re.search(rf"\b{re.escape(name)}\b", expression)}
        return expression, {**named, **made}

    def _evaluated(self, expression: str, row: Row, used: Mapping[str, _Answer]) -> Data:
        series = {name: dict(answer.series[0][1]) if answer.series else {} for name, answer in used.items()}
        times = sorted({time for data in series.values() for time in data})
        if "FILL" in expression and times:
            last = self._end.timestamp()
            times = [times[0] + row.period * count for count in range(int((last - times[0]) // row.period) + 1)]
        computed: dict[float, float] = {}
        before: dict[str, float | None] = {}
        for time in times:
            now = {name: data.get(time) for name, data in series.items()}
            value = evaluate(expression, now, before)
            before.update({name: given for name, given in now.items() if given is not None})
            if value is not None:
                computed[time] = value
        return computed


def _shown(row: Row, label: str, answer: _Answer) -> Shown:
    with_data = [(each, data) for each, data in answer.series if data]
    names = found_labels(row.label, [each for each, _ in with_data]) if answer.searched else [label] * len(with_data)
    lines = [
        Line(filled_in(name, each, list(data.values())), list(data), list(data.values()))
        for name, (each, data) in zip(names, with_data, strict=True)
    ]
    return Shown(row, lines, "" if lines else answer.why_empty)


def _refusal(row: Row) -> str:
    """Why the embedded AWS would answer with other data than CloudWatch; an empty string if it does not."""
    if row.stat in STATISTICS or re.fullmatch(r"p\d+(\.\d+)?", row.stat):
        return ""
    return f"the embedded AWS does not compute the statistic {row.stat}"


def _key(row: Row) -> tuple[Any, ...]:
    where = row.region, row.account, row.seconds
    return *where, row.namespace, row.metric, row.dimensions, row.stat, row.period


def _names(expression: str, ids: Mapping[str, int]) -> set[int]:
    return {number for name, number in ids.items() if re.search(rf"\b{re.escape(name)}\b", expression)}
