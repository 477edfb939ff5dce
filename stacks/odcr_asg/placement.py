"""Where the instances of a group go, and which of them its reservations cover. No AWS in here.

Follows "Reservations then balanced" of
https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-availability-zone-balanced.html: reservations are
filled first, what is left is spread evenly over the zones; at scale-in those without a reservation go first. How zones
share when several have free reservations, the page does not say; here the one with the fewest instances is next.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

Zone = TypeVar("Zone")
Member = TypeVar("Member")


@dataclass(frozen=True)
class Placement:
    """Instances by zone, as DescribeCapacityReservations would count them.

    Attributes:
        covered: those that run in a reservation.
        uncovered: those that run on whatever On-Demand capacity there was.
    """

    covered: Mapping[str, int]
    uncovered: Mapping[str, int]

    @property
    def instances(self) -> dict[str, int]:
        """Instances of each zone, covered or not."""
        return {zone: count + self.uncovered[zone] for zone, count in self.covered.items()}

    @property
    def covered_in_all(self) -> int:
        """Instances that cannot fail for want of capacity."""
        return sum(self.covered.values())

    @property
    def uncovered_in_all(self) -> int:
        """Instances that run only if EC2 has capacity at that moment."""
        return sum(self.uncovered.values())


def per_zone(required: int, zones: int) -> int:
    """Reservations that each zone needs so that the others carry all required instances when any one zone is lost.

    Raises:
        ValueError: with fewer than two zones, whose loss nothing could survive.
    """
    if zones < 2:
        raise ValueError(f"the loss of a zone can be survived by 2 zones or more, got {zones}")
    return -(-required // (zones - 1))


def next_zone(instances: Mapping[Zone, int], free: Mapping[Zone, int]) -> Zone:
    """The zone of the next instance: one with a free reservation if there is one; of these the emptiest.

    Args:
        instances: that each zone has; its keys are the zones that may be used, in their order.
        free: reservations that each zone has left.
    """
    reserved = [zone for zone in instances if free.get(zone, 0) > 0]
    return min(reserved or instances, key=lambda zone: instances[zone])


def place(wanted: int, reserved: Mapping[str, int], lost: Iterable[str] = ()) -> Placement:
    """Where *wanted* instances run, launched one after the other.

    Args:
        reserved: reservations of each zone of the group.
        lost: zones that cannot be used.

    Raises:
        ValueError: when no zone is left.
    """
    usable = {zone: count for zone, count in reserved.items() if zone not in set(lost)}
    if not usable:
        raise ValueError("no zone is left")
    covered, uncovered = dict.fromkeys(usable, 0), dict.fromkeys(usable, 0)
    for _ in range(wanted):
        instances = {zone: covered[zone] + uncovered[zone] for zone in usable}
        zone = next_zone(instances, {zone: usable[zone] - covered[zone] for zone in usable})
        (covered if covered[zone] < usable[zone] else uncovered)[zone] += 1
    return Placement(covered, uncovered)


def first_out(
    members: Iterable[Member], zone_of: Callable[[Member], str], is_covered: Callable[[Member], bool]
) -> list[Member]:
    """Members in the order in which scale-in takes them.

    "Removes instances that are not in a reservation first ... then removes reserved instances, starting with the
    Availability Zone that has the most reserved instances."
    """
    left = list(members)
    order: list[Member] = []
    while left:
        candidates = [member for member in left if not is_covered(member)] or left
        zones = [zone_of(member) for member in candidates]
        leaving = max(candidates, key=lambda member: zones.count(zone_of(member)))
        left.remove(leaving)
        order.append(leaving)
    return order


@dataclass(frozen=True)
class Shape:
    """What an instance and a reservation must have in common.

    "Matching attributes (instance type, platform, Availability Zone, and tenancy)":
    https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/capacity-reservations-using.html
    """

    instance_type: str
    platform: str
    zone: str
    tenancy: str = "default"


def may_use(instance: Shape, reservation: Shape, *, targeted: bool, is_target: bool) -> bool:
    """Whether an instance may run in a reservation that has room.

    Args:
        targeted: the reservation takes only instances that name it; an open one takes all that match.
        is_target: the instance names the reservation, or a resource group that it is in.
    """
    return instance == reservation and (is_target or not targeted)
