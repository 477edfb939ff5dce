"""Which instances an event is about. No AWS in here."""

import re
from typing import Any

_INSTANCE = re.compile(r"i-(?:[0-9a-f]{8}|[0-9a-f]{17})")


class RequestError(ValueError):
    """The event is none that this function is started by."""


def instances_of(event: Any) -> list[str] | None:
    """The ids of the instances that an event names; None: look at all.

    https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instance-state-change-notifications.html and
    https://docs.aws.amazon.com/tag-editor/latest/userguide/monitor-tags.html

    Raises:
        RequestError: when it is another event.
    """
    if isinstance(event, dict):
        if event.get("look_at") == "all":
            return None
        found: list[Any] = []
        if event.get("detail-type") == "EC2 Instance State-change Notification":
            detail = event.get("detail")
            found = [detail.get("instance-id")] if isinstance(detail, dict) else []
        if event.get("detail-type") == "Tag Change on Resource" and isinstance(event.get("resources"), list):
            found = [str(arn).rpartition(":instance/")[2] for arn in event["resources"]]
        if found and all(isinstance(each, str) and _INSTANCE.fullmatch(each) for each in found):
            return found
    raise RequestError(f"neither a look at all nor an event of an instance: {event!r:.300}")
