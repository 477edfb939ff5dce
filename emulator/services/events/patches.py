"""Private names of ministack's EventBridge: what a rule's target may be, and what allows the delivery.

A rule delivers under its own principal or by the role of the target
(https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-resource-based.html), a schedule always by its role
(https://docs.aws.amazon.com/scheduler/latest/UserGuide/setting-up.html). What is denied is not tried again: "If an
event can't be delivered because of [...] lack of permissions, EventBridge sends it to the dead-letter queue"
(https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-dlq.html) if there is one.
"""

import contextlib
import json
from typing import Any

from ministack.core.arn import parse_arn
from ministack.services import eventbridge, lambda_svc

from emulator.core.api import Json
from emulator.core.deliveries import Delivery, denied
from emulator.core.patch import patch, private
from emulator.core.service import services
from emulator.core.store import arn
from emulator.services.cloudwatch.patches import record_metric

_view_of: Any = private(eventbridge, "_pattern_event_view", "event")
_to_queue: Any = private(eventbridge, "_dispatch_to_sqs", "spec payload sqs_parameters")
_function_of: Any = private(lambda_svc, "_get_func_record_for_ref", "function_ref")
_executed: Any = private(lambda_svc, "_execution_record_for_config", "func config")
_invoke: Any = private(lambda_svc, "invoke_async_with_retry", "func event")

RULES, SCHEDULES = "events.amazonaws.com", "scheduler.amazonaws.com"


@patch(eventbridge, "_invoke_target", "target event rule view")
def _deliver(original: Any, target: Json, event: Json, rule: Json, view: Any = None) -> None:
    """https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-targets.html: by the service in the target's ARN."""
    view = view or _view_of(event)
    if denied(_delivery(target["Arn"], target, rule)):
        _undelivered(target, rule, view)
        return
    kind = target["Arn"].split(":")[2]
    for service in services():
        if deliver := service.targets.get(kind):
            deliver(target["Arn"], str(event.get("EventId") or event.get("id")), view.event_with_detail())
            return
    original(target, event, rule, view)


def _is_schedule(rule: Json) -> bool:
    return ":scheduler:" in rule["Arn"]


def _delivery(receiver: str, target: Json, rule: Json) -> Delivery:
    if _is_schedule(rule):
        # The source is the group: https://docs.aws.amazon.com/scheduler/latest/UserGuide/cross-service-confused-deputy-prevention.html
        group = arn("scheduler", f"schedule-group/{rule.get('GroupName') or 'default'}")
        return Delivery(SCHEDULES, group, receiver, role=target.get("RoleArn") or "no role")
    return Delivery(RULES, rule["Arn"], receiver, role=target.get("RoleArn"))


def _undelivered(target: Json, rule: Json, view: Any) -> None:
    """What can be seen of it: a metric, and a dead letter where the queue allows it.

    - https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-monitoring.html
    - https://docs.aws.amazon.com/scheduler/latest/UserGuide/monitoring-cloudwatch.html
    """
    schedule = _is_schedule(rule)
    failed, kept, lost = (
        ("TargetErrorCount", "InvocationsSentToDeadLetterCount", "InvocationsFailedToBeSentToDeadLetterCount")
        if schedule
        else ("FailedInvocations", "InvocationsSentToDlq", "InvocationsFailedToBeSentToDlq")
    )
    namespace = "AWS/Scheduler" if schedule else "AWS/Events"
    dimensions = {"ScheduleGroup": rule.get("GroupName") or "default"} if schedule else {"RuleName": rule["Name"]}
    record_metric(namespace, failed, dimensions, 1)
    queue = (target.get("DeadLetterConfig") or {}).get("Arn")
    if not queue:
        return
    # A rule leaves its letter under its own principal also where its target has a role.
    letter = _delivery(queue, target if schedule else {}, rule)
    if denied(letter):
        record_metric(namespace, lost, dimensions, 1)
        return
    _to_queue(parse_arn(queue), target.get("Input") or json.dumps(view.event_with_detail()))
    record_metric(namespace, kept, dimensions, 1)


@patch(eventbridge, "_dispatch_to_lambda", "arn payload")
def _to_function(_original: Any, function: str, payload: str) -> None:
    """Functions are called asynchronously: tried again twice, and what failed is left in the destination.

    https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html
    """
    event: Any = {"body": payload}
    with contextlib.suppress(ValueError):
        event = json.loads(payload)
    record, configuration, _ = _function_of(function)
    if record and configuration:
        _invoke(_executed(record, configuration), event)
