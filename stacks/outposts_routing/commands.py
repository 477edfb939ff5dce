"""What ``python -m stacks outposts_routing`` can do."""

from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from ipaddress import IPv4Network
from typing import Any

from config.models import CommonSettings
from outposts_routing.ownership import STACK
from outposts_routing.rack.facts import GOING
from stacks.outposts_routing.advice import Circumstances, recommend
from stacks.outposts_routing.ranges import Kind, Range, addresses, usable_in_subnet
from stacks.outposts_routing.settings import OutpostsRoutingSettings
from stacks.outposts_routing.settings.domain import Domain
from stacks.shared.billing import HOURS, BillingUnit
from stacks.shared.command import Answer, Command, CommandError
from stacks.shared.preflight import Clients, Finding, account_findings, looked_at

COST_NOTE = "Traffic of the load balancers is billed in addition; the rest is part of the rack."
SLUG = "outposts_routing"


def idle_month(common: CommonSettings, settings: OutpostsRoutingSettings) -> Iterator[BillingUnit]:
    """What bills in a month without traffic: load balancers. The rest is part of the rack."""
    balancers = sum(domain.load_balancer is not None and domain.attached for domain in settings.domains.values())
    yield BillingUnit("application_load_balancer_hour", HOURS * balancers, "load balancers on the Outpost")


def findings(common: CommonSettings, settings: OutpostsRoutingSettings, clients: Clients) -> Iterator[Finding]:
    """What would stop a deployment: the common things, the rack, and a change that the guard would stop."""
    yield from account_findings(common, clients)
    yield looked_at("local gateway", lambda: _gateway(settings, clients))
    yield looked_at("virtual interfaces", lambda: _groups(common, settings, clients))
    if any(domain.vpcs for domain in settings.domains.values()):
        yield looked_at("VPCs", lambda: _vpcs(common, settings, clients))
    yield looked_at("mode", lambda: _mode(common, settings, clients))
    if settings.vpc_cidr and settings.attached and not settings.routed_cidrs:
        says = "no subnet route leads to the local gateway: nothing is advertised, and nothing answers"
        yield Finding("on-premises ranges", "unknown", says, "Name your ranges in on_premises_cidrs")


def _gateway(settings: OutpostsRoutingSettings, clients: Clients) -> Finding:
    found = _gateways(settings, clients)
    names = ", ".join(sorted(gateway["LocalGatewayId"] for gateway in found))
    if len(found) == 1:
        return Finding("local gateway", "ok", f"{names} of {found[0]['OutpostArn'].rsplit('/', 1)[-1]}")
    if found:
        return Finding("local gateway", "problem", f"there are {names}", "Set outpost_arn")
    says = "no local gateway here fits"
    return Finding(
        "local gateway", "problem", says, "Correct outpost_arn and local_gateway_id; this needs an Outposts rack"
    )


def _gateways(settings: OutpostsRoutingSettings, clients: Clients) -> list[dict[str, Any]]:
    pages = clients("ec2").get_paginator("describe_local_gateways").paginate()
    return [
        gateway
        for page in pages
        for gateway in page["LocalGateways"]
        if gateway["State"] == "available"
        and settings.outpost_arn in (None, gateway["OutpostArn"])
        and settings.local_gateway_id in (None, gateway["LocalGatewayId"])
    ]


def _groups(common: CommonSettings, settings: OutpostsRoutingSettings, clients: Clients) -> Finding:
    """The group of each domain: there, not on its way out, and with no route table but this stack's."""
    ec2, what = clients("ec2"), "virtual interfaces"
    if not (filters := _of_gateways(settings, clients)):
        return _nowhere(what)
    pages = ec2.get_paginator("describe_local_gateway_virtual_interface_groups").paginate(Filters=filters)
    there = sorted(
        group[f"{_VIF}GroupId"]
        for page in pages
        for group in page[f"{_VIF}Groups"]
        if group.get("ConfigurationState") not in GOING
    )
    named = [domain.virtual_interface_group_id for domain in _attached(settings) if not domain.virtual_interfaces]
    if None in named and len(there) != 1:
        return Finding(what, "problem", f"there are {', '.join(there) or 'none'}", "Set virtual_interface_group_id")
    groups = [name or there[0] for name in named]
    if missing := sorted(set(groups) - set(there)):
        says = f"{', '.join(missing)} is not of the local gateway, which has {', '.join(there) or 'none'}"
        return Finding(what, "problem", says, "Correct virtual_interface_group_id")
    pages = ec2.get_paginator("describe_local_gateway_route_table_virtual_interface_group_associations").paginate(
        Filters=filters
    )
    items = [i for page in pages for i in page["LocalGatewayRouteTableVirtualInterfaceGroupAssociations"]]
    taken = _taken(items, f"{_VIF}GroupId", groups, _tables_of_stack(common, clients))
    if taken:
        fix = "Take it from that route table first; on a first-generation rack there is one"
        return Finding(what, "problem", ", ".join(taken), fix)
    return Finding(what, "ok", ", ".join(groups) or ("made by the stack" if _attached(settings) else "none is wanted"))


