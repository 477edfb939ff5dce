"""Which zone a group launches in and which instance leaves first (our model), with and without capacity reservations.

- https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-availability-zone-balanced.html: "maintains an
  equal number of instances across enabled Availability Zones"; with *reservations-then-balanced* it "first launches
  instances into the Capacity Reservations associated with the group", and "distributes any remaining capacity evenly";
  at scale-in "removes instances that are not in a reservation first", then reserved ones, "starting with the
  Availability Zone that has the most reserved instances". How zones share when several have free reservations the page
  does not say: here the emptiest is next.
- https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-termination-policies.html, the default policy:
  from "the Availability Zones with the most instances", then those of the oldest launch template, then the one "closest
  to the next billing hour", for which the oldest instance stands here.
- https://docs.aws.amazon.com/autoscaling/ec2/userguide/auto-scaling-benefits.html, "Rebalancing activities": when the
  zones of a group change, new instances are launched before the old ones are terminated. A zone that comes back gets
  the next instances; on AWS some may move back to it, here none does.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from emulator.core.api import Json, call
from emulator.services.autoscaling.patches import settings
from emulator.services.ec2.capacity_reservations import RESERVATIONS, Instance, free, reservation_of

FIRST = ("capacity-reservations-first", "capacity-reservations-only")


def _setting(group: Any, name: str) -> Json:
    return settings.here().get(group.name, {}).get(name) or {}


def reservations_first(group: Any) -> bool:
    """Whether the group fills its reservations before it balances its zones."""
    chosen = _setting(group, "AvailabilityZoneDistribution").get("CapacityDistributionStrategy")
    return bool(chosen == "reservations-then-balanced")


def launch_parameters(group: Any) -> Json:
    """What a group adds to its RunInstances: its own target, which hides that of its launch template.

    https://docs.aws.amazon.com/autoscaling/ec2/userguide/use-ec2-capacity-reservations.html
    """
    specification = _setting(group, "CapacityReservationSpecification")
    target = specification.get("CapacityReservationTarget") or {}
    if specification.get("CapacityReservationPreference") not in FIRST or not target:
        return {}
    if pools := target.get("CapacityReservationResourceGroupArns"):
        named = {"CapacityReservationResourceGroupArn": pools[0]}
    else:
        named = {"CapacityReservationId": (target.get("CapacityReservationIds") or [None])[0]}
    return {"CapacityReservationSpecification": {"CapacityReservationTarget": named}}


def subnet_chooser(group: Any, template: Json) -> Callable[[Mapping[Any, int]], Any]:
    """How a group chooses the subnet of its next instance, given the instances of each."""
    room = Counter(_room(group, template) if reservations_first(group) else {})

    def choose(instances: Mapping[Any, int]) -> Any:
        # A subnet without room in a reservation comes after every one that has some.
        subnet = min(instances, key=lambda name: (room[name] <= 0, instances[name]))
        room[subnet] -= 1
        return subnet

    return choose


def _room(group: Any, template: Json) -> dict[str, int]:
    """Room in the reservations that the group's instances would use, by subnet."""
    subnets = [name for name in (group.vpc_zone_identifier or "").split(",") if name]
    described = call("ec2", "DescribeSubnets", SubnetIds=subnets)["Subnets"] if subnets else []
    specification = launch_parameters(group).get("CapacityReservationSpecification") or template.get(
        "CapacityReservationSpecification", {}
    )
    tenancy = (template.get("Placement") or {}).get("Tenancy", "default")
    found = {}
    for subnet in described:
        zone = subnet["AvailabilityZone"]
        launched = Instance(template.get("InstanceType", ""), "Linux/UNIX", zone, tenancy, specification)
        found[subnet["SubnetId"]] = sum(free(item) for item in RESERVATIONS.items.values() if launched.may_use(item))
    return found


def scale_in_order(group: Any, members: list[Any]) -> list[Any]:
    """Members in the order in which scale-in terminates them; *members* come in the order of their launch."""
    covered = {
        member.instance_id: reservations_first(group) and reservation_of(member.instance_id) is not None
        for member in members
    }
    left, order = list(members), []
    while left:
        # Each departure changes which zone has the most.
        uncovered = [member for member in left if not covered[member.instance_id]]
        sizes = Counter(member.availability_zone for member in uncovered or left)
        fullest = max(sizes.values())
        leaving = next(member for member in uncovered or left if sizes[member.availability_zone] == fullest)
        left.remove(leaving)
        order.append(leaving)
    return order
