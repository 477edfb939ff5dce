"""What an event asks for: one instance, or every instance of the group. No AWS in here."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

LAUNCH = "EC2 Instance-launch Lifecycle Action"
TAG = "Tag Change on Resource"
_INSTANCE = re.compile(r"i-[0-9a-f]{8,17}")


class UnknownEventError(ValueError):
    """The event is none that the rules of this solution send."""


@dataclass(frozen=True)
class Request:
    """Instances to look at, or the group whose instances to look at all."""

    instance_ids: tuple[str, ...] = ()
    group: str | None = None


def request_of(event: Any) -> Request:
    """Reads an event of EC2 Auto Scaling, of a tag change, or of the schedule, which says ``{"group": name}``.

    What an event says about tags or states is not trusted, because it may come late: it only says where to look.

    Raises:
        UnknownEventError: it is another event.
    """
    event = event if isinstance(event, Mapping) else {}
    detail = event.get("detail") if isinstance(event.get("detail"), Mapping) else {}
    found: tuple[Any, ...] = ()
    if event.get("detail-type") == LAUNCH:
        found = (detail.get("EC2InstanceId"),)
    elif event.get("detail-type") == TAG:
        arns = event.get("resources")
        found = tuple(str(arn).rpartition("/")[2] for arn in arns) if isinstance(arns, list) else ()
    elif isinstance(event.get("group"), str) and event["group"]:
        return Request(group=event["group"])
    if not found or not all(isinstance(name, str) and _INSTANCE.fullmatch(name) for name in found):
        raise UnknownEventError(f"neither a launch, nor a changed tag of an instance, nor the schedule: {event!r:.300}")
    return Request(instance_ids=found)
