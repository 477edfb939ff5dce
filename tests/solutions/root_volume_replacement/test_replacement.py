"""The steps of a replacement, on a named fake of EC2: what is noted, locked, compared, kept, deleted and reported."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from root_volume_replacement.instances import OptIn
from root_volume_replacement.replacement.ec2 import RefusedError, UnknownYetError
from root_volume_replacement.replacement.judgement import passed
from root_volume_replacement.replacement.notes import STALE_SECONDS
from root_volume_replacement.replacement.request import client_token, requested
from root_volume_replacement.replacement.steps import Limits, Replacement

NOW = 1_800_000_000
INSTANCE = "i-0123456789abcdef0"
REQUEST = {"instance_id": INSTANCE, "to": "launch-state"}


class Ledger:
    """The table, as a dictionary."""

    def __init__(self) -> None:
        self.items: dict[str, dict[str, Any]] = {}

    def read(self, key: str) -> dict[str, Any] | None:
        return self.items.get(key)

    def record(self, key: str, **facts: Any) -> None:
        self.items[key] = facts

    def forget(self, key: str) -> None:
        self.items.pop(key, None)

    def claim(self, key: str, holder: str, *, instead_of: Any = None, **facts: Any) -> dict[str, Any] | None:
        other = self.items.get(key)
        if other and other["holder"] != holder and other != instead_of:
            return other
        self.items[key] = {"holder": holder, **facts}
        return None

    def release(self, key: str, holder: str) -> None:
        if self.items.get(key, {}).get("holder") == holder:
            del self.items[key]


class Ec2:
    """One instance and its volumes; a task ends as it is told to."""

    def __init__(self, **instance: Any) -> None:
        self.described: dict[str, Any] = {
            "InstanceId": INSTANCE,
            "State": {"Name": "running"},
            "InstanceType": "m7g.large",
            "RootDeviceType": "ebs",
            "RootDeviceName": "/dev/xvda",
            "Tags": [{"Key": "opt", "Value": "in"}],
            **instance,
        }
        self.volumes = {"vol-old": volume("vol-old", attached=True)}
        self.root = "vol-old"
        self.state = "succeeded"
        self.new_type = "gp3"
        self.checks = "ok"
        self.goes: dict[str, bool] = {}
        self.taken: list[dict[str, Any]] = []
        self.tokens: dict[str, dict[str, Any]] = {}
        self.refuses: str | None = None
        self.unknown = 0

    def instance(self, instance_id: str) -> Mapping[str, Any] | None:
        goes = self.goes.get(self.root, True)
        mapping = {"DeviceName": "/dev/xvda", "Ebs": {"VolumeId": self.root, "DeleteOnTermination": goes}}
        return {**self.described, "BlockDeviceMappings": [mapping]} if instance_id == INSTANCE else None

    def volume(self, volume_id: str) -> Mapping[str, Any] | None:
        return self.volumes.get(volume_id)

    def snapshots_of(self, instance_id: str) -> list[Any]:
        assert instance_id == INSTANCE
        return self.taken

    def start_task(self, instance_id: str, *, token: str, **parameters: Any) -> str:
        if self.refuses:
            raise RefusedError(self.refuses)
        if self.unknown:
            self.unknown -= 1
            raise UnknownYetError("InvalidSnapshot.NotFound: The snapshot does not exist")
        self.tokens.setdefault(token, parameters)
        return f"replacevol-{len(self.tokens)}"

    def task_state(self, instance_id: str, task_id: str) -> str:
        (task,) = list(self.tokens.values())[int(task_id.split("-")[1]) - 1 :][:1]
        if self.state == "succeeded" and not task.get("done"):
            task["done"] = True
            new = task["volume_id"] or ("vol-new" if self.root == "vol-old" else f"vol-new-{len(self.tokens)}")
            kind = self.volumes[new]["VolumeType"] if new in self.volumes else self.new_type
            self.volumes[self.root] = volume(self.root, attached=False, kind=self.volumes[self.root]["VolumeType"])
            self.volumes[new] = volume(new, attached=True, kind=kind)
            self.root = new
        return self.state

    def tag_replaced(self, volume_id: str, instance_id: str) -> None:
        self.volumes[volume_id]["Tags"] = [{"Key": "replaced-volume", "Value": "true"}]

    def statuses(self, instance_id: str) -> list[Any]:
        return [{"InstanceStatus": {"Status": self.checks}, "SystemStatus": {"Status": "ok"}}]

    def delete_volume(self, volume_id: str) -> None:
        self.volumes.pop(volume_id, None)


class World:
    """What is around the executions."""

    def __init__(self, ec2: Ec2 | None = None, *, delete_old: bool = False) -> None:
        self.ec2, self.ledger, self.delete_old = ec2 or Ec2(), Ledger(), delete_old
        self.statuses: dict[str, str] = {}
        self.reports: list[str] = []
        self.now, self.settle = NOW, 0
        for taken in (snapshot("snap-1", 1), snapshot("snap-2", 2), snapshot("snap-3", 3, "pending")):
            self.take(taken)

    def take(self, taken: dict[str, Any]) -> None:
        """A snapshot of ours, which the ledger knows."""
        self.ec2.taken.append(taken)
        self.ledger.record(taken["SnapshotId"], instance_id=INSTANCE, volume_id=taken["VolumeId"], at=NOW)

    def execution(self, name: str = "a") -> Replacement:
        return Replacement(
            self.ec2,  # type: ignore[arg-type]
            self.ledger,  # type: ignore[arg-type]
            execution=name,
            opt_in=OptIn("opt", "in"),
            limits=Limits(poll=15, task=3600, checks=1800, settle=self.settle),
            delete_old=self.delete_old,
            running=lambda execution: self.statuses.get(execution, "RUNNING"),
            report=lambda subject, text: self.reports.append(f"{subject}: {text}"),
            now=self.now,
        )

    def run(self, request: Mapping[str, Any] = REQUEST, name: str = "a", most: int = 20) -> dict[str, Any]:
        """As the state machine goes, until it ends or waits for something that does not come."""
        state: dict[str, Any] = {}
        step = "begin"
        for _ in range(most):
            replacement = self.execution(name)
            if step == "begin":
                state = replacement.begin(requested(request), state)
            else:
                state = getattr(replacement, step)(state)
            if state["status"] == "failed":
                return replacement.give_up(state)
            if state["status"] == "done":
                return state
            step, self.now = state["step"], self.now + state["wait_seconds"]
        return state


def volume(name: str, *, attached: bool, kind: str = "gp3") -> dict[str, Any]:
    attachments = [{"InstanceId": INSTANCE}] if attached else []
    state = "in-use" if attached else "available"
    return {"VolumeId": name, "VolumeType": kind, "Size": 8, "State": state, "Attachments": attachments}


def snapshot(name: str, started: int, state: str = "completed", of: str = "vol-old") -> dict[str, Any]:
    return {"SnapshotId": name, "StartTime": datetime.fromtimestamp(started, UTC), "State": state, "VolumeId": of}


def test_the_old_volume_is_noted_before_the_task_and_written_down_as_replaced_after_the_checks() -> None:
    world = World()
    begun = world.execution().begin(requested(REQUEST), {})
    noted = world.ledger.items["vol-old"]
    assert (noted["state"], noted["instance_id"], world.ec2.tokens) == ("noted", INSTANCE, {})
    assert begun["old"] == {"id": "vol-old", "type": "gp3", "size": 8}
    end = world.run()
    record = world.ledger.items["vol-old"]
    assert end["outcome"] == "replaced" and end["new"]["id"] == "vol-new"
    assert (record["state"], record["new_volume_id"], record["task_id"]) == ("replaced", "vol-new", "replacevol-1")
    assert f"lock#{INSTANCE}" not in world.ledger.items
    assert world.reports == [
        f"Root volume replaced: {INSTANCE}: root volume vol-old replaced by vol-new, to launch-state. "
        "The old volume is kept.\na"
    ]


def test_the_old_volume_is_tagged_and_kept_or_deleted_by_the_setting() -> None:
    kept, deleted = World(), World(delete_old=True)
    kept.run()
    deleted.run()
    assert kept.ec2.volumes["vol-old"]["Tags"] == [{"Key": "replaced-volume", "Value": "true"}]
    assert "vol-old" not in deleted.ec2.volumes and "vol-new" in deleted.ec2.volumes


def test_an_old_volume_that_is_still_attached_is_not_deleted() -> None:
    world = World(delete_old=True)
    state: dict[str, Any] = {"instance_id": INSTANCE, "to": "launch-state", "since": NOW, "new": {"id": "vol-new"}}
    state["old"] = {"id": "vol-old"}
    result = world.execution().finish(state)
    assert (result["step"], result["wait_seconds"], "vol-old" in world.ec2.volumes) == ("finish", 15, True)


@pytest.mark.parametrize(("end", "error"), [("failed", "TaskFailed"), ("failed-detached", "TaskFailedDetached")])
def test_a_failed_task_fails_is_reported_and_deletes_nothing(end: str, error: str) -> None:
    world = World(delete_old=True)
    world.ec2.state = end
    result = world.run()
    assert (result["status"], result["error"]) == ("failed", error)
    assert "vol-old" in world.ec2.volumes and world.ledger.items["vol-old"]["state"] == "noted"
    assert "FAILED" in world.reports[0] and f"lock#{INSTANCE}" not in world.ledger.items


@pytest.mark.parametrize("state", ["pending", "in-progress", "failing", "failing-detached", "new-in-2030"])
def test_a_task_that_goes_on_is_followed_until_its_time_is_over(state: str) -> None:
    world = World()
    world.ec2.state = state
    assert world.run(most=5)["step"] == "follow"
    result = world.run(most=200)
    assert result["error"] == "TaskTooSlow"


def test_a_new_volume_of_another_type_fails_and_leaves_the_old_one_out_of_the_clean_up() -> None:
    world = World(delete_old=True)
    world.ec2.new_type = "standard"
    result = world.run()
    assert result["error"] == "WrongVolume" and "of type standard" in result["cause"]
    assert "vol-old" in world.ec2.volumes and world.ledger.items["vol-old"]["state"] == "noted"


def test_status_checks_are_awaited_and_end_it_when_they_do_not_pass() -> None:
    world = World(delete_old=True)
    world.ec2.checks = "initializing"
    assert world.run(most=6)["step"] == "check"
    assert world.run(most=200)["error"] in ("StatusChecksFailed", "NoNewVolume")
    assert "vol-old" in world.ec2.volumes


def test_status_checks_that_may_be_from_before_the_reboot_do_not_count() -> None:
    """EC2 makes them every minute: an ok seen at once says nothing of a new volume that does not boot."""
    world = World(delete_old=True)
    world.settle = 120
    state = world.run(most=4)
    assert (state["step"], state["since"]) == ("check", world.now)
    early = world.execution().check(dict(state))
    assert (early["step"], early["wait_seconds"]) == ("check", 120), "its ok is not looked at"
    world.now += 120
    world.ec2.checks = "impaired"
    assert world.execution().check(dict(state))["step"] == "check"
    world.ec2.checks = "ok"
    assert world.execution().check(dict(state))["step"] == "finish"


def test_both_checks_must_pass_and_there_must_be_some() -> None:
    ok, bad = {"Status": "ok"}, {"Status": "impaired"}
    assert passed([{"InstanceStatus": ok, "SystemStatus": ok}])
    assert not passed([{"InstanceStatus": ok, "SystemStatus": bad}])
    assert not passed([])


def test_the_newest_complete_snapshot_of_ours_is_taken_and_none_is_an_error() -> None:
    world = World()
    world.run({"instance_id": INSTANCE, "to": "latest-snapshot"})
    (parameters,) = world.ec2.tokens.values()
    assert (parameters["snapshot_id"], parameters["image_id"]) == ("snap-2", None)
    empty = World()
    empty.ec2.taken = []
    assert empty.run({"instance_id": INSTANCE, "to": "latest-snapshot"})["error"] == "NoSnapshot"


LATEST = {"instance_id": INSTANCE, "to": "latest-snapshot"}


def test_an_archived_snapshot_can_restore_nothing_and_is_passed_over() -> None:
    """https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_SnapshotTierStatus.html: to be restored first."""
    world = World()
    world.ec2.taken[1]["StorageTier"] = "archive"
    world.run(LATEST)
    (parameters,) = world.ec2.tokens.values()
    assert parameters["snapshot_id"] == "snap-1"


def test_a_copy_with_our_tags_is_no_snapshot_of_ours() -> None:
    """EC2 takes no copy: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/replace-root.html#replace-snapshot."""
    world = World()
    world.ec2.taken.append(snapshot("snap-copy", NOW, of="vol-ffffffff"))
    assert world.run(LATEST)["outcome"] == "replaced"
    (parameters,) = world.ec2.tokens.values()
    assert parameters["snapshot_id"] == "snap-2"
    only = World()
    only.ec2.taken = [snapshot("snap-copy", NOW)]
    end = only.run(LATEST)
    assert end["error"] == "NoSnapshot" and "that the ledger knows" in end["cause"]


