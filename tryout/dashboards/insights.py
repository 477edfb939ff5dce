"""Queries of Metrics Insights (our model). No AWS in here.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch-metrics-insights-querylanguage.html, as far as
``SELECT FUNCTION(metric) FROM "namespace" | SCHEMA("namespace", label, …) [GROUP BY label, …]`` goes. A schema matches
only metrics that have exactly its dimensions; the function is one over all observations of a period, whosever they are:
an average is not the average of averages. WHERE, ORDER BY and LIMIT are not modelled.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from emulator.models.metric_math import MetricMathError

Data = Mapping[float, float]
"""Value by seconds since the epoch, in ascending order."""

_NAME = r'(?:"[^"]+"|[\w./#-]+)'
_NAMES = rf"{_NAME}(?:\s*,\s*{_NAME})*"
_QUERY = re.compile(
    rf"\s*SELECT\s+(?P<function>AVG|COUNT|MAX|MIN|SUM)\(\s*(?P<metric>{_NAME})\s*\)"
    rf"\s+FROM\s+(?:SCHEMA\(\s*(?P<schema>{_NAMES})\s*\)|(?P<namespace>{_NAME}))"
    rf"(?:\s+GROUP\s+BY\s+(?P<by>{_NAMES}))?\s*",
    re.IGNORECASE,
)
_STATISTICS: Mapping[str, tuple[str, ...]] = {
    "AVG": ("Sum", "SampleCount"),
    "COUNT": ("SampleCount",),
    "MAX": ("Maximum",),
    "MIN": ("Minimum",),
    "SUM": ("Sum",),
}
_TOGETHER: Mapping[str, Callable[[Iterable[float]], float]] = {"Maximum": max, "Minimum": min}


@dataclass(frozen=True)
class Query:
    """A query that was read.

    Attributes:
        dimensions: exactly those of a metric that it matches; None: any.
        by: dimensions whose values make a series each.
    """

    function: str
    metric: str
    namespace: str
    dimensions: frozenset[str] | None
    by: tuple[str, ...]

    @property
    def statistics(self) -> tuple[str, ...]:
        """Of each metric, from which the function of all is computed."""
        return _STATISTICS[self.function]

    def matches(self, metric: str, dimensions: Mapping[str, str]) -> bool:
        """Whether a metric of its namespace is one of those that it is about."""
        exactly = self.dimensions is None or self.dimensions == set(dimensions)
        return metric == self.metric and exactly and set(self.by) <= set(dimensions)

    def series(self, found: Sequence[tuple[Mapping[str, str], Sequence[Data]]]) -> dict[tuple[str, ...], Data]:
        """The values of each group by the values of its labels, from dimensions and statistics of each metric."""
        groups: dict[tuple[str, ...], list[Sequence[Data]]] = defaultdict(list)
        for dimensions, data in found:
            groups[tuple(dimensions[label] for label in self.by)].append(data)
        return {labels: self._together(groups[labels]) for labels in sorted(groups)}

    def _together(self, metrics: Sequence[Sequence[Data]]) -> Data:
        together: list[dict[float, float]] = []
        for place, statistic in enumerate(self.statistics):
            points: dict[float, list[float]] = defaultdict(list)
            for data in metrics:
                for time, value in data[place].items():
                    points[time].append(value)
            join = _TOGETHER.get(statistic, sum)
            together.append({time: join(points[time]) for time in sorted(points)})
        if len(together) == 1:
            return together[0]
        total, count = together
        return {time: total[time] / count[time] for time in total if count.get(time)}


def read(text: str) -> Query:
    """Reads a query.

    Raises:
        MetricMathError: it is not one that this model knows.
    """
    query = _QUERY.fullmatch(text)
    if not query:
        raise MetricMathError(f"not modelled here: {text.strip()}")
    names = _plain(query["schema"] or query["namespace"])
    exactly = frozenset(names[1:]) if query["schema"] else None
    (metric,) = _plain(query["metric"])
    return Query(query["function"].upper(), metric, names[0], exactly, tuple(_plain(query["by"] or "")))


def is_query(expression: str) -> bool:
    """Whether an expression of a dashboard is a query, and not metric math."""
    return re.match(r"\s*SELECT\b", expression, re.IGNORECASE) is not None


def _plain(names: str) -> list[str]:
    return [name.strip('"') for name in re.findall(_NAME, names)]
