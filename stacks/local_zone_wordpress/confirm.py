"""Looks into the Price List for the zone."""

from argparse import Namespace

from config.models import CommonSettings
from stacks.local_zone_wordpress.settings import LocalZoneWordpressSettings
from stacks.local_zone_wordpress.zone import prices
from stacks.shared.confirming import Look, Seen
from stacks.shared.preflight import Clients

TYPE = "t3.medium"


def _region_code(common: CommonSettings, settings: LocalZoneWordpressSettings, clients: Clients) -> Seen:
    if not settings.zone:
        return Seen("open", "the configuration names no Local Zone: set zone")
    found = prices(Namespace(type=[TYPE], operating_system="Linux"), settings.zone, clients)
    if not found.rows:
        return Seen("refuted", f"the Price List has no {TYPE} for the group of {settings.zone}")
    return Seen("confirmed", f"{settings.zone}: {', '.join(' '.join(row) for row in found.rows)} an hour")


LOOKS = (
    Look(
        "That `regionCode` of the Price List is the zone's group.",
        ("ec2:DescribeAvailabilityZones", "pricing:GetProducts"),
        _region_code,
    ),
)
