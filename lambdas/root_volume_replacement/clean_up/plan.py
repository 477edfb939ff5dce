"""What may be deleted, by one rule, from a picture of the account. No AWS in here.

A volume may be deleted if it is detached, carries our tags, and our ledger says that we replaced it longer ago than the
grace period. A snapshot may be deleted if it carries our tags, our ledger says that we took it, it is complete, not
archived and older than the grace period, no image uses it, and no volume was made of it, whose launch state it is. It
must also be beyond the newest `keep` of its instance that are known to be good, or its instance and all volumes of that
must have been gone for the grace period.
Nothing is deleted of an instance whose root volume is being replaced, or that exists and no longer opts in.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from root_volume_replacement.trials import Trial, doubtful

REPLACED = "replaced"


@dataclass(frozen=True)
class Volume:
    """A volume of the account.

    Attributes:
        tagged_for: the instance in our tags; None if it does not carry both of them.
        made_of: the snapshot that it was made of; empty if it was not.
    """

    id: str
    state: str
    attached: bool
    tagged_for: str | None
    made_of: str = ""


@dataclass(frozen=True)
class Snapshot:
    """A snapshot that carries our tag; times are seconds of the epoch.

    Attributes:
        tagged_for: the instance in our tags; None if it does not carry both of them.
        archived: somebody has moved it to the archive tier, to keep it; EC2 would delete it there too.
    """

    id: str
    volume_id: str
    state: str
    started: int
    tagged_for: str | None
    archived: bool = False


@dataclass(frozen=True)
class Record:
    """What the ledger says of a volume (``state``: noted, replaced) or a snapshot (``state``: taken)."""

    id: str
    instance_id: str
    state: str
    at: int
    volume_id: str = ""


@dataclass(frozen=True)
class Account:
    """A picture of the account.

    Attributes:
        instances: every instance that is not terminated, and whether it has opted in.
        volumes: every volume.
        snapshots: those that carry our tag.
        of_images: snapshots that an image uses.
        records: the ledger's, of volumes and snapshots.
        gone_since: instances that were seen missing before, and when first.
        busy: instances of which a root volume is being replaced.
        trials: of each instance, the replacements that have not passed.
    """

    instances: Mapping[str, bool] = field(default_factory=dict)
    volumes: Iterable[Volume] = ()
    snapshots: Iterable[Snapshot] = ()
    of_images: frozenset[str] = frozenset()
    records: Mapping[str, Record] = field(default_factory=dict)
    gone_since: Mapping[str, int] = field(default_factory=dict)
    busy: frozenset[str] = frozenset()
    trials: Mapping[str, Sequence[Trial]] = field(default_factory=dict)


@dataclass(frozen=True)
class Deletion:
    """One thing that may go, and why."""

    kind: Literal["volume", "snapshot"]
    id: str
    instance_id: str
    why: str


@dataclass(frozen=True)
class Plan:
    """What may be deleted, and what the ledger is to remember and forget.

    Attributes:
        kept: how many of what carries our tags are kept, by the reason.
        newly_gone: instances that are missing for the first time.
        back: instances that are not missing any more, or of which nothing is left.
        forget: records of what does not exist any more.
    """

    deletions: tuple[Deletion, ...]
    kept: Mapping[str, int]
    newly_gone: tuple[str, ...]
    back: tuple[str, ...]
    forget: tuple[str, ...]


def plan(account: Account, *, keep: int, grace: int, now: int) -> Plan:
    """Applies the rule; time and memory grow with the number of things, not faster.

    Args:
        keep: newest complete snapshots of each instance that stay, those not counted that may be of a root volume
            which did not pass, or that must be restored from the archive tier first.
        grace: seconds within which nothing is deleted.
        now: seconds of the epoch.
    """
    kept: dict[str, int] = defaultdict(int)
    deletions: list[Deletion] = []
    volumes = {volume.id: volume for volume in account.volumes}
    living = {record.instance_id for record in account.records.values() if record.id in volumes}
    for volume in volumes.values():
        if volume.tagged_for:
            reason = _keeps_volume(volume, account, grace, now)
            if reason:
                kept[reason] += 1
            else:
                deletions.append(Deletion("volume", volume.id, volume.tagged_for, "replaced, and detached since"))
    launch_states = {volume.made_of for volume in volumes.values()}
    ours: dict[str, list[Snapshot]] = defaultdict(list)
    seen: set[str] = set()
    for snapshot in account.snapshots:
        seen.add(snapshot.id)
        if reason := _not_ours(snapshot, account):
            kept[reason] += 1
        else:
            ours[str(snapshot.tagged_for)].append(snapshot)
    for instance_id, snapshots in ours.items():
        gone = _gone(instance_id, snapshots, account, living, volumes, grace, now)
        snapshots.sort(key=lambda item: (item.started, item.id), reverse=True)
        trials, newer = account.trials.get(instance_id, ()), 0
        for snapshot in snapshots:
            place = newer
            newer += not snapshot.archived and not doubtful(trials, snapshot.volume_id, snapshot.started)
            if now - snapshot.started < grace:
                kept["younger than the grace period"] += 1
            elif snapshot.archived:
                kept["in the archive tier"] += 1
            elif snapshot.id in account.of_images:
                kept["used by an image"] += 1
            elif snapshot.id in launch_states:
                kept["a volume was made of it"] += 1
            elif gone:
                deletions.append(Deletion("snapshot", snapshot.id, instance_id, "its instance and volumes are gone"))
            elif place >= keep:
                deletions.append(Deletion("snapshot", snapshot.id, instance_id, f"beyond the newest {keep}"))
            else:
                kept["among the newest"] += 1
    missing = {record.instance_id for record in account.records.values()} - account.instances.keys()
    return Plan(
        tuple(deletions),
        dict(kept),
        newly_gone=tuple(sorted(missing - account.gone_since.keys())),
        back=tuple(sorted(account.gone_since.keys() - missing)),
        forget=tuple(
            record.id
            for record in account.records.values()
            if record.id not in volumes and record.id not in seen and now - record.at >= grace
        )
        + tuple(
            f"trial#{instance_id}"
            for instance_id in sorted(account.trials)
            if instance_id not in account.instances and instance_id not in missing
        ),
    )


def _keeps_volume(volume: Volume, account: Account, grace: int, now: int) -> str | None:
    record = account.records.get(volume.id)
    if record is None or record.state != REPLACED or record.instance_id != volume.tagged_for:
        return "not replaced by us"
    if volume.state != "available" or volume.attached:
        return "not detached"
    if now - record.at < grace:
        return "younger than the grace period"
    return _untouchable(record.instance_id, account)


def _not_ours(snapshot: Snapshot, account: Account) -> str | None:
    record = account.records.get(snapshot.id)
    if record is None or record.instance_id != snapshot.tagged_for or record.volume_id != snapshot.volume_id:
        return "not taken by us"
    if snapshot.state != "completed":
        return "not complete"
    return _untouchable(record.instance_id, account)


def _untouchable(instance_id: str, account: Account) -> str | None:
    if instance_id in account.busy:
        return "its instance is at work"
    return "its instance has not opted in" if account.instances.get(instance_id) is False else None


def _gone(
    instance_id: str,
    snapshots: Iterable[Snapshot],
    account: Account,
    living: set[str],
    volumes: Mapping[str, Volume],
    grace: int,
    now: int,
) -> bool:
    """Whether nothing is left that a snapshot of this lineage could be restored to: known for the grace period."""
    if instance_id in account.instances or instance_id in living:
        return False
    if any(snapshot.volume_id in volumes for snapshot in snapshots):
        return False
    since = account.gone_since.get(instance_id)
    return since is not None and now - since >= grace
