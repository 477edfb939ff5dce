"""AWS::CloudWatch::Alarm on metric math, which ministack refuses: only that it was asked for.

Alarms on one metric stay ministack's, and are evaluated.
"""

from typing import Any

from emulator import seams
from emulator.types.resource import Properties

TYPE = "AWS::CloudWatch::Alarm"


def install() -> None:
    """Puts it before ministack's own."""
    own = seams.resource_handlers[TYPE]

    def create(logical_id: str, properties: Properties, stack: str) -> tuple[str, dict[str, Any]]:
        if not properties.get("Metrics"):
            made: tuple[str, dict[str, Any]] = own["create"](logical_id, properties, stack)
            return made
        name = str(properties.get("AlarmName") or seams.physical_name(stack, logical_id))
        return name, {"Arn": f"arn:aws:cloudwatch:{seams.region()}:{seams.account_id()}:alarm:{name}"}

    def update(name: str, old: Properties, new: Properties, stack: str, logical_id: str) -> tuple[str, dict[str, Any]]:
        delete(name, old)
        return create(logical_id, new, stack)

    def delete(name: str, properties: Properties) -> None:
        if not properties.get("Metrics"):
            own["delete"](name, properties)

    handler = {"create": create, "update": update, "delete": delete, "update_with_logical_id": True}
    seams.resource_handlers[TYPE] = handler
