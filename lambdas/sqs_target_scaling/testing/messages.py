"""What a test sends: so many messages, each asking for so many seconds of work. No AWS in here."""

import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

MOST_MESSAGES = 10_000
LONGEST_SECONDS = 43_200
"""Twelve hours, the longest that SQS hides a message from others while somebody works on it
(https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-visibility-timeout.html)."""
BATCH = 10
"""Entries that one SendMessageBatch takes
(https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessageBatch.html)."""

Entry = dict[str, str]


@dataclass(frozen=True)
class Load:
    """One test: its run names its messages, so that the same run sent twice is the same messages twice."""

    messages: int
    duration_seconds: float
    run: str


def requested(event: Any, defaults: Mapping[str, Any]) -> Load:
    """Returns the load that an event asks for, each missing key taken from the defaults.

    Raises:
        ValueError: naming the key, its value and what is allowed.
    """
    if not isinstance(event, dict):
        raise ValueError(f"the event must be an object with any of {_listed(defaults)}, got {event!r}")
    if unknown := sorted(event.keys() - defaults.keys(), key=str):
        raise ValueError(
            f"unknown key {unknown[0]!r} with value {event[unknown[0]]!r}; allowed are {_listed(defaults)}"
        )
    wanted = {**defaults, **event}
    messages, seconds, run = wanted["messages"], wanted["duration_seconds"], wanted["run"]
    if type(messages) is not int or not 1 <= messages <= MOST_MESSAGES:
        raise ValueError(f"messages must be a whole number from 1 to {MOST_MESSAGES}, got {messages!r}")
    # type() and not isinstance: true is an int to Python, and nobody means one second by it.
    if type(seconds) not in (int, float) or not math.isfinite(seconds) or not 0 <= seconds <= LONGEST_SECONDS:
        raise ValueError(f"duration_seconds must be a number from 0 to {LONGEST_SECONDS}, got {seconds!r}")
    if type(run) is not str or not re.fullmatch(r"[A-Za-z0-9._-]{1,100}", run):
        raise ValueError(f"run must be 1 to 100 letters, digits, dots, hyphens and underscores, got {run!r}")
    return Load(messages, seconds, run)


def batches(load: Load) -> Iterator[list[Entry]]:
    """Yields the entries of each SendMessageBatch: every message of the load once, at most ten together."""
    entries = (
        {
            # Unique within its batch is all that SQS asks of an entry's id; the message's own id is in its body.
            "Id": str(index),
            "MessageBody": json.dumps({"id": f"{load.run}-{index}", "duration_seconds": load.duration_seconds}),
        }
        for index in range(load.messages)
    )
    while batch := list(islice(entries, BATCH)):
        yield batch


def _listed(defaults: Mapping[str, Any]) -> str:
    return ", ".join(repr(key) for key in defaults)
