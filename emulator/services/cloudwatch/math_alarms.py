"""Alarms on metric math (our model): so many of the last periods, each by what its metrics had in it.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-evaluation.html. An expression that our metric math
does not know leaves its alarm as it is.
"""

import logging
import operator
import time
from collections.abc import Callable, Mapping, Sequence

from emulator.core.api import Json
from emulator.models.metric_math import MetricMathError, evaluate
from emulator.services.cloudwatch.patches import change_state, math_evaluators, metric_statistic

log = logging.getLogger(__name__)

_COMPARED: Mapping[str, Callable[[float, float], bool]] = {
    "GreaterThanThreshold": operator.gt,
    "GreaterThanOrEqualToThreshold": operator.ge,
    "LessThanThreshold": operator.lt,
    "LessThanOrEqualToThreshold": operator.le,
}


def evaluate_alarm(alarm: Json) -> None:
    """Sets the state of an alarm by its newest whole periods."""
    now, periods = time.time(), int(alarm["EvaluationPeriods"])
    try:
        values = [_value(alarm["Metrics"], now, back) for back in range(periods)]
    except MetricMathError as error:
        log.debug("%s is not evaluated: %s", alarm["AlarmName"], error)
        return
    breaching = [_breaches(alarm, value) for value in values]
    if sum(map(bool, breaching)) >= int(alarm.get("DatapointsToAlarm") or periods):
        state = "ALARM"
    else:
        state = "INSUFFICIENT_DATA" if all(each is None for each in breaching) else "OK"
    change_state(alarm, state, f"Threshold Crossed: {values} {alarm['ComparisonOperator']} {alarm['Threshold']}")


def _breaches(alarm: Json, value: float | None) -> bool | None:
    if value is not None:
        return _COMPARED[alarm["ComparisonOperator"]](value, float(alarm["Threshold"]))
    return {"breaching": True, "notBreaching": False}.get(alarm["TreatMissingData"])


def _value(queries: Sequence[Json], now: float, back: int) -> float | None:
    """The value of the query that returns data, so many periods back."""
    values: dict[str, float | None] = {}
    for query in queries:
        if stat := query.get("MetricStat"):
            metric = stat["Metric"]
            dimensions = {item["Name"]: item["Value"] for item in metric.get("Dimensions") or []}
            length = float(stat["Period"])
            until = now - back * length
            values[query["Id"]] = metric_statistic(
                metric["Namespace"], metric["MetricName"], dimensions, stat["Stat"], since=until - length, until=until
            )
    for query in queries:
        if "Expression" in query:
            values[query["Id"]] = evaluate(query["Expression"], values)
    (returned,) = [query["Id"] for query in queries if query.get("ReturnData", True)]
    return values[returned]


math_evaluators.append(evaluate_alarm)
