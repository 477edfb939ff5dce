"""Widgets as the body of a dashboard writes them, without a place yet. No AWS in here."""

import colorsys
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from zlib import crc32

GRID = 24  # columns
MOST_METRICS = 500
"""Of one widget (https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_limits.html)."""
SEARCHED = 10
"""How many metrics a search is counted as: it finds one for each account that uses an Outpost, or each volume type."""
EXPLORED = {
    "AWS::EC2::Instance": (
        "Instances",
        8,
        (("CPUUtilization", "Average"), ("NetworkIn", "Average"), ("NetworkOut", "Average")),
    ),
    "AWS::ElasticLoadBalancingV2::LoadBalancer/ApplicationELB": (
        "Application Load Balancers",
        8,
        (("RequestCount", "Sum"),),
    ),
    "AWS::RDS::DBInstance": ("Databases", 8, (("CPUUtilization", "Average"),)),
}
"""Title, height and metrics of an explorer widget by its resource type."""
# One after the other in a widget whose lines are always the same.
PALETTE = ("#1f77b4", "#ff7f0e", "#2ca02c", "#d62728", "#9467bd", "#8c564b")


@dataclass(frozen=True)
class Widget:
    """One widget.

    Attributes:
        metrics: how many metrics it counts as.
    """

    kind: str
    width: int
    height: int
    properties: dict[str, Any]
    metrics: int = 0


Block = list[list[Widget]]
"""Rows of widgets that stay together on one dashboard. Its size is bounded, whatever the account has."""
Item = Mapping[str, Any]
"""One thing that the discovery has found."""


@dataclass(frozen=True)
class Line:
    """One metric of a graph.

    Attributes:
        account: whose metric it is; "" for the dashboard's own account.
    """

    namespace: str
    metric: str
    dimensions: tuple[tuple[str, str], ...]
    label: str
    colour: str
    stat: str = "Average"
    account: str = ""

    count = 1

    def written(self) -> list[Any]:
        """As the body has it."""
        options: dict[str, Any] = {"label": self.label, "color": self.colour, "stat": self.stat}
        if self.account:
            options["accountId"] = self.account
        return [self.namespace, self.metric, *(part for pair in self.dimensions for part in pair), options]


@dataclass(frozen=True)
class Search:
    """Metrics that CloudWatch finds when the dashboard is open.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/search-expression-syntax.html

    Attributes:
        query: what is between the first quotes of a SEARCH.
        summed: whether they are one line; otherwise each is one, with a colour that CloudWatch chooses.
    """

    id: str
    query: str
    label: str
    stat: str = "Average"
    period: int = 300
    colour: str = ""
    summed: bool = False
    account: str = ""

    count = SEARCHED

    def written(self) -> list[Any]:
        """As the body has it."""
        whose = f' :aws.AccountId="{self.account}"' if self.account else ""
        search = f"SEARCH('{self.query}{whose}', '{self.stat}', {self.period})"
        options = {"expression": f"SUM({search})" if self.summed else search, "id": self.id, "label": self.label}
        return [options | ({"color": self.colour} if self.colour else {})]


def graph(
    title: str,
    lines: Sequence[Line | Search],
    *,
    region: str,
    width: int,
    height: int = 6,
    period: int = 300,
    axis: tuple[float | None, float | None] = (0, None),
    start: str = "",
) -> Widget:
    """A graph over time.

    Args:
        axis: lowest and highest value of the axis; None leaves it to CloudWatch.
        start: from when on it shows, whatever the dashboard does; "" for the dashboard's own time.
    """
    limits = {name: value for name, value in zip(("min", "max"), axis, strict=True) if value is not None}
    properties = {
        "title": title,
        "view": "timeSeries",
        "stacked": False,
        "region": region,
        "period": period,
        "metrics": [line.written() for line in lines],
        "yAxis": {"left": {**limits, "showUnits": False}},
        "legend": {"position": "bottom"},
        **({"start": start} if start else {}),
    }
    return Widget("metric", width, height, properties, sum(line.count for line in lines))


def text(markdown: str, *, width: int = GRID, height: int = 1) -> Widget:
    """A text widget. Names that others have given must have gone through `plain`."""
    return Widget("text", width, height, {"markdown": markdown})


def explorers(tag: str, values: Iterable[str], *, region: str) -> list[Widget]:
    """The post's explorer, a widget for each type: metrics of what has the tag when the dashboard is open.

    All metrics of one explorer widget must have the same resourceType, and a label without a value matches any:
    https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html
    """
    labels = [{"key": tag, "value": value} for value in values] or [{"key": tag}]
    return [
        Widget(
            "explorer",
            GRID,
            height,
            {
                "title": f"{title} tagged {tag}",
                "region": region,
                "metrics": [{"resourceType": kind, "metricName": metric, "stat": stat} for metric, stat in metrics],
                "labels": labels,
                "period": 300,
                "splitBy": tag,
                "widgetOptions": {
                    "legend": {"position": "bottom"},
                    "view": "timeSeries",
                    "stacked": False,
                    "rowsPerPage": 1,
                    "widgetsPerRow": 3,
                },
            },
            MOST_METRICS,
        )
        for kind, (title, height, metrics) in EXPLORED.items()
    ]


def plain(name: str) -> str:
    """A name that somebody else has given, with nothing in it that Markdown would act on."""
    return re.sub(r"([\\`*\[\]<>|#!])", r"\\\1", " ".join(name.split()))


def colour_of(name: str, lightness: float = 0.45) -> str:
    """The same colour for the same name, whatever else there is."""
    hue = crc32(name.encode()) % 360 / 360
    red, green, blue = colorsys.hls_to_rgb(hue, lightness, 0.65)
    return "#" + "".join(f"{round(255 * part):02x}" for part in (red, green, blue))


class Ids:
    """Ids of metrics, unique in one widget: CloudWatch takes a small letter, then letters, digits and underscores."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def of(self, kind: str, name: str) -> str:
        """An id for a name with dots, hyphens or whatever in it."""
        wanted = f"{kind}_{re.sub(r'[^a-zA-Z0-9]', '_', name)}"[:200]
        found, number = wanted, 1
        while found in self._taken:
            number += 1
            found = f"{wanted}_{number}"
        self._taken.add(found)
        return found
