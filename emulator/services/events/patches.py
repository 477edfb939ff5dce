"""Private names of ministack's EventBridge: what a rule's target may be besides what ministack delivers to."""

from typing import Any

from ministack.services import eventbridge

from emulator.core.api import Json
from emulator.core.patch import patch, private
from emulator.core.service import services

_view_of: Any = private(eventbridge, "_pattern_event_view", "event")


@patch(eventbridge, "_invoke_target", "target event rule view")
def _deliver(original: Any, target: Json, event: Json, rule: Any, view: Any = None) -> None:
    """https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-targets.html: by the service in the target's ARN."""
    kind = target["Arn"].split(":")[2]
    for service in services():
        if deliver := service.targets.get(kind):
            view = view or _view_of(event)
            deliver(target["Arn"], str(event.get("EventId") or event.get("id")), view.event_with_detail())
            return
    original(target, event, rule, view)
