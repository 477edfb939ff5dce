"""Points of CloudWatch's GetMetricData: from every page, and nothing that is none. By a client of the caller's."""

from collections.abc import Iterator
from typing import Any


class MetricDataError(RuntimeError):
    """A series came back as anything but data; without points it would look as if nothing had been published."""


def results(cloudwatch: Any, **request: Any) -> Iterator[dict[str, Any]]:
    """The results of all pages.

    Raises:
        MetricDataError: CloudWatch says InternalError or Forbidden of a series, in an answer that is none of an error
            (https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_MetricDataResult.html).
    """
    for page in cloudwatch.get_paginator("get_metric_data").paginate(**request):
        for result in page["MetricDataResults"]:
            # PartialData only means that the series goes on on the next page.
            if result.get("StatusCode", "Complete") not in ("Complete", "PartialData"):
                label = result.get("Label") or result.get("Id")
                raise MetricDataError(f"GetMetricData answered {result['StatusCode']} for {label}")
            yield result
