"""The same event otherwise: late, of somebody else, or not one at all."""

import re
from collections.abc import Iterator
from copy import deepcopy
from datetime import datetime, timedelta
from typing import Any

_LATE = timedelta(days=1)
_TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
_MILLISECONDS = {"SentTimestamp", "ApproximateFirstReceiveTimestamp"}

FOREIGN: dict[str, Any] = {
    "of another source": {
        "version": "0",
        "id": "3e7a2f0c-52a9-4b11-8c3f-1d5a0a6f2b7e",
        "detail-type": "EC2 Instance State-change Notification",
        "source": "aws.ec2",
        "account": "210987654321",
        "time": "2024-01-01T00:00:00Z",
        "region": "eu-west-1",
        "resources": ["arn:aws:ec2:eu-west-1:210987654321:instance/i-0foreign000000000"],
        "detail": {"instance-id": "i-0foreign000000000", "state": "terminated"},
    },
    "of another service": {
        "Records": [
            {
                "eventSource": "aws:s3",
                "eventName": "ObjectRemoved:Delete",
                "eventTime": "2024-01-01T00:00:00.000Z",
                "s3": {"bucket": {"name": "somebody-elses"}, "object": {"key": "thing"}},
            }
        ]
    },
}


def late(event: Any) -> Any | None:
    """Returns the event as it would be had it been under way for a day; None when it carries no time."""
    delayed = _delayed(deepcopy(event))
    return None if delayed == event else delayed


def malformed(event: Any) -> Iterator[tuple[str, Any]]:
    """Yields what is no proper event, each with a name."""
    yield from {"null": None, "a list": [], "a text": "nonsense", "a number": 7, "empty": {}}.items()
    if not isinstance(event, dict) or not event:
        return
    yield "null for everything", dict.fromkeys(event)
    for key in event:
        yield f"without {key!r}", {name: value for name, value in event.items() if name != key}


def _delayed(value: Any, key: str = "") -> Any:
    if isinstance(value, dict):
        return {name: _delayed(inner, name) for name, inner in value.items()}
    if isinstance(value, list):
        return [_delayed(inner, key) for inner in value]
    if isinstance(value, str) and _TIMESTAMP.fullmatch(value):
        before = datetime.fromisoformat(value) - _LATE
        return before.strftime("%Y-%m-%dT%H:%M:%SZ")
    if key in _MILLISECONDS and str(value).isdigit():
        return type(value)(int(value) - int(_LATE.total_seconds() * 1000))
    return value
