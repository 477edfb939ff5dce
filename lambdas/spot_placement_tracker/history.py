"""What CloudWatch knows of the series. By a client of the caller's."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from shared.metric_data import results
from spot_placement_tracker.insights import Line, Profile
from spot_placement_tracker.questions import Place, Question

HOUR = 3600
MOST_QUERIES = 500
"""In one request of GetMetricData, which pages what is more than 100,800 data points
(https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricData.html)."""

Zones = dict[str, list[Place]]
"""The zones of each question that asks for zones, by its key."""


def known_zones(cloudwatch: Any, namespace: str, questions: Sequence[Question]) -> Zones:
    """Finds the zones that were ever scored: EC2 names the ten best at a time, so that they come and go.

    ListMetrics shows what had data in the last two weeks; all metrics of the namespace in pages of 500, whatever the
    number of questions.
    """
    zonal = [question for question in questions if question.single_zone]
    if not zonal:
        return {}
    pages = cloudwatch.get_paginator("list_metrics").paginate(Namespace=namespace)
    metrics = [
        {each["Name"]: each["Value"] for each in metric["Dimensions"]} for page in pages for metric in page["Metrics"]
    ]
    return {question.key: question.zones_of(metrics) for question in zonal}


def lines(
    cloudwatch: Any, namespace: str, questions: Sequence[Question], zones: Zones, *, now: datetime, days: int
) -> list[Line]:
    """Reads the hourly averages of every series, up to the last full hour.

    Raises:
        MetricDataError: CloudWatch has no answer for a series.
    """
    end = now.replace(minute=0, second=0, microsecond=0)
    found = [
        Line(question, place, Profile())
        for question in questions
        for place in question.places(zones.get(question.key, ()))
    ]
    for batch in _batches(found):
        queries = []
        for number, line in enumerate(batch):
            query = line.question.series(line.place).query(f"s{number}", HOUR, "Average")
            query["MetricStat"]["Metric"]["Namespace"] = namespace
            queries.append(query)
        asked = {"MetricDataQueries": queries, "StartTime": end - timedelta(days=days), "EndTime": end}
        for result in results(cloudwatch, **asked):
            batch[int(result["Id"][1:])].profile.add(result["Timestamps"], result["Values"])
    return found


def _batches(found: Iterable[Line]) -> Iterator[list[Line]]:
    rest = iter(found)
    while batch := list(islice(rest, MOST_QUERIES)):
        yield batch
