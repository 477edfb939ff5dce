"""When a batch of messages asks for a refresh. No AWS in here."""

from typing import Any

SETTLED_SECONDS = 10
"""A refresh that began so long after a message was sent has seen what the message is about."""


class UnknownEventError(ValueError):
    """The event is no batch of an SQS queue."""


def newest(event: Any) -> float:
    """When the newest message of a batch was sent, in epoch seconds. What the messages say does not matter.

    Raises:
        UnknownEventError: it is something else.
    """
    records = event.get("Records") if isinstance(event, dict) else None
    if not isinstance(records, list) or not records:
        raise UnknownEventError(f"not a batch of an SQS queue: {event!r:.300}")
    try:
        if {record["eventSource"] for record in records} != {"aws:sqs"}:
            raise UnknownEventError(f"not messages of an SQS queue: {event!r:.300}")
        return max(int(record["attributes"]["SentTimestamp"]) / 1000 for record in records)
    except (KeyError, TypeError, ValueError) as error:
        raise UnknownEventError(f"a message lacks what SQS gives it ({error}): {event!r:.300}") from None


def seen_already(sent: float, began: float) -> bool:
    """Whether the discovery that *began* then has seen what the messages that were *sent* then are about."""
    return sent + SETTLED_SECONDS <= began
