"""Schedule, or a person -> CodeBuild: one build for each source, and a message that comes back to see how it ended.

CodeBuild's events are sent on a best effort, so that each build is looked after by a message in the queue of Report,
which comes again until the build has ended. An event that comes twice starts nothing twice: CodeBuild knows the token
for five minutes, and Lambda repeats what has failed within three.
"""

import hashlib
import json
import logging
import os
from collections.abc import Sequence
from typing import Any

from graviton_porting_advisor.names import WATCH_SECONDS
from shared.aws import client
from shared.faults import FAILED

logger = logging.getLogger(__name__)


class NotStartedError(RuntimeError):
    """Some builds could not be started; the others were."""


class UnknownEventError(ValueError):
    """The event names no projects."""


def lambda_handler(event: Any, context: Any) -> dict[str, list[str]]:
    """Starts builds of the projects that the event names."""
    found = event if isinstance(event, dict) else {}
    projects, run = found.get("projects") or [], found.get("run")
    named = isinstance(projects, list) and projects and all(isinstance(name, str) for name in projects)
    if not named or not isinstance(run, str) or not run:
        raise UnknownEventError(f"must be {{'projects': [NAME, ...], 'run': TEXT}}, got {event!r:.300}")
    return {"builds": start(client("codebuild"), client("sqs"), projects, run, os.environ["QUEUE_URL"])}


def start(codebuild: Any, sqs: Any, projects: Sequence[str], run: str, queue: str) -> list[str]:
    """Starts them all, whatever becomes of one of them; returns the ids of the builds.

    Args:
        run: what two deliveries of the same event have in common.

    Raises:
        NotStartedError: some were not started, or are not looked after.
    """
    builds: list[str] = []
    failures: dict[str, str] = {}
    for project in projects:
        try:
            token = hashlib.sha256(f"{run}\n{project}".encode()).hexdigest()
            build = codebuild.start_build(projectName=project, idempotencyToken=token)["build"]["id"]
            builds.append(build)
            sqs.send_message(
                QueueUrl=queue, MessageBody=json.dumps({"build": build, "watch": True}), DelaySeconds=WATCH_SECONDS
            )
        except FAILED as fault:
            failures[project] = str(fault)
    logger.info("started", extra={"builds": builds})
    if failures:
        raise NotStartedError("; ".join(f"{project}: {why}" for project, why in failures.items()))
    return builds
