"""Private names of ministack's CloudWatch: datapoints are read, written and told apart, and alarms say what they do."""

import json
import time
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from typing import Any

from ministack.services import cloudwatch

from emulator.core import events
from emulator.core.api import Json
from emulator.core.deliveries import Delivery, denied
from emulator.core.patch import patch, private
from emulator.core.service import tell
from emulator.core.store import request_scope
from emulator.models.dashboard_bodies import problems

_store: Any = private(cloudwatch, "_store_datum", "namespace name dims ts unit value values counts stat_values")
_metrics: Any = private(cloudwatch, "_metrics")
_key: Any = private(cloudwatch, "_dims_key", "dims")
_statistics: Any = private(cloudwatch, "_calc_stats", "points")
_history: Any = private(cloudwatch, "_history_entries", "")
_as_time: Any = private(cloudwatch, "_ts_iso", "epoch")
_evaluate_all: Any = private(cloudwatch, "_evaluate_all_alarms", "")
_evaluate_parents: Any = private(cloudwatch, "_evaluate_parent_alarms", "child seen")
_record_history: Any = private(
    cloudwatch, "_record_history", "alarm_name old_state new_state reason alarm_type reason_data"
)
_alarms: Any = private(cloudwatch, "_alarms")
_error: Any = private(cloudwatch, "_error", "code message status use_json use_cbor")
_parameter: Any = private(cloudwatch, "_p", "params key default")

# What evaluates an alarm on metric math (math_alarms.py).
math_evaluators: list[Callable[[Json], None]] = []


def record_metric(namespace: str, name: str, dimensions: Mapping[str, str], value: float) -> None:
    """Keeps a datapoint of now, as an AWS service publishes it (PutMetricData refuses the namespace ``AWS/``)."""
    _store(namespace, name, dict(dimensions), time.time(), "Count", value, None, None, None)


def record_metrics(request: Json) -> Json:
    """``metrics {"account", "region", "data": [{namespace, name, dimensions, value}]}``: as of now."""
    with request_scope(request["account"], request["region"]):
        for each in request["data"]:
            record_metric(each["namespace"], each["name"], each["dimensions"], float(each["value"]))
    return {"recorded": len(request["data"])}


def metric_statistic(
    namespace: str,
    name: str,
    dimensions: Mapping[str, str],
    statistic: str,
    *,
    since: float,
    until: float | None = None,
) -> float | None:
    """A statistic over the datapoints of one metric between two times (epoch seconds); None if there are none."""
    points = _metrics.get((namespace, name, _key(dict(dimensions)))) or []
    last = time.time() if until is None else until
    stats = _statistics([point for point in points if since < point["Timestamp"] <= last])
    return float(stats[statistic]) if stats else None


def alarms() -> Any:
    """The alarms of the request's account and Region by their names."""
    return _alarms


def scopes() -> set[tuple[str, str]]:
    """Accounts and Regions that have alarms."""
    return {(account, region) for account, region, _ in list(_alarms._data)}


def change_state(alarm: Json, state: str, reason: str) -> None:
    """Lets an alarm have another state, and act on it."""
    old = alarm["StateValue"]
    if state != old:
        alarm.update(StateValue=state, StateReason=reason, StateUpdatedTimestamp=int(time.time()))
        _record_history(alarm["AlarmName"], old, state, reason)
        cloudwatch._dispatch_alarm_actions(alarm, old, state, reason)
        _evaluate_parents(alarm)


def evaluate_alarms() -> None:
    """Lets the alarms of the request's account and Region look at their metrics, as PutMetricData does."""
    _evaluate_all()


class _Asked(dict[str, str]):
    """Dimensions that were asked for: none are asked for, too."""

    def __bool__(self) -> bool:
        return True


@patch(cloudwatch, "_dims_from_list", "dimensions")
def _dimensions(original: Any, dimensions: Any) -> _Asked:
    """Lets a question for a metric without dimensions be answered with that metric alone.

    ministack answers with every metric of the name, whatever its dimensions. "CloudWatch treats each unique combination
    of dimensions as a separate metric, even if the metrics have the same metric name"
    (https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_concepts.html#Dimension).
    """
    return _Asked(original(dimensions))


