"""One question to an HTTP endpoint. No AWS in here."""

import http.client
from collections.abc import Callable
from typing import Any

SECONDS = 4.0
"""For the connection and for the answer: both together end before the function, and that before who asks gives up."""


class QuestionError(ValueError):
    """The question names no endpoint."""


def status_of(
    host: str,
    port: int,
    path: str,
    *,
    connect: Callable[..., Any] = http.client.HTTPConnection,
    seconds: float = SECONDS,
) -> int | None:
    """Returns the status that the endpoint answers, None if it does not answer in time. No redirect is followed."""
    connection = connect(host, port, timeout=seconds)
    try:
        connection.request("GET", path, headers={"User-Agent": "custom-health-check", "Connection": "close"})
        return int(connection.getresponse().status)
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()


def question_of(event: Any) -> tuple[str, int, str]:
    """Returns host, port and path.

    Raises:
        QuestionError: when the event does not have them.
    """
    if isinstance(event, dict):
        host, port, path = event.get("host"), event.get("port"), event.get("path")
        if isinstance(host, str) and host and isinstance(port, int) and isinstance(path, str) and path.startswith("/"):
            return host, port, path
    raise QuestionError(f"not a host, a port and a path: {event!r:.300}")