BAD_IMAGE = {"instance_id": INSTANCE, "to": "image", "image_id": "ami-0123456789abcdef0"}


def test_a_root_volume_that_did_not_pass_is_not_what_the_latest_snapshot_restores() -> None:
    """A bad image, whose broken volume has got its snapshot after the boot: the repair restores an older one."""
    world = World()
    world.ec2.checks = "impaired"
    assert world.run(BAD_IMAGE, most=200)["error"] == "StatusChecksFailed"
    world.take(snapshot("snap-broken", world.now, of="vol-new"))
    world.ec2.checks = "ok"
    assert world.run(LATEST, name="b")["outcome"] == "replaced"
    assert list(world.ec2.tokens.values())[1]["snapshot_id"] == "snap-2"
    world.take(snapshot("snap-repaired", world.now + 1, of=world.ec2.root))
    world.now += 3600
    assert world.run(LATEST, name="c")["outcome"] == "replaced"
    assert list(world.ec2.tokens.values())[2]["snapshot_id"] == "snap-repaired"


def test_where_no_snapshot_is_known_to_be_good_none_is_taken_for_it() -> None:
    world = World()
    world.ec2.checks, world.ec2.taken = "impaired", []
    world.run(BAD_IMAGE, most=200)
    world.take(snapshot("snap-broken", world.now, of="vol-new"))
    end = world.run(LATEST, name="b")
    assert end["error"] == "NoSnapshot" and "to: snapshot" in end["cause"]


