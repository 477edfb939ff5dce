"""AWS::DynamoDB::GlobalTable: what CloudFormation changes in place stays the same table, with the tags of its replica.

ministack's update does not hand on the logical id, so that it takes the table for one that was renamed, and makes an
empty one beside it at every change. Key schema and local indexes alone replace a table:
https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-dynamodb-globaltable.html

It leaves out the tags, too. A replica has those of its own entry; its stack hands it none, since the schema of the type
has no tagging:
https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-dynamodb-globaltable-replicaspecification.html
"""

from collections.abc import Callable
from typing import Any

from ministack.services import dynamodb
from ministack.services.cloudformation import provisioners

from emulator.core.api import Json
from emulator.core.patch import private
from emulator.core.resource import Properties, create_under_new_name
from emulator.core.store import arn, region

_update: Callable[..., Any] = private(
    provisioners, "_ddb_update", "physical_id old_props new_props stack_name logical_id"
)
_tags: Any = private(dynamodb, "_tags")
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
    """The handler of ministack with an update that knows the resource's logical id, and with the replica's tags."""

    def create(logical_id: str, properties: Properties, stack: str) -> tuple[str, Json]:
        made: tuple[str, Json] = original["create"](
            logical_id, {**properties, "Tags": _replica_tags(properties)}, stack
        )
        return made

    def update(physical_id: str, old: Properties, new: Properties, stack: str, logical_id: str) -> tuple[str, Json]:
        if not new.get("TableName") and any(old.get(name) != new.get(name) for name in REPLACED_BY):
            return create_under_new_name(create, logical_id, new, stack)
        made: tuple[str, Json] = _update(physical_id, _of_a_table(old), _of_a_table(new), stack, logical_id)
        return made

    def delete(physical_id: str, properties: Properties) -> None:
        original["delete"](physical_id, properties)
        _tags.pop(arn("dynamodb", f"table/{physical_id}"), None)

    return {**original, "create": create, "update": update, "delete": delete, "update_with_logical_id": True}


def _of_a_table(properties: Properties) -> Properties:
    """What a table of one Region has, too; the keys of its replica are its own, and its tags."""
    shared = {name: value for name, value in properties.items() if name not in OF_A_GLOBAL_TABLE}
    return {**shared, "Tags": _replica_tags(properties)}


def _replica_tags(properties: Properties) -> list[Json]:
    """The tags of the replica here; the others would be in their Regions."""
    here = (replica for replica in properties.get("Replicas") or [] if replica.get("Region") == region())
    return [tag for replica in here for tag in replica.get("Tags") or []]
