"""The zone of each subnet. No AWS in here."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any


class SubnetZonesError(ValueError):
    """The subnets do not fit a group that shall survive the loss of a zone; the message is meant for the user."""


def zones_of(subnet_ids: Sequence[str], described: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Returns Zone1, Zone2, ... in the order of the subnets, whatever the order in which EC2 described them.

    Raises:
        SubnetZonesError: when a subnet is missing, or two are in one zone.
    """
    zone_by_subnet = {subnet["SubnetId"]: subnet["AvailabilityZone"] for subnet in described}
    if missing := [subnet_id for subnet_id in subnet_ids if subnet_id not in zone_by_subnet]:
        raise SubnetZonesError(f"EC2 knows no subnet {', '.join(missing)}; correct common.vpc")
    zones = [zone_by_subnet[subnet_id] for subnet_id in subnet_ids]
    for zone in zones:
        shared = [subnet_id for subnet_id in subnet_ids if zone_by_subnet[subnet_id] == zone]
        if len(shared) > 1:
            raise SubnetZonesError(f"{' and '.join(shared)} are both in {zone}; name one subnet of each zone")
    return {f"Zone{number}": zone for number, zone in enumerate(zones, 1)}