def test_a_task_that_was_refused_leaves_no_doubt() -> None:
    world = World()
    world.ec2.refuses = "InvalidParameterValue: not of this lineage"
    world.run()
    assert world.ledger.items[f"trial#{INSTANCE}"]["trials"] == "[]"


def test_the_old_volume_is_the_quick_way_back_whatever_the_new_one_was() -> None:
    world = World()
    world.ec2.new_type = "standard"
    assert world.run()["error"] == "WrongVolume"
    back = {"instance_id": INSTANCE, "to": "volume", "volume_id": "vol-0123456789abcdef0"}
    world.ec2.volumes[back["volume_id"]] = volume(back["volume_id"], attached=False)
    world.ledger.record(back["volume_id"], state="replaced", at=NOW, instance_id=INSTANCE)
    end = world.run(back, name="b")
    assert (end["outcome"], end["new"]["id"], world.ec2.root) == ("replaced", *2 * (back["volume_id"],))
    assert back["volume_id"] not in world.ledger.items, "it would be taken for a volume that was replaced just now"
    assert world.ledger.items["vol-new"]["state"] == "replaced"


def test_a_volume_that_would_outlive_its_instance_is_reported() -> None:
    """Unlike a volume that the task makes: docs.aws.amazon.com/AWSEC2/latest/UserGuide/replace-root.html."""
    back = {"instance_id": INSTANCE, "to": "volume", "volume_id": "vol-0123456789abcdef0"}
    for goes, told in ((False, True), (True, False)):
        world = World()
        world.ec2.volumes[back["volume_id"]] = volume(back["volume_id"], attached=False)
        world.ec2.goes = {back["volume_id"]: goes}
        assert world.run(back)["outcome"] == "replaced"
        assert ("will not be deleted when the instance is terminated" in world.reports[0]) is told


