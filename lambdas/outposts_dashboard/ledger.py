"""The table of the dashboards that this stack has written, with the lock of the refresh that writes now.

Items by their ``id``: ``dashboard#<name>`` is a dashboard of ours; ``refresh`` is the lock; ``settings`` are those of
the last deployment, with any number of values of the tag, for which an environment of 4 KB has no room
(https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html).
"""

from enum import Enum
from typing import Any

LOCK = "refresh"
SETTINGS = "settings"
DASHBOARD = "dashboard#"
Key = dict[str, dict[str, str]]


class Lock(Enum):
    """What came of the attempt to take the lock.

    ``TAKEN``: it is ours. ``REQUESTED``: another refresh has it, and starts over before it releases it. ``CLOSED``: the
    stack is being deleted, nothing may be written any more.
    """

    TAKEN = "taken"
    REQUESTED = "another refresh is in progress, and starts over"
    CLOSED = "the stack is being deleted"


class BusyError(RuntimeError):
    """The lock was released again and again between two calls; the event comes again."""


class NoSettingsError(RuntimeError):
    """The table has no settings."""


class Ledger:
    """The table, by a client of DynamoDB. Every write may be repeated."""

    def __init__(self, dynamodb: Any, table: str) -> None:
        self._dynamodb = dynamodb
        self._table = table

    # Whose dashboards

    def ours(self) -> set[str]:
        """Names of the dashboards that this stack has written, or has been about to."""
        pages = self._dynamodb.get_paginator("scan").paginate(TableName=self._table, ConsistentRead=True)
        ids = [item["id"]["S"] for page in pages for item in page["Items"]]
        return {name.removeprefix(DASHBOARD) for name in ids if name.startswith(DASHBOARD)}

    def claim(self, name: str) -> None:
        """Records a dashboard before it is written, so that none of ours is without a record."""
        self._dynamodb.put_item(TableName=self._table, Item=_key(DASHBOARD + name))

    def forget(self, name: str) -> None:
        """Removes the record of a dashboard that does not exist any more."""
        self._dynamodb.delete_item(TableName=self._table, Key=_key(DASHBOARD + name))

    # What is wanted

    def want(self, text: str) -> None:
        """Records the settings of a deployment."""
        self._dynamodb.put_item(TableName=self._table, Item={**_key(SETTINGS), "text": {"S": text}})

    def wanted(self) -> str:
        """The settings of the last deployment.

        Raises:
            NoSettingsError: there are none.
        """
        answer = self._dynamodb.get_item(TableName=self._table, Key=_key(SETTINGS), ConsistentRead=True)
        if "Item" not in answer:
            raise NoSettingsError(f"the table {self._table} has no settings: change one and deploy the stack again")
        return str(answer["Item"]["text"]["S"])

    # Who writes

    def take(self, holder: str, *, now: float, until: float) -> Lock:
        """Takes the lock, unless another holder has it; one that has not released it by its time counts as dead.

        If another holder has it, a request is recorded, so that the holder starts over: nobody waits, none is missed.

        Raises:
            BusyError: three times in a row the holder released the lock before the request was recorded.
        """
        for _ in range(3):
            try:
                self._update(
                    "SET holder = :holder, #until = :until REMOVE again",
                    "attribute_not_exists(closed)"
                    " AND (attribute_not_exists(holder) OR holder = :holder OR #until < :now)",
                    {":holder": {"S": holder}, ":until": _number(until), ":now": _number(now)},
                )
                return Lock.TAKEN
            except self._dynamodb.exceptions.ConditionalCheckFailedException:
                if "closed" in self._lock():
                    return Lock.CLOSED
            try:
                self._update(
                    "SET again = :yes",
                    "attribute_exists(holder) AND #until >= :now",
                    {":yes": {"BOOL": True}, ":now": _number(now)},
                )
                return Lock.REQUESTED
            except self._dynamodb.exceptions.ConditionalCheckFailedException:
                continue
        raise BusyError("the lock changes its holder too fast")

    def release(self, holder: str, *, began: float) -> bool:
        """Releases the lock, unless another refresh was requested: then it removes the request and returns False.

        Args:
            began: when the discovery began whose dashboards are written now; 0 if it has not seen everything.
        """
        try:
            self._update(
                "SET began = :began REMOVE holder, #until",
                "holder = :holder AND attribute_not_exists(again)",
                {":holder": {"S": holder}, ":began": _number(began)},
            )
        except self._dynamodb.exceptions.ConditionalCheckFailedException:
            lock = self._lock()
            if lock.get("holder", {}).get("S") != holder or "again" not in lock:
                return True  # released already: the answer to that was lost
            self._update("REMOVE again", "holder = :holder", {":holder": {"S": holder}})
            return False
        return True

    def drop(self, holder: str) -> None:
        """Releases the lock with any request: the caller sees to it that a later refresh shows what that was about.

        After a failure that is the event of the failed refresh, which comes again; the last time it goes to the dead
        letters, whose alarm rings.
        """
        try:
            self._update("REMOVE holder, #until, again", "holder = :holder", {":holder": {"S": holder}})
        except self._dynamodb.exceptions.ConditionalCheckFailedException:
            return

    def began(self) -> float:
        """When the discovery began whose dashboards were written last; 0 if there was none."""
        return float(self._lock().get("began", {}).get("N", 0))

    def close(self) -> None:
        """From now on nobody gets the lock."""
        self._update("SET closed = :yes", None, {":yes": {"BOOL": True}})

    def open(self) -> None:
        """Undoes close."""
        self._update("REMOVE closed", None, {})

    def held_until(self) -> float:
        """Until when somebody may be writing; 0 if nobody is."""
        lock = self._lock()
        return float(lock["until"]["N"]) if "holder" in lock else 0.0

    def _lock(self) -> dict[str, dict[str, Any]]:
        answer = self._dynamodb.get_item(TableName=self._table, Key=_key(LOCK), ConsistentRead=True)
        found: dict[str, dict[str, Any]] = answer.get("Item", {})
        return found

    def _update(self, change: str, condition: str | None, values: dict[str, Any]) -> None:
        self._dynamodb.update_item(
            TableName=self._table,
            Key=_key(LOCK),
            UpdateExpression=change,
            **({"ConditionExpression": condition} if condition else {}),
            **({"ExpressionAttributeValues": values} if values else {}),
            **({"ExpressionAttributeNames": {"#until": "until"}} if "#until" in f"{change}{condition}" else {}),
        )


def _key(name: str) -> Key:
    return {"id": {"S": name}}


def _number(value: float) -> dict[str, str]:
    return {"N": f"{value:.3f}"}
