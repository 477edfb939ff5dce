"""Image Builder's event, or a schedule -> Image Builder -> DynamoDB: the newest image of each pipeline and Region.

Events come twice, late, in any order, or never ("best effort",
https://docs.aws.amazon.com/eventbridge/latest/ref/events-ref-imagebuilder.html). So an event only names an image, which
is looked at; a record is replaced by a newer image only; and once a day all images are looked at.
"""

import logging
import os
from collections.abc import Iterable, Mapping
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from image_pipelines.tracker.newest import Output, outputs
from shared.aws import client

logger = logging.getLogger(__name__)

CONTAINER = "-container"
"""Ending of the names of a container's images, as the stack gives it."""


class NotTrackedError(RuntimeError):
    """Some images could not be looked at or recorded; the others were."""


def lambda_handler(event: Any, context: Any) -> dict[str, int]:
    """Records what one event names, or everything.

    Raises:
        NotTrackedError: naming what could not be done.
        KeyError: the event is neither.
    """
    names = _image_names(amis=os.environ["AMIS"], containers=os.environ["CONTAINERS"])
    pipelines = {f"{os.environ['STACK_NAME']}-{image}": name for image, name in names.items()}
    if event["detail-type"] == "Scheduled Event":
        return track(_all_of(f"{os.environ['PIPELINE_ARNS']}{image}" for image in names), pipelines)
    builder = client("imagebuilder")
    return track(
        ((arn, lambda arn=arn: [builder.get_image(imageBuildVersionArn=arn)["image"]]) for arn in event["resources"]),
        pipelines,
    )


def _image_names(*, amis: str, containers: str) -> dict[str, str]:
    """Name of a pipeline's images, below the stack's -> the pipeline's name in the settings."""
    images = {name: name for name in amis.split(",")}
    return images | {f"{name}{CONTAINER}": name for name in containers.split(",") if name}


def track(looks: Iterable[tuple[str, Any]], pipelines: Mapping[str, str]) -> dict[str, int]:
    """Records the newest of what is found; one look that fails stops no other.

    Args:
        looks: what is looked at, and how: a function that returns images.

    Raises:
        NotTrackedError: naming what could not be done.
    """
    counts = {"recorded": 0, "older": 0}
    failed: dict[str, str] = {}
    for name, look in looks:
        try:
            newest: dict[str, Output] = {}
            for output in (o for image in look() for o in outputs(image, os.environ["ACCOUNT"], pipelines)):
                if output.id not in newest or newest[output.id].created < output.created:
                    newest[output.id] = output
            for output in newest.values():
                counts["recorded" if _record(output) else "older"] += 1
        except (ClientError, BotoCoreError) as error:
            failed[name] = str(error)
    logger.info("tracked", extra={**counts, "failed": failed})
    if failed:
        raise NotTrackedError(f"{len(failed)} could not be tracked: {failed}")
    return counts


def _all_of(arns: Iterable[str]) -> Iterable[tuple[str, Any]]:
    pages = client("imagebuilder").get_paginator("list_image_pipeline_images")
    for arn in arns:
        yield (
            arn,
            lambda arn=arn: [
                image for page in pages.paginate(imagePipelineArn=arn) for image in page["imageSummaryList"]
            ],
        )


def _record(output: Output) -> bool:
    """Writes the record unless it has this image or a newer one."""
    values = {"image": output.image, "source": output.source, "created": output.created}
    try:
        client("dynamodb").put_item(
            TableName=os.environ["TABLE_NAME"],
            Item={
                "id": {"S": output.id},
                "pipeline": {"S": output.pipeline},
                "region": {"S": output.region},
                **{name: {"S": value} for name, value in values.items()},
            },
            ConditionExpression="attribute_not_exists(id) OR created < :created",
            ExpressionAttributeValues={":created": {"S": output.created}},
        )
    except ClientError as error:
        if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
            raise
        return False
    return True
