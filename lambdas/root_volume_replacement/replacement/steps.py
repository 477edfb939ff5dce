"""The steps of one replacement. No AWS in here: EC2, the ledger and the report come from outside."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from root_volume_replacement.instances import OptIn, goes_with_instance, root_volume_id, unfit
from root_volume_replacement.ledger import Ledger
from root_volume_replacement.names import REPLACED_VOLUME, TRUE, tags_of
from root_volume_replacement.replacement.ec2 import Ec2, RefusedError, UnknownYetError
from root_volume_replacement.replacement.judgement import failure_of_task, failure_of_volume, newest_first, passed
from root_volume_replacement.replacement.notes import NOTED, REPLACED, Notes
from root_volume_replacement.replacement.request import Request, client_token
from root_volume_replacement.waiting import seconds_until_next

State = dict[str, Any]

KNOWN_SECONDS = 60
"""A snapshot, an image or a volume that was made just now may be unknown for a while
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
        self._notes = Notes(ledger, execution=execution, running=running, now=now)
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
        if other := self._notes.lock(request):
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
            self._notes.withdraw_trial(state["instance_id"])
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
        self._notes.volume(state, REPLACED)
        self._notes.pass_trial(state["instance_id"])
        if state.get("volume_id"):
            self._notes.forget(state["volume_id"])
        if self._delete_old and (volume := self._ec2.volume(old["id"])):
            detached = volume["State"] == "available" and not volume.get("Attachments")
            if not detached or tags_of(volume).get(REPLACED_VOLUME) != TRUE:
                return self._again(state, "finish", self._limits.task, "OldVolumeInUse", f"{old['id']} is not detached")
            self._ec2.delete_volume(old["id"])
        state["old_volume"] = "deleted" if self._delete_old else "kept"
        words = f"{state['instance_id']}: root volume {old['id']} replaced by {state['new']['id']}, to {state['to']}"
        words += f". The old volume is {state['old_volume']}." + (_stays(state) if state.get("stays") else "")
        self._report("Root volume replaced", f"{words}\n{self._execution}")
        self._notes.unlock(state["instance_id"])
        return {**state, "status": "done", "outcome": "replaced"}

    def give_up(self, state: State) -> State:
        """Reports a failure and unlocks; deletes nothing. The machine itself fails after it, which an alarm hears."""
        instance_id = state.get("instance_id", "an instance")
        error = state.get("error", "Error")
        self._report(
            "Root volume replacement FAILED", f"{instance_id}: {error}: {state.get('cause')}\n{self._execution}"
        )
        if "instance_id" in state:
            self._notes.unlock(state["instance_id"])
        return {**state, "status": "failed"}

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
        # Again, now that the lock is ours: its last holder may have replaced the volume in between.
        instance = self._ec2.instance(request.instance_id) or {}
        volume_id = root_volume_id(instance)
        volume = self._ec2.volume(volume_id) if volume_id else None
        if volume is None:
            return _failed(state, "Unfit", f"{request.instance_id} shows no root volume")
        if self._notes.is_stale(volume["VolumeId"]):
            return {**state, "status": "running", "step": "begin", "wait_seconds": self._limits.poll}
        state["old"] = {"id": volume["VolumeId"], "type": volume["VolumeType"], "size": volume["Size"]}
        state["goes"] = goes_with_instance(instance)
        state |= {"snapshot_id": request.snapshot_id, "image_id": request.image_id, "volume_id": request.volume_id}
        if request.to == "latest-snapshot":
            state["snapshot_id"], why_not = self._latest(request.instance_id)
            if state["snapshot_id"] is None:
                return _failed(state, "NoSnapshot", why_not)
        self._notes.volume(state, NOTED)
        self._notes.begin_trial(request.instance_id, volume["VolumeId"])
        return self._next(state, "start")

    def _latest(self, instance_id: str) -> tuple[str | None, str]:
        """Returns the newest snapshot of ours whose root volume has passed, or None and why there is none."""
        found = self._ec2.snapshots_of(instance_id)
        for snapshot in newest_first(found, self._notes.trials(instance_id)):
            if self._notes.has_taken(snapshot, instance_id):
                return str(snapshot["SnapshotId"]), ""
        why = f"there is no complete snapshot of ours of {instance_id}"
        if newest_first(found):
            why += " whose root volume has passed its checks and that the ledger knows; name one with to: snapshot"
        return None, why

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
