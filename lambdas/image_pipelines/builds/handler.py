"""CloudFormation -> Image Builder: starts a build of a pipeline whose recipe is new or has changed, and waits for none.

A pipeline that builds on another is not started with a new stack: it would build on the base image and not on gold. The
request's id is the client token, so that a request which comes twice starts one build. The schedule alone would not do:
no page says that a new recipe is a dependency update.

A build that is refused fails the deployment, and is no reason to fail its rollback, which brings an old recipe back.
"""

import logging
from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from shared.aws import client
from shared.custom_resource import answer

logger = logging.getLogger(__name__)

ROLLING_BACK = "UPDATE_ROLLBACK_IN_PROGRESS"


def lambda_handler(event: Any, context: Any) -> str:
    """Answers one request of CloudFormation."""
    return answer(event, build)


def build(request: Mapping[str, Any]) -> str:
    """Returns the physical id, which never changes.

    Raises:
        KeyError: the request lacks a property.
        botocore.exceptions.ClientError: Image Builder refuses, and it is no rollback.
    """
    wanted = request["ResourceProperties"]
    old = request.get("OldResourceProperties") or {}
    is_new = request["RequestType"] == "Create" and wanted["WithNewStack"] == "true"
    has_changed = request["RequestType"] == "Update" and old.get("Recipe") != wanted["Recipe"]
    if is_new or has_changed:
        try:
            started = client("imagebuilder").start_image_pipeline_execution(
                imagePipelineArn=wanted["Pipeline"], clientToken=request["RequestId"]
            )
            logger.info("started", extra={"image": started["imageBuildVersionArn"]})
        except ClientError:
            if is_new or not _rolls_back(request["StackId"]):
                raise
            logger.exception("not started while the stack rolls back; its recipe is the old one again")
    return f"builds-{request['LogicalResourceId']}"


def _rolls_back(stack_id: str) -> bool:
    (stack,) = client("cloudformation").describe_stacks(StackName=stack_id)["Stacks"]
    return str(stack["StackStatus"]) == ROLLING_BACK
