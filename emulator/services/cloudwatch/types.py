"""AWS::CloudWatch::Alarm on metric math, which ministack refuses; alarms on one metric stay ministack's."""

from typing import Any

from emulator.core.resource import Properties
from emulator.services.cloudwatch.patches import alarms


def of_math_too(own: dict[str, Any]) -> dict[str, Any]:
    """ministack's handler of alarms, for those on metric math as well.

    Such an alarm is kept like one on a metric of nobody's, and shows its queries (patches.py evaluates them).
    """

    def create(logical_id: str, properties: Properties, stack: str) -> tuple[str, dict[str, Any]]:
        queries = properties.get("Metrics")
        known = {name: value for name, value in properties.items() if name != "Metrics"}
        if not queries:
            made: tuple[str, dict[str, Any]] = own["create"](logical_id, known, stack)
            return made
        name, attributes = own["create"](logical_id, {**known, "Namespace": "-", "MetricName": "-"}, stack)
        alarm = alarms()[name]
        for key in ("Namespace", "MetricName", "Statistic", "Dimensions", "Period"):
            alarm.pop(key, None)
        alarm["Metrics"] = queries
        return name, attributes

    def update(name: str, old: Properties, new: Properties, stack: str, logical_id: str) -> tuple[str, dict[str, Any]]:
        own["delete"](name, old)
        return create(logical_id, new, stack)

    return {**own, "create": create, "update": update, "update_with_logical_id": True}
