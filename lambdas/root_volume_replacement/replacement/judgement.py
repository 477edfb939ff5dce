"""What comes next, from what EC2 says of a task, a volume and an instance. No AWS in here."""

from collections.abc import Iterable, Mapping
from typing import Any

from root_volume_replacement.names import archived
from root_volume_replacement.trials import Trial, doubtful

FAILED = {
    "failed": ("TaskFailed", "the instance was rebooted and keeps its old root volume"),
    "failed-detached": ("TaskFailedDetached", "the instance has no root volume; its old one still exists"),
}
"""The two ends of a task that are failures
(https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/replace-root.html#view-replacement-tasks)."""


def failure_of_task(state: str) -> tuple[str, str] | None:
    """Returns error and cause of a task that has failed; None while it goes on, and when it has succeeded.

    The states pending, in-progress, failing and failing-detached go on; so does one that is not known here.
    """
    return FAILED.get(state)


def failure_of_volume(old: Mapping[str, Any], new: Mapping[str, Any]) -> str | None:
    """Returns what is wrong with the new root volume; it is to be of the old one's type, and no smaller."""
    if new["VolumeType"] != old["type"]:
        return f"{new['VolumeId']} is of type {new['VolumeType']}, {old['id']} was of type {old['type']}"
    if int(new["Size"]) < int(old["size"]):
        return f"{new['VolumeId']} has {new['Size']} GiB, {old['id']} had {old['size']}"
    return None


def passed(statuses: Iterable[Mapping[str, Any]]) -> bool:
    """Whether the status checks of an instance, both of them, have passed."""
    found = list(statuses)
    return bool(found) and all(
        status.get(check, {}).get("Status") == "ok" for status in found for check in ("InstanceStatus", "SystemStatus")
    )


def newest_first(snapshots: Iterable[Mapping[str, Any]], trials: Iterable[Trial] = ()) -> list[Mapping[str, Any]]:
    """Returns the complete snapshots of root volumes that are known to have been good, the newest first.

    Args:
        trials: replacements of the instance that have not passed.
    """
    tried = list(trials)
    complete = [
        item
        for item in snapshots
        if item["State"] == "completed"
        and not archived(item)
        and not doubtful(tried, item["VolumeId"], int(item["StartTime"].timestamp()))
    ]
    return sorted(complete, key=lambda item: (item["StartTime"], item["SnapshotId"]), reverse=True)
