"""The event of a changed tag (our model): only EC2's, which are all that is asked for here.

Follows https://docs.aws.amazon.com/tag-editor/latest/userguide/tag-monitor.html: an event for each resource, with the
keys that were added, changed or deleted, and the tags that the resource has afterwards.
"""

from emulator import seams
from emulator.events import put_event

_KINDS = {"i": "instance", "vol": "volume", "snap": "snapshot"}
_versions: dict[str, int] = {}


def tags_changed(resource_id: str, before: dict[str, str], after: dict[str, str]) -> None:
    """Puts the event, unless nothing has changed or the kind of resource is none of those known here."""
    changed = sorted(key for key in before.keys() | after.keys() if before.get(key) != after.get(key))
    kind = _KINDS.get(resource_id.split("-")[0])
    if not changed or kind is None:
        return
    _versions[resource_id] = _versions.get(resource_id, 0) + 1
    detail = {
        "changed-tag-keys": changed,
        "service": "ec2",
        "resource-type": kind,
        "version": _versions[resource_id],
        "tags": after,
    }
    arn = f"arn:aws:ec2:{seams.region()}:{seams.account_id()}:{kind}/{resource_id}"
    put_event("aws.tag", "Tag Change on Resource", detail, arn)


def install() -> None:
    """Listens to moto's EC2."""
    seams.on_ec2_tags(tags_changed)
