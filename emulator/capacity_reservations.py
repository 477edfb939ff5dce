"""On-Demand Capacity Reservations: their APIs, which instances run in them, and where a group launches for them.

Our model. Matching follows https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/capacity-reservations-using.html and
https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/cr-groups-lifecycle.html; the zones of a group follow
``stacks/odcr_asg/placement.py``. Not modelled: reservations that begin later, that are shared or interruptible, their
end dates coming, EC2 having no capacity, and ``capacity-reservations-only``.
"""

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from emulator import seams
from emulator.calls import call
from stacks.odcr_asg.placement import Shape, first_out, may_use, next_zone  # noqa: TID251 - its own rule follows

Json = dict[str, Any]

FIRST = ("capacity-reservations-first", "capacity-reservations-only")


@dataclass
class Reservation:
    """One reservation as EC2 keeps it; *members* are the instances that run in it, the oldest first."""

    id: str
    shape: Shape
    count: int
    targeted: bool
    settings: Json
    state: str = "active"
    created: datetime = field(default_factory=lambda: datetime.now(UTC))
    members: list[str] = field(default_factory=list)

    @property
    def arn(self) -> str:
        """Of the request's account and Region."""
        return f"arn:aws:ec2:{seams.region()}:{seams.account_id()}:capacity-reservation/{self.id}"

    @property
    def free(self) -> int:
        """Instances that still find room."""
        return max(0, self.count - len(self.members)) if self.state == "active" else 0


@dataclass
class Launched:
    """A running instance, and what it said about reservations."""

    shape: Shape
    specification: Json


@dataclass
class Region:
    """Everything of one account and Region, in the order in which it came."""

    reservations: dict[str, Reservation] = field(default_factory=dict)
    running: dict[str, Launched] = field(default_factory=dict)
    stopped: dict[str, Launched] = field(default_factory=dict)
    groups: dict[str, Json] = field(default_factory=dict)


_regions: dict[tuple[str, str], Region] = {}


def here() -> Region:
    """That of the request."""
    return _regions.setdefault((seams.account_id(), seams.region()), Region())


def reset() -> None:
    """Forgets everything."""
    _regions.clear()


# --- which instance runs in which reservation -------------------------------------------------------------------------


def settle() -> None:
    """Lets every reservation keep whom it may, and take whoever else may use it, the oldest instance first."""
    region = here()
    for reservation in region.reservations.values():
        kept = [member for member in reservation.members if member in region.running]
        reservation.members = kept[: reservation.count] if reservation.state == "active" else []
    covered = {member for reservation in region.reservations.values() for member in reservation.members}
    for instance_id, launched in region.running.items():
        if instance_id in covered:
            continue
        for reservation in region.reservations.values():
            if reservation.free and _may_use(launched, reservation):
                reservation.members.append(instance_id)
                break
    for instance_id in region.running:
        seams.show_reservation(instance_id, reservation_of(instance_id))


def reservation_of(instance_id: str) -> str | None:
    """The reservation that an instance runs in."""
    found = [item.id for item in here().reservations.values() if instance_id in item.members]
    return found[0] if found else None


def _may_use(launched: Launched, reservation: Reservation) -> bool:
    if launched.specification.get("CapacityReservationPreference") == "none":
        return False
    target = launched.specification.get("CapacityReservationTarget") or {}
    pool = target.get("CapacityReservationResourceGroupArn")
    is_target = target.get("CapacityReservationId") == reservation.id or (
        pool is not None and reservation.arn in seams.group_members(pool)
    )
    if target and not is_target:
        return False  # it named others
    return may_use(launched.shape, reservation.shape, targeted=reservation.targeted, is_target=is_target)


