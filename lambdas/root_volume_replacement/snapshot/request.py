"""Which volume is to get a snapshot, and for what. No AWS in here."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

CREATED = "createVolume"
TAGGED = "Tag Change on Resource"
"""The detail type of the event of a changed tag: an instance that opts in gets the snapshot that it has not got yet."""
OWN_EVENT = "Root Volume Snapshot Wanted"
"""The detail type of an event of the user's own, from any source: ``{"instance-id": …}`` or ``{"volume-id": …}``."""
VOLUME = re.compile(r"vol-[0-9a-f]{8,17}")
INSTANCE = re.compile(r"i-[0-9a-f]{8,17}")


@dataclass(frozen=True)
class Request:
    """One wanted snapshot.

    Attributes:
        volume_id: of what; None when the instance's root volume of that moment is meant.
        instance_id: of whose root volume, where the event says so.
        cause: what it is taken for. A volume is created once; an event of the user's own has an id, which EventBridge
            keeps when it delivers the event twice.
        opted_in: whether the event says that the instance has opted in.
    """

    volume_id: str | None
    instance_id: str | None
    cause: str
    opted_in: bool = False

    @property
    def asked_for(self) -> bool:
        """Whether somebody has asked for this snapshot, so that the execution fails if there is none."""
        return self.cause != CREATED


def requested(event: Any) -> Request:
    """Returns what an event asks for.

    Raises:
        ValueError: saying what is wrong with the event.
    """
    if not isinstance(event, Mapping) or not isinstance(event.get("detail"), Mapping):
        raise ValueError(f"not an event of EventBridge: {event!r:.200}")
    detail, kind = event["detail"], event.get("detail-type")
    if kind == "EBS Volume Notification":
        return _created(event, detail)
    if kind == TAGGED:
        return Request(None, _last(event, INSTANCE, "instance"), CREATED, opted_in=True)
    if kind != OWN_EVENT:
        allowed = f"'EBS Volume Notification', {TAGGED!r} or {OWN_EVENT!r}"
        raise ValueError(f"detail-type must be {allowed}, got {kind!r}")
    volume, instance = detail.get("volume-id"), detail.get("instance-id")
    if (volume is None) == (instance is None):
        raise ValueError("the detail of an event of your own has either 'volume-id' or 'instance-id'")
    for value, form in ((volume, VOLUME), (instance, INSTANCE)):
        if value is not None and not (isinstance(value, str) and form.fullmatch(value)):
            raise ValueError(f"{value!r} is no id such as {form.pattern}")
    if not isinstance(event.get("id"), str) or not event["id"]:
        raise ValueError("the event has no id")
    return Request(volume, instance, f"event {event['id']}")


def _created(event: Mapping[str, Any], detail: Mapping[str, Any]) -> Request:
    if (detail.get("event"), detail.get("result")) != (CREATED, "available"):
        raise ValueError(
            f"only createVolume with result available, got {detail.get('event')!r}, {detail.get('result')!r}"
        )
    return Request(_last(event, VOLUME, "volume"), None, CREATED)


def _last(event: Mapping[str, Any], form: re.Pattern[str], what: str) -> str:
    """The id in an event's ARN. Some EBS events have ARNs of an odd shape; the id always is what comes last."""
    resources = event.get("resources")
    if not isinstance(resources, list) or not resources or not isinstance(resources[0], str):
        raise ValueError(f"the event names no {what} in its resources")
    found = resources[0].rsplit("/", 1)[-1]
    if not form.fullmatch(found):
        raise ValueError(f"{resources[0]!r} names no {what}")
    return found
