"""CloudFormation -> DynamoDB, CodeBuild: before the bucket is emptied, no build can start and all are stopped."""

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
LOOKS = 2
MOST_BUILDS = 100
"""Builds in a call of BatchGetBuilds and in a page of ListBuildsForProject: the newest, which may still run."""


def lambda_handler(event: Any, context: Any) -> dict[str, str]:
    """Answers CloudFormation when no build is running, or with the reason for a failure."""
    return {"status": answer(event, _act)}


def _act(request: Mapping[str, Any]) -> str:
    if request["RequestType"] == "Delete":
        close(client("dynamodb"), os.environ["TABLE_NAME"])
        stop(client("codebuild"), request["ResourceProperties"]["Projects"], _pauses())
    return PHYSICAL_ID


def stop(codebuild: Any, projects: Sequence[str], pauses: Iterator[None]) -> None:
    """Stops running builds and waits for their end: later uploads would keep the bucket from being deleted.

    Start may have requested a build just before the line was closed, and CodeBuild lists it a little later: all have
    ended when two looks in a row find none.

    Raises:
        RefusedError: one of them runs for too long.
    """
    quiet, running = 0, {}
    for _ in pauses:
        running = {project: found for project in projects if (found := _running(codebuild, project))}
        quiet = 0 if running else quiet + 1
        if quiet == LOOKS:
            return
        for builds in running.values():
            for build in builds:
                codebuild.stop_build(id=build)
        if running:
            logger.info("stopped", extra={"builds": running})
    raise RefusedError(f"builds of {', '.join(running or projects)} have not ended; delete the stack again")


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
