"""Which Local Zones there are, what is asked of one, and which names were probably meant. No AWS in here."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

ZONE_NAME = re.compile(r"^(?P<region>[a-z]{2,4}(?:-[a-z]+)+-\d)-[a-z]{3}-\d[a-z]$")
"""https://docs.aws.amazon.com/local-zones/latest/ug/concepts-local-zones.html: Region, location, number and letter."""
MOST_NAMES = 5


class ZoneError(ValueError):
    """The zone, or what is wanted in it, does not exist; the message is meant for the user."""


@dataclass(frozen=True)
class Zone:
    """A Local Zone as DescribeAvailabilityZones tells it.

    Attributes:
        name: such as <Region>-atl-2a.
        group: what an account opts in to, such as <Region>-atl-2.
        border_group: where the zone's public addresses are advertised.
        opted_in: whether this account may use it.
        parent: the Availability Zone that controls it.
    """

    name: str
    group: str
    border_group: str
    opted_in: bool
    parent: str


def region_of(name: str) -> str:
    """The Region that a Local Zone extends.

    Raises:
        ZoneError: that is no name of a Local Zone.
    """
    found = ZONE_NAME.match(name)
    if not found:
        raise ZoneError(
            f"{name!r} is no name of a Local Zone: it is a Region, a location, a number and a letter, for example the "
            "Region followed by -atl-2a"
        )
    return found["region"]


def local_zones(described: Iterable[Mapping[str, Any]]) -> list[Zone]:
    """The Local Zones of an answer of DescribeAvailabilityZones, by name."""
    found = [
        Zone(
            name=zone["ZoneName"],
            group=zone["GroupName"],
            border_group=zone["NetworkBorderGroup"],
            opted_in=zone["OptInStatus"] == "opted-in",
            parent=zone.get("ParentZoneName", ""),
        )
        for zone in described
        if zone.get("ZoneType") == "local-zone"
    ]
    return sorted(found, key=lambda zone: zone.name)


def chosen(name: str, zones: Sequence[Zone], region: str) -> Zone:
    """The zone of that name.

    Raises:
        ZoneError: it is no Local Zone, is one of another Region, or is none that this Region has.
    """
    names = [zone.name for zone in zones]
    hint = f"nearest here: {listed(nearest(name, names))}" if names else "this Region has no Local Zone"
    other = region_of(name)
    if other != region:
        raise ZoneError(f"{name} extends {other}, and this is {region}; use it from {other}, or one of here; {hint}")
    for zone in zones:
        if zone.name == name:
            return zone
    raise ZoneError(f"{region} has no Local Zone {name}; {hint}")


def missing_types(wanted: Iterable[str], offered: Iterable[str], zone: str) -> str | None:
    """What to tell about wanted instance types that a zone does not offer; None if it offers all."""
    there = sorted(set(offered))
    missing = [name for name in dict.fromkeys(wanted) if name not in there]
    if not missing:
        return None
    if not there:
        return f"{zone} offers no instance type at all; is the account opted in?"
    told = [f"{name} (nearest: {listed(nearest_types(name, there))})" for name in missing]
    return f"{zone} does not offer {'; '.join(told)}"


def nearest(name: str, names: Sequence[str]) -> list[str]:
    """Names that were probably meant; if none is near, the first ones."""
    return get_close_matches(name, names, n=MOST_NAMES, cutoff=0.6) or sorted(names)[:MOST_NAMES]


def nearest_types(name: str, offered: Sequence[str]) -> list[str]:
    """Offered types of the same size or family first, then of a name that is near."""
    family, _, size = name.partition(".")
    kin = [item for item in offered if item.startswith(f"{family}.")]
    kin += [item for item in offered if item[:1] == family[:1] and item.endswith(f".{size}") and item not in kin]
    return kin[:MOST_NAMES] or nearest(name, offered)


def listed(names: Iterable[str]) -> str:
    """Names for a sentence."""
    return ", ".join(names)