def launched(parameters: Json, instances: list[Any]) -> None:
    """Notes the instances of a RunInstances, whose own parameters come before those of its launch template."""
    template = _template_of(parameters)
    specification = parameters.get("CapacityReservationSpecification") or template.get(
        "CapacityReservationSpecification", {}
    )
    placement = {**(template.get("Placement") or {}), **(parameters.get("Placement") or {})}
    for instance in instances:
        shape = Shape(
            instance.instance_type,
            "Windows" if instance.platform else "Linux/UNIX",
            instance.placement.zone,
            placement.get("Tenancy", "default"),
        )
        if instance.lifecycle != "spot":
            here().running[instance.id] = Launched(shape, specification)
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
    region = here()
    if state in ("stopped", "terminated") and instance_id in region.running:
        gone = region.running.pop(instance_id)
        if state == "stopped":
            region.stopped[instance_id] = gone
    elif state == "running" and instance_id in region.stopped:
        region.running[instance_id] = region.stopped.pop(instance_id)
    else:
        return
    settle()


# --- the APIs ---------------------------------------------------------------------------------------------------------


def create_capacity_reservation(parameters: Json) -> Json:
    """https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateCapacityReservation.html."""
    if (parameters.get("EndDateType") == "limited") != ("EndDate" in parameters):
        raise seams.client_error("InvalidParameterCombination", "EndDateType limited and EndDate go together.")
    shape = Shape(
        parameters["InstanceType"],
        parameters["InstancePlatform"],
        parameters["AvailabilityZone"],
        parameters.get("Tenancy", "default"),
    )
    made = Reservation(
        f"cr-{uuid.uuid4().hex[:17]}",
        shape,
        int(parameters["InstanceCount"]),
        parameters.get("InstanceMatchCriteria", "open") == "targeted",
        {name: parameters[name] for name in ("EndDate", "EndDateType") if name in parameters},
    )
    here().reservations[made.id] = made
    settle()
    return {"CapacityReservation": _described(made)}


def describe_capacity_reservations(parameters: Json) -> Json:
    """https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeCapacityReservations.html; no filters."""
    wanted = parameters.get("CapacityReservationIds")
    found = list(here().reservations.values()) if wanted is None else [_named(name) for name in wanted]
    return {"CapacityReservations": [_described(item) for item in found]}


def modify_capacity_reservation(parameters: Json) -> Json:
    """https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ModifyCapacityReservation.html.

    "Instances running in the Capacity Reservation continue to run as On-Demand Instances" where it becomes smaller.
    """
    changed = _named(parameters["CapacityReservationId"])
    changed.count = int(parameters.get("InstanceCount", changed.count))
    changed.settings |= {name: parameters[name] for name in ("EndDate", "EndDateType") if name in parameters}
    if parameters.get("EndDateType") == "unlimited":
        changed.settings.pop("EndDate", None)
    settle()
    return {"Return": True}


def cancel_capacity_reservation(parameters: Json) -> Json:
    """https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CancelCapacityReservation.html."""
    _named(parameters["CapacityReservationId"]).state = "cancelled"
    settle()
    return {"Return": True}


def _named(reservation_id: str) -> Reservation:
    found = here().reservations.get(reservation_id)
    if found is None:
        message = f"The capacity reservation '{reservation_id}' does not exist"
        raise seams.client_error("InvalidCapacityReservationId.NotFound", message)
    return found


def _described(item: Reservation) -> Json:
    return {
        "CapacityReservationId": item.id,
        "CapacityReservationArn": item.arn,
        "OwnerId": seams.account_id(),
        "InstanceType": item.shape.instance_type,
        "InstancePlatform": item.shape.platform,
        "AvailabilityZone": item.shape.zone,
        "Tenancy": item.shape.tenancy,
        "TotalInstanceCount": item.count if item.state == "active" else 0,
        "AvailableInstanceCount": item.free,
        "InstanceMatchCriteria": "targeted" if item.targeted else "open",
        "EndDateType": "unlimited",
        **item.settings,
        "State": item.state,
        "CreateDate": item.created,
    }


