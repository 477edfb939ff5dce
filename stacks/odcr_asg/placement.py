"""Where the instances of a group go, and which of them its reservations cover. No AWS in here.

Follows "Reservations then balanced" of
https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-availability-zone-balanced.html: reservations are
filled first, what is left is spread evenly over the zones. How zones share when several have free reservations, it does
not say; here the one with the fewest instances is next.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

Zone = TypeVar("Zone")


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
