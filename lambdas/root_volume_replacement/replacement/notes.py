"""What one execution writes into the ledger and reads from it. No AWS in here."""

from collections.abc import Callable, Mapping
from typing import Any

from root_volume_replacement.ledger import Ledger
from root_volume_replacement.replacement.request import Request
from root_volume_replacement.trials import Trial, begun, passed, read, withdrawn, written

NOTED, REPLACED = "noted", "replaced"
"""A volume's record says ``replaced`` only after the new volume was looked at and the instance's checks have passed."""

STALE_SECONDS = 300
"""EC2 may show a root volume for so long after it was replaced
(https://docs.aws.amazon.com/ec2/latest/devguide/eventual-consistency.html)."""


class Notes:
    """The instance's lock, its trials, and records of volumes and snapshots.

    Args:
        running: given an execution, its status.
    """

    def __init__(self, ledger: Ledger, *, execution: str, running: Callable[[str], str], now: int) -> None:
        self._ledger = ledger
        self._execution = execution
        self._running = running
        self._now = now

    def lock(self, request: Request) -> Mapping[str, Any] | None:
        """Takes the instance's lock; returns the lock of whoever holds it, if that is another execution that runs."""
        key = _lock(request.instance_id)
        facts: dict[str, Any] = {"to": request.words, "at": self._now}
        other = self._ledger.claim(key, self._execution, **facts)
        # Nobody holds it any more, or an execution that ended without unlocking, by an abort say.
        if other and (not other["holder"] or self._running(other["holder"]) != "RUNNING"):
            other = self._ledger.claim(key, self._execution, instead_of=other, **facts)
        return other

    def unlock(self, instance_id: str) -> None:
        """Releases the lock, if it is this execution's."""
        self._ledger.release(_lock(instance_id), self._execution)

    def is_stale(self, volume_id: str) -> bool:
        """Whether a volume was replaced so recently that EC2 may still show it as the root volume."""
        record = self._ledger.read(volume_id)
        return bool(record and record["state"] == REPLACED and self._now - record["at"] < STALE_SECONDS)

    def volume(self, state: Mapping[str, Any], what: str) -> None:
        """Records that the old volume of a replacement is *what*: noted or replaced."""
        self._ledger.record(
            state["old"]["id"],
            instance_id=state["instance_id"],
            state=what,
            task_id=state.get("task_id", ""),
            new_volume_id=state.get("new", {}).get("id", ""),
            execution=self._execution,
            at=self._now,
        )

    def forget(self, volume_id: str) -> None:
        """Removes the record of a volume that is the root volume again."""
        self._ledger.forget(volume_id)

    def has_taken(self, snapshot: Mapping[str, Any], instance_id: str) -> bool:
        """Whether a snapshot was taken by this solution. Tags do not tell: people and backup tools copy them.

        EC2 refuses a copy: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/replace-root.html#replace-snapshot.
        """
        record = self._ledger.read(snapshot["SnapshotId"]) or {}
        return (record.get("instance_id"), record.get("volume_id")) == (instance_id, snapshot["VolumeId"])

    def trials(self, instance_id: str) -> list[Trial]:
        """Returns the instance's replacements that have not passed."""
        return read((self._ledger.read(_trial(instance_id)) or {}).get("trials"))

    def begin_trial(self, instance_id: str, volume_id: str) -> None:
        """Notes that the replacement of a root volume begins; like the other two, only while the lock is held."""
        self._write(instance_id, begun(self.trials(instance_id), Trial(self._execution, volume_id, self._now)))

    def withdraw_trial(self, instance_id: str) -> None:
        """Notes that nothing was replaced."""
        self._write(instance_id, withdrawn(self.trials(instance_id), self._execution))

    def pass_trial(self, instance_id: str) -> None:
        """Notes that the new root volume has passed."""
        self._write(instance_id, passed(self.trials(instance_id), self._execution, self._now))

    def _write(self, instance_id: str, trials: list[Trial]) -> None:
        self._ledger.record(_trial(instance_id), trials=written(trials), at=self._now)


def _lock(instance_id: str) -> str:
    return f"lock#{instance_id}"


def _trial(instance_id: str) -> str:
    return f"trial#{instance_id}"
