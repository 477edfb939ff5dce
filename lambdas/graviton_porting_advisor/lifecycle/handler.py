"""CloudFormation -> DynamoDB, CodeBuild: before a bucket is emptied, nobody starts a build, and all are stopped."""

import logging
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from botocore.exceptions import ClientError

from graviton_porting_advisor.start.store import close
from shared.aws import client
from shared.custom_resource import RefusedError, answer

logger = logging.getLogger(__name__)

PHYSICAL_ID = "builds"
LONGEST_SECONDS = 840  # of the function's 900
PAUSE_SECONDS = 5.0
MOST_BUILDS = 100
"""In a call of BatchGetBuilds, and in a page of ListBuildsForProject: the newest, which may still run."""


def lambda_handler(event: Any, context: Any) -> dict[str, str]:
    """Answers CloudFormation when no build runs any more, or with the reason why not."""
    return {"status": answer(event, _act)}


def _act(request: Mapping[str, Any]) -> str:
    if request["RequestType"] == "Delete":
        close(client("dynamodb"), os.environ["TABLE_NAME"])
        stop(client("codebuild"), request["ResourceProperties"]["Projects"], _pauses())
    return PHYSICAL_ID


def stop(codebuild: Any, projects: Sequence[str], pauses: Iterator[None]) -> None:
    """Stops the builds under way and waits for their end: what they upload later would keep the bucket.

    Raises:
        RefusedError: one of them goes on for too long.
    """
    left = list(projects)
    for _ in pauses:
        running = {project: found for project in left if (found := _running(codebuild, project))}
        if not running:
            return
        for builds in running.values():
            for build in builds:
                codebuild.stop_build(id=build)
        logger.info("stopped", extra={"builds": running})
        left = list(running)
    raise RefusedError(f"builds of {', '.join(left)} do not end; delete the stack again")


def _running(codebuild: Any, project: str) -> list[str]:
    try:
        ids = codebuild.list_builds_for_project(projectName=project, sortOrder="DESCENDING").get("ids", [])
    except ClientError as error:
        if error.response["Error"]["Code"] == "ResourceNotFoundException":
            return []
        raise
    builds = codebuild.batch_get_builds(ids=ids[:MOST_BUILDS])["builds"] if ids else []
    return [build["id"] for build in builds if build["buildStatus"] == "IN_PROGRESS"]


def _pauses() -> Iterator[None]:
    began = time.monotonic()
    while time.monotonic() - began < LONGEST_SECONDS:
        yield
        time.sleep(PAUSE_SECONDS)
