"""AWS::DynamoDB::GlobalTable: what CloudFormation changes in place stays the same table.

ministack's update does not hand on the logical id, so that it takes the table for one that was renamed, and makes an
empty one beside it at every change. Key schema and local indexes alone replace a table:
https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-dynamodb-globaltable.html
"""

from collections.abc import Callable
from typing import Any

from ministack.services.cloudformation import provisioners

from emulator.core.api import Json
from emulator.core.patch import private
from emulator.core.resource import Properties, create_under_new_name

_update: Callable[..., Any] = private(
    provisioners, "_ddb_update", "physical_id old_props new_props stack_name logical_id"
)
REPLACED_BY = ("KeySchema", "LocalSecondaryIndexes")
OF_A_GLOBAL_TABLE = {
    "GlobalTableSourceArn",
    "GlobalTableWitnesses",
    "MultiRegionConsistency",
    "ReadOnDemandThroughputSettings",
    "ReadProvisionedThroughputSettings",
    "Replicas",
    "WarmThroughput",
    "WriteOnDemandThroughputSettings",
    "WriteProvisionedThroughputSettings",
}


def in_place(original: Json) -> Json:
    """The handler of ministack with an update that knows the resource's logical id."""

    def update(physical_id: str, old: Properties, new: Properties, stack: str, logical_id: str) -> tuple[str, Json]:
        if not new.get("TableName") and any(old.get(name) != new.get(name) for name in REPLACED_BY):
            return create_under_new_name(original["create"], logical_id, new, stack)
        made: tuple[str, Json] = _update(physical_id, _of_a_table(old), _of_a_table(new), stack, logical_id)
        return made

    return {**original, "update": update, "update_with_logical_id": True}


def _of_a_table(properties: Properties) -> Properties:
    """What a table of one Region has, too; the keys of its replica are its own."""
    return {name: value for name, value in properties.items() if name not in OF_A_GLOBAL_TABLE}
