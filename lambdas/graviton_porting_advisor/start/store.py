"""The line as one item of a table: a change applies to the stored version or not at all."""

import json
import uuid
from collections.abc import Callable
from typing import Any

from graviton_porting_advisor.start.line import Entry, Line

KEY = {"line": {"S": "builds"}}
MOST_ATTEMPTS = 20


class BusyError(RuntimeError):
    """Other runs changed the line each time; calling again retries."""


class Store:
    """The table, through a DynamoDB client."""

    def __init__(self, dynamodb: Any, table: str) -> None:
        self._dynamodb, self._table = dynamodb, table

    def change(self, made: Callable[[Line], Line]) -> list[Entry] | None:
        """Changes the line; None if it is closed, because the stack is being deleted.

        Args:
            made: makes the new line from the old one; called again if another run was faster.

        Raises:
            BusyError: another run was faster each time.
        """
        mark = uuid.uuid4().hex
        for _ in range(MOST_ATTEMPTS):
            item = self._dynamodb.get_item(TableName=self._table, Key=KEY, ConsistentRead=True).get("Item", {})
            if "closed" in item:
                return None
            line = [Entry.from_json(each) for each in json.loads(item.get("entries", {}).get("S", "[]"))]
            if item.get("mark", {}).get("S") == mark:  # it was written, but the answer was lost
                return line
            new = list(made(line))
            if new == line or self._written(new, item.get("mark"), mark):
                return new
        raise BusyError("other runs kept changing the line")

    def _written(self, line: Line, former: Any, mark: str) -> bool:
        try:
            self._dynamodb.update_item(
                TableName=self._table,
                Key=KEY,
                UpdateExpression="SET entries = :entries, mark = :mark",
                ConditionExpression="attribute_not_exists(closed) AND "
                + ("mark = :former" if former else "attribute_not_exists(mark)"),
                ExpressionAttributeValues={
                    ":entries": {"S": json.dumps([entry.to_json() for entry in line])},
                    ":mark": {"S": mark},
                    **({":former": former} if former else {}),
                },
            )
        except self._dynamodb.exceptions.ConditionalCheckFailedException:
            return False
        return True


def close(dynamodb: Any, table: str) -> None:
    """Closes the line, so that no more builds start."""
    dynamodb.update_item(
        TableName=table,
        Key=KEY,
        UpdateExpression="SET closed = :yes",
        ExpressionAttributeValues={":yes": {"BOOL": True}},
    )
