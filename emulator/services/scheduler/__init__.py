"""Amazon EventBridge Scheduler, by ministack; what allows it to start a target is in ``emulator.services.events``."""

import time
import uuid
from typing import Any

from ministack.services import eventbridge, scheduler

from emulator.core.api import Json
from emulator.core.patch import private
from emulator.core.service import Service
from emulator.core.store import request_scope

_schedules: Any = private(scheduler, "_schedules")


def _fire(request: Json) -> Json:
    """``fire-schedule {"name", "account", "region"}``: the moment of a schedule has come (our model).

    As ministack's clock starts a target: https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-targets.html.
    """
    account, region = request["account"], request["region"]
    with request_scope(account, region):
        (schedule,) = [found for found in _schedules.values() if found["Name"] == request["name"]]
        event = {
            "EventId": str(uuid.uuid4()),
            "Source": "aws.scheduler",
            "DetailType": "Scheduled Event",
            "Detail": "{}",
            "Time": time.time(),
            "Resources": [schedule["Arn"]],
            "Account": account,
            "Region": region,
        }
        eventbridge._invoke_target(schedule["Target"], event, schedule)
    return {"fired": schedule["Arn"]}


SERVICE = Service(
    "scheduler",
    controls={"fire-schedule": _fire},
    modelled=("targets and dead-letter queues by the role of the schedule",),
    not_judged=("time zones, retries, flexible windows, targets that name an API, quotas",),
)
