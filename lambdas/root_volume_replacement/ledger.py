"""The table of what this solution has done and is doing: proof for the clean-up, and locks.

Items by their ``id``: ``vol-…`` a root volume that was noted, then replaced; ``snap-…`` a snapshot of ours;
``trial#i-…`` its replacements that have not passed; ``lock#i-…`` at work;
``claim#…`` an attempt at a snapshot; ``gone#i-…`` since when an instance is missing.
"""

from collections.abc import Iterator
from typing import Any

Item = dict[str, Any]
NUMBERS = frozenset({"at", "expires_at"})


class Ledger:
    """The table, by a client of DynamoDB. Every write may be repeated."""

    def __init__(self, dynamodb: Any, table: str) -> None:
        self._dynamodb = dynamodb
        self._table = table

    def read(self, key: str) -> Item | None:
        """Returns an item as it is now."""
        answer = self._dynamodb.get_item(TableName=self._table, Key={"id": {"S": key}}, ConsistentRead=True)
        return _plain(answer["Item"]) if "Item" in answer else None

    def everything(self) -> Iterator[Item]:
        """Yields every item."""
        pages = self._dynamodb.get_paginator("scan").paginate(TableName=self._table, ConsistentRead=True)
        for page in pages:
            yield from map(_plain, page["Items"])

    def record(self, key: str, **facts: Any) -> None:
        """Writes an item, whatever was there."""
        self._dynamodb.put_item(TableName=self._table, Item=_typed({"id": key, **facts}))

    def forget(self, key: str) -> None:
        """Removes an item, if it is there."""
        self._dynamodb.delete_item(TableName=self._table, Key={"id": {"S": key}})

    def claim(self, key: str, holder: str, *, instead_of: Item | None = None, **facts: Any) -> Item | None:
        """Makes *holder* the one who holds an item, if nobody does, or if it still is held by *instead_of*.

        Returns:
            None when it is held by *holder* now, else the item of whoever holds it.
        """
        condition, values = "attribute_not_exists(id) OR holder = :holder", {":holder": {"S": holder}}
        if instead_of:
            condition += " OR (holder = :before AND #at = :at)"
            values |= {":before": {"S": instead_of["holder"]}, ":at": {"N": str(instead_of["at"])}}
        try:
            self._dynamodb.put_item(
                TableName=self._table,
                Item=_typed({"id": key, "holder": holder, **facts}),
                ConditionExpression=condition,
                ExpressionAttributeValues=values,
                **({"ExpressionAttributeNames": {"#at": "at"}} if instead_of else {}),
            )
        except self._dynamodb.exceptions.ConditionalCheckFailedException:
            # Released in between: the next claim gets it.
            return self.read(key) or {"id": key, "holder": "", "at": facts["at"]}
        return None

    def release(self, key: str, holder: str) -> None:
        """Releases an item that *holder* holds; one that it does not hold stays."""
        try:
            self._dynamodb.delete_item(
                TableName=self._table,
                Key={"id": {"S": key}},
                ConditionExpression="holder = :holder",
                ExpressionAttributeValues={":holder": {"S": holder}},
            )
        except self._dynamodb.exceptions.ConditionalCheckFailedException:
            return


def _typed(item: Item) -> dict[str, dict[str, str]]:
    return {name: {"N" if name in NUMBERS else "S": str(value)} for name, value in item.items()}


def _plain(item: dict[str, dict[str, str]]) -> Item:
    return {name: int(value["N"]) if "N" in value else value["S"] for name, value in item.items()}
