"""What ``python -m stacks odcr_asg`` can do."""

from argparse import ArgumentParser, Namespace
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

from config.models import CommonSettings
from stacks.odcr_asg.placement import Placement, place
from stacks.odcr_asg.settings import OdcrAsgSettings
from stacks.shared.billing import HOURS, BillingUnit, instance_hours
from stacks.shared.command import Answer, Command, CommandError
from stacks.shared.deployed import group_size, stack_outputs
from stacks.shared.instance_types import quota_code, vcpus
from stacks.shared.preflight import Clients, Finding, common_findings, looked_at, zones_of_get_azs

COST_NOTE = (
    "An idle reservation bills like a running instance; instances beyond the reservations are billed in addition."
)
VOLUME_GIB = 8
ALARMS = 2
PLACED = "ReservationsZone"  # what the logical id of a reservation begins with; its place follows
# "expired [...] state: You can't modify the Capacity Reservation in any way":
# https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/capacity-reservations-modify.html
AFTER_THE_END = "Set a later end_date, or null; if it is deployed, destroy it first: what has ended takes no later end"


# --- cost -------------------------------------------------------------------------------------------------------------


def idle_month(common: CommonSettings, settings: OdcrAsgSettings) -> Iterator[BillingUnit]:
    """What bills in a month at the required size. An idle reservation bills as a running instance of its type does.

    https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/capacity-reservations-pricing-billing.html
    """
    zones, required, kind = settings.zone_count(common), settings.required_instances, settings.instance_type
    idle = zones * settings.reserved_per_zone(common) - required
    yield instance_hours(kind, HOURS * required, f"{required} running {kind}, all in reservations")
    yield instance_hours(kind, HOURS * idle, f"{idle} idle reservations of {kind}, each like a running instance")
    yield BillingUnit("gp3_gib_month", VOLUME_GIB * required, "root volumes")
    if common.vpc is None:
        addresses = required if settings.network == "public" else int(settings.network == "nat")
        yield BillingUnit("public_ipv4_hour", HOURS * addresses, "addresses of the instances or the NAT gateway")
        yield BillingUnit("nat_gateway_hour", HOURS * (settings.network == "nat"), "NAT gateway")
    yield BillingUnit("alarm_month", ALARMS * zones, "metrics that the alarms add up, each billed as an alarm")


# --- check ------------------------------------------------------------------------------------------------------------


def findings(common: CommonSettings, settings: OdcrAsgSettings, clients: Clients) -> Iterator[Finding]:
    """What would stop a deployment: the common things, the type in every zone, its quota, and the end date."""
    counted = 1 if settings.zone_names else settings.zones  # named ones are not asked of Fn::GetAZs
    yield from common_findings(common, clients, counted, by_name="zone_names")
    yield looked_at("zones of the type", lambda: _zones(common, settings, clients))
    yield looked_at("instance type", lambda: _type(settings, clients))
    yield _beyond(common, settings)
    yield looked_at("On-Demand vCPUs", lambda: _vcpus(common, settings, clients))
    yield group_size("odcr_asg", "AutoScalingGroupName", common, [settings.required_instances], clients)
    if settings.end_date:
        left = settings.end_date - datetime.now(UTC)
        over = left.total_seconds() <= 0
        says = f"{settings.ends_at} is over" if over else f"{settings.ends_at}, {left.days} days from now"
        yield Finding("end date", "problem" if over else "ok", says, AFTER_THE_END if over else "")


def _zones(common: CommonSettings, settings: OdcrAsgSettings, clients: Clients) -> Finding:
    """Whether the type is offered wherever it is to be reserved."""
    filters = [{"Name": "instance-type", "Values": [settings.instance_type]}]
    pages = (
        clients("ec2")
        .get_paginator("describe_instance_type_offerings")
        .paginate(LocationType="availability-zone", Filters=filters)
    )
    offered = {item["Location"] for page in pages for item in page["InstanceTypeOfferings"]}
    wanted = sorted(_wanted_zones(common, settings, clients).values())
    if missing := [zone for zone in wanted if zone not in offered]:
        says = f"{settings.instance_type} is not offered in {', '.join(missing)}"
        named = f"Set zone_names to some of {', '.join(sorted(offered))}" if offered else "Choose another instance_type"
        return Finding("zones of the type", "problem", says, named)
    return Finding("zones of the type", "ok", f"{settings.instance_type} in {', '.join(wanted)}")


def _wanted_zones(common: CommonSettings, settings: OdcrAsgSettings, clients: Clients) -> dict[str, str]:
    """The zone of each place."""
    if common.vpc:
        pages = (
            clients("ec2")
            .get_paginator("describe_subnets")
            .paginate(Filters=[{"Name": "subnet-id", "Values": list(common.vpc.subnet_ids)}])
        )
        found = {subnet["SubnetId"]: subnet["AvailabilityZone"] for page in pages for subnet in page["Subnets"]}
        zones: Iterable[str] = [found[name] for name in common.vpc.subnet_ids if name in found]
    else:
        zones = settings.zone_names or zones_of_get_azs(clients)
    return dict(zip(settings.places(common), zones, strict=False))


def _type(settings: OdcrAsgSettings, clients: Clients) -> Finding:
    """Whether the image, whose architecture is read off the type's name, runs on it."""
    answer = clients("ec2").describe_instance_types(InstanceTypes=[settings.instance_type])
    found = answer["InstanceTypes"][0]["ProcessorInfo"]["SupportedArchitectures"]
    if settings.architecture not in found:
        says = f"{settings.instance_type} is {' and '.join(found)}, the image {settings.architecture}"
        return Finding("instance type", "problem", says, "Choose another instance_type")
    return Finding("instance type", "ok", f"{settings.instance_type} is {settings.architecture}")


