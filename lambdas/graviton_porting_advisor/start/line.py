"""The line of scans: which wait, which are being started, which have a running build. No AWS in here.

CodeBuild lets only a few builds wait and refuses the others
(https://docs.aws.amazon.com/codebuild/latest/userguide/builds-working.html). Every step may come twice, late, or in
another order: the state of the scan decides, not the sender.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Any

MOST_TRIES = 3
"""Attempts after which a scan that cannot be started is given up and leaves its place to the next."""


class State(StrEnum):
    """The state of a scan."""

    WAITS = "waits"
    STARTS = "starts"
    RUNS = "runs"
    ENDED = "ended"


@dataclass(frozen=True)
class Entry:
    """A scan of a run.

    Attributes:
        run: the same for two deliveries of one event.
        since: when its last attempt began, in seconds since the epoch.
        build: id of its build, once it runs.
    """

    project: str
    run: str
    state: State = State.WAITS
    since: float = 0.0
    tries: int = 0
    build: str = ""

    @property
    def scan(self) -> tuple[str, str]:
        """The scan's identity."""
        return self.project, self.run

    def to_json(self) -> dict[str, Any]:
        """The entry as JSON."""
        return asdict(self)

    @classmethod
    def from_json(cls, found: dict[str, Any]) -> "Entry":
        """The entry from the JSON of ``to_json``."""
        return cls(**found | {"state": State(found["state"])})


Line = Sequence[Entry]
"""All relevant scans, in the order of their arrival."""


def joined(line: Line, projects: Iterable[str], run: str) -> list[Entry]:
    """The line with the scans of a run added. Each scan is in it once, and a waiting source does not wait twice."""
    known = {entry.scan for entry in line}
    waiting = {entry.project for entry in line if entry.state is State.WAITS}
    new = [Entry(project, run) for project in dict.fromkeys(projects) if (project, run) not in known]
    return [*line, *(entry for entry in new if entry.project not in waiting)]


def taken(line: Line, most: int, now: float) -> tuple[list[Entry], list[Entry]]:
    """The line, and the scans to start now. *most* limits the builds, including those that are being started.

    A scan that is being started is started again: its starter may have died, and CodeBuild makes one build per token.
    """
    places = most - sum(entry.state in (State.STARTS, State.RUNS) for entry in line)
    found, turns = [], []
    for entry in line:
        if entry.state is State.WAITS and places > 0:
            places -= 1
            entry = replace(entry, state=State.STARTS, since=now)
        if entry.state is State.STARTS:
            turns.append(entry)
        found.append(entry)
    return found, turns


def started(line: Line, scan: tuple[str, str], build: str) -> list[Entry]:
    """The line with a scan whose build runs, even if another attempt was refused; a scan that has ended stays ended."""
    return [
        replace(entry, state=State.RUNS, build=build)
        if entry.scan == scan and entry.state in (State.STARTS, State.WAITS)
        else entry
        for entry in line
    ]


def refused(line: Line, scan: tuple[str, str]) -> list[Entry]:
    """The line with a scan for which CodeBuild has no room: it keeps its place and waits."""
    return [
        replace(entry, state=State.WAITS) if entry.scan == scan and entry.state is State.STARTS else entry
        for entry in line
    ]


def failed(line: Line, scan: tuple[str, str]) -> list[Entry]:
    """The line with a scan that was perhaps not started: it is tried again, and given up in the end."""
    return [
        replace(entry, tries=entry.tries + 1, state=State.ENDED if entry.tries + 1 >= MOST_TRIES else State.STARTS)
        if entry.scan == scan and entry.state is State.STARTS
        else entry
        for entry in line
    ]


def ended(line: Line, builds: Collection[str]) -> list[Entry]:
    """The line without ended scans, except the last one of each project, which identifies a late event."""
    found = [replace(entry, state=State.ENDED) if entry.build and entry.build in builds else entry for entry in line]
    last = {entry.project: entry.scan for entry in found}
    return [entry for entry in found if entry.state is not State.ENDED or last[entry.project] == entry.scan]


def running(line: Line) -> list[Entry]:
    """The scans whose builds are running, as far as the line knows."""
    return [entry for entry in line if entry.state is State.RUNS]


def unfinished(line: Line) -> bool:
    """Whether Start must be called again to start a build."""
    return any(entry.state in (State.WAITS, State.STARTS) for entry in line)
