"""``python -m stacks local_zone_wordpress zone``: enable a Local Zone, list its instance types and their prices.

It takes any zone on the command line; the stack need not be deployed.
"""

import json
import sys
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import boto3

from config.models import CommonSettings
from stacks.local_zone_wordpress.settings import LocalZoneWordpressSettings
from stacks.shared.command import Answer, Command, CommandError
from stacks.shared.preflight import Clients, Finding, zones_of_get_azs

sys.path.append(str(Path(__file__).parents[2] / "lambdas"))  # the function's own rules

from local_zone_wordpress.opt_in import zones
from local_zone_wordpress.opt_in.zones import Zone, ZoneError

POLL_SECONDS = 10
PATIENCE_SECONDS = 900
OPERATING_SYSTEMS = ("Linux", "Windows", "RHEL", "SUSE")


def zone_command(options: Namespace, common: CommonSettings, settings: Any, clients: Clients) -> Answer:
    """Enables a zone, lists its types, or their prices.

    Raises:
        CommandError: no such zone, or a type that it does not offer; with the nearest names.
    """
    name = options.name or settings.zone
    if name is None:
        raise CommandError("which zone? name one, for example the Region followed by -atl-2a, or set zone")
    actions: dict[str, Callable[[Namespace, str, Clients], Answer]] = {
        "enable": enable,
        "types": types,
        "prices": prices,
    }
    try:
        return actions[options.action](options, name, clients)
    except ZoneError as error:
        raise CommandError(str(error)) from error


def enable(options: Namespace, name: str, clients: Clients, *, sleep: Callable[[float], None] = time.sleep) -> Answer:
    """Opts the account in to the zone's group and waits until it is; a second time does no harm."""
    zone = find_zone(name, clients)
    if not zone.opted_in:
        if not options.yes:
            raise CommandError(
                f"opting in to {zone.group} can only be undone by AWS Support; say --yes to do it. Nothing was changed"
            )
        region = zones.region_of(name)
        clients("ec2", region).modify_availability_zone_group(GroupName=zone.group, OptInStatus="opted-in")
        waited = 0
        while not (zone := find_zone(name, clients)).opted_in:
            if waited >= PATIENCE_SECONDS:
                raise CommandError(f"{zone.group} is still not opted in after {waited} s; ask again later")
            sleep(POLL_SECONDS)
            waited += POLL_SECONDS
    row = (zone.name, zone.group, "opted-in", zone.parent)
    data = {"zone": zone.name, "group": zone.group, "opt_in_status": "opted-in", "parent_zone": zone.parent}
    return Answer(("zone", "group", "opt-in", "parent zone"), [row], data)


def types(options: Namespace, name: str, clients: Clients) -> Answer:
    """The instance types that the zone offers, from every page; --type asks for single ones."""
    zone = find_zone(name, clients)
    offered = offered_types(name, clients, zones.region_of(name))
    if not offered and not zone.opted_in:
        return Answer(
            ("instance type",), [], {"zone": name, "instance_types": []}, [f"{_untold(zone)}; see zone prices"]
        )
    if says := zones.missing_types(options.type or (), offered, name):
        raise ZoneError(says)
    shown = sorted(set(options.type or offered))
    notes = [] if shown else ["none"]
    return Answer(("instance type",), [(item,) for item in shown], {"zone": name, "instance_types": shown}, notes)


def _untold(zone: Zone) -> str:
    """https://github.com/openshift/installer/issues/7137: EC2 tells no offerings of a zone before the opt-in."""
    return f"EC2 tells what {zone.name} offers only to accounts that have opted in to {zone.group}"


def prices(options: Namespace, name: str, clients: Clients) -> Answer:
    """On-Demand prices an hour in the zone, from every page of the Price List, before the opt-in as after it.

    https://docs.aws.amazon.com/awsaccountbilling/latest/aboutv2/using-price-list-query-api-find-filter-values.html
    """
    zone = find_zone(name, clients)
    found: dict[str, tuple[str, Decimal]] = {}
    for instance_type in options.type or (None,):
        wanted = {
            "regionCode": zone.group,
            "operatingSystem": options.operating_system,
            "tenancy": "Shared",
            "preInstalledSw": "NA",
            "capacitystatus": "Used",
            "marketoption": "OnDemand",
            **({"instanceType": instance_type} if instance_type else {}),
        }
        for product in _products(clients, zones.region_of(name), wanted):
            found |= on_demand(product)
    rows = sorted((kind, currency, price) for kind, (currency, price) in found.items())
    data = {
        "zone": name,
        "operating_system": options.operating_system,
        "prices": [{"instance_type": k, "currency": c, "hour": str(p)} for k, c, p in rows],
    }
    notes = [] if rows else [f"the Price List has no such offer for {zone.group}"]
    table = [(kind, f"{price:f} {currency}") for kind, currency, price in rows]
    return Answer(("instance type", "an hour"), table, data, notes, ok=bool(rows))


