"""What one delivery makes: EC2 and Elastic Load Balancing may not know it yet when a later call names it.

https://docs.aws.amazon.com/ec2/latest/devguide/eventual-consistency.html
"""

import re
from collections.abc import Iterator
from typing import Any

EVENTUAL = {"ec2", "elbv2"}
"""Services that say so of themselves."""
_MAKES = re.compile(r"(Create|Allocate|Run|Import|Copy)[A-Z](?!ags)")
# https://docs.aws.amazon.com/ec2/latest/devguide/errors-overview.html: these codes have no ID in them.
_WITHOUT_ID = {"Snapshot", "Volume"}


class Made:
    """Ids and ARNs that answers to creating calls have named."""

    def __init__(self) -> None:
        self._ids: dict[str, set[str]] = {}

    def by(self, service: str, operation: str, answer: dict[str, Any]) -> None:
        """Remembers what a call has made."""
        if service in EVENTUAL and _MAKES.match(operation):
            told = {key: value for key, value in answer.items() if key != "ResponseMetadata"}
            self._ids.setdefault(service, set()).update(value for _, value in _named(told))

    def named(self, service: str, parameters: dict[str, Any]) -> str:
        """The code for the first thing that a call names and that was made before; empty if it names none."""
        made = self._ids.get(service, set())
        return next((_code(service, key) for key, value in _named(parameters) if value in made), "")


def _code(service: str, key: str) -> str:
    thing = re.sub(r"(Id|Arn)s?$", "", key)
    if service != "ec2":
        return f"{thing}NotFound"
    return f"Invalid{thing}.NotFound" if thing in _WITHOUT_ID else f"Invalid{thing}ID.NotFound"


def _named(value: Any, key: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for inner, each in value.items():
            yield from _named(each, inner)
    elif isinstance(value, list):
        for each in value:
            yield from _named(each, key)
    elif isinstance(value, str) and re.search(r"(Id|Arn)s?$|^Resources$", key):
        yield key, value
