"""The clean-up: what may be deleted of 10,000 generated accounts, in which order it acts, and what it leaves alone."""

import random
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from root_volume_replacement.clean_up.handler import NotCleanedError, Rules, clean_up
from root_volume_replacement.clean_up.plan import Account, Deletion, Plan, Record, Snapshot, Volume, plan
from root_volume_replacement.clean_up.words import message
from root_volume_replacement.instances import OptIn
from root_volume_replacement.trials import Trial, written

ACCOUNTS = 2_000
NOW = 1_800_000_000
HOUR = 3600
GRACE = 24 * HOUR
KEEP = 2
AGES = (0, HOUR, GRACE - 1, GRACE, GRACE + 1, 30 * GRACE)


def account(seed: int) -> Account:
    """An account in which everything that can be true of a thing is true of some: a seeded generator, plain data.

    Not hypothesis: 10,000 of its examples take minutes, these take seconds, and the number names the account that
    fails.
    """
    chance = random.Random(seed)  # noqa: S311 (nothing secret)
    names = [f"i-{number}" for number in range(chance.randint(1, 4))]
    instances = {name: chance.random() < 0.8 for name in names if chance.random() < 0.6}
    volumes, snapshots, records = [], [], {}
    for number in range(chance.randint(0, 8)):
        owner, name = chance.choice(names), f"vol-{number}"
        if chance.random() < 0.8:
            state = chance.choice(["available", "available", "in-use", "creating", "deleting", "error"])
            tagged = chance.choice([owner, owner, owner, chance.choice(names), None])
            made_of = f"snap-{chance.randint(0, 13)}" if chance.random() < 0.3 else ""
            volumes.append(Volume(name, state, state == "in-use" or chance.random() < 0.05, tagged, made_of))
        if chance.random() < 0.8:
            kind = chance.choice(["replaced", "replaced", "noted"])
            records[name] = Record(name, owner, kind, NOW - chance.choice(AGES))
    for number in range(chance.randint(0, 14)):
        owner, name, source = chance.choice(names), f"snap-{number}", f"vol-{chance.randint(0, 11)}"
        started = NOW - chance.choice(AGES)
        state = chance.choice(["completed"] * 5 + ["pending", "error", "recovering"])
        tagged = chance.choice([owner] * 5 + [chance.choice(names), None])
        if chance.random() < 0.9:
            snapshots.append(Snapshot(name, source, state, started, tagged, archived=chance.random() < 0.1))
        if chance.random() < 0.85:
            taken_of = source if chance.random() < 0.95 else "vol-99"
            records[name] = Record(name, owner, "taken", started, taken_of)
    return Account(
        instances=instances,
        volumes=volumes,
        snapshots=snapshots,
        of_images=frozenset(item.id for item in snapshots if chance.random() < 0.15),
        records=records,
        gone_since={name: NOW - chance.choice(AGES) for name in names if chance.random() < 0.5},
        busy=frozenset(name for name in names if chance.random() < 0.1),
        trials={name: [trial(chance) for _ in range(chance.randint(0, 2))] for name in names if chance.random() < 0.3},
    )


def trial(chance: random.Random) -> Trial:
    until = NOW - chance.choice(AGES) if chance.random() < 0.5 else 0
    return Trial("execution", f"vol-{chance.randint(0, 11)}", NOW - chance.choice(AGES), until)


def planned(of: Account) -> Plan:
    return plan(of, keep=KEEP, grace=GRACE, now=NOW)


def volume_may_go(of: Account, volume: Volume) -> bool:
    """The rule of the issue, word by word, and not as the plan computes it."""
    record = of.records.get(volume.id)
    return (
        volume.state == "available"
        and not volume.attached
        and record is not None
        and record.state == "replaced"
        and volume.tagged_for == record.instance_id
        and NOW - record.at >= GRACE
        and of.instances.get(record.instance_id, True)
        and record.instance_id not in of.busy
    )


def snapshot_is_ours(of: Account, snapshot: Snapshot) -> bool:
    record = of.records.get(snapshot.id)
    return (
        record is not None
        and (record.instance_id, record.volume_id) == (snapshot.tagged_for, snapshot.volume_id)
        and snapshot.state == "completed"
        and of.instances.get(record.instance_id, True)
        and record.instance_id not in of.busy
    )


