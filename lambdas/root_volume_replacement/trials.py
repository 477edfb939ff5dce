"""Replacements that have begun and have not passed their checks. No AWS in here.

Every new root volume gets a snapshot minutes after its first boot, whether that was a good one or not. So each
replacement is noted as a trial before its task starts. Until it has passed its checks, snapshots of whatever has taken
the place of the old volume are not known to be good; if it never passes, they never are.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace

MOST = 50
"""Trials of an instance that are remembered, the newest."""


@dataclass(frozen=True)
class Trial:
    """A replacement that has not passed, or not yet.

    Attributes:
        old: the volume that was the root before it.
        at: when it began, in seconds of the epoch.
        until: when the replacement began that has passed after it; 0 while none has.
        left, gone: the volume that it has replaced, and by when that was the root volume no more.
    """

    execution: str
    old: str
    at: int
    until: int = 0
    left: str = ""
    gone: int = 0


def begun(trials: Iterable[Trial], trial: Trial) -> list[Trial]:
    """Adds a trial; one of the same execution stays as it was, for the step may come again."""
    found = list(trials)
    return found if any(other.execution == trial.execution for other in found) else [*found, trial][-MOST:]


def withdrawn(trials: Iterable[Trial], execution: str) -> list[Trial]:
    """Takes a trial away whose task was refused: nothing was replaced."""
    return [trial for trial in trials if trial.execution != execution]


def passed(trials: Iterable[Trial], execution: str, now: int) -> list[Trial]:
    """Takes the trial of an execution away, for it has passed, and ends those before it.

    What came since it began is good, except for the volume that it has replaced, which was the root volume until then.
    """
    found = list(trials)
    own = next((trial for trial in found if trial.execution == execution), None)
    if own is None:
        return found
    others = [trial for trial in found if trial is not own]
    return [trial if trial.until else replace(trial, until=own.at, left=own.old, gone=now) for trial in others]


def doubtful(trials: Iterable[Trial], volume_id: str, started: int) -> bool:
    """Whether a snapshot may be of a root volume that has not passed.

    Args:
        volume_id: of what it was taken.
        started: when.
    """
    return any(
        trial.at <= started
        and volume_id != trial.old
        and (not trial.until or started < (trial.gone if volume_id == trial.left else trial.until))
        for trial in trials
    )


def written(trials: Sequence[Trial]) -> str:
    """As the ledger keeps them."""
    return json.dumps([asdict(trial) for trial in trials], separators=(",", ":"))


def read(text: str | None) -> list[Trial]:
    """Of the ledger's text; none of None."""
    return [Trial(**trial) for trial in json.loads(text)] if text else []
