"""What CodeBuild says of a build, by its API or in an event, and what follows where the build itself said nothing.

https://docs.aws.amazon.com/codebuild/latest/APIReference/API_Build.html
https://docs.aws.amazon.com/codebuild/latest/userguide/sample-build-notifications-ref.html
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from graviton_porting_advisor.verdict import Result, Verdict, failed

RUNNING = "IN_PROGRESS"


class UnknownMessageError(ValueError):
    """A message that is neither a build's own, nor Start's, nor an event of CodeBuild."""


@dataclass(frozen=True)
class Build:
    """A build, as far as somebody who was told of it needs it.

    Attributes:
        status: as the API has it.
        source, slug: of its variables.
        failure: the phase that has failed, and what CodeBuild says of it; empty if none has.
        log: address of its log in the console; empty if it has none.
    """

    id: str
    status: str
    source: str
    slug: str
    failed_phase: str = ""
    failure: str = ""
    log: str = ""

    @property
    def running(self) -> bool:
        """Whether it has not ended yet."""
        return self.status == RUNNING

    @property
    def verdict(self) -> Verdict:
        """What its end says where it has left no result."""
        words = self.failure or f"its status is {self.status}"
        if self.status == "STOPPED":
            return failed(Result.STOPPED, words)
        if self.failed_phase == "DOWNLOAD_SOURCE":
            return failed(Result.UNREADABLE, words)
        if self.status == "TIMED_OUT":
            return failed(Result.TIMED_OUT, words)
        return failed(Result.LOST, f"{self.failed_phase or self.status}: {words}")


@dataclass(frozen=True)
class Told:
    """What a message is about.

    Attributes:
        build: the build's id.
        watch: whether the message comes back as long as the build runs.
        go_on: whether it is about no build, and asks Start to start whose turn it is.
        event: the build as the event of CodeBuild has it, for one that the API does not know any more.
    """

    build: str
    watch: bool = False
    go_on: bool = False
    event: Build | None = None


def read(body: str) -> Told:
    """Reads a message of the queue.

    Raises:
        UnknownMessageError: it is something else.
    """
    try:
        found = json.loads(body)
        if "detail" in found:
            built = _of_event(found["detail"])
            return Told(built.id, event=built)
        if found.get("go_on"):
            return Told("", go_on=True)
        return Told(_short_id(found["build"]), watch=bool(found.get("watch")))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UnknownMessageError(
            f"not a message about a build ({type(error).__name__}: {error}): {body:.300}"
        ) from None


def of_api(build: Mapping[str, Any]) -> Build:
    """A build as BatchGetBuilds describes it."""
    variables = {item["name"]: item["value"] for item in build["environment"]["environmentVariables"]}
    phase, why = _failure(
        (each.get("phaseType", ""), each.get("phaseStatus", ""), [_context(item) for item in each.get("contexts", [])])
        for each in build.get("phases", [])
    )
    return Build(
        id=build["id"],
        status=build["buildStatus"],
        source=variables["SOURCE"],
        slug=variables["SLUG"],
        failed_phase=phase,
        failure=why,
        log=build.get("logs", {}).get("deepLink", ""),
    )


def _of_event(detail: Mapping[str, Any]) -> Build:
    """A build as an event describes it. Its start is a text without a time zone, which nobody needs."""
    more = detail["additional-information"]
    variables = {item["name"]: item["value"] for item in more["environment"]["environment-variables"]}
    phase, why = _failure(
        (each.get("phase-type", ""), each.get("phase-status", ""), each.get("phase-context") or [])
        for each in more.get("phases", [])
    )
    return Build(
        id=_short_id(detail["build-id"]),
        status=detail["build-status"],
        source=variables["SOURCE"],
        slug=variables["SLUG"],
        failed_phase=phase,
        failure=why,
        log=more.get("logs", {}).get("deep-link", ""),
    )


def _failure(phases: Iterable[tuple[str, str, Iterable[str]]]) -> tuple[str, str]:
    """The first phase that has failed, and why."""
    for kind, status, contexts in phases:
        if status in ("FAILED", "FAULT", "TIMED_OUT", "CLIENT_ERROR"):
            return kind, " ".join(filter(None, (text.strip(": ") for text in contexts)))
    return "", ""


def _context(item: Mapping[str, str]) -> str:
    return ": ".join(filter(None, (item.get("statusCode"), item.get("message"))))


def _short_id(build: str) -> str:
    """PROJECT:UUID, of itself or of an ARN that ends with it."""
    return build.rpartition(":build/")[2]
