"""Instances: what IAM judges calls on them by, which run Windows, their events and those of tags, and their age."""

import re
from typing import Any

from emulator.core.api import Json
from emulator.core.events import put_event
from emulator.core.iam import Call, Tagged, resource_tags, tag_pairs
from emulator.core.store import Ec2Store, arn, region
from emulator.services.ec2 import patches
from emulator.services.ec2.patches import ec2_tags, instance_profile, profile_associations
from emulator.services.ec2.resources import arn_of
from emulator.services.ssm.images import is_windows_image

_BY_ID = ("CreateTags", "DeleteSnapshot", "DeleteTags")
_ADDRESSES = ("AllocateAddress", "AssociateAddress", "DisassociateAddress", "ReleaseAddress")
_PROFILES = ("AssociateIamInstanceProfile", "DisassociateIamInstanceProfile")
_IDENTIFIED = ("Delete", "Get", "Search")
_ID_PARAMETERS = (
    "LocalGatewayRouteTableVpcAssociationId",
    "LocalGatewayRouteTableVirtualInterfaceGroupAssociationId",
    "CoipPoolId",
    "PoolId",
    "LocalGatewayRouteTableId",
)
# What is tagged when it is made, of which ministack knows only calls that only tag.
_TAGGED = (
    "AllocateAddress",
    "CreateCoipPool",
    "CreateLocalGatewayRouteTableVirtualInterfaceGroupAssociation",
    "CreateLocalGatewayRouteTableVpcAssociation",
)


_TAG_EVENTS = {"i": "instance", "vol": "volume", "snap": "snapshot"}
_versions: Ec2Store[dict[str, int]] = Ec2Store("tag_versions", dict)


def keys_of_call(call: Call) -> Json:
    """Condition keys of a call, as the page of EC2 names them.

    - ``ec2:Region``, of every call;
    - ``ec2:NewInstanceProfile``, "the ARN of the instance profile being attached";
    - ``ec2:LaunchTemplate``; the tags that a launch sets need no permission of their own here, on AWS they do
      (https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/permissions-for-launch-templates.html);
    - ``aws:RequestTag/key`` (https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/supported-iam-actions-tagging.html).

    https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonec2.html
    """
    found: Json = {"ec2:Region": region()}
    if call.action == "AssociateIamInstanceProfile":
        named = (call.first(f"IamInstanceProfile.{key}") for key in ("Arn", "Name"))
        if profile := instance_profile(next(filter(None, named), None)):
            found["ec2:NewInstanceProfile"] = profile["Arn"]
    if call.action == "RunInstances" and (template := call.first("LaunchTemplate.LaunchTemplateId")):
        found["ec2:LaunchTemplate"] = arn("ec2", f"launch-template/{template}")
    if call.action in _TAGGED:
        for name in call.parameters:
            if re.fullmatch(r"TagSpecification\.\d+\.Tag\.\d+\.Key", name):
                found[f"aws:RequestTag/{call.first(name)}".lower()] = call.first(f"{name.removesuffix('Key')}Value")
    return found


def keys_of_resource(resource: str) -> Json:
    """``ec2:InstanceProfile`` of an instance that has one, and ``ec2:ResourceTag/key``; the page is the same."""
    found = {f"ec2:ResourceTag/{name}": value for name, value in resource_tags(resource).items()}
    association = profile_associations().get(resource.rpartition("/")[2]) if ":instance/" in resource else None
    return {**found, "ec2:InstanceProfile": association[1]} if association else found


_TEMPLATES = (
    "CreateLaunchTemplate",
    "CreateLaunchTemplateVersion",
    "DeleteLaunchTemplate",
    "DeleteLaunchTemplateVersions",
)


def judged_on(call: Call) -> str | None:
    """The one ARN that a call is judged on here, where AWS judges on all that it names; Describe calls know none.

    The page is the same.
    """
    if call.action.startswith("Describe"):
        return "*"
    if call.action in _BY_ID:  # tags are judged on what is tagged
        tagged = call.first("ResourceId.1") if call.action != "DeleteSnapshot" else None
        return arn_of(str(tagged or call.first("SnapshotId") or ""))
    if call.action in _PROFILES:
        return _instance_of(call)
    if call.action in _TEMPLATES:
        return arn("ec2", f"launch-template/{call.first('LaunchTemplateId') or '*'}")
    if call.action in _ADDRESSES:
        return arn("ec2", f"elastic-ip/{_allocation(call)}")
    if not any(part in call.action for part in ("LocalGateway", "Coip")):
        return None
    if call.action.startswith(_IDENTIFIED) or call.action in ("CreateCoipCidr", "CreateLocalGatewayRoute"):
        names = filter(None, map(call.first, _ID_PARAMETERS))
        return arn_of(next(names, ""))
    kind = {
        "CreateCoipPool": "coip-pool",
        "CreateLocalGatewayRouteTableVpcAssociation": "local-gateway-route-table-vpc-association",
    }.get(call.action, "local-gateway-route-table-virtual-interface-group-association")
    return arn("ec2", f"{kind}/*")


def _instance_of(call: Call) -> str | None:
    instance_id, association = call.first("InstanceId"), call.first("AssociationId")
    for name, (association_id, _) in profile_associations().items():
        if association_id == association:
            instance_id = name
    return arn("ec2", f"instance/{instance_id}") if instance_id else None


def _allocation(call: Call) -> str:
    """Id of the address that a call is about; * where it is made."""
    association = call.first("AssociationId")
    for address in patches.backend().addresses:
        if association and address.association_id == association:
            return str(address.allocation_id)
    return str(call.first("AllocationId") or "*")


def tags() -> Tagged:
    """Of every resource whose kind is known."""
    for resource_id, found in list(ec2_tags().items()):
        if (resource := arn_of(resource_id)) and found:
            yield resource, tag_pairs(found)


def launched(parameters: Json, instances: list[Any]) -> None:
    """An instance of a Windows image shows its platform, and each one the operation by which it is billed.

    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_Instance.html
    https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/billing-info-fields.html
    """
    windows = is_windows_image(parameters.get("ImageId"))
    for instance in instances:
        if windows:
            instance.platform = "windows"
        instance.platform_details = "Windows" if windows else "Linux/UNIX"
        instance.usage_operation = "RunInstances:0002" if windows else "RunInstances"


def state_changed(instance_id: str, state: str) -> None:
    """Follows https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instance-state-change-notifications.html."""
    detail = {"instance-id": instance_id, "state": state}
    put_event("aws.ec2", "EC2 Instance State-change Notification", detail, arn("ec2", f"instance/{instance_id}"))


def tags_changed(resource_id: str, before: dict[str, str], after: dict[str, str]) -> None:
    """The event of a changed tag, of the kinds that are known here: the keys that changed, and the tags afterwards.

    https://docs.aws.amazon.com/tag-editor/latest/userguide/tag-monitor.html
    """
    changed = sorted(key for key in before.keys() | after.keys() if before.get(key) != after.get(key))
    kind = _TAG_EVENTS.get(resource_id.split("-")[0])
    if not changed or kind is None:
        return
    versions = _versions.here()
    versions[resource_id] = versions.get(resource_id, 0) + 1
    detail = {
        "changed-tag-keys": changed,
        "service": "ec2",
        "resource-type": kind,
        "version": versions[resource_id],
        "tags": after,
    }
    put_event("aws.tag", "Tag Change on Resource", detail, arn("ec2", f"{kind}/{resource_id}"))


def age_launches(request: Json) -> Json:
    """``age-launches {"seconds": n}``: every instance was launched n seconds earlier (our model)."""
    return {"aged": patches.age_launches(float(request["seconds"]))}
