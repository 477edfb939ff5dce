"""The stored file -> plan and dashboards. By clients of the caller's; the same file twice changes nothing."""

import json
import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from shared.faults import FAILED
from spot_placement_tracker.checks import Reading, read
from spot_placement_tracker.dashboards.layout import Frame, bodies, is_ours
from spot_placement_tracker.history import known_zones, lines
from spot_placement_tracker.questions import questions_of
from spot_placement_tracker.store import FILE, Plan, Store

logger = logging.getLogger(__name__)

MOST_LOOKS = 3
MOST_DELETED = 100
"""Dashboards in one request of DeleteDashboards."""
GONE = ("ResourceNotFound", "DashboardNotFoundError")
"""The error of a dashboard that is not there, by the API's page and by the name of its shape."""


class NotWrittenError(RuntimeError):
    """CloudWatch has refused dashboards; the others are written."""


@dataclass(frozen=True)
class Followed:
    """What came of it.

    Attributes:
        written: dashboards that have changed.
        deleted: dashboards that nobody wants any more.
        problems: of the file, or of dashboards that are somebody else's.
    """

    written: tuple[str, ...]
    deleted: tuple[str, ...]
    problems: tuple[str, ...]
    warnings: tuple[str, ...]

    def to_json(self) -> dict[str, list[str]]:
        """Everything about it as JSON knows it."""
        return {name: list(value) for name, value in vars(self).items()}


def follow(
    store: Store, cloudwatch: Any, frame: Frame, *, take_over: bool, now: datetime, looks: int = MOST_LOOKS
) -> Followed:
    """Brings plan and dashboards in line with the file. Of a file with problems only the problems are recorded.

    Args:
        take_over: whether dashboards of somebody else that have a name of the file may be overwritten.
        looks: how often it looks at most: anew if the file has changed, so that of two at once the newer wins.
    """
    before = store.plan()
    reading = _reading(store)
    if reading.problems and before == Plan():
        # Nothing was ever followed, or all of it has been taken away: a late event must leave nothing in the bucket.
        return Followed((), (), reading.problems, reading.warnings)
    dashboards = before.dashboards if reading.problems else reading.dashboards
    questions = questions_of(dashboards)
    zones = known_zones(cloudwatch, frame.namespace, questions)
    known = lines(cloudwatch, frame.namespace, questions, zones, now=now, days=frame.days)
    wanted = bodies(dashboards, zones, known, frame)
    board = Boards(cloudwatch, store.address)
    foreign = () if take_over else tuple(name for name in wanted if board.is_foreign(name))
    problems = (*reading.problems, *(_somebody_elses(name) for name in foreign))
    ours = {name: body for name, body in wanted.items() if name not in foreign}
    if looks > 1 and _reading(store) != reading:
        return follow(store, cloudwatch, frame, take_over=take_over, now=now, looks=looks - 1)
    # Before anything is written: what this stack has made is known, whenever it ends in the middle.
    plan = Plan(dashboards, problems, tuple(sorted({*before.written, *ours})))
    if plan != before:
        store.keep(plan)
    written, refused = _write_all(board, ours)
    deleted = board.delete(name for name in plan.written if name not in ours)
    after = replace(plan, written=tuple(sorted(ours)))
    if after != plan:
        store.keep(after)
    if refused:
        raise NotWrittenError("; ".join(f"{name}: {reason}" for name, reason in refused.items()))
    return Followed(written, deleted, problems, reading.warnings)


def _write_all(board: "Boards", wanted: Mapping[str, Any]) -> tuple[tuple[str, ...], dict[str, str]]:
    """Writes what has changed; what is refused, with its reason, does not keep the others from being written."""
    written: list[str] = []
    refused: dict[str, str] = {}
    for name, body in wanted.items():
        try:
            if board.write(name, body):
                written.append(name)
        except FAILED as fault:
            refused[name] = str(fault)
    return tuple(written), refused


def unfollow(store: Store, cloudwatch: Any) -> tuple[str, ...]:
    """Deletes every dashboard that this stack has written, and returns their names."""
    return Boards(cloudwatch, store.address).delete(store.plan().written)


class Boards:
    """The account's dashboards. Only those that name our file's address are ours."""

    def __init__(self, cloudwatch: Any, address: str) -> None:
        self._cloudwatch = cloudwatch
        self._address = address
        self._bodies: dict[str, str | None] = {}

    def is_foreign(self, name: str) -> bool:
        """Whether there is one that this stack has not written."""
        body = self._body(name)
        return body is not None and not is_ours(body, self._address)

    def write(self, name: str, body: dict[str, Any]) -> bool:
        """Writes one, and returns whether that changed anything."""
        now = self._body(name)
        if now is not None and json.loads(now) == body:
            return False
        text = json.dumps(body)
        answer = self._cloudwatch.put_dashboard(DashboardName=name, DashboardBody=text)
        self._bodies[name] = text
        if said := answer.get("DashboardValidationMessages"):
            logger.error("a dashboard was accepted with warnings", extra={"dashboard": name, "messages": said})
        return True

    def delete(self, names: Iterable[str]) -> tuple[str, ...]:
        """Deletes those of them that are ours, and returns their names."""
        ours = [name for name in names if (body := self._body(name)) is not None and is_ours(body, self._address)]
        for start in range(0, len(ours), MOST_DELETED):
            batch = ours[start : start + MOST_DELETED]
            if not self._deleted(batch):
                # One of them is gone meanwhile, and CloudWatch then deletes none: one by one.
                for name in batch:
                    self._deleted([name])
        return tuple(ours)

    def _deleted(self, names: list[str]) -> bool:
        try:
            self._cloudwatch.delete_dashboards(DashboardNames=names)
        except self._cloudwatch.exceptions.ClientError as error:
            _raise_unless_gone(error)
            return False
        return True

    def _body(self, name: str) -> str | None:
        if name not in self._bodies:
            try:
                self._bodies[name] = self._cloudwatch.get_dashboard(DashboardName=name)["DashboardBody"]
            except self._cloudwatch.exceptions.ClientError as error:
                _raise_unless_gone(error)
                self._bodies[name] = None
        return self._bodies[name]


def _raise_unless_gone(error: Any) -> None:
    """By its code: two exceptions of botocore's model share it."""
    if error.response["Error"]["Code"] not in GONE:
        raise error


def _reading(store: Store) -> Reading:
    try:
        text = store.file()
    except UnicodeDecodeError as error:
        return Reading(problems=(f"1: is not UTF-8 text: byte {error.start} cannot be read",))
    if text is None:
        return Reading(problems=(f"1: {FILE} is gone: upload it again, the last good one is tracked until then",))
    return read(text)


def _somebody_elses(name: str) -> str:
    return (
        f"a dashboard {name!r} exists that this stack has not written: rename or delete it, give this one another "
        "name, or set take_over_dashboards"
    )
