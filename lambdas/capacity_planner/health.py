"""AWS Health's two events about reservations that are hardly used. No AWS in here.

https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/capacity-reservation-eventbridge.html: the notification is about new
reservations and names their ids; the summary covers seven days, and each of its lines has five fields.
"""

import re
from collections.abc import Iterator
from typing import Any

NOTIFICATION = "AWS_EC2_ODCR_UNDERUTILIZATION_NOTIFICATION"
SUMMARY = f"{NOTIFICATION}_SUMMARY"
CODES = (NOTIFICATION, SUMMARY)
SOURCE, DETAIL_TYPE, SERVICE = "aws.health", "AWS Health Event", "EC2"
_ID = re.compile(r"cr-[0-9a-f]{8,17}")


def hints(event: Any) -> dict[str, str]:
    """The reservations that an event names, and what it says about each; none for any other event.

    The documented samples have neither eventScopeCode nor eventRegion, so nothing here reads them.
    """
    detail = event.get("detail") if isinstance(event, dict) else None
    if not isinstance(detail, dict) or detail.get("eventTypeCode") not in CODES or event.get("source") != SOURCE:
        return {}
    found: dict[str, str] = {}
    for line in _lines(event, detail):
        name, *fields = [part.strip() for part in line.split("|")]
        if match := _ID.search(name):
            said = f"{fields[-1]} used over seven days" if len(fields) == 4 else "below 20% used over a day"
            found.setdefault(match[0], said)
    return found


def _lines(event: dict[str, Any], detail: dict[str, Any]) -> Iterator[str]:
    resources = event.get("resources")
    yield from (line for line in resources if isinstance(line, str)) if isinstance(resources, list) else ()
    entities = detail.get("affectedEntities")
    for entity in entities if isinstance(entities, list) else ():
        if isinstance(entity, dict) and isinstance(entity.get("entityValue"), str):
            yield entity["entityValue"]