def _vpcs(common: CommonSettings, settings: OutpostsRoutingSettings, clients: Clients) -> Finding:
    """A VPC is with one route table of a local gateway at a time."""
    if not (filters := _of_gateways(settings, clients)):
        return _nowhere("VPCs")
    pages = (
        clients("ec2").get_paginator("describe_local_gateway_route_table_vpc_associations").paginate(Filters=filters)
    )
    items = [item for page in pages for item in page["LocalGatewayRouteTableVpcAssociations"]]
    wanted = [vpc.id for domain in _attached(settings) for vpc in domain.vpcs]
    if taken := _taken(items, "VpcId", wanted, _tables_of_stack(common, clients)):
        return Finding("VPCs", "problem", ", ".join(taken), "Disassociate each from that route table first")
    return Finding("VPCs", "ok", "none is with another route table")


def _attached(settings: OutpostsRoutingSettings) -> list[Domain]:
    return [domain for domain in settings.domains.values() if domain.attached]


def _taken(items: Iterable[dict[str, Any]], member: str, wanted: Sequence[str], own: Iterable[str]) -> list[str]:
    """Which of the wanted are with somebody else's route table, and with which."""
    others = [item for item in items if item["LocalGatewayRouteTableId"] not in own]
    held = {item[member]: item["LocalGatewayRouteTableId"] for item in others if item.get("State") != "disassociated"}
    return [f"{name} is with {held[name]}" for name in dict.fromkeys(wanted) if name in held]


def _of_gateways(settings: OutpostsRoutingSettings, clients: Clients) -> list[dict[str, Any]]:
    ids = [gateway["LocalGatewayId"] for gateway in _gateways(settings, clients)]
    return [{"Name": "local-gateway-id", "Values": ids}] if ids else []


def _nowhere(what: str) -> Finding:
    return Finding(what, "unknown", "no local gateway here fits", "Correct outpost_arn and local_gateway_id")


_VIF = "LocalGatewayVirtualInterface"


def _tables_of_stack(common: CommonSettings, clients: Clients) -> dict[str, str]:
    """Mode by id of the route tables that this stack has made, and no other one with another prefix."""
    stack = _stack(common, clients)
    pages = clients("ec2").get_paginator("describe_local_gateway_route_tables").paginate()
    return {
        table["LocalGatewayRouteTableId"]: table["Mode"]
        for page in pages
        for table in page["LocalGatewayRouteTables"]
        if stack and {"Key": STACK, "Value": stack["StackId"]} in table.get("Tags", [])
    }


def _mode(common: CommonSettings, settings: OutpostsRoutingSettings, clients: Clients) -> Finding:
    outputs = {item["OutputKey"]: item["OutputValue"] for item in _stack(common, clients).get("Outputs", [])}
    mode = _tables_of_stack(common, clients).get(outputs.get("MainRouteTableId", ""))
    if mode is None:
        return Finding("mode", "ok", f"{settings.mode}; nothing is deployed yet")
    says = f"{mode} is deployed, {settings.mode} configured"
    if mode != settings.mode and settings.attached and settings.rack_generation > 1:
        fix = "The guard stops it: first attached: false, then attached: true with the other mode"
        return Finding("mode", "problem", says, fix)
    if mode != settings.mode and not settings.accept_outage:
        return Finding("mode", "problem", says, "The guard stops it: set accept_outage to true, when an outage is fine")
    return Finding("mode", "ok", f"{settings.mode}" if mode == settings.mode else f"{mode} becomes {settings.mode}")


def _stack(common: CommonSettings, clients: Clients) -> dict[str, Any]:
    """The deployed stack; empty if it is not there."""
    stack = common.stack_name(SLUG)
    cloudformation = clients("cloudformation")
    pages = cloudformation.get_paginator("list_stacks").paginate()
    if not any(
        s["StackName"] == stack and s["StackStatus"] != "DELETE_COMPLETE" for p in pages for s in p["StackSummaries"]
    ):
        return {}
    (found,) = cloudformation.describe_stacks(StackName=stack)["Stacks"]
    return dict(found)


# Which mode


