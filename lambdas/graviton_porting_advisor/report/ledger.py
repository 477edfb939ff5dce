"""The table that says of which builds was told: each once, however often somebody says that it has ended."""

from typing import Any

KEPT_SECONDS = 30 * 86_400
"""Longer than any message about a build can be on its way."""


class Ledger:
    """The table, by a client of DynamoDB. Items by the build's id; every write may be repeated."""

    def __init__(self, dynamodb: Any, table: str) -> None:
        self._dynamodb = dynamodb
        self._table = table

    def claim(self, build: str, holder: str, *, now: float, longest: float) -> bool:
        """Claims a build, unless it was told of or somebody does just now; who holds it for too long is dead.

        Args:
            holder: the same for each attempt at a message.
            longest: seconds that one can hold it.
        """
        try:
            self._dynamodb.update_item(
                TableName=self._table,
                Key={"build": {"S": build}},
                UpdateExpression="SET holder = :holder, claimed = :now, expires = :expires",
                ConditionExpression="attribute_not_exists(told)"
                " AND (attribute_not_exists(holder) OR holder = :holder OR claimed < :dead)",
                ExpressionAttributeValues={
                    ":holder": {"S": holder},
                    ":now": _number(now),
                    ":dead": _number(now - longest),
                    ":expires": _number(now + KEPT_SECONDS),
                },
            )
        except self._dynamodb.exceptions.ConditionalCheckFailedException:
            return False
        return True

    def told(self, build: str) -> None:
        """Notes that it was told of."""
        self._update(build, "SET told = :yes REMOVE holder", {":yes": {"BOOL": True}})

    def let_go(self, build: str) -> None:
        """Lets go of it after a failure."""
        self._update(build, "REMOVE holder", None)

    def _update(self, build: str, change: str, values: dict[str, Any] | None) -> None:
        self._dynamodb.update_item(
            TableName=self._table,
            Key={"build": {"S": build}},
            UpdateExpression=change,
            **({"ExpressionAttributeValues": values} if values else {}),
        )


def _number(value: float) -> dict[str, str]:
    return {"N": f"{value:.0f}"}