def snapshot_may_go(of: Account, snapshot: Snapshot) -> bool:
    if not snapshot_is_ours(of, snapshot) or snapshot.id in of.of_images or NOW - snapshot.started < GRACE:
        return False
    if snapshot.archived or snapshot.id in {volume.made_of for volume in of.volumes}:
        return False
    lineage = [s for s in of.snapshots if snapshot_is_ours(of, s) and s.tagged_for == snapshot.tagged_for]
    newer = [
        s for s in lineage if (s.started, s.id) > (snapshot.started, snapshot.id) and is_good(of, s) and not s.archived
    ]
    existing = {volume.id for volume in of.volumes}
    theirs = {r.id for r in of.records.values() if r.instance_id == snapshot.tagged_for} | {
        s.volume_id for s in lineage
    }
    gone_since = of.gone_since.get(str(snapshot.tagged_for), NOW)
    gone = snapshot.tagged_for not in of.instances and not theirs & existing and NOW - gone_since >= GRACE
    return len(newer) >= KEEP or gone


def is_good(of: Account, snapshot: Snapshot) -> bool:
    """Of a root volume that was there before each replacement that has not passed, or is the one that it replaced."""
    return all(
        snapshot.started < one.at or snapshot.volume_id == one.old or (one.until and snapshot.started >= one.until)
        for one in of.trials.get(str(snapshot.tagged_for), [])
    )


def test_over_2_000_accounts_nothing_outside_the_rule_is_ever_deleted_and_all_that_fits_is() -> None:
    deleted: Counter[str] = Counter()
    for seed in range(ACCOUNTS):
        of = account(seed)
        expected = {v.id for v in of.volumes if volume_may_go(of, v)}
        expected |= {s.id for s in of.snapshots if snapshot_may_go(of, s)}
        found = planned(of).deletions
        assert {item.id for item in found} == expected, f"account {seed}"
        assert len(found) == len(expected), f"account {seed} plans something twice"
        deleted.update(item.kind if item.kind == "volume" else item.why for item in found)
    # The generator must reach every way out, or the test above shows nothing.
    assert min(deleted.values()) > 40 and len(deleted) == 3, deleted


def test_the_order_in_which_ec2_names_things_changes_nothing() -> None:
    for seed in range(100):
        of = account(seed)
        turned = replace(of, volumes=list(of.volumes)[::-1], snapshots=list(of.snapshots)[::-1])
        assert {item.id for item in planned(of).deletions} == {item.id for item in planned(turned).deletions}


def test_what_is_deleted_twice_is_deleted_once() -> None:
    for seed in range(100):
        of = account(seed)
        gone = {item.id for item in planned(of).deletions}
        left = replace(
            of,
            volumes=[volume for volume in of.volumes if volume.id not in gone],
            snapshots=[snapshot for snapshot in of.snapshots if snapshot.id not in gone],
        )
        newly = {item.id for item in planned(left).deletions}
        # With a volume gone, the last one of a gone lineage may be: its snapshots follow; and what it was made of.
        made_of = {volume.made_of for volume in of.volumes if volume.id in gone}
        others = [item for item in planned(left).deletions if item.id in newly - made_of]
        assert all(item.why.startswith("its instance") for item in others), seed


def test_an_instance_is_gone_only_after_it_was_missing_for_the_grace_period() -> None:
    snapshot = Snapshot("snap-1", "vol-1", "completed", NOW - 30 * GRACE, "i-1")
    record = Record("snap-1", "i-1", "taken", snapshot.started, "vol-1")
    of = Account(snapshots=[snapshot], records={"snap-1": record})
    first = planned(of)
    assert (first.deletions, first.newly_gone) == ((), ("i-1",))
    assert planned(replace(of, gone_since={"i-1": NOW - GRACE + 1})).deletions == ()
    assert [item.id for item in planned(replace(of, gone_since={"i-1": NOW - GRACE})).deletions] == ["snap-1"]
    back = planned(replace(of, gone_since={"i-1": NOW - GRACE}, instances={"i-1": True}))
    assert (back.deletions, back.back) == ((), ("i-1",))


def lineage_of(count: int) -> Account:
    """So many old snapshots of one instance, each of a root volume of its own, that of now made of the oldest."""
    snapshots = [Snapshot(f"snap-{n}", f"vol-{n}", "completed", NOW - (90 - n) * GRACE, "i-1") for n in range(count)]
    records = {s.id: Record(s.id, "i-1", "taken", s.started, s.volume_id) for s in snapshots}
    root = Volume("vol-root", "in-use", attached=True, tagged_for=None, made_of="snap-0")
    return Account(instances={"i-1": True}, volumes=[root], snapshots=snapshots, records=records)