@pytest.mark.parametrize(
    ("request_", "snapshot_id", "image_id"),
    [
        ({"to": "launch-state"}, None, None),
        ({"to": "snapshot", "snapshot_id": "snap-0123456789abcdef0"}, "snap-0123456789abcdef0", None),
        ({"to": "image", "image_id": "ami-0123456789abcdef0"}, None, "ami-0123456789abcdef0"),
    ],
)
def test_what_is_wanted_is_what_the_task_gets(
    request_: dict[str, str], snapshot_id: str | None, image_id: str | None
) -> None:
    world = World()
    world.run({"instance_id": INSTANCE, **request_})
    (parameters,) = world.ec2.tokens.values()
    assert (parameters["snapshot_id"], parameters["image_id"]) == (snapshot_id, image_id)
    assert parameters["volume_id"] is None


@pytest.mark.parametrize(
    ("instance", "to", "error"),
    [
        ({"Tags": []}, "launch-state", "NotOptedIn"),
        ({"Tags": [{"Key": "opt", "Value": "out"}]}, "launch-state", "NotOptedIn"),
        ({"State": {"Name": "stopped"}}, "launch-state", "Unfit"),
        ({"RootDeviceType": "instance-store"}, "launch-state", "Unfit"),
        ({"InstanceType": "m7g.metal"}, "launch-state", "Unfit"),
        ({"InstanceType": "mac2.metal"}, "image", None),  # https://github.com/redhat-developer/mapt/pull/169
        ({"InstanceType": "mac2.metal"}, "launch-state", None),
        ({"InstanceType": "m7g.large"}, "image", None),
    ],
)
def test_instances_that_do_not_fit_are_refused_before_anything_is_touched(
    instance: dict[str, Any], to: str, error: str | None
) -> None:
    world = World(Ec2(**instance))
    image = {"image_id": "ami-0123456789abcdef0"} if to == "image" else {}
    result = world.run({"instance_id": INSTANCE, "to": to, **image})
    assert result.get("error") == error
    assert bool(world.ec2.tokens) == (error is None)
    assert error is None or all(key.startswith("snap-") for key in world.ledger.items)


