"""Points of CloudWatch: from all pages, and an answer that is none is an error."""

from types import SimpleNamespace
from typing import Any

import pytest

from shared.metric_data import MetricDataError, results


def cloudwatch(*pages: list[dict[str, Any]]) -> Any:
    """A client that gives these pages."""
    answers = [{"MetricDataResults": page} for page in pages]
    return SimpleNamespace(get_paginator=lambda _: SimpleNamespace(paginate=lambda **_: answers))


def test_results_of_all_pages() -> None:
    first, second = {"Id": "a", "StatusCode": "PartialData", "Values": [1.0]}, {"Id": "a", "Values": [2.0]}
    assert list(results(cloudwatch([first], [second]))) == [first, second]


@pytest.mark.parametrize("status", ["InternalError", "Forbidden"])
def test_a_series_without_an_answer_is_an_error(status: str) -> None:
    with pytest.raises(MetricDataError, match=f"GetMetricData answered {status} for b"):
        list(results(cloudwatch([{"Id": "b", "StatusCode": status, "Values": []}])))