def test_the_launch_state_of_a_volume_is_never_deleted() -> None:
    """--to launch-state takes the snapshot that the root volume of now was made of, however old that is."""
    of = lineage_of(5)
    assert {item.id for item in planned(of).deletions} == {"snap-1", "snap-2"}
    assert planned(of).kept["a volume was made of it"] == 1
    assert "snap-0" in {item.id for item in planned(replace(of, volumes=[])).deletions}


def test_snapshots_of_what_did_not_pass_do_not_push_out_the_good_ones() -> None:
    """Three tries with a bad image leave three newer snapshots; the last good ones stay."""
    of = lineage_of(6)
    bad = {"i-1": [Trial("one", "vol-2", of.snapshots[3].started - 1)]}  # type: ignore[index]
    assert {item.id for item in planned(replace(of, trials=bad)).deletions} == set()
    assert {item.id for item in planned(of).deletions} == {"snap-1", "snap-2", "snap-3"}


def test_trials_are_forgotten_with_the_last_of_an_instance() -> None:
    tried = {"i-1": [Trial("one", "vol-1", NOW)]}
    record = Record("snap-1", "i-1", "taken", NOW, "vol-1")
    assert planned(Account(trials=tried)).forget == ("trial#i-1",)
    assert planned(Account(trials=tried, records={"snap-1": record})).forget == ()
    assert planned(Account(trials=tried, instances={"i-1": True})).forget == ()


def test_records_of_what_is_gone_are_forgotten_after_the_grace_period() -> None:
    old, young = (Record(f"vol-{age}", "i-1", "replaced", NOW - age) for age in (GRACE, GRACE - 1))
    assert planned(Account(records={old.id: old, young.id: young})).forget == (old.id,)


def test_twice_the_snapshots_take_about_twice_the_time() -> None:
    def seconds(count: int) -> float:
        records = {f"snap-{n}": Record(f"snap-{n}", f"i-{n % 500}", "taken", n, f"vol-{n % 500}") for n in range(count)}
        snapshots = [Snapshot(r.id, r.volume_id, "completed", r.at, r.instance_id) for r in records.values()]
        of = Account(instances={f"i-{n}": True for n in range(500)}, snapshots=snapshots, records=records)
        best = 1e9
        for _ in range(3):
            started = time.process_time()
            assert len(planned(of).deletions) == count - 500 * KEEP
            best = min(best, time.process_time() - started)
        return best

    assert seconds(20_000) < 10 * max(seconds(5_000), 0.004)  # linear would be 4, quadratic 16


# The handler


class Ec2:
    """An account: one replaced volume, three snapshots of it, and an image of the oldest."""

    def __init__(self, refuses: Mapping[str, str] | None = None) -> None:
        self.deleted: list[str] = []
        self.refuses = refuses or {}

    def get_paginator(self, operation: str) -> Any:
        pages: dict[str, Iterable[Any]] = {
            "describe_instances": [
                {"Reservations": []},
                {"Reservations": [{"Instances": [instance("i-1")]}]},
            ],
            "describe_volumes": [{"Volumes": [tagged("VolumeId", "vol-old", State="available", Attachments=[])]}],
            "describe_snapshots": [
                {"Snapshots": [snapshot(1)]},
                {"Snapshots": []},
                {"Snapshots": [snapshot(2), snapshot(3)]},
            ],
            "describe_images": [{"Images": [{"BlockDeviceMappings": [{"Ebs": {"SnapshotId": "snap-1"}}, {}]}]}],
        }
        return type("Pages", (), {"paginate": lambda _, **__: iter(pages[operation])})()

    def delete_volume(self, VolumeId: str) -> None:  # noqa: N803
        self._delete(VolumeId)

    def delete_snapshot(self, SnapshotId: str) -> None:  # noqa: N803
        self._delete(SnapshotId)

    def _delete(self, name: str) -> None:
        if code := self.refuses.get(name):
            raise ClientError({"Error": {"Code": code, "Message": ""}}, "Delete")
        self.deleted.append(name)


