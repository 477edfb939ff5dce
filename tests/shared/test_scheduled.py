"""The time of an event that a schedule has made."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.scheduled import due

NOW = datetime(2026, 3, 1, 12, 20, tzinfo=UTC)


@pytest.mark.parametrize(
    ("event", "stamped"),
    [
        ({"time": "2026-03-01T12:19:59Z"}, NOW - timedelta(seconds=1)),  # the clock says a minute later
        ({"time": "2026-03-01T10:00:00Z"}, NOW),
        ({"time": "2026-03-01T12:19:59"}, NOW),
        ({"time": "noon"}, NOW),
        ({"time": 5}, NOW),
        ({}, NOW),
        (None, NOW),
    ],
)
def test_what_a_schedule_starts_is_stamped_by_it_and_not_by_the_clock(event: Any, stamped: datetime) -> None:
    assert due(event, NOW) == stamped
