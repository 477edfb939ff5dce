"""Which data points of CloudWatch a look reads, and how it adds them up. No AWS in here."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from capacity_planner.coverage import Measured, measured

Json = dict[str, Any]
NAMESPACE = "AWS/EC2CapacityReservations"
USED, AVAILABLE = "UsedInstanceCount", "AvailableInstanceCount"
PERIOD = 300
QUERIES = 500
"""Queries in one request: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricData.html."""


LATE = timedelta(minutes=10)
"""Time after which the points of a period are taken to be there: a later one would be in no look's window."""


def window(now: datetime, hours: int) -> tuple[datetime, datetime]:
    """The last complete periods whose points are there; a repeated look adds up the same ones."""
    end = datetime.fromtimestamp(int((now - LATE).timestamp()) // PERIOD * PERIOD, now.tzinfo)
    return end - timedelta(hours=hours), end


def requests(ids: Sequence[str], now: datetime, hours: int) -> Iterator[Json]:
    """Requests of GetMetricData for reservations."""
    start, end = window(now, hours)
    queries = [_query(name, metric) for name in ids for metric in (USED, AVAILABLE)]
    for first in range(0, len(queries), QUERIES):
        asked = [{"Id": f"m{number}", **query} for number, query in enumerate(queries[first : first + QUERIES])]
        yield {"MetricDataQueries": asked, "StartTime": start, "EndTime": end}


def _query(reservation: str, metric: str) -> Json:
    dimensions = [{"Name": "CapacityReservationId", "Value": reservation}]
    named = {"Namespace": NAMESPACE, "MetricName": metric, "Dimensions": dimensions}
    label = f"{metric} {reservation}"
    return {"Label": label, "MetricStat": {"Metric": named, "Period": PERIOD, "Stat": "Average"}}


def answers(results: Iterable[Mapping[str, Any]]) -> dict[str, Measured]:
    """What the results of all pages say about each reservation; one without points is left out."""
    points: defaultdict[str, defaultdict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for result in results:
        metric, _, reservation = result["Label"].partition(" ")
        points[reservation][metric] += result["Values"]
    return {name: measured(found[USED], found[AVAILABLE]) for name, found in points.items() if found[AVAILABLE]}
