"""CloudFormation -> Image Builder: starts a build of a pipeline whose recipe is new or has changed, and waits for none.

A pipeline that builds on another is not started with a new stack: it would build on the base image and not on gold. The
request's id is the client token, so that a request which comes twice starts one build. The schedule alone would not do:
no page says that a new recipe is a dependency update.
"""

import logging
from collections.abc import Mapping
from typing import Any

from shared.aws import client
from shared.custom_resource import answer

logger = logging.getLogger(__name__)


def lambda_handler(event: Any, context: Any) -> str:
    """Answers one request of CloudFormation."""
    return answer(event, build)


def build(request: Mapping[str, Any]) -> str:
    """Returns the physical id, which never changes.

    Raises:
        KeyError: the request lacks a property.
        botocore.exceptions.ClientError: Image Builder refuses.
    """
    wanted = request["ResourceProperties"]
    old = request.get("OldResourceProperties") or {}
    is_new = request["RequestType"] == "Create" and wanted["WithNewStack"] == "true"
    has_changed = request["RequestType"] == "Update" and old.get("Recipe") != wanted["Recipe"]
    if is_new or has_changed:
        started = client("imagebuilder").start_image_pipeline_execution(
            imagePipelineArn=wanted["Pipeline"], clientToken=request["RequestId"]
        )
        logger.info("started", extra={"image": started["imageBuildVersionArn"]})
    return f"builds-{request['LogicalResourceId']}"
