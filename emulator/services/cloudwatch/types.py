"""AWS::CloudWatch::Alarm on metric math, which ministack refuses: only that it was asked for.

Alarms on one metric stay ministack's, and are evaluated.
"""

from typing import Any

from emulator.core.resource import Properties, physical_name
from emulator.core.store import arn


def recorded_if_of_math(own: dict[str, Any]) -> dict[str, Any]:
    """ministack's handler of alarms, and ours for those on metric math."""

    def create(logical_id: str, properties: Properties, stack: str) -> tuple[str, dict[str, Any]]:
        if not properties.get("Metrics"):
            made: tuple[str, dict[str, Any]] = own["create"](logical_id, properties, stack)
            return made
        name = str(properties.get("AlarmName") or physical_name(stack, logical_id))
        return name, {"Arn": arn("cloudwatch", f"alarm:{name}")}

    def update(name: str, old: Properties, new: Properties, stack: str, logical_id: str) -> tuple[str, dict[str, Any]]:
        delete(name, old)
        return create(logical_id, new, stack)

    def delete(name: str, properties: Properties) -> None:
        if not properties.get("Metrics"):
            own["delete"](name, properties)

    return {"create": create, "update": update, "delete": delete, "update_with_logical_id": True}
