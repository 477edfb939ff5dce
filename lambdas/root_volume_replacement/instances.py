"""What an instance is, from what DescribeInstances says of it. No AWS in here."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from root_volume_replacement.names import tags_of

GOING = ("shutting-down", "terminated")


@dataclass(frozen=True)
class OptIn:
    """The tag by which the owner of an instance opts in."""

    key: str
    value: str

    def chosen_by(self, instance: Mapping[str, Any]) -> bool:
        """Whether an instance carries the tag."""
        return tags_of(instance).get(self.key) == self.value


def root_volume_id(instance: Mapping[str, Any]) -> str | None:
    """Returns the volume at the instance's root device; None while there is none, or if it is an instance store."""
    return _root(instance).get("VolumeId")


def goes_with_instance(instance: Mapping[str, Any]) -> bool:
    """Whether EC2 deletes the root volume when the instance is terminated."""
    return bool(_root(instance).get("DeleteOnTermination"))


def may_show_root_later(instance: Mapping[str, Any] | None) -> bool:
    """Whether an instance that shows no root volume may have one: it was started just now, or EC2 is not up to date.

    https://docs.aws.amazon.com/ec2/latest/devguide/eventual-consistency.html
    """
    if instance is None:
        return True
    return instance.get("RootDeviceType") != "instance-store" and instance["State"]["Name"] not in GOING


def _root(instance: Mapping[str, Any]) -> Mapping[str, Any]:
    for mapping in instance.get("BlockDeviceMappings") or []:
        if mapping.get("DeviceName") == instance.get("RootDeviceName"):
            return mapping.get("Ebs") or {}
    return {}


def unfit(instance: Mapping[str, Any]) -> str | None:
    """Returns why EC2 could not replace this instance's root volume; None if nothing speaks against it.

    https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/replace-root.html: a running instance with an EBS root volume;
    virtualized, or a Mac, which takes an image too (https://github.com/redhat-developer/mapt/pull/169).
    """
    state = instance["State"]["Name"]
    kind = str(instance["InstanceType"])
    mac = kind.startswith("mac")
    if state != "running":
        return f"it is {state}, and only a running instance's root volume can be replaced"
    if instance.get("RootDeviceType") != "ebs":
        return "its root device is an instance store"
    if ".metal" in kind and not mac:
        return f"{kind} is a bare metal type, of which EC2 replaces root volumes of Macs only"
    return None
