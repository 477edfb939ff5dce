"""Capacity Reservations: their APIs, and which instances run in them; and Reserved Instances (our model).

Matching follows https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/capacity-reservations-using.html and
https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/cr-groups-lifecycle.html: an instance that matches in type,
platform, zone and tenancy runs in a reservation that is open, or in a targeted one that it names, by itself or by a
resource group. Not modelled: reservations that begin later, that are shared or interruptible, their end dates coming,
EC2 having no capacity, and ``capacity-reservations-only``.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from emulator.core.api import Json, Operation, call, client_error
from emulator.core.store import Setting, Store, account_id
from emulator.services.cloudwatch.patches import record_metric
from emulator.services.ec2.patches import backend
from emulator.services.ec2.resources import Kind
from emulator.services.resourcegroups.patches import group_members


@dataclass(frozen=True)
class Instance:
    """A running instance, and what it said about reservations."""

    instance_type: str
    platform: str
    zone: str
    tenancy: str
    specification: Json

    def may_use(self, reservation: Json) -> bool:
        """Whether it runs in a reservation that has room."""
        matches = (self.instance_type, self.platform, self.zone, self.tenancy) == tuple(
            reservation[name] for name in ("InstanceType", "InstancePlatform", "AvailabilityZone", "Tenancy")
        )
        if not matches or self.specification.get("CapacityReservationPreference") == "none":
            return False
        target = self.specification.get("CapacityReservationTarget") or {}
        if not target:
            return bool(reservation["InstanceMatchCriteria"] == "open")
        pool = target.get("CapacityReservationResourceGroupArn")
        return target.get("CapacityReservationId") == reservation["CapacityReservationId"] or (
            pool is not None and reservation["CapacityReservationArn"] in group_members(pool)
        )


@dataclass
class Fleet:
    """The instances of one account and Region, in the order in which they came.

    Attributes:
        members: those that run in a reservation, the oldest first, by the reservation's id.
    """

    running: dict[str, Instance] = field(default_factory=dict)
    stopped: dict[str, Instance] = field(default_factory=dict)
    members: dict[str, list[str]] = field(default_factory=dict)


fleets: Store[Fleet] = Store(Fleet)


# --- which instance runs in which reservation -------------------------------------------------------------------------


def settle() -> None:
    """Lets every reservation keep whom it may, and take whoever else may use it, the oldest instance first."""
    fleet = fleets.here()
    for name, item in RESERVATIONS.items.items():
        kept = [member for member in fleet.members.get(name, []) if member in fleet.running]
        fleet.members[name] = kept[: item["TotalInstanceCount"]]
    for instance_id, instance in fleet.running.items():
        if reservation_of(instance_id) is None:
            for name, item in RESERVATIONS.items.items():
                if free(item) and instance.may_use(item):
                    fleet.members[name].append(instance_id)
                    break
        backend().get_instance(instance_id).capacity_reservation_id = reservation_of(instance_id)


def reservation_of(instance_id: str) -> str | None:
    """The reservation that an instance runs in."""
    return next((name for name, members in fleets.here().members.items() if instance_id in members), None)


def free(reservation: Json) -> int:
    """Instances that still find room in it."""
    used = len(fleets.here().members.get(reservation["CapacityReservationId"], []))
    return max(0, int(reservation["TotalInstanceCount"]) - used)


def launched(parameters: Json, instances: list[Any]) -> None:
    """Notes the instances of a RunInstances, whose own parameters come before those of its launch template."""
    template = _template_of(parameters)
    specification = parameters.get("CapacityReservationSpecification") or template.get(
        "CapacityReservationSpecification", {}
    )
    placement = {**(template.get("Placement") or {}), **(parameters.get("Placement") or {})}
    for instance in instances:
        if instance.lifecycle != "spot":
            fleets.here().running[instance.id] = Instance(
                instance.instance_type,
                "Windows" if instance.platform else "Linux/UNIX",
                instance.placement.zone,
                placement.get("Tenancy", "default"),
                specification,
            )
    settle()


def _template_of(parameters: Json) -> Json:
    source = parameters.get("LaunchTemplate") or {}
    if not source:
        return {}
    named = {key: source[key] for key in ("LaunchTemplateId", "LaunchTemplateName") if key in source}
    found = call("ec2", "DescribeLaunchTemplateVersions", **named, Versions=[str(source.get("Version", "$Default"))])
    data: Json = found["LaunchTemplateVersions"][0]["LaunchTemplateData"]
    return data


def instance_state_changed(instance_id: str, state: str) -> None:
    """A stopped or ended instance gives its place back; a started one looks for one again."""
    fleet = fleets.here()
    if state in ("stopped", "terminated") and instance_id in fleet.running:
        gone = fleet.running.pop(instance_id)
        if state == "stopped":
            fleet.stopped[instance_id] = gone
    elif state == "running" and instance_id in fleet.stopped:
        fleet.running[instance_id] = fleet.stopped.pop(instance_id)
    else:
        return
    settle()


# --- APIs -------------------------------------------------------------------------------------------------------------


def _limits(parameters: Json) -> Json:
    """End date and its type, which go together."""
    if (parameters.get("EndDateType") == "limited") != ("EndDate" in parameters):
        raise client_error("InvalidParameterCombination", "EndDateType limited and EndDate go together.")
    return {name: parameters[name] for name in ("EndDate", "EndDateType") if name in parameters}


def _new(parameters: Json, made: str) -> Json:
    """https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateCapacityReservation.html."""
    return {
        "CapacityReservationArn": RESERVATIONS.arn(made),
        "OwnerId": account_id(),
        "InstanceType": parameters["InstanceType"],
        "InstancePlatform": parameters["InstancePlatform"],
        "AvailabilityZone": parameters["AvailabilityZone"],
        "Tenancy": parameters.get("Tenancy", "default"),
        "TotalInstanceCount": int(parameters["InstanceCount"]),
        "InstanceMatchCriteria": parameters.get("InstanceMatchCriteria", "open"),
        "EndDateType": "unlimited",
        **_limits(parameters),
        "State": "active",
        "CreateDate": datetime.now(UTC),
    }


RESERVATIONS = Kind(
    "CapacityReservation",
    "capacity-reservation",
    "cr",
    made=_new,
    shown=lambda item: {**item, "AvailableInstanceCount": free(item)},
    filters={"state": "State", "instance-type": "InstanceType", "availability-zone": "AvailabilityZone"},
    verbs=("Create", "Describe"),
)


def create_capacity_reservation(parameters: Json) -> Json:
    """The same page; what may use it does so at once."""
    made = RESERVATIONS.create(parameters)["CapacityReservation"]["CapacityReservationId"]
    settle()
    return {"CapacityReservation": RESERVATIONS.described(RESERVATIONS.named(made))}


def modify_capacity_reservation(parameters: Json) -> Json:
    """https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ModifyCapacityReservation.html.

    "Instances running in the Capacity Reservation continue to run as On-Demand Instances" where it becomes smaller.
    """
    changed = RESERVATIONS.named(parameters["CapacityReservationId"])
    if "InstanceCount" in parameters:
        changed["TotalInstanceCount"] = int(parameters["InstanceCount"])
    if "EndDateType" in parameters or "EndDate" in parameters:
        changed.pop("EndDate", None)
        changed |= _limits(parameters)
    settle()
    return {"Return": True}


def cancel_capacity_reservation(parameters: Json) -> Json:
    """https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CancelCapacityReservation.html."""
    RESERVATIONS.named(parameters["CapacityReservationId"]).update(State="cancelled", TotalInstanceCount=0)
    settle()
    return {"Return": True}


def publish_metrics() -> None:
    """Publishes the use of every active reservation; AWS does so every five minutes, here each minute.

    https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/capacity-reservation-cw-metrics.html
    """
    for name, item in RESERVATIONS.items.items():
        if item["State"] == "active":
            total, room = item["TotalInstanceCount"], free(item)
            values = {
                "UsedInstanceCount": total - room,
                "AvailableInstanceCount": room,
                "TotalInstanceCount": total,
                "InstanceUtilization": 100 * (total - room) / total,
            }
            for metric, value in values.items():
                record_metric("AWS/EC2CapacityReservations", metric, {"CapacityReservationId": name}, value)


# --- Reserved Instances that somebody owns ---------------------------------------------------------------------------

PURCHASE_STATES = ("payment-pending", "active", "payment-failed", "retired", "queued", "queued-deleted")

purchases: Setting[tuple[Json, ...]] = Setting(())


def put_purchases(request: Json) -> Json:
    """``reserved-instances {"purchases": [...]}``: members of the API's ReservedInstances, times as texts."""
    found = []
    for each in request["purchases"]:
        if each["State"] not in PURCHASE_STATES or (each["Scope"] == "Region") is ("AvailabilityZone" in each):
            raise ValueError(f"not as EC2 has it: {each}")
        found.append({**each, "End": datetime.fromisoformat(each["End"])})
    purchases.value = tuple(found)
    return {"purchases": len(found)}


def describe_reserved_instances(parameters: Json) -> Json:
    """https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeReservedInstances.html, which has no pages."""
    states = None
    for each in parameters.get("Filters") or []:
        if each["Name"] != "state":
            raise client_error("InvalidParameterValue", f"The filter '{each['Name']}' is invalid")
        states = each["Values"]
    found = [each for each in purchases.value if not states or each["State"] in states]
    return {"ReservedInstances": found}


OPERATIONS: dict[str, Operation] = {
    "describe_reserved_instances": describe_reserved_instances,
    **RESERVATIONS.operations(),
    "create_capacity_reservation": create_capacity_reservation,
    "modify_capacity_reservation": modify_capacity_reservation,
    "cancel_capacity_reservation": cancel_capacity_reservation,
}
