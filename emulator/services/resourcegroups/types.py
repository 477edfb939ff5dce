"""AWS::ResourceGroups::Group, the group that stands for several capacity reservations."""

from typing import Any

from emulator.core.resource import Properties, ResourceType
from emulator.services.resourcegroups.patches import resource_groups


def _create_group(properties: Properties) -> str:
    known = {name: properties[name] for name in ("Name", "Description", "Configuration") if name in properties}
    resource_groups("create_group", **known)
    _update_group(properties["Name"], {}, properties)
    return str(properties["Name"])


def _update_group(name: str, old: Properties, new: Properties) -> None:
    before, after = old.get("Resources") or [], new.get("Resources") or []
    if gone := [arn for arn in before if arn not in after]:
        resource_groups("ungroup_resources", Group=name, ResourceArns=gone)
    if come := [arn for arn in after if arn not in before]:
        resource_groups("group_resources", Group=name, ResourceArns=come)


def _group_arn(name: str, _properties: Properties) -> dict[str, Any]:
    return {"Arn": resource_groups("get_group", GroupName=name)["Group"]["GroupArn"]}


TYPES = {
    "AWS::ResourceGroups::Group": ResourceType(
        create=_create_group,
        update=_update_group,
        replaced_by=frozenset({"Name"}),
        delete=lambda name, _: resource_groups("delete_group", GroupName=name),
        attributes=_group_arn,
    ),
}
