"""The line in which scans wait for their turn: who waits, who is being started, whose build runs. No AWS in here.

CodeBuild lets few builds wait, and refuses the others
(https://docs.aws.amazon.com/codebuild/latest/userguide/builds-working.html). Every step may come twice, late, or in
another order: what is known of a scan decides, and not who says it.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Any

MOST_TRIES = 3
"""After which a scan that cannot be started is given up, and leaves its place to the next."""


class State(StrEnum):
    """Where a scan is."""

    WAITS = "waits"
    STARTS = "starts"
    RUNS = "runs"
    ENDED = "ended"


@dataclass(frozen=True)
class Entry:
    """A scan of a run.

    Attributes:
        run: what two deliveries of the same event have in common.
        since: seconds since the epoch at which its last try began.
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
        """What it is known by."""
        return self.project, self.run

    def to_json(self) -> dict[str, Any]:
        """As JSON knows it."""
        return asdict(self)

    @classmethod
    def from_json(cls, found: dict[str, Any]) -> "Entry":
        """Of what ``to_json`` has made."""
        return cls(**found | {"state": State(found["state"])})


Line = Sequence[Entry]
"""All scans that matter, in the order in which they have come."""


def joined(line: Line, projects: Iterable[str], run: str) -> list[Entry]:
    """The line with the scans of a run. A scan is there once, and a source that waits already does not wait twice."""
    known = {entry.scan for entry in line}
    waiting = {entry.project for entry in line if entry.state is State.WAITS}
    new = [Entry(project, run) for project in dict.fromkeys(projects) if (project, run) not in known]
    return [*line, *(entry for entry in new if entry.project not in waiting)]


def taken(line: Line, most: int, now: float) -> tuple[list[Entry], list[Entry]]:
    """The line, and those whose build is to be started now: that many run at most, those being started among them.

    Whoever is being started is started again: CodeBuild makes one build of one token, and who has begun may be dead.
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
    """The line with a scan whose build runs, also where another one was refused; what has ended meanwhile stays so."""
    return [
        replace(entry, state=State.RUNS, build=build)
        if entry.scan == scan and entry.state in (State.STARTS, State.WAITS)
        else entry
        for entry in line
    ]


def refused(line: Line, scan: tuple[str, str]) -> list[Entry]:
    """The line with a scan for which CodeBuild has no place: it waits, where it was."""
    return [
        replace(entry, state=State.WAITS) if entry.scan == scan and entry.state is State.STARTS else entry
        for entry in line
    ]


def failed(line: Line, scan: tuple[str, str]) -> list[Entry]:
    """The line with a scan that could not be started, or perhaps was: it is tried again, and given up in the end."""
    return [
        replace(entry, tries=entry.tries + 1, state=State.ENDED if entry.tries + 1 >= MOST_TRIES else State.STARTS)
        if entry.scan == scan and entry.state is State.STARTS
        else entry
        for entry in line
    ]


def ended(line: Line, builds: Collection[str]) -> list[Entry]:
    """The line without what has ended, but for the last scan of each project, by which a late event is known."""
    found = [replace(entry, state=State.ENDED) if entry.build and entry.build in builds else entry for entry in line]
    last = {entry.project: entry.scan for entry in found}
    return [entry for entry in found if entry.state is not State.ENDED or last[entry.project] == entry.scan]


def running(line: Line) -> list[Entry]:
    """The scans whose builds run, as far as the line knows."""
    return [entry for entry in line if entry.state is State.RUNS]


def unfinished(line: Line) -> bool:
    """Whether somebody has to come back: to start a build."""
    return any(entry.state in (State.WAITS, State.STARTS) for entry in line)
