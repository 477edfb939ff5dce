"""CloudFormation -> a refresh after each deployment, and at deletion the end of what was made at run time.

With ``refresh: function`` a message goes to the queue, and a deletion removes the dashboards that the ledger knows as
ours. With ``refresh: pipeline`` the pipeline is started, and a deletion removes the stacks that it has deployed: those
whose tag names this stack. Whatever else has such a name stays.
"""

import logging
import time
from collections.abc import Iterator, Mapping
from typing import Any

from botocore.exceptions import ClientError

from outposts_dashboard.ledger import Ledger
from outposts_dashboard.refresh.handler import delete
from shared.aws import client
from shared.custom_resource import RefusedError, answer

logger = logging.getLogger(__name__)

PHYSICAL_ID = "dashboards"
LONGEST_SECONDS = 840  # of the function's 900
PAUSE_SECONDS = 3.0
DEPLOYED_BY = "deployed-by"
GONE = ("DELETE_COMPLETE",)
RUNNING = ("InProgress", "Stopping")
# A run that ended, or was seen to be stopping, between the list and the call: the next list says which.
# https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_StopPipelineExecution.html
ENDING = ("DuplicatedStopRequestException", "PipelineExecutionNotStoppableException")


def lambda_handler(event: Any, context: Any) -> dict[str, str]:
    """Answers CloudFormation when it is done, or with the reason why not."""
    return {"status": answer(event, _act)}


def _act(request: Mapping[str, Any]) -> str:
    properties = request["ResourceProperties"]
    deleting = request["RequestType"] == "Delete"
    if "PipelineName" in properties:
        if deleting:
            pauses = _pauses()  # both in the time of one function
            stop(client("codepipeline"), properties["PipelineName"], pauses)
            delete_stacks(client("cloudformation"), properties["StackName"], request["StackId"], pauses)
        else:
            client("codepipeline").start_pipeline_execution(name=properties["PipelineName"])
    else:
        ledger = Ledger(client("dynamodb"), properties["TableName"])
        if deleting:
            delete_dashboards(ledger)
        else:
            ledger.want(properties["Wanted"])
            ledger.open()
            client("sqs").send_message(QueueUrl=properties["QueueUrl"], MessageBody="deployed")
    return PHYSICAL_ID


def delete_dashboards(ledger: Ledger) -> None:
    """Prevents another refresh, waits for the one in progress, and deletes what was written.

    Raises:
        RefusedError: a refresh is still in progress after fourteen minutes.
    """
    ledger.close()
    for _ in _pauses():
        if ledger.held_until() < time.time():
            break
    else:
        raise RefusedError("a refresh is still at work; delete the stack again")
    names = sorted(ledger.ours())
    delete(client("cloudwatch"), ledger, names)
    logger.info("deleted", extra={"dashboards": names})


def stop(codepipeline: Any, pipeline: str, pauses: Iterator[None]) -> None:
    """Stops the runs in progress and waits for their end, so that none deploys what is about to be deleted.

    A step that has begun may finish: a deployment that is cut off would leave its stack half updated.

    Raises:
        RefusedError: one of them goes on for too long.
    """
    for _ in pauses:
        runs = codepipeline.get_paginator("list_pipeline_executions").paginate(pipelineName=pipeline)
        left = {
            run["pipelineExecutionId"]: run["status"]
            for page in runs
            for run in page["pipelineExecutionSummaries"]
            if run["status"] in RUNNING
        }
        if not left:
            return
        for run in sorted(name for name, status in left.items() if status == "InProgress"):
            try:
                codepipeline.stop_pipeline_execution(
                    pipelineName=pipeline, pipelineExecutionId=run, abandon=False, reason="its stack is being deleted"
                )
            except ClientError as error:
                if error.response["Error"]["Code"] not in ENDING:
                    raise
    raise RefusedError(f"a run of {pipeline} does not end; delete the stack again")


def delete_stacks(cloudformation: Any, name: str, owner: str, pauses: Iterator[None]) -> None:
    """Deletes the stacks of dashboards that the pipeline of this stack has deployed, and waits for their end.

    The role by which each was deployed deletes it: CloudFormation remembers it.

    Raises:
        RefusedError: one of them is not gone by then, or cannot be deleted.
    """
    left = {stack["StackId"] for stack in stacks_of(cloudformation, name, owner)}
    for stack_id in sorted(left):
        cloudformation.delete_stack(StackName=stack_id)
    for _ in pauses:
        states = {stack_id: _status(cloudformation, stack_id) for stack_id in left}
        left = {stack_id for stack_id, status in states.items() if status not in GONE}
        if not left:
            return
        if failed := [stack_id for stack_id in left if states[stack_id] == "DELETE_FAILED"]:
            raise RefusedError(f"{failed[0]} could not be deleted; its events say why")
    raise RefusedError(f"{sorted(left)[0]} is still being deleted; delete this stack again")


def stacks_of(cloudformation: Any, name: str, owner: str) -> Iterator[dict[str, Any]]:
    """Yields the stacks whose name begins so, and whose tag says that *owner* has deployed them."""
    for page in cloudformation.get_paginator("describe_stacks").paginate():
        for stack in page["Stacks"]:
            tags = {tag["Key"]: tag["Value"] for tag in stack.get("Tags", [])}
            if is_named(stack["StackName"], name) and tags.get(DEPLOYED_BY) == owner:
                yield stack


def is_named(stack: str, name: str) -> bool:
    """Whether a stack has this name, or one that begins with it."""
    return stack == name or stack.startswith(f"{name}-")


def _status(cloudformation: Any, stack_id: str) -> str:
    """By its id a stack is found for 90 days after its deletion."""
    (stack,) = cloudformation.describe_stacks(StackName=stack_id)["Stacks"]
    return str(stack["StackStatus"])


def _pauses() -> Iterator[None]:
    began = time.monotonic()
    while time.monotonic() - began < LONGEST_SECONDS:
        yield
        time.sleep(PAUSE_SECONDS)