class Ledger:
    """The records of that account."""

    def __init__(self) -> None:
        self.items: dict[str, dict[str, Any]] = {
            "vol-old": {"instance_id": "i-1", "state": "replaced", "at": NOW - 2 * GRACE},
            **{f"snap-{n}": {"instance_id": "i-1", "volume_id": "vol-old", "at": NOW} for n in (1, 2, 3)},
            "vol-forgotten": {"instance_id": "i-2", "state": "noted", "at": NOW - 2 * GRACE},
            "gone#i-1": {"at": NOW - GRACE},
            "claim#vol-old#createVolume": {"holder": "x", "at": NOW},
            "trial#i-1": {"trials": written([Trial("one", "vol-old", NOW)]), "at": NOW},
        }

    def everything(self) -> Iterable[dict[str, Any]]:
        return [{"id": name, **item} for name, item in self.items.items()]

    def record(self, key: str, **facts: Any) -> None:
        self.items[key] = facts

    def forget(self, key: str) -> None:
        self.items.pop(key, None)


def instance(name: str) -> dict[str, Any]:
    return {"InstanceId": name, "State": {"Name": "stopped"}, "Tags": [{"Key": "opt", "Value": "in"}]}


def tagged(kind: str, name: str, **more: Any) -> dict[str, Any]:
    tags = {"replaced-volume": "true", "replace-snapshot": "true", "root-volume-of": "i-1"}
    return {kind: name, "Tags": [{"Key": key, "Value": value} for key, value in tags.items()], **more}


def snapshot(number: int) -> dict[str, Any]:
    started = datetime.fromtimestamp(NOW - 2 * GRACE + number, UTC)
    return tagged("SnapshotId", f"snap-{number}", VolumeId="vol-old", State="completed", StartTime=started)


def cleaned(ec2: Ec2, ledger: Ledger, sent: list[str], *, acting: bool = True, most: int = 100) -> dict[str, Any]:
    def report(subject: str, text: str) -> None:
        assert not ec2.deleted, "the plan is sent before anything is deleted"
        sent.append(f"{subject}\n{text}")

    rules = Rules(acting=acting, keep=1, grace_seconds=GRACE, most=most)
    return clean_up(ec2, ledger, opt_in=OptIn("opt", "in"), rules=rules, report=report, now=NOW)  # type: ignore[arg-type]


def test_the_plan_is_sent_and_then_done() -> None:
    ec2, ledger, sent = Ec2(), Ledger(), list[str]()
    result = cleaned(ec2, ledger, sent)
    assert ec2.deleted == ["vol-old", "snap-2"]  # snap-3 is the newest, snap-1 an image's
    assert (result["planned"], result["deleted"], len(sent)) == (2, 2, 1)
    assert "snap-2 of i-1: beyond the newest 1" in sent[0]


def test_a_dry_run_sends_the_plan_and_deletes_nothing() -> None:
    ec2, sent = Ec2(), list[str]()
    assert cleaned(ec2, Ledger(), sent, acting=False)["deleted"] == 0
    assert ec2.deleted == [] and "this is a dry run" in sent[0] and "could be deleted" in sent[0]


def test_the_ledger_remembers_who_is_gone_and_forgets_who_is_back_or_nothing_is_left_of() -> None:
    ledger = Ledger()
    cleaned(Ec2(), ledger, [], acting=False)
    assert "gone#i-1" not in ledger.items and "vol-forgotten" not in ledger.items
    assert ledger.items["gone#i-2"] == {"at": NOW}


def test_one_that_cannot_be_deleted_stops_no_other_and_is_told() -> None:
    ec2 = Ec2(refuses={"vol-old": "VolumeInUse"})
    with pytest.raises(NotCleanedError, match=r"1 of 2 were not deleted: .*VolumeInUse"):
        cleaned(ec2, Ledger(), [])
    assert ec2.deleted == ["snap-2"]


def test_one_that_is_gone_already_is_done() -> None:
    ec2 = Ec2(refuses={"vol-old": "InvalidVolume.NotFound"})
    assert cleaned(ec2, Ledger(), [])["deleted"] == 2


def test_a_run_deletes_no_more_than_it_may() -> None:
    ec2, sent = Ec2(), list[str]()
    assert cleaned(ec2, Ledger(), sent, most=1)["deleted"] == 1
    assert "1 more are left for the next run" in sent[0]


def test_a_message_holds_a_plan_of_thousands() -> None:
    many = tuple(Deletion("snapshot", f"snap-{n:017x}", f"i-{n:017x}", "beyond the newest 3") for n in range(50_000))
    text = message(Plan(many, {}, (), (), ()), many, acting=True)
    assert len(text.encode()) < 256 * 1024 and "and 49500 more" in text
