"""AWS::EC2::CapacityReservation, the resource group that stands for several, and AWS::SSM::Document."""

from typing import Any

from emulator import seams
from emulator.calls import call
from emulator.types.resource import Properties, ResourceType, described

# --- reservations -----------------------------------------------------------------------------------------------------


def _create_reservation(properties: Properties) -> str:
    made = call("ec2", "CreateCapacityReservation", properties)
    return str(made["CapacityReservation"]["CapacityReservationId"])


def _update_reservation(reservation_id: str, _old: Properties, new: Properties) -> None:
    kept = ("InstanceCount", "EndDate", "EndDateType")
    changes = {name: new[name] for name in kept if name in new}
    call("ec2", "ModifyCapacityReservation", changes, CapacityReservationId=reservation_id)


# --- resource groups --------------------------------------------------------------------------------------------------


def _create_group(properties: Properties) -> str:
    known = {name: properties[name] for name in ("Name", "Description", "Configuration") if name in properties}
    seams.resource_groups("create_group", **known)
    _update_group(properties["Name"], {}, properties)
    return str(properties["Name"])


def _update_group(name: str, old: Properties, new: Properties) -> None:
    before, after = old.get("Resources") or [], new.get("Resources") or []
    if gone := [arn for arn in before if arn not in after]:
        seams.resource_groups("ungroup_resources", Group=name, ResourceArns=gone)
    if come := [arn for arn in after if arn not in before]:
        seams.resource_groups("group_resources", Group=name, ResourceArns=come)


def _group_arn(name: str, _properties: Properties) -> dict[str, Any]:
    return {"Arn": seams.resource_groups("get_group", GroupName=name)["Group"]["GroupArn"]}


# --- documents --------------------------------------------------------------------------------------------------------


def _create_document(properties: Properties) -> str:
    return str(call("ssm", "CreateDocument", properties)["DocumentDescription"]["Name"])


TYPES = {
    "AWS::EC2::CapacityReservation": ResourceType(
        create=_create_reservation,
        update=_update_reservation,
        replaced_by=frozenset({"AvailabilityZone", "InstanceType", "InstancePlatform", "Tenancy"}),
        delete=lambda reservation_id, _: call("ec2", "CancelCapacityReservation", CapacityReservationId=reservation_id),
        attributes=described(
            "DescribeCapacityReservations",
            "CapacityReservationIds",
            {
                "Id": "CapacityReservations[0].CapacityReservationId",
                "CapacityReservationArn": "CapacityReservations[0].CapacityReservationArn",
            },
        ),
    ),
    "AWS::ResourceGroups::Group": ResourceType(
        create=_create_group,
        update=_update_group,
        replaced_by=frozenset({"Name"}),
        delete=lambda name, _: seams.resource_groups("delete_group", GroupName=name),
        attributes=_group_arn,
    ),
    "AWS::SSM::Document": ResourceType(
        create=_create_document,
        delete=lambda name, _: call("ssm", "DeleteDocument", Name=name),
        name="Name",
    ),
}
