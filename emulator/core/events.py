"""What services tell each other: events of AWS services on EventBridge, and news within the server."""

import json
import time
import uuid
from collections.abc import Callable
from typing import Any

from ministack.services import eventbridge

from emulator.core.patch import private
from emulator.core.store import account_id, region

_dispatch: Callable[[dict[str, Any]], None] = private(eventbridge, "_dispatch_event", "event view")

# News within the server, and what each listener gets. A service names its listeners in SERVICE.
INSTANCE_STATE = "instance state"  # instance id, state
LAUNCHED = "instances launched"  # parameters of RunInstances, instances of moto
TAGS_CHANGED = "tags changed"  # resource id, tags before, tags after
VOLUME_CREATED = "volume created"  # volume id
SPOT_NOTICE = "spot notice"  # instance id, kind
TIME_PASSED = "time passed"  # seconds that nobody waited for
ALARM_STATE = "alarm state"  # alarm of ministack, old state, new state, reason


def put_event(source: str, detail_type: str, detail: dict[str, Any], *resources: str) -> None:
    """Puts an event of an AWS service on the default bus of the request's account and Region.

    PutEvents refuses the source ``aws.*``, as on AWS.
    """
    _dispatch(
        {
            "EventId": str(uuid.uuid4()),
            "Source": source,
            "DetailType": detail_type,
            "Detail": json.dumps(detail),
            "EventBusName": "default",
            "Time": time.time(),
            "Resources": list(resources),
            "Account": account_id(),
            "Region": region(),
        }
    )