def _beyond(common: CommonSettings, settings: OdcrAsgSettings) -> Finding:
    """How many instances may run without a reservation: nothing to fix, and nothing to be surprised by."""
    reserved = settings.zone_count(common) * settings.reserved_per_zone(common)
    beyond = max(0, settings.max_instances - reserved)
    says = f"{reserved} reserved, at most {settings.max_instances} wanted: {beyond or 'none'} on unreserved capacity"
    return Finding("beyond the reservations", "ok", says)


def _vcpus(common: CommonSettings, settings: OdcrAsgSettings, clients: Clients) -> Finding:
    """Reservations count against the On-Demand quota "even if they are unused"; so do instances outside of them.

    Those that a deployment replaces count until it is done, together with the new ones.
    https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/capacity-reservation-limits.html
    """
    count, zones = settings.reserved_per_zone(common), settings.zone_count(common)
    outside = max(0, settings.max_instances - (zones - 1) * count)  # at most, with one zone lost
    leaving = _leaving(common, settings, clients)
    names = sorted({settings.instance_type, *(each["InstanceType"] for each in leaving)})
    answer = clients("ec2").describe_instance_types(InstanceTypes=names)
    sizes = {each["InstanceType"]: each["VCpuInfo"]["DefaultVCpus"] for each in answer["InstanceTypes"]}
    needed = (zones * count + outside) * sizes[settings.instance_type]
    needed += sum(each["TotalInstanceCount"] * sizes[each["InstanceType"]] for each in leaving)
    return vcpus(clients, [settings.instance_type], needed, "On-Demand vCPUs", spot=False)


def _leaving(common: CommonSettings, settings: OdcrAsgSettings, clients: Clients) -> list[dict[str, Any]]:
    """Reservations of the deployed stack that a deployment replaces, as far as they share the new ones' quota.

    One stays as long as type and tenancy do, and its place in the template has the same zone.
    """
    places = _deployed_places(common.stack_name("odcr_asg"), clients)
    if not places:
        return []
    there = clients("ec2").get_paginator("describe_capacity_reservations").paginate(CapacityReservationIds=[*places])
    zones, quota = _wanted_zones(common, settings, clients), quota_code(settings.instance_type, spot=False)
    return [
        each
        for page in there
        for each in page["CapacityReservations"]
        if each["State"] == "active"
        and quota_code(each["InstanceType"], spot=False) == quota
        and (each["InstanceType"], each["Tenancy"], each["AvailabilityZone"])
        != (settings.instance_type, settings.tenancy, zones.get(places[each["CapacityReservationId"]]))
    ]


def _deployed_places(stack: str, clients: Clients) -> dict[str, str]:
    """The place of each reservation of the deployed stack, by its id; none where nothing is deployed."""
    if stack_outputs(stack, clients) is None:
        return {}
    pages = clients("cloudformation").get_paginator("list_stack_resources").paginate(StackName=stack)
    return {
        item["PhysicalResourceId"]: item["LogicalResourceId"].removeprefix(PLACED)[:1]
        for page in pages
        for item in page["StackResourceSummaries"]
        if item["ResourceType"] == "AWS::EC2::CapacityReservation"
    }


# --- plan -------------------------------------------------------------------------------------------------------------


def plan(options: Namespace, common: CommonSettings, settings: OdcrAsgSettings, _clients: Clients) -> Answer:
    """Which instances the reservations cover: with every zone, and with each of them lost. Asks no account."""
    names = _zone_labels(common, settings)
    count = settings.reserved_per_zone(common)
    wanted = settings.required_instances if options.wanted is None else options.wanted
    if not 0 <= wanted <= settings.max_instances:
        raise CommandError(f"--wanted {wanted} is not between 0 and max_instances {settings.max_instances}")
    reserved = dict.fromkeys(names, count)
    cases = {"none": place(wanted, reserved)} | {zone: place(wanted, reserved, [zone]) for zone in names}
    idle = len(names) * count - min(wanted, cases["none"].covered_in_all)
    rows = [(lost, *(_cell(found, zone) for zone in names), *_sums(found)) for lost, found in cases.items()]
    return Answer(
        ("zone lost", *names, "covered", "not covered"),
        rows,
        {
            "wanted": wanted,
            "reserved": reserved,
            "cases": [
                {"lost": lost, "covered": dict(found.covered), "uncovered": dict(found.uncovered)}
                for lost, found in cases.items()
            ],
        },
        [
            f"{len(names)} zones reserve {count} each, {len(names) * count} in all; with every zone {idle} bill idle.",
            "a+b: a instances in reservations, b on whatever capacity there is. Our model; it asks no account.",
        ],
    )


def _zone_labels(common: CommonSettings, settings: OdcrAsgSettings) -> tuple[str, ...]:
    if settings.zone_names and common.vpc is None:
        return settings.zone_names
    return tuple(f"zone {number}" for number in range(1, settings.zone_count(common) + 1))


def _cell(found: Placement, zone: str) -> str:
    return f"{found.covered[zone]}+{found.uncovered[zone]}" if zone in found.covered else "lost"


def _sums(found: Placement) -> tuple[str, str]:
    return str(found.covered_in_all), str(found.uncovered_in_all)


def _arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--wanted", type=int, help="size of the group; default: required_instances")


COMMANDS = (Command("plan", "which instances the reservations cover when a zone is lost", plan, _arguments),)
