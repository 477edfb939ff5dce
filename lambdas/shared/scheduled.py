"""The time of an event that a schedule has made. No AWS in here."""

from datetime import datetime, timedelta
from typing import Any

LATE = timedelta(hours=1)


def due(event: Any, now: datetime) -> datetime:
    """When the schedule has wanted what it started: the same second of each period, whenever the event has come.

    An alarm on two periods in a row would see two values in one and none in the next, if they were stamped by the clock
    and the schedule's second were near the end of a period.
    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-events-structure.html
    """
    text = event.get("time") if isinstance(event, dict) else None
    try:
        found = datetime.fromisoformat(text) if isinstance(text, str) else now
    except ValueError:
        return now
    # CloudWatch takes nothing much older or later: whatever else calls this function gets its own time.
    return found if found.tzinfo and abs(now - found) < LATE else now