_weighed: ContextVar[str | None] = ContextVar("dimensions of the alarm that is being evaluated", default=None)


class _OfTheAlarm(type(_metrics)):  # type: ignore[misc]
    __slots__ = ()

    def items(self) -> Any:
        wanted = _weighed.get()
        return [(key, points) for key, points in super().items() if wanted in (None, key[2])]


@patch(cloudwatch, "_evaluate_alarm", "alarm")
def _evaluate(original: Any, alarm: Json) -> None:
    """Lets an alarm weigh the metric that has its dimensions; to ministack it has every metric of the name."""
    if alarm.get("Metrics"):
        for evaluate in math_evaluators:
            evaluate(alarm)
        return
    _metrics.__class__ = _OfTheAlarm
    dimensions = alarm.get("Dimensions") or {}
    if not isinstance(dimensions, dict):
        dimensions = {item["Name"]: item["Value"] for item in dimensions}
    token = _weighed.set(_key(dimensions))
    try:
        original(alarm)
    finally:
        _weighed.reset(token)


# The actions of an alarm, by the state that it enters.
ACTIONS = {"ALARM": "AlarmActions", "OK": "OKActions", "INSUFFICIENT_DATA": "InsufficientDataActions"}
# Whose principal an alarm acts under, by the service of the target.
_PRINCIPALS = {"sns": "cloudwatch.amazonaws.com", "lambda": "lambda.alarms.cloudwatch.amazonaws.com"}


@patch(cloudwatch, "_dispatch_alarm_actions", "alarm old_state new_state reason")
def _act(original: Any, alarm: Json, old: str, new: str, reason: str) -> None:
    """Notifies the topics whose policies and keys let CloudWatch publish; the others, only the alarm's history tells.

    - https://repost.aws/knowledge-center/cloudwatch-receive-sns-for-alarm-trigger
    - https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-actions-Lambda.html
    """
    kind = ACTIONS[new]
    enabled = alarm.get("ActionsEnabled", True)
    allowed = [target for target in alarm.get(kind) or [] if not (enabled and _refused(alarm, target))]
    original({**alarm, kind: allowed}, old, new, reason)
    tell(events.ALARM_STATE, alarm, old, new, reason)


def _refused(alarm: Json, target: str) -> bool:
    principal = _PRINCIPALS.get(target.split(":")[2])
    why = denied(Delivery(principal, alarm["AlarmArn"], target)) if principal else None
    if why is None:
        return False
    _history().append(
        {
            "AlarmName": alarm["AlarmName"],
            "AlarmType": "MetricAlarm" if "MetricName" in alarm else "CompositeAlarm",
            "Timestamp": _as_time(time.time()),
            "HistoryItemType": "Action",
            "HistorySummary": f"Failed to execute action {target}",
            "HistoryData": json.dumps({"actionState": "Failed", "notificationResource": target, "error": why}),
        }
    )
    return True


@patch(cloudwatch, "_put_dashboard", "params cbor_data is_cbor is_json")
def _put_dashboard(original: Any, params: Any, data: Any, is_cbor: bool, is_json: bool = False) -> Any:
    """Refuses the body that CloudWatch refuses; ministack takes any text.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutDashboard.html
    """
    body = data.get("DashboardBody") if is_cbor or is_json else _parameter(params, "DashboardBody")
    if found := problems(body or ""):
        return _error("InvalidParameterInput", _refusal(found), 400, use_json=is_json, use_cbor=is_cbor)
    return original(params, data, is_cbor, is_json)


@patch(cloudwatch, "cloudformation_put_dashboard", "name body")
def _deploy_dashboard(original: Any, name: str, body: str) -> Any:
    """The same for a stack, whose deployment fails."""
    if found := problems(body):
        raise ValueError(_refusal(found))
    return original(name, body)


def _refusal(found: list[str]) -> str:
    return f"The dashboard body is invalid, there are {len(found)} validation errors: {'; '.join(found)}"
