"""CloudFormation -> Image Builder: starts a build of a pipeline whose recipe is new or has changed, and waits for none.

It starts one, too, where the names of its parameters have changed: until an image is built, nothing can be launched
from the new ones, and a build that runs meanwhile writes the old ones, or fails for want of permission.

What builds on another pipeline is started here only if that one has an image and is not built anew by the same
deployment. Else it would be built on the raw base, or on an image that is about to be replaced; the rule on its
parent's images starts it when there is one. A workload that is new, or has another parent, is built at once on the
image that there is: what its parent was before is not known here. The next image of that starts it again.

The request's id is the client token, so that a request which comes twice starts one build. A schedule alone would not
do: no page says that a new recipe is a dependency update. A build that is refused fails the deployment, and is no
reason to fail its rollback, which brings an old recipe back.
"""

import logging
from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from shared.aws import client
from shared.custom_resource import answer

logger = logging.getLogger(__name__)

ROLLING_BACK = "UPDATE_ROLLBACK_IN_PROGRESS"
THERE = ("AVAILABLE", "DEPRECATED")
"""States of an image that launches: deprecation hides it and forbids nothing
(https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ami-deprecate.html)."""


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
    is_new = request["RequestType"] == "Create"
    has_changed = request["RequestType"] == "Update" and any(
        old.get(name) != wanted.get(name) for name in ("Recipe", "Parameters")
    )
    if is_new or has_changed:
        try:
            if _waits_for_its_parent(wanted, old):
                logger.info("left to its parent's next image", extra={"pipeline": wanted["Pipeline"]})
            else:
                started = client("imagebuilder").start_image_pipeline_execution(
                    imagePipelineArn=wanted["Pipeline"], clientToken=request["RequestId"]
                )
                logger.info("started", extra={"image": started["imageBuildVersionArn"]})
        except ClientError:
            if is_new or not _rolls_back(request["StackId"]):
                raise
            logger.exception("not started while the stack rolls back; its recipe is the old one again")
    return f"builds-{request['LogicalResourceId']}"


def _waits_for_its_parent(wanted: Mapping[str, Any], old: Mapping[str, Any]) -> bool:
    if not wanted["ParentPipeline"]:
        return False
    is_parent_of_before = old.get("ParentPipeline") == wanted["ParentPipeline"]
    if is_parent_of_before and old.get("Ancestors") != wanted["Ancestors"]:
        return True  # one of them is built by this deployment too
    found = client("ssm").get_parameters(Names=[wanted["ParentParameter"]])["Parameters"]
    return not found or found[0]["Value"] not in _images(wanted["ParentPipeline"])


def _images(pipeline: str) -> set[str]:
    """AMIs that a pipeline has made and that launch."""
    pages = client("imagebuilder").get_paginator("list_image_pipeline_images").paginate(imagePipelineArn=pipeline)
    return {
        ami["image"]
        for page in pages
        for image in page["imageSummaryList"]
        if image["state"]["status"] in THERE
        for ami in image.get("outputResources", {}).get("amis", [])
    }


def _rolls_back(stack_id: str) -> bool:
    (stack,) = client("cloudformation").describe_stacks(StackName=stack_id)["Stacks"]
    return str(stack["StackStatus"]) == ROLLING_BACK
