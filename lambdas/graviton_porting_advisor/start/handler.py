"""Schedule, a person, or Report -> CodeBuild: a build for each source, so many at a time; the others wait in a line.

A run brings the projects; the end of a build, of which Report knows, lets the next one go on. Every event may come
twice or late: the line, an item of a table, says what is left to do, and a build is started by a token that is the
scan's. CodeBuild's events are sent on a best effort, so that each build is looked after by a message in the queue of
Report, which comes again until the build has ended; so does one that says "go on" as long as anybody waits.
"""

import hashlib
import json
import logging
import os
import time
from collections.abc import Callable, Sequence
from typing import Any

from botocore.exceptions import ClientError

from graviton_porting_advisor.names import WATCH_SECONDS
from graviton_porting_advisor.start import line as lines
from graviton_porting_advisor.start.line import Entry
from graviton_porting_advisor.start.store import Store
from shared.aws import client
from shared.faults import FAILED

logger = logging.getLogger(__name__)

TOKEN_SECONDS = 240
"""Less than the five minutes for which CodeBuild knows a token."""
FORGOTTEN_SECONDS = 3_600
"""A build that CodeBuild does not know may be very new; after so long it was deleted."""
DENIED = "AccessDeniedException"
NO_PLACE = "AccountLimitExceededException"
"""https://docs.aws.amazon.com/codebuild/latest/APIReference/API_StartBuild.html"""


class NotStartedError(RuntimeError):
    """Some builds could not be started, or are not looked after; the others were."""


class UnknownEventError(ValueError):
    """The event names no projects, and does not say that it goes on."""


def lambda_handler(event: Any, context: Any) -> dict[str, list[str]]:
    """Lets the projects that the event names join the line, and starts whose turn it is.

    Returns:
        for each project the id of its build, or an empty text for one that waits.
    """
    found = event if isinstance(event, dict) else {}
    projects, run = found.get("projects") or [], found.get("run")
    if found.get("go_on") is not True:
        named = isinstance(projects, list) and projects and all(isinstance(name, str) for name in projects)
        if not named or not isinstance(run, str) or not run:
            raise UnknownEventError(f"must be {{'projects': [NAME, ...], 'run': TEXT}}, got {event!r:.300}")
    starter = Starter(
        client("codebuild"),
        client("sqs"),
        Store(client("dynamodb"), os.environ["TABLE_NAME"]),
        queue=os.environ["QUEUE_URL"],
        most=int(os.environ["BUILDS_AT_ONCE"]),
    )
    # At least one message of each run comes again, and the ends of builds add none.
    return {"builds": starter.advance(projects, run or "", watch=bool(run or found.get("watch")))}


class Starter:
    """Starts the builds whose turn it is.

    Args:
        queue: address of the queue of Report.
        most: so many builds at a time.
        now: seconds since the epoch.
    """

    def __init__(
        self,
        codebuild: Any,
        sqs: Any,
        store: Store,
        *,
        queue: str,
        most: int,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._codebuild, self._sqs, self._store = codebuild, sqs, store
        self._queue, self._most, self._now = queue, most, now

    def advance(self, projects: Sequence[str], run: str, *, watch: bool) -> list[str]:
        """Lets projects join, and starts whose turn it is, whatever becomes of one of them.

        Args:
            watch: whether to come again after a while, if anybody waits.

        Returns:
            for each project the id of its build, or an empty text for one that waits.

        Raises:
            NotStartedError: some were not started, or are not looked after.
        """
        line = self._store.change(lambda found: lines.joined(found, projects, run))
        if line is None:
            logger.info("the line is closed")
            return ["" for _ in projects]
        gone = self._ended(lines.running(line))
        turns: list[Entry] = []

        def take(found: lines.Line) -> lines.Line:
            new, turns[:] = lines.taken(lines.ended(found, gone), self._most, self._now())
            return new

        if self._store.change(take) is None:
            return ["" for _ in projects]
        failures = self._start(turns)
        line = self._store.change(lambda found: found) or []
        if watch and lines.unfinished(line):
            self._send({"go_on": True, "watch": True})
        if failures:
            raise NotStartedError("; ".join(f"{project}: {why}" for project, why in failures.items()))
        builds = {entry.scan: entry.build for entry in line}
        return [builds.get((project, run), "") for project in projects]

    def _start(self, turns: Sequence[Entry]) -> dict[str, str]:
        """Starts them; returns why some were not."""
        failures: dict[str, str] = {}
        full = False
        for entry in turns:
            if self._store.change(lambda found: found) is None:  # closed meanwhile: what would start is not stopped
                logger.info("the line is closed")
                return failures
            if full:
                self._store.change(lambda found, entry=entry: lines.refused(found, entry.scan))  # type: ignore[misc]
                continue
            try:
                build = self._build(entry)
                self._send({"build": build, "watch": True})
            except FAILED as fault:
                if isinstance(fault, ClientError) and fault.response["Error"]["Code"] == NO_PLACE:
                    full = True
                    change = lines.refused
                else:
                    failures[entry.project] = str(fault)
                    change = lines.failed
                self._store.change(lambda found, entry=entry, change=change: change(found, entry.scan))  # type: ignore[misc]
                continue
            logger.info("started", extra={"build": build})
            self._store.change(lambda found, entry=entry, build=build: lines.started(found, entry.scan, build))  # type: ignore[misc]
        return failures

    def _build(self, entry: Entry) -> str:
        """The build of a scan: the one that was started, or a new one."""
        if self._now() - entry.since > TOKEN_SECONDS and (build := self._begun(entry)):
            return build
        token = hashlib.sha256(f"{entry.run}\n{entry.project}".encode()).hexdigest()
        return str(self._codebuild.start_build(projectName=entry.project, idempotencyToken=token)["build"]["id"])

    def _begun(self, entry: Entry) -> str | None:
        """The newest build of a project, if it has begun since somebody meant to start it, whose answer was lost."""
        found = self._codebuild.list_builds_for_project(projectName=entry.project, sortOrder="DESCENDING")["ids"]
        for build in self._codebuild.batch_get_builds(ids=found[:1])["builds"] if found else []:
            if build["startTime"].timestamp() >= entry.since - 1:
                return str(build["id"])
        return None

    def _ended(self, running: Sequence[Entry]) -> list[str]:
        """The builds that run no more; of one that CodeBuild does not know, or does not show, nobody hears."""
        if not running:
            return []
        states = self._states([entry.build for entry in running])
        now = self._now()
        return [
            entry.build
            for entry in running
            if states.get(entry.build, "IN_PROGRESS" if now - entry.since < FORGOTTEN_SECONDS else "") != "IN_PROGRESS"
        ]

    def _states(self, builds: Sequence[str]) -> dict[str, str]:
        """What CodeBuild says of builds: nothing of those that it does not know, or that may not be looked at.

        The role names no project of a source that was removed, and one such build has the whole call denied.
        """
        try:
            found = self._codebuild.batch_get_builds(ids=list(builds))["builds"]
        except ClientError as fault:
            if fault.response["Error"]["Code"] != DENIED:
                raise
            if len(builds) == 1:
                logger.warning("may not be looked at", extra={"build": builds[0]})
                return {}
            half = len(builds) // 2
            return self._states(builds[:half]) | self._states(builds[half:])
        return {build["id"]: build["buildStatus"] for build in found}

    def _send(self, message: dict[str, Any]) -> None:
        self._sqs.send_message(QueueUrl=self._queue, MessageBody=json.dumps(message), DelaySeconds=WATCH_SECONDS)