def test_an_unknown_instance_is_refused() -> None:
    assert World().run({"instance_id": "i-0fedcba9876543210", "to": "launch-state"})["error"] == "NoSuchInstance"


def test_a_task_that_ec2_refuses_fails_with_ec2_s_words() -> None:
    world = World()
    world.ec2.refuses = "InvalidParameterValue: not of this lineage"
    result = world.run()
    assert (result["error"], result["cause"]) == ("Refused", "InvalidParameterValue: not of this lineage")


def test_a_snapshot_that_was_made_just_now_is_asked_for_again_for_a_minute() -> None:
    """https://docs.aws.amazon.com/ec2/latest/devguide/eventual-consistency.html."""
    world = World()
    world.ec2.unknown = 1
    assert world.run()["outcome"] == "replaced"
    world = World()
    world.ec2.unknown = 1_000
    result = world.run()
    assert (result["error"], result["cause"]) == ("Refused", "InvalidSnapshot.NotFound: The snapshot does not exist")


# Concurrent requests


def test_a_second_request_joins_the_first_and_ends_as_it_does() -> None:
    world = World()
    world.execution("a").begin(requested(REQUEST), {})
    joined = world.execution("b").begin(requested(REQUEST), {})
    assert (joined["status"], joined["step"], joined["joined"]) == ("running", "begin", "a")
    for status, end in (("SUCCEEDED", ("done", "joined")), ("FAILED", ("failed", None)), ("ABORTED", ("failed", None))):
        world.statuses["a"] = status
        result = world.execution("b").begin(requested(REQUEST), joined)
        assert (result["status"], result.get("outcome")) == end
    assert world.ec2.tokens == {}


