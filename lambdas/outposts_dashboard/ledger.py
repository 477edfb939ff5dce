"""The table that says which dashboards this stack has written, and who is writing just now.

Items by their ``id``: ``dashboard#<name>`` a dashboard of ours; ``refresh`` the one that holds the pen; ``settings``
what the last deployment wants to be shown: any number of values, for which an environment of 4 KB has no room
(https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html).
"""

from enum import Enum
from typing import Any

PEN = "refresh"
SETTINGS = "settings"
DASHBOARD = "dashboard#"
Key = dict[str, dict[str, str]]


class Pen(Enum):
    """What came of the attempt to take the pen.

    ``TAKEN``: it is ours. ``LEFT_WORD``: another has it, and will look once more before it lets go. ``CLOSED``: the
    stack is being deleted, nothing may be written any more.
    """

    TAKEN = "taken"
    LEFT_WORD = "left word"
    CLOSED = "closed"


class BusyError(RuntimeError):
    """The pen changes hands faster than one can look; the event comes again."""


class NoSettingsError(RuntimeError):
    """The table does not say what is wanted."""


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
        """Notes a dashboard that is about to be written: before, so that none is ours without a note."""
        self._dynamodb.put_item(TableName=self._table, Item=_key(DASHBOARD + name))

    def forget(self, name: str) -> None:
        """Removes the note of a dashboard that is gone."""
        self._dynamodb.delete_item(TableName=self._table, Key=_key(DASHBOARD + name))

    # What is wanted

    def want(self, text: str) -> None:
        """Notes the settings of a deployment."""
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

    def take(self, holder: str, *, now: float, until: float) -> Pen:
        """Takes the pen, unless another has it; a holder that has not let go by its time is taken for dead.

        Whoever does not get it leaves word, so that the holder looks again: nobody waits, and nothing is missed.

        Raises:
            BusyError: it was let go in the moment in which word was left, several times in a row.
        """
        for _ in range(3):
            try:
                self._update(
                    "SET holder = :holder, #until = :until REMOVE again",
                    "attribute_not_exists(closed)"
                    " AND (attribute_not_exists(holder) OR holder = :holder OR #until < :now)",
                    {":holder": {"S": holder}, ":until": _number(until), ":now": _number(now)},
                )
                return Pen.TAKEN
            except self._dynamodb.exceptions.ConditionalCheckFailedException:
                if "closed" in self._pen():
                    return Pen.CLOSED
            try:
                self._update(
                    "SET again = :yes",
                    "attribute_exists(holder) AND #until >= :now",
                    {":yes": {"BOOL": True}, ":now": _number(now)},
                )
                return Pen.LEFT_WORD
            except self._dynamodb.exceptions.ConditionalCheckFailedException:
                continue
        raise BusyError("the pen changes hands too fast")

    def let_go(self, holder: str, *, began: float) -> bool:
        """Lets go of the pen, unless somebody has left word meanwhile: then the word is taken away and False returned.

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
            pen = self._pen()
            if pen.get("holder", {}).get("S") != holder or "again" not in pen:
                return True  # let go already: the answer to that was lost
            self._update("REMOVE again", "holder = :holder", {":holder": {"S": holder}})
            return False
        return True

    def drop(self, holder: str) -> None:
        """Lets go of the pen after a failure: what was wanted comes again."""
        try:
            self._update("REMOVE holder, #until, again", "holder = :holder", {":holder": {"S": holder}})
        except self._dynamodb.exceptions.ConditionalCheckFailedException:
            return

    def began(self) -> float:
        """When the discovery began whose dashboards were written last; 0 if there was none."""
        return float(self._pen().get("began", {}).get("N", 0))

    def close(self) -> None:
        """Nobody gets the pen any more."""
        self._update("SET closed = :yes", None, {":yes": {"BOOL": True}})

    def open(self) -> None:
        """Whoever wants the pen gets it."""
        self._update("REMOVE closed", None, {})

    def held_until(self) -> float:
        """Until when somebody may be writing; 0 if nobody is."""
        pen = self._pen()
        return float(pen["until"]["N"]) if "holder" in pen else 0.0

    def _pen(self) -> dict[str, dict[str, Any]]:
        answer = self._dynamodb.get_item(TableName=self._table, Key=_key(PEN), ConsistentRead=True)
        found: dict[str, dict[str, Any]] = answer.get("Item", {})
        return found

    def _update(self, change: str, condition: str | None, values: dict[str, Any]) -> None:
        self._dynamodb.update_item(
            TableName=self._table,
            Key=_key(PEN),
            UpdateExpression=change,
            **({"ConditionExpression": condition} if condition else {}),
            **({"ExpressionAttributeValues": values} if values else {}),
            **({"ExpressionAttributeNames": {"#until": "until"}} if "#until" in f"{change}{condition}" else {}),
        )


def _key(name: str) -> Key:
    return {"id": {"S": name}}


def _number(value: float) -> dict[str, str]:
    return {"N": f"{value:.3f}"}
