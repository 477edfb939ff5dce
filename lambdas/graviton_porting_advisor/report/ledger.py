"""The table of builds that were reported, so that each is reported once, however often its end is announced."""

from typing import Any

KEPT_SECONDS = 30 * 86_400
"""Longer than any message about a build can be in transit."""


class Ledger:
    """The table, through a DynamoDB client. Its key is the build's id, and every write may be repeated."""

    def __init__(self, dynamodb: Any, table: str) -> None:
        self._dynamodb = dynamodb
        self._table = table

    def claim(self, build: str, holder: str, *, now: float, longest: float) -> bool:
        """Claims a build, unless it was reported or another run holds it; a run that holds it for too long has died.

        Args:
            holder: the same for each attempt with a message.
            longest: seconds for which a run can hold it.
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
        """Records that the build was reported."""
        self._update(build, "SET told = :yes REMOVE holder", {":yes": {"BOOL": True}})

    def let_go(self, build: str) -> None:
        """Releases the build after a failure."""
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