def test_a_different_wish_meanwhile_is_refused_and_does_not_unlock() -> None:
    world = World()
    world.execution("a").begin(requested(REQUEST), {})
    result = world.run({"instance_id": INSTANCE, "to": "latest-snapshot"}, name="b")
    assert result["error"] == "Busy"
    assert world.ledger.items[f"lock#{INSTANCE}"]["holder"] == "a"


def test_the_lock_of_an_execution_that_has_ended_is_taken_over() -> None:
    world = World()
    world.execution("a").begin(requested(REQUEST), {})
    world.statuses["a"] = "ABORTED"
    assert world.run(name="b")["outcome"] == "replaced"


def test_a_lock_that_is_let_go_in_between_is_taken_and_no_execution_is_asked_for() -> None:
    class LetGo(Ledger):
        """Refuses once, for a holder that is gone when one looks."""

        def claim(self, key: str, holder: str, *, instead_of: Any = None, **facts: Any) -> dict[str, Any] | None:
            gone = {"id": key, "holder": "", "at": facts["at"]}
            return super().claim(key, holder, **facts) if instead_of == gone else gone

    world = World()
    world.ledger = LetGo()
    assert world.run()["outcome"] == "replaced"


def test_a_step_that_is_repeated_starts_no_second_task() -> None:
    world = World()
    state = world.execution().begin(requested(REQUEST), {})
    again = world.execution().begin(requested(REQUEST), {})
    assert again["step"] == "start"
    for _ in range(3):
        world.execution().start(dict(state))
    assert len(world.ec2.tokens) == 1


def test_a_root_volume_that_was_replaced_just_now_is_a_stale_answer_and_is_waited_out() -> None:
    world = World()
    world.ledger.record("vol-old", state="replaced", at=NOW, instance_id=INSTANCE)
    assert world.execution().begin(requested(REQUEST), {})["step"] == "begin"
    world.now += STALE_SECONDS
    assert world.execution().begin(requested(REQUEST), {})["step"] == "start"


def test_tokens_differ_by_execution_and_volume_and_fit() -> None:
    tokens = {client_token(execution, volume_id) for execution in "ab" for volume_id in "cd"}
    assert len(tokens) == 4 and all(len(token) == 64 for token in tokens)


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ([], "must be an object"),
        ({"to": "launch-state"}, "needs instance_id"),
        ({**REQUEST, "to": "yesterday"}, "to must be one of"),
        ({**REQUEST, "to": "snapshot"}, "needs snapshot_id"),
        ({**REQUEST, "to": "image", "image_id": "snap-0123456789abcdef0"}, "needs image_id"),
        ({**REQUEST, "snapshot_id": "snap-0123456789abcdef0"}, "takes no snapshot_id"),
        ({**REQUEST, "to": "volume"}, "needs volume_id"),
        ({**REQUEST, "volume_id": "vol-0123456789abcdef0"}, "takes no volume_id"),
        ({**REQUEST, "force": True}, "unknown key 'force'"),
        ({**REQUEST, "instance_id": 7}, "got 7"),
    ],
)
def test_what_is_no_request_is_refused(value: Any, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        requested(value)
