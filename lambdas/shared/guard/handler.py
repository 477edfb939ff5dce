"""CloudFormation -> CloudFormation: lets an update of the guarded properties through, or fails it.

It creates, changes and deletes nothing, so that a request may come as often as it likes. A rollback is never stopped:
it brings back what was there.
"""

from collections.abc import Mapping
from typing import Any

from shared.aws import client
from shared.custom_resource import RefusedError, answer
from shared.guard.changes import changed, is_accepted, refusal

ROLLING_BACK = ("UPDATE_ROLLBACK_IN_PROGRESS", "ROLLBACK_IN_PROGRESS")
"""https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/view-stack-events.html"""


def lambda_handler(event: Any, context: Any) -> str:
    """Answers one request of CloudFormation."""
    return answer(event, guard)


def guard(request: Mapping[str, Any]) -> str:
    """Returns the guard's physical id, which never changes.

    Raises:
        RefusedError: the update would change a guarded property, is not accepted, and is not a rollback.
        ValueError: the request does not say what was there before, so that nobody can tell.
    """
    properties = request["ResourceProperties"]
    if request["RequestType"] == "Update":
        old = request.get("OldResourceProperties")
        if not isinstance(old, dict):
            raise ValueError("an update without OldResourceProperties")
        changes = changed(old["Guarded"], properties["Guarded"])
        # The request does not say in which direction the stack goes; only the stack does.
        if changes and not is_accepted(properties["Accepted"]) and not _rolls_back(request["StackId"]):
            raise RefusedError(refusal(properties["Subject"], changes, properties["Way"]))
    return f"guard-{request['LogicalResourceId']}"


def _rolls_back(stack_id: str) -> bool:
    (stack,) = client("cloudformation").describe_stacks(StackName=stack_id)["Stacks"]
    return stack["StackStatus"] in ROLLING_BACK
