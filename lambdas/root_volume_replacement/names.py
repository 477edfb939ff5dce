"""The tags by which the functions, the policies and people know what this solution has made. No AWS in here."""

from collections.abc import Mapping
from typing import Any

REPLACE_SNAPSHOT = "replace-snapshot"
"""On a snapshot of ours; the post's tag. Its value is ``true``."""
REPLACED_VOLUME = "replaced-volume"
"""On a root volume that we have replaced; the post's tag. Its value is ``true``."""
ROOT_VOLUME_OF = "root-volume-of"
"""On both: the instance, which is the lineage that the snapshot can be restored to."""
SNAPSHOT_CAUSE = "snapshot-cause"
"""On a snapshot of ours: what it was taken for. The same cause twice is one snapshot."""
EXECUTION = "root-volume-replacement"
"""On a replacement task: the execution that has started it."""
TRUE = "true"


def tags_of(resource: Mapping[str, Any]) -> dict[str, str]:
    """Returns the tags of something that EC2 describes."""
    return {tag["Key"]: tag["Value"] for tag in resource.get("Tags") or []}


def tag_list(tags: Mapping[str, str]) -> list[dict[str, str]]:
    """Returns tags as EC2 takes them."""
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def archived(snapshot: Mapping[str, Any]) -> bool:
    """Whether a snapshot is in the archive tier, from which it must be restored before anything can be made of it.

    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_SnapshotTierStatus.html
    """
    return snapshot.get("StorageTier") == "archive"


def filters(values: Mapping[str, str]) -> list[dict[str, Any]]:
    """Returns EC2 filters, all of which must hold."""
    return [{"Name": name, "Values": [value]} for name, value in values.items()]