def advise(options: Namespace, common: CommonSettings, settings: Any, clients: Clients) -> Answer:
    """Answers from the post's criteria; asks no AWS."""
    if options.exposed is not None and options.resources is not None and options.exposed > options.resources:
        raise CommandError(f"--exposed {options.exposed} is more than --resources {options.resources}")
    given = Circumstances(
        ranges=_ranges(options, settings),
        overlap_likely=options.overlap,
        isolate=options.isolate,
        nat_sensitive=tuple(options.nat_sensitive),
        exposed=options.exposed,
        resources=options.resources,
        internet_facing=options.internet_facing_alb,
        second_generation=options.second_generation or settings.rack_generation == 2,
    )
    advice = recommend(given)
    answer = {"both": "both, in two routing domains", None: "neither as it is"}.get(advice.mode, advice.mode)
    rows = [(r.criterion, r.speaks_for, "yes" if r.binding else "no", r.because) for r in advice.reasons]
    data = {"mode": advice.mode, "reasons": [asdict(r) for r in advice.reasons], "next_steps": list(advice.next_steps)}
    notes = [f"Recommended: {answer}", *advice.next_steps]
    return Answer(("criterion", "speaks for", "binds", "because"), rows, data, notes, ok=advice.mode is not None)


def _ranges(options: Namespace, settings: OutpostsRoutingSettings) -> list[Range]:
    """Those of the options; without any, those of the configuration."""
    named = [
        Range(kind, option, network)
        for kind, option, networks in (
            (Kind.VPC, "--vpc-cidr", options.vpc_cidr),
            (Kind.ON_PREMISES, "--on-premises-cidr", options.on_premises_cidr),
            (Kind.UNREACHED, "--unreached-cidr", options.unreached_cidr),
        )
        for network in networks
    ]
    return named or settings.ranges


def _recommend_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--vpc-cidr", type=_cidr, action="append", default=[], help="range of a VPC; may be repeated")
    parser.add_argument("--on-premises-cidr", type=_cidr, action="append", default=[], help="range that it reaches")
    parser.add_argument("--unreached-cidr", type=_cidr, action="append", default=[], help="range in use, not reached")
    parser.add_argument("--overlap", action="store_true", help="ranges are likely to overlap")
    parser.add_argument("--isolate", action="store_true", help="only some resources may be reached from on premises")
    parser.add_argument(
        "--nat-sensitive",
        action="append",
        default=[],
        metavar="APPLICATION",
        help="does not bear translated addresses, for example 'Active Directory' or iSCSI; may be repeated",
    )
    parser.add_argument("--exposed", type=_count, help="resources that the on-premises network must reach")
    parser.add_argument("--resources", type=_count, help="all resources on the Outpost")
    parser.add_argument("--internet-facing-alb", action="store_true", help="by the local internet connection")
    parser.add_argument("--second-generation", action="store_true", help="the rack has several routing domains")


def _cidr(text: str) -> IPv4Network:
    try:
        return IPv4Network(text)
    except ValueError as error:
        raise ArgumentTypeError(f"{text!r} is no IPv4 range: {error}") from None


def _count(text: str) -> int:
    if not text.isdigit():
        raise ArgumentTypeError(f"{text!r} is no whole number of at least 0")
    return int(text)


# How many addresses


def sizes(options: Namespace, common: CommonSettings, settings: Any, clients: Clients) -> Answer:
    """Compares what the configuration needs with what its ranges have; asks no AWS."""
    rows, notes = [], []
    for name, domain in settings.domains.items():
        if domain.subnet_cidr:
            room = usable_in_subnet(IPv4Network(domain.subnet_cidr))
            rows.append((name, "subnet_cidr", domain.subnet_cidr, f"{room}", ""))
        if domain.coip_cidr:
            room = addresses(IPv4Network(domain.coip_cidr))
            rows.append((name, "coip_cidr", domain.coip_cidr, f"{room}", f"{domain.needed_addresses}"))
            if (
                domain.map_coip_on_launch
                and domain.subnet_cidr
                and room < usable_in_subnet(IPv4Network(domain.subnet_cidr))
            ):
                notes.append(
                    f"{name}: map_coip_on_launch gives every interface of {domain.subnet_cidr} an address, and "
                    f"{domain.coip_cidr} has fewer; elastic_ips give them to single interfaces"
                )
    columns = ("domain", "key", "range", "addresses", "needed here")
    return Answer(columns, rows, [dict(zip(columns, row, strict=True)) for row in rows], notes)


COMMANDS = (
    Command("recommend", "which mode suits, and why", advise, _recommend_arguments),
    Command("sizes", "how many addresses the ranges have, and how many are needed", sizes),
)
