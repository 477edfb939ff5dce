"""The picture of the account that a plan is made from; reads only. Its caller makes the client of EC2."""

from collections.abc import Iterator, Mapping
from typing import Any

from root_volume_replacement.clean_up.plan import Account, Record, Snapshot, Volume
from root_volume_replacement.instances import OptIn
from root_volume_replacement.ledger import Ledger
from root_volume_replacement.names import (
    REPLACE_SNAPSHOT,
    REPLACED_VOLUME,
    ROOT_VOLUME_OF,
    TRUE,
    archived,
    filters,
    tags_of,
)
from root_volume_replacement.trials import Trial, read

PAGE = {"PageSize": 1000}  # the most that one call of each of these answers with
LIVING = ("pending", "running", "shutting-down", "stopping", "stopped")


def read_account(ec2: Any, ledger: Ledger, opt_in: OptIn) -> Account:
    """Reads everything, page by page; what cannot be read is an error, never an absence.

    The snapshots are read after the volumes and instances that they depend on: one that is younger than they are is
    within the grace period anyway.
    """
    records: dict[str, Record] = {}
    gone_since: dict[str, int] = {}
    busy: set[str] = set()
    trials: dict[str, list[Trial]] = {}
    for item in ledger.everything():
        kind, _, rest = item["id"].partition("#")
        if kind == "lock":
            busy.add(rest)
        elif kind == "trial":
            trials[rest] = read(item["trials"])
        elif kind == "gone":
            gone_since[rest] = item["at"]
        elif kind.startswith(("vol-", "snap-")):
            records[kind] = Record(
                kind, item["instance_id"], item.get("state", "taken"), item["at"], item.get("volume_id", "")
            )
    instances = {
        instance["InstanceId"]: opt_in.chosen_by(instance)
        for reservation in _pages(ec2, "describe_instances", "Reservations")
        for instance in reservation["Instances"]
        if instance["State"]["Name"] in LIVING
    }
    return Account(
        instances=instances,
        volumes=[_volume(item) for item in _pages(ec2, "describe_volumes", "Volumes")],
        snapshots=[
            _snapshot(item)
            for item in _pages(
                ec2,
                "describe_snapshots",
                "Snapshots",
                OwnerIds=["self"],
                Filters=filters({f"tag:{REPLACE_SNAPSHOT}": TRUE}),
            )
        ],
        of_images=frozenset(_of_images(ec2)),
        records=records,
        gone_since=gone_since,
        busy=frozenset(busy),
        trials=trials,
    )


def _of_images(ec2: Any) -> Iterator[str]:
    """Disabled and deprecated images too: they can be enabled again.

    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeImages.html
    """
    images = _pages(ec2, "describe_images", "Images", Owners=["self"], IncludeDeprecated=True, IncludeDisabled=True)
    for image in images:
        for mapping in image.get("BlockDeviceMappings") or []:
            if snapshot_id := (mapping.get("Ebs") or {}).get("SnapshotId"):
                yield snapshot_id


def _volume(item: Mapping[str, Any]) -> Volume:
    tags = tags_of(item)
    tagged_for = tags.get(ROOT_VOLUME_OF) if tags.get(REPLACED_VOLUME) == TRUE else None
    made_of = item.get("SnapshotId") or ""
    return Volume(item["VolumeId"], item["State"], bool(item.get("Attachments")), tagged_for, made_of)


def _snapshot(item: Mapping[str, Any]) -> Snapshot:
    tags = tags_of(item)
    tagged_for = tags.get(ROOT_VOLUME_OF) if tags.get(REPLACE_SNAPSHOT) == TRUE else None
    started = int(item["StartTime"].timestamp())
    return Snapshot(item["SnapshotId"], item["VolumeId"], item["State"], started, tagged_for, archived(item))


def _pages(ec2: Any, operation: str, key: str, **parameters: Any) -> Iterator[Mapping[str, Any]]:
    for page in ec2.get_paginator(operation).paginate(**parameters, PaginationConfig=PAGE):
        yield from page[key]
