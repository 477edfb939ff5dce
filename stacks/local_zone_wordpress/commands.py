"""What ``python -m stacks local_zone_wordpress`` can do."""

from collections.abc import Iterator

from config.models import CommonSettings
from stacks.local_zone_wordpress.settings import LocalZoneWordpressSettings
from stacks.local_zone_wordpress.zone import ZONE, look_for_types, look_for_zone
from stacks.shared.billing import HOURS, MINUTES, BillingUnit, instance_hours
from stacks.shared.preflight import Clients, Finding, account_findings, common_findings, looked_at, topic_of_rules

COST_NOTE = (
    "For a month without visitors; snapshots and traffic are billed in addition. Local Zones have their own prices."
)
ROOT_GIB = 8
FEATURES = "aws.amazon.com/about-aws/global-infrastructure/localzones/features"
SECRETS, METRICS = 3, 2
MINUTES_TOLD = 5  # by the database; each by the load balancer


def idle_month(common: CommonSettings, settings: LocalZoneWordpressSettings) -> Iterator[BillingUnit]:
    """What bills in a month without visitors: a Local Zone has prices of its own (command zone prices)."""
    own = settings.own_network
    nat = int(own and settings.nat == "instance")
    self_managed = int(settings.load_balancer == "self-managed")
    running = {"WordPress": settings.min_instances, "database": 1, "NAT": nat, "load balancer": self_managed}
    kinds = {
        "WordPress": settings.web_type,
        "database": settings.database_type,
        "NAT": settings.edge_type,
        "load balancer": settings.edge_type,
    }
    for what, count in running.items():
        yield instance_hours(kinds[what], HOURS * count, f"{what}, {kinds[what]}")
    volumes = ROOT_GIB * sum(running.values()) + settings.data_gib
    yield BillingUnit(f"{settings.volume_type}_gib_month", volumes, "root volumes and the data volume")
    yield BillingUnit("nat_gateway_hour", HOURS * int(own and settings.nat == "gateway"), "NAT gateway")
    yield BillingUnit("application_load_balancer_hour", HOURS * (1 - self_managed), "Application Load Balancer")
    addresses = int(own) + 1  # an Application Load Balancer has one in each zone of its subnets
    yield BillingUnit("public_ipv4_hour", HOURS * addresses, "public addresses")
    yield BillingUnit("secret_month", SECRETS, "secrets")
    metrics = METRICS * self_managed + 1
    yield BillingUnit("custom_metric_month", metrics, "what the database and a load balancer of our own tell")
    calls = MINUTES * self_managed + MINUTES / MINUTES_TOLD
    yield BillingUnit("put_metric_data_request", calls, "calls that tell it")
    # One that compares or adds two metrics is two: both groups; and the errors of an Application Load Balancer.
    front = 3 if self_managed else 1 + 2
    yield BillingUnit("alarm_month", 2 * 2 + nat + front + 2, "alarms; one that looks at two metrics is two")


def findings(common: CommonSettings, settings: LocalZoneWordpressSettings, clients: Clients) -> Iterator[Finding]:
    """What would stop a deployment: the zone, whether the account has opted in, the types, an existing network."""
    if settings.zone:
        yield from account_findings(common, clients)
        if not settings.own_network:
            yield looked_at("subnets in the zone", lambda: _subnets(common, settings, clients))
    else:
        outside = common.model_copy(update={"vpc": None})
        yield from common_findings(outside, clients, zones=1 + (settings.load_balancer == "application"))
    if common.topic_of_others:  # the stack leaves the rule out
        says = "alarm_topic_arn is of another account: alarms reach it, snapshots that fail tell nobody"
        yield Finding("topic", "ok", says)
    else:
        yield from topic_of_rules(common, clients)
    if settings.zone:
        yield looked_at("zone", lambda: look_for_zone(settings, clients))
        yield from _untold(settings)
    yield looked_at("instance types", lambda: look_for_types(settings, clients))


def _untold(settings: LocalZoneWordpressSettings) -> Iterator[Finding]:
    """What only some zones have, and no API tells."""
    for used, what, have, other in (
        (settings.load_balancer == "application", "load balancer", "Application Load Balancers", "self-managed"),
        (settings.own_network and settings.nat == "gateway", "NAT gateway", "NAT gateways", "nat: instance"),
        (settings.volume_type == "gp3", "volume type", "gp3 volumes", "volume_type: gp2"),
        (settings.backup.location == "local-zone", "backup", "snapshots of their own", "backup.location: region"),
    ):
        if used:
            says = f"no API tells which Local Zones have {have}"
            yield Finding(what, "unknown", says, f"See {FEATURES}, or take {other}")


def _subnets(common: CommonSettings, settings: LocalZoneWordpressSettings, clients: Clients) -> Finding:
    assert common.vpc
    wanted = [*settings.private_subnet_ids, *settings.public_subnet_ids]
    pages = clients("ec2").get_paginator("describe_subnets").paginate(SubnetIds=wanted)
    found = [subnet for page in pages for subnet in page["Subnets"]]
    places = {subnet["SubnetId"]: (subnet["VpcId"], subnet["AvailabilityZone"]) for subnet in found}
    right = (common.vpc.id, settings.zone)
    if elsewhere := [f"{subnet} in {' '.join(place)}" for subnet, place in places.items() if place != right]:
        says = f"not in {common.vpc.id} {settings.zone}: {', '.join(elsewhere)}"
        return Finding("subnets in the zone", "problem", says, "Name subnets of the zone, or another zone")
    edge = settings.public_subnet_ids[0]
    gives = {subnet["SubnetId"] for subnet in found if subnet.get("MapPublicIpOnLaunch")}
    if settings.load_balancer == "self-managed" and edge not in gives:
        says = f"{edge} gives no public address at launch, without which the load balancer's instance cannot boot"
        fix = f"aws ec2 modify-subnet-attribute --subnet-id {edge} --map-public-ip-on-launch"
        return Finding("subnets in the zone", "problem", says, fix)
    return Finding("subnets in the zone", "ok", f"{len(wanted)} in {settings.zone}")


COMMANDS = (ZONE,)