def on_demand(product: Mapping[str, Any]) -> dict[str, tuple[str, Decimal]]:
    """Instance type to currency and price of one hour, of one product of the Price List; empty without a price."""
    kind = product["product"]["attributes"]["instanceType"]
    for term in product.get("terms", {}).get("OnDemand", {}).values():
        for dimension in term["priceDimensions"].values():
            for currency, price in dimension["pricePerUnit"].items():
                if dimension["unit"] == "Hrs" and Decimal(price):
                    return {kind: (currency, Decimal(price))}
    return {}


def find_zone(name: str, clients: Clients) -> Zone:
    """The Local Zone, whether the account has opted in or not.

    Raises:
        ZoneError: there is none; with the nearest names.
    """
    region = zones.region_of(name)
    known = _regions_beside(region)
    if region not in known:
        raise ZoneError(f"{name}: there is no Region {region}; nearest: {zones.listed(zones.nearest(region, known))}")
    described = clients("ec2", region).describe_availability_zones(
        AllAvailabilityZones=True, Filters=[{"Name": "zone-type", "Values": ["local-zone"]}]
    )
    return zones.chosen(name, zones.local_zones(described["AvailabilityZones"]), region)


@cache
def _regions_beside(region: str) -> list[str]:
    """The Regions of its partition: kept, because a wait asks for the zone every few seconds."""
    session = boto3.Session()
    partition = session.get_partition_for_region(region)
    return list(session.get_available_regions("ec2", partition_name=partition))


def offered_types(name: str, clients: Clients, region: str | None = None) -> list[str]:
    """All instance types that are offered in a zone, of the configured Region unless another one is named."""
    pages = (
        clients("ec2", region)
        .get_paginator("describe_instance_type_offerings")
        .paginate(LocationType="availability-zone", Filters=[{"Name": "location", "Values": [name]}])
    )
    return [offering["InstanceType"] for page in pages for offering in page["InstanceTypeOfferings"]]


def look_for_zone(settings: LocalZoneWordpressSettings, clients: Clients) -> Finding:
    """Whether the zone exists in the Region of the deployment, and the account has opted in."""
    assert settings.zone
    ec2 = clients("ec2")
    described = ec2.describe_availability_zones(
        AllAvailabilityZones=True, Filters=[{"Name": "zone-type", "Values": ["local-zone"]}]
    )
    try:
        zone = zones.chosen(settings.zone, zones.local_zones(described["AvailabilityZones"]), str(ec2.meta.region_name))
    except ZoneError as error:
        return Finding("zone", "problem", str(error), "Correct zone, or deploy to its Region")
    if zone.opted_in:
        return Finding("zone", "ok", f"{zone.name}, opted in")
    if settings.opt_in:
        return Finding("zone", "ok", f"{zone.name}; the deployment opts in, which only AWS Support can undo")
    return Finding("zone", "problem", f"not opted in to {zone.group}", f"Run: zone enable {zone.name} --yes")


def look_for_types(settings: LocalZoneWordpressSettings, clients: Clients) -> Finding:
    """Whether the zone offers what the settings want; without a zone the one that Fn::GetAZs returns first."""
    place = settings.zone or zones_of_get_azs(clients)[0]
    offered = offered_types(place, clients, zones.region_of(place) if settings.zone else None)
    if settings.zone:
        try:
            zone = find_zone(settings.zone, clients)
        except ZoneError as error:
            return Finding("instance types", "unknown", str(error), "Correct zone")
        if not offered and not zone.opted_in:
            fix = "See zone prices; the deployment looks again when it has opted in"
            return Finding("instance types", "unknown", _untold(zone), fix)
    if says := zones.missing_types(settings.instance_types, offered, place):
        return Finding("instance types", "problem", says, "Set web_type, database_type, edge_type")
    return Finding("instance types", "ok", f"{', '.join(settings.instance_types)} in {place}")


def _products(clients: Clients, region: str, wanted: Mapping[str, str]) -> Iterator[Mapping[str, Any]]:
    session = boto3.Session()
    endpoints = session.get_available_regions("pricing", partition_name=session.get_partition_for_region(region))
    if not endpoints:
        raise CommandError(f"the partition of {region} has no Price List")
    filters = [{"Type": "TERM_MATCH", "Field": field, "Value": value} for field, value in wanted.items()]
    pages = (
        clients("pricing", sorted(endpoints, key=lambda name: (name != region, name.startswith("ap-"), name))[0])
        .get_paginator("get_products")
        .paginate(ServiceCode="AmazonEC2", Filters=filters)
    )
    for page in pages:
        for item in page["PriceList"]:
            yield json.loads(item)


def _arguments(parser: ArgumentParser) -> None:
    parser.add_argument("action", choices=["enable", "types", "prices"], help="opt in; what is offered; what it costs")
    parser.add_argument("name", nargs="?", help="name of the Local Zone (the one of the configuration)")
    parser.add_argument("--type", action="append", metavar="TYPE", help="types, prices: only this one; repeatable")
    parser.add_argument(
        "--operating-system", choices=OPERATING_SYSTEMS, default="Linux", help="prices: of which system (Linux)"
    )
    parser.add_argument("--yes", action="store_true", help="enable: opt in, although only AWS Support can undo it")


ZONE = Command("zone", "opt in to a Local Zone; its instance types and their prices", zone_command, _arguments)