def publish_metrics() -> None:
    """Publishes the use of every active reservation; AWS does so every five minutes, here each minute.

    https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/capacity-reservation-cw-metrics.html
    """
    for item in here().reservations.values():
        if item.state == "active":
            used = len(item.members)
            values = {
                "UsedInstanceCount": used,
                "AvailableInstanceCount": item.free,
                "TotalInstanceCount": item.count,
                "InstanceUtilization": 100 * used / item.count,
            }
            for name, value in values.items():
                seams.record_metric("AWS/EC2CapacityReservations", name, {"CapacityReservationId": item.id}, value)


# --- groups -----------------------------------------------------------------------------------------------------------


def group_changed(name: str, parameters: Json) -> None:
    """Keeps what CreateAutoScalingGroup and UpdateAutoScalingGroup say and moto does not."""
    kept = here().groups.setdefault(name, {})
    kept |= {key: parameters[key] for key in seams.GROUP_SETTINGS if key in parameters}


def launch_parameters(group: Any) -> Json:
    """What a group adds to its RunInstances: its own target, which hides that of its launch template.

    https://docs.aws.amazon.com/autoscaling/ec2/userguide/use-ec2-capacity-reservations.html
    """
    specification = here().groups.get(group.name, {}).get("CapacityReservationSpecification") or {}
    target = specification.get("CapacityReservationTarget") or {}
    if specification.get("CapacityReservationPreference") not in FIRST or not target:
        return {}
    pools, ids = target.get("CapacityReservationResourceGroupArns"), target.get("CapacityReservationIds")
    named = (
        {"CapacityReservationResourceGroupArn": pools[0]} if pools else {"CapacityReservationId": (ids or [None])[0]}
    )
    return {"CapacityReservationSpecification": {"CapacityReservationTarget": named}}


def subnet_chooser(group: Any, template: Json) -> Callable[[Mapping[Any, int]], Any]:
    """How a group chooses the subnet of its next instance, given the instances of each."""
    free = _free(group, template) if _reservations_first(group) else {}

    def choose(instances: Mapping[Any, int]) -> Any:
        subnet = next_zone(instances, free)
        free[subnet] = free.get(subnet, 0) - 1
        return subnet

    return choose


def scale_in_order(group: Any, members: list[Any]) -> list[Any]:
    """Members in the order in which they leave; as moto has them, unless reservations come first."""
    if not _reservations_first(group):
        return members
    return first_out(
        members, lambda member: member.availability_zone, lambda member: reservation_of(member.instance_id) is not None
    )


def _reservations_first(group: Any) -> bool:
    distribution = here().groups.get(group.name, {}).get("AvailabilityZoneDistribution") or {}
    return bool(distribution.get("CapacityDistributionStrategy") == "reservations-then-balanced")


def _free(group: Any, template: Json) -> dict[str, int]:
    """Room in the reservations that the group's instances would use, by subnet."""
    subnets = (group.vpc_zone_identifier or "").split(",")
    described = call("ec2", "DescribeSubnets", SubnetIds=subnets)["Subnets"] if subnets != [""] else []
    zones = {subnet["SubnetId"]: subnet["AvailabilityZone"] for subnet in described}
    specification = launch_parameters(group).get("CapacityReservationSpecification") or template.get(
        "CapacityReservationSpecification", {}
    )
    tenancy = (template.get("Placement") or {}).get("Tenancy", "default")
    free: dict[str, int] = {}
    for subnet, zone in zones.items():
        would_be = Launched(Shape(template.get("InstanceType", ""), "Linux/UNIX", zone, tenancy), specification)
        free[subnet] = sum(item.free for item in here().reservations.values() if _may_use(would_be, item))
    return free


def install() -> None:
    """Puts the APIs into moto, and listens to its instances and groups."""
    for action in (
        create_capacity_reservation,
        describe_capacity_reservations,
        modify_capacity_reservation,
        cancel_capacity_reservation,
    ):
        seams.serve_action("ec2", action.__name__, action)
    seams.on_launch(launched)
    seams.on_instance_state(instance_state_changed)
    seams.on_group_settings(group_changed)
