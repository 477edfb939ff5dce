"""What the legend calls a line.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/graph-dynamic-labels.html
"""

import re
from collections.abc import Callable, Mapping, Sequence

from tryout.dashboards.body import Row

_DYNAMIC = re.compile(r"\$\{(?:PROP\('(?P<property>[^']+)'\)|(?P<value>[A-Z_]+))\}")
_VALUES: Mapping[str, Callable[[Sequence[float]], float]] = {
    "AVG": lambda values: sum(values) / len(values),
    "FIRST": lambda values: values[0],
    "LAST": lambda values: values[-1],
    "MAX": max,
    "MIN": min,
    "SUM": sum,
    "DATAPOINT_COUNT": len,
}


def labels(rows: Sequence[Row]) -> list[str]:
    """What each row is called: its label, else what tells it from the others."""
    differing = _differing([row for row in rows if not row.expression])
    return [row.label or (row.id or row.expression if row.expression else _named(row, differing)) for row in rows]


def found_labels(label: str, found: Sequence[Row]) -> list[str]:
    """What each metric that a search has found is called: the label of the search, and what differs."""
    differing = _differing(found)
    if _DYNAMIC.search(label):
        return [label] * len(found)
    return [f"{label} {_named(row, differing)}".strip() for row in found]


def filled_in(label: str, row: Row, values: Sequence[float], own: str = "") -> str:
    """A label with the properties and values that it names; what is not known here stays as it is."""
    properties = {
        "MetricName": row.metric,
        "Namespace": row.namespace,
        "Period": str(row.period),
        "Stat": row.stat,
        "Region": row.region,
        **{f"Dim.{name}": value for name, value in row.dimensions},
    }

    def known(match: re.Match[str]) -> str:
        if match["property"]:
            return properties.get(match["property"], match[0])
        if match["value"] == "LABEL":
            return own or row.metric
        compute = _VALUES.get(match["value"])
        return f"{compute(values):.4g}" if compute and values else match[0]

    return _DYNAMIC.sub(known, label)


def _differing(rows: Sequence[Row]) -> set[str]:
    """Which of the name ('') and the dimensions are not the same for all; the name if all are."""
    parts = [{"": row.metric, **dict(row.dimensions)} for row in rows]
    return {key for part in parts for key in part if len({other.get(key) for other in parts}) > 1} or {""}


def _named(row: Row, differing: set[str]) -> str:
    own = {"": row.metric, **dict(row.dimensions)}
    return " ".join(value for key, value in own.items() if key in differing) or row.metric
