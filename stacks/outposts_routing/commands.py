"""What ``python -m stacks outposts_routing`` can do."""

from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Iterator
from dataclasses import asdict
from ipaddress import IPv4Network
from typing import Any

from config.models import CommonSettings
from stacks.outposts_routing.advice import Circumstances, recommend
from stacks.outposts_routing.checks import findings_of
from stacks.outposts_routing.ranges import Kind, Range, addresses, usable_in_subnet
from stacks.outposts_routing.settings import OutpostsRoutingSettings
from stacks.shared.billing import HOURS, BillingUnit
from stacks.shared.command import Answer, Command, CommandError
from stacks.shared.preflight import Clients, Finding, account_findings

COST_NOTE = "Traffic of the load balancers is billed in addition; the rest is part of the rack."


def idle_month(common: CommonSettings, settings: OutpostsRoutingSettings) -> Iterator[BillingUnit]:
    """What bills in a month without traffic: load balancers. The rest is part of the rack."""
    balancers = sum(domain.load_balancer is not None and domain.attached for domain in settings.domains.values())
    yield BillingUnit("application_load_balancer_hour", HOURS * balancers, "load balancers on the Outpost")


def findings(common: CommonSettings, settings: OutpostsRoutingSettings, clients: Clients) -> Iterator[Finding]:
    """What would stop a deployment: the common things, the rack, and a change that a guard would stop."""
    yield from account_findings(common, clients)
    yield from findings_of(common, settings, clients)


# Which mode


def advise(options: Namespace, common: CommonSettings, settings: Any, clients: Clients) -> Answer:
    """Answers from the post's criteria, without a call to AWS."""
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
    answer = {"both": "both, in two routing domains", None: "neither, the requirements conflict"}.get(
        advice.mode, advice.mode
    )
    rows = [(r.criterion, r.speaks_for, "yes" if r.binding else "no", r.because) for r in advice.reasons]
    data = {"mode": advice.mode, "reasons": [asdict(r) for r in advice.reasons], "next_steps": list(advice.next_steps)}
    notes = [f"Recommended: {answer}", *advice.next_steps]
    return Answer(("criterion", "speaks for", "required", "because"), rows, data, notes, ok=advice.mode is not None)


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
        help="does not work behind NAT, for example 'Active Directory' or iSCSI; may be repeated",
    )
    parser.add_argument("--exposed", type=_count, help="resources that the on-premises network must reach")
    parser.add_argument("--resources", type=_count, help="all resources on the Outpost")
    parser.add_argument(
        "--internet-facing-alb", action="store_true", help="a load balancer serves clients over the local connection"
    )
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
    """Compares what the configuration needs with what its ranges have, without a call to AWS."""
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
