"""Which root volume is to be replaced, and by what. No AWS in here."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

TARGETS = ("launch-state", "latest-snapshot", "snapshot", "image", "volume")
FORMS = {
    "instance_id": r"i-[0-9a-f]{8,17}",
    "snapshot_id": r"snap-[0-9a-f]{8,17}",
    "image_id": r"ami-[0-9a-f]{8,17}",
    "volume_id": r"vol-[0-9a-f]{8,17}",
}
NEEDS = {"snapshot": "snapshot_id", "image": "image_id", "volume": "volume_id"}


@dataclass(frozen=True)
class Request:
    """One wanted replacement."""

    instance_id: str
    to: str
    snapshot_id: str | None = None
    image_id: str | None = None
    volume_id: str | None = None

    @property
    def words(self) -> str:
        """What is wanted, as a lock compares it and a report says it."""
        return " ".join(filter(None, [self.to, self.snapshot_id, self.image_id, self.volume_id]))


def requested(value: Any) -> Request:
    """Returns what the input of an execution asks for.

    Raises:
        ValueError: naming the key, its value and what is allowed.
    """
    if not isinstance(value, Mapping):
        raise ValueError(f"the input must be an object with 'instance_id' and 'to', got {value!r:.200}")
    if unknown := sorted(set(value) - {"to", *FORMS}, key=str):
        raise ValueError(f"unknown key {unknown[0]!r}; allowed are 'to', {', '.join(map(repr, FORMS))}")
    to = value.get("to")
    if to not in TARGETS:
        raise ValueError(f"to must be one of {', '.join(TARGETS)}, got {to!r}")
    wanted = {"instance_id", NEEDS.get(to, "instance_id")}
    for key, form in FORMS.items():
        given = value.get(key)
        if key not in wanted and given is not None:
            raise ValueError(f"to {to} takes no {key}")
        if key in wanted and not (isinstance(given, str) and re.fullmatch(form, given)):
            raise ValueError(f"to {to} needs {key} such as {form}, got {given!r}")
    return Request(value["instance_id"], to, value.get("snapshot_id"), value.get("image_id"), value.get("volume_id"))


def client_token(execution: str, volume_id: str) -> str:
    """Returns the token of one execution's task: EC2 makes one task of however many calls carry it.

    https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-idempotency.html: at most 64 ASCII characters.
    """
    return hashlib.sha256(f"{execution} {volume_id}".encode()).hexdigest()
