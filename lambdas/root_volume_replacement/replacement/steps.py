"""The steps of one replacement. No AWS in here: EC2, the ledger and the report come from outside."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from root_volume_replacement.instances import OptIn, goes_with_instance, root_volume_id, unfit
from root_volume_replacement.ledger import Ledger
from root_volume_replacement.names import REPLACED_VOLUME, TRUE, tags_of
from root_volume_replacement.replacement.ec2 import Ec2, RefusedError, UnknownYetError
from root_volume_replacement.replacement.judgement import failure_of_task, failure_of_volume, newest, passed
from root_volume_replacement.replacement.request import Request, client_token
from root_volume_replacement.trials import Trial, begun, read, withdrawn, written
from root_volume_replacement.trials import passed as trial_passed
from root_volume_replacement.waiting import seconds_until_next

State = dict[str, Any]

NOTED, REPLACED = "noted", "replaced"
"""A volume's record says ``replaced`` only after the new volume was looked at and the instance's checks have passed."""

KNOWN_SECONDS = 60
"""A snapshot, an image or a volume that was made just now may be unknown for a while (the page below)."""
STALE_SECONDS = 300
"""EC2 may show a root volume for so long after it was replaced
(https://docs.aws.amazon.com/ec2/latest/devguide/eventual-consistency.html)."""


@dataclass(frozen=True)
class Limits:
    """Seconds: between looks at first, for the task, for the status checks after it, and before these count.

    EC2 makes the checks every minute and gives the last result, so that at first it is one from before the reboot:
    https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/monitoring-system-instance-status-check.html
    """

    poll: int
    task: int
    checks: int
    settle: int


class Replacement:
    """One execution's replacement.

    Args:
        running: given an execution, its status.
        report: takes a subject and a message.
    """

    def __init__(
        self,
        ec2: Ec2,
        ledger: Ledger,
        *,
        execution: str,
        opt_in: OptIn,
        limits: Limits,
        delete_old: bool,
        running: Callable[[str], str],
        report: Callable[[str, str], None],
        now: int,
    ) -> None:
        self._ec2 = ec2
        self._ledger = ledger
        self._execution = execution
        self._opt_in = opt_in
        self._limits = limits
        self._delete_old = delete_old
        self._running = running
        self._report = report
        self._now = now

    def begin(self, request: Request, before: Mapping[str, Any]) -> State:
        """Takes the instance's lock, resolves what is wanted and notes the old volume."""
        state: State = {
            "instance_id": request.instance_id,
            "to": request.words,
            "since": before.get("since", self._now),
        }
        if isinstance(before.get("joined"), str):
            return self._join({**state, "joined": before["joined"]})
        instance = self._ec2.instance(request.instance_id)
        if instance is None:
            return _failed(state, "NoSuchInstance", f"there is no instance {request.instance_id}")
        if not self._opt_in.chosen_by(instance):
            wanted = f"{self._opt_in.key}={self._opt_in.value}"
            return _failed(state, "NotOptedIn", f"{request.instance_id} has no tag {wanted}")
        if reason := unfit(instance):
            return _failed(state, "Unfit", f"{request.instance_id} cannot have its root volume replaced: {reason}")
        if other := self._lock(request):
            if other.get("to") != request.words:
                return _failed(state, "Busy", f"{other['holder']} replaces it, to {other.get('to')}")
            return self._join({**state, "joined": other["holder"]})
        return self._note(state, request)

    def start(self, state: State) -> State:
        """Starts the task."""
        try:
            state["task_id"] = self._ec2.start_task(
                state["instance_id"],
                token=client_token(self._execution, state["old"]["id"]),
                execution=self._execution,
                snapshot_id=state["snapshot_id"],
                image_id=state["image_id"],
                volume_id=state.get("volume_id"),
            )
        except RefusedError as refused:
            if isinstance(refused, UnknownYetError) and self._now - state["since"] < KNOWN_SECONDS:
                return self._again(state, "start", KNOWN_SECONDS, "Refused", str(refused))
            self._try(state["instance_id"], withdrawn(self._tried(state["instance_id"]), self._execution))
            return _failed(state, "Refused", str(refused))
        return self._next(state, "follow")

    def follow(self, state: State) -> State:
        """Looks at the task."""
        now = self._ec2.task_state(state["instance_id"], state["task_id"])
        if failure := failure_of_task(now):
            return _failed(state, failure[0], f"{state['task_id']} of {state['instance_id']}: {failure[1]}")
        if now == "succeeded":
            return self._next(state, "verify")
        return self._again(state, "follow", self._limits.task, "TaskTooSlow", f"{state['task_id']} is still {now}")

    def verify(self, state: State) -> State:
        """Tags the old volume, which the task does not name, and compares the new one with it."""
        old = state["old"]
        instance = self._ec2.instance(state["instance_id"]) or {}
        new_id = root_volume_id(instance)
        new = self._ec2.volume(new_id) if new_id and new_id != old["id"] else None
        if new is None:
            seen = f"{state['instance_id']} does not show a new root volume"
            return self._again(state, "verify", self._limits.task, "NoNewVolume", seen)
        state["new"] = {"id": new["VolumeId"], "type": new["VolumeType"], "size": new["Size"]}
        state["stays"] = state.get("goes", False) and not goes_with_instance(instance)
        self._ec2.tag_replaced(old["id"], state["instance_id"])
        if state.get("volume_id"):  # it is what it was before; only whether it is the one
            problem = None if new["VolumeId"] == state["volume_id"] else f"the root volume is {new['VolumeId']}"
        else:
            problem = failure_of_volume(old, new)
        if problem:
            return _failed(state, "WrongVolume", problem)
        return self._next(state, "check")

    def check(self, state: State) -> State:
        """Looks at the status checks of the instance, once they are not those from before its reboot."""
        early = state["since"] + self._limits.settle - self._now
        if early > 0:
            return {**state, "status": "running", "step": "check", "wait_seconds": early}
        if passed(self._ec2.statuses(state["instance_id"])):
            return self._next(state, "finish")
        seen = f"{state['instance_id']} does not pass its status checks"
        limit = self._limits.settle + self._limits.checks
        return self._again(state, "check", limit, "StatusChecksFailed", seen)

    def finish(self, state: State) -> State:
        """Writes down that the old volume is replaced, deletes it if that is wanted, reports and unlocks."""
        old = state["old"]
        self._write_down(state, REPLACED)
        self._try(state["instance_id"], trial_passed(self._tried(state["instance_id"]), self._execution))
        if state.get("volume_id"):
            self._ledger.forget(state["volume_id"])  # that it was replaced; it is the root volume again
        if self._delete_old and (volume := self._ec2.volume(old["id"])):
            detached = volume["State"] == "available" and not volume.get("Attachments")
            if not detached or tags_of(volume).get(REPLACED_VOLUME) != TRUE:
                return self._again(state, "finish", self._limits.task, "OldVolumeInUse", f"{old['id']} is not detached")
            self._ec2.delete_volume(old["id"])
        state["old_volume"] = "deleted" if self._delete_old else "kept"
        words = f"{state['instance_id']}: root volume {old['id']} replaced by {state['new']['id']}, to {state['to']}"
        words += f". The old volume is {state['old_volume']}." + (_stays(state) if state.get("stays") else "")
        self._report("Root volume replaced", f"{words}\n{self._execution}")
        self._ledger.release(_lock(state["instance_id"]), self._execution)
        return {**state, "status": "done", "outcome": "replaced"}

    def give_up(self, state: State) -> State:
        """Reports a failure and unlocks; deletes nothing. The machine itself fails after it, which an alarm hears."""
        instance_id = state.get("instance_id", "an instance")
        error = state.get("error", "Error")
        self._report(
            "Root volume replacement FAILED", f"{instance_id}: {error}: {state.get('cause')}\n{self._execution}"
        )
        if "instance_id" in state:
            self._ledger.release(_lock(state["instance_id"]), self._execution)
        return {**state, "status": "failed"}

    def _lock(self, request: Request) -> Mapping[str, Any] | None:
        key = _lock(request.instance_id)
        facts: State = {"to": request.words, "at": self._now}
        other = self._ledger.claim(key, self._execution, **facts)
        # Nobody holds it any more, or an execution that ended without unlocking, by an abort say.
        if other and (not other["holder"] or self._running(other["holder"]) != "RUNNING"):
            other = self._ledger.claim(key, self._execution, instead_of=other, **facts)
        return other

    def _join(self, state: State) -> State:
        """Waits for the execution that does what this one wants, and ends as it does."""
        status = self._running(state["joined"])
        if status == "RUNNING":
            pause = seconds_until_next(self._now - state["since"], self._limits.poll)
            return {**state, "status": "running", "step": "begin", "wait_seconds": pause}
        if status == "SUCCEEDED":
            return {**state, "status": "done", "outcome": "joined"}
        return _failed(state, "JoinedFailed", f"{state['joined']}, which was replacing it already, ended {status}")

    def _note(self, state: State, request: Request) -> State:
        # Anew, now that the lock is ours: whoever held it before may have replaced the volume in between.
        instance = self._ec2.instance(request.instance_id) or {}
        volume_id = root_volume_id(instance)
        volume = self._ec2.volume(volume_id) if volume_id else None
        if volume is None:
            return _failed(state, "Unfit", f"{request.instance_id} shows no root volume")
        record = self._ledger.read(volume["VolumeId"])
        if record and record["state"] == REPLACED and self._now - record["at"] < STALE_SECONDS:
            return {**state, "status": "running", "step": "begin", "wait_seconds": self._limits.poll}
        state["old"] = {"id": volume["VolumeId"], "type": volume["VolumeType"], "size": volume["Size"]}
        state["goes"] = goes_with_instance(instance)
        state |= {"snapshot_id": request.snapshot_id, "image_id": request.image_id, "volume_id": request.volume_id}
        tried = self._tried(request.instance_id)
        if request.to == "latest-snapshot":
            found = self._ec2.snapshots_of(request.instance_id)
            state["snapshot_id"] = newest(found, tried)
            if state["snapshot_id"] is None:
                why = f"there is no complete snapshot of ours of {request.instance_id}"
                why += " whose root volume has passed its checks; name one with to: snapshot" if newest(found) else ""
                return _failed(state, "NoSnapshot", why)
        self._write_down(state, NOTED)
        self._try(request.instance_id, begun(tried, Trial(self._execution, volume["VolumeId"], self._now)))
        return self._next(state, "start")

    def _tried(self, instance_id: str) -> list[Trial]:
        return read((self._ledger.read(_trial(instance_id)) or {}).get("trials"))

    def _try(self, instance_id: str, trials: list[Trial]) -> None:
        """Writes the trials down; only the holder of the instance's lock does."""
        self._ledger.record(_trial(instance_id), trials=written(trials), at=self._now)

    def _write_down(self, state: State, what: str) -> None:
        self._ledger.record(
            state["old"]["id"],
            instance_id=state["instance_id"],
            state=what,
            task_id=state.get("task_id", ""),
            new_volume_id=state.get("new", {}).get("id", ""),
            execution=self._execution,
            at=self._now,
        )

    def _next(self, state: State, step: str) -> State:
        return {**state, "status": "running", "step": step, "wait_seconds": 0, "since": self._now}

    def _again(self, state: State, step: str, limit: int, error: str, seen: str) -> State:
        elapsed = self._now - state["since"]
        if elapsed >= limit:
            return _failed(state, error, f"after {elapsed} s {seen}")
        pause = seconds_until_next(elapsed, self._limits.poll)
        return {**state, "status": "running", "step": step, "wait_seconds": pause}


def _failed(state: State, error: str, cause: str) -> State:
    return {**state, "status": "failed", "error": error, "cause": cause}


def _stays(state: State) -> str:
    """A volume that takes the root's place keeps its own attributes, of which one may leave it behind.

    https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/replace-root.html#replace-volume
    """
    return (
        f" {state['new']['id']} will not be deleted when the instance is terminated, as {state['old']['id']} would "
        "have been; the README says how to change that."
    )


def _lock(instance_id: str) -> str:
    return f"lock#{instance_id}"


def _trial(instance_id: str) -> str:
    return f"trial#{instance_id}"
