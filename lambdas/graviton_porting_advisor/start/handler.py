"""Schedule, a person, or Report -> CodeBuild: a build for each source, a few at a time; the others wait in a line.

A run names projects. When a build ends, Report lets the next one start. Every event may come twice or late: the line,
an item of a table, holds what is left to do, and each build is started with the scan's own token. CodeBuild sends
events on a best-effort basis, so a message in Report's queue checks on each build and comes again until it has ended.
So does a message that says "go on", while any source waits.
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
"""Less than the five minutes for which CodeBuild remembers a token."""
FORGOTTEN_SECONDS = 3_600
"""A build that CodeBuild does not know may be very new; after this time it counts as deleted."""
DENIED = "AccessDeniedException"
NO_PLACE = "AccountLimitExceededException"
"""https://docs.aws.amazon.com/codebuild/latest/APIReference/API_StartBuild.html"""


class NotStartedError(RuntimeError):
    """Some builds could not be started, or no message checks on them; the others are fine."""


class UnknownEventError(ValueError):
    """The event neither names projects nor says to go on."""


def lambda_handler(event: Any, context: Any) -> dict[str, list[str]]:
    """Adds the event's projects to the line, and starts the next builds.

    Returns:
        for each project the id of its build, or an empty text if it waits.
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
    # At least one message of each run comes again; the ends of builds add none.
    return {"builds": starter.advance(projects, run or "", watch=bool(run or found.get("watch")))}


class Starter:
    """Starts the next builds.

    Args:
        queue: address of Report's queue.
        most: number of builds at a time.
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
        """Adds projects to the line and starts the next builds, even if one of them fails.

        Args:
            watch: whether to send a delayed message if any source waits.

        Returns:
            for each project the id of its build, or an empty text if it waits.

        Raises:
            NotStartedError: some were not started, or no message checks on them.
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
        """Starts builds; returns the reasons for those that failed."""
        failures: dict[str, str] = {}
        full = False
        for entry in turns:
            if (
                self._store.change(lambda found: found) is None
            ):  # closed meanwhile: a build started now would not be stopped
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
        """The build of a scan: one that was started already, or a new one."""
        if self._now() - entry.since > TOKEN_SECONDS and (build := self._begun(entry)):
            return build
        token = hashlib.sha256(f"{entry.run}\n{entry.project}".encode()).hexdigest()
        return str(self._codebuild.start_build(projectName=entry.project, idempotencyToken=token)["build"]["id"])

    def _begun(self, entry: Entry) -> str | None:
        """The newest build of a project, if it began after an attempt to start it whose answer was lost."""
        found = self._codebuild.list_builds_for_project(projectName=entry.project, sortOrder="DESCENDING")["ids"]
        for build in self._codebuild.batch_get_builds(ids=found[:1])["builds"] if found else []:
            if build["startTime"].timestamp() >= entry.since - 1:
                return str(build["id"])
        return None

    def _ended(self, running: Sequence[Entry]) -> list[str]:
        """The builds that have ended. One that CodeBuild does not know or show counts as ended after a while."""
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
        """The states of builds, without those that CodeBuild does not know or that the role may not read.

        The role does not name the project of a removed source, and one such build denies the whole call.
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
