"""AWS::EC2::CapacityReservation."""

from emulator.core.api import call
from emulator.core.resource import Properties, ResourceType, described


def _create_reservation(properties: Properties) -> str:
    made = call("ec2", "CreateCapacityReservation", properties)
    return str(made["CapacityReservation"]["CapacityReservationId"])


def _update_reservation(reservation_id: str, _old: Properties, new: Properties) -> None:
    kept = ("InstanceCount", "EndDate", "EndDateType")
    changes = {name: new[name] for name in kept if name in new}
    call("ec2", "ModifyCapacityReservation", changes, CapacityReservationId=reservation_id)


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
}
