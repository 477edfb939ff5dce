"""A build's state from CodeBuild's API or an event, and the verdict if the build has left no result.

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
    """A message that is not from a build, from Start or from CodeBuild."""


@dataclass(frozen=True)
class Build:
    """The part of a build that a notification needs.

    Attributes:
        status: the API's status.
        source, slug: from its variables.
        failure: CodeBuild's text about the phase that failed; empty if none did.
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
        """The verdict on a build that has left no result."""
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
    """The content of a message.

    Attributes:
        build: the build's id.
        watch: whether the message comes back while the build runs.
        go_on: whether it is not about a build but asks Start to start the next ones.
        event: the build as CodeBuild's event describes it, for one that the API no longer knows.
    """

    build: str
    watch: bool = False
    go_on: bool = False
    event: Build | None = None


def read(body: str) -> Told:
    """Reads a message of the queue.

    Raises:
        UnknownMessageError: it is anything else.
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
    """A build as an event describes it, without its start, a text without a time zone."""
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
    """The first phase that failed, and why."""
    for kind, status, contexts in phases:
        if status in ("FAILED", "FAULT", "TIMED_OUT", "CLIENT_ERROR"):
            return kind, " ".join(filter(None, (text.strip(": ") for text in contexts)))
    return "", ""


def _context(item: Mapping[str, str]) -> str:
    return ": ".join(filter(None, (item.get("statusCode"), item.get("message"))))


def _short_id(build: str) -> str:
    """PROJECT:UUID, from an id or from an ARN that ends with it."""
    return build.rpartition(":build/")[2]
