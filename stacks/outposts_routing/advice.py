"""Which mode suits, after the criteria of the post, each with its reason."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from stacks.outposts_routing.ranges import Kind, Range, overlaps, smallest_prefix

Mode = Literal["direct-vpc-routing", "coip"]
DIRECT: Mode = "direct-vpc-routing"
COIP: Mode = "coip"

FEW = 4
"""One resource in so many, or fewer, is few. The threshold is ours; the post's example is one address for sixteen."""
BALANCER_ADDRESSES = 2
"""What a load balancer is counted with; no page says how many it takes when it grows."""


@dataclass(frozen=True)
class Circumstances:
    """What the post asks about.

    Attributes:
        ranges: of the VPCs and on premises; where they overlap is found here.
        overlap_likely: overlaps are likely without being known, as with hundreds of pools in a large network.
        isolate: only some resources are to be reached from on premises.
        nat_sensitive: applications that do not work behind NAT, for example Active Directory or iSCSI.
        exposed: resources that the on-premises network must reach; None: unknown.
        resources: all resources on the Outpost; None: unknown.
        internet_facing: an Application Load Balancer is to be reached over the local internet connection.
        second_generation: the rack has several routing domains.
    """

    ranges: Sequence[Range] = ()
    overlap_likely: bool = False
    isolate: bool = False
    nat_sensitive: tuple[str, ...] = ()
    exposed: int | None = None
    resources: int | None = None
    internet_facing: bool = False
    second_generation: bool = False


@dataclass(frozen=True)
class Reason:
    """One criterion, and what it speaks for.

    Attributes:
        binding: it is a requirement: the other mode would not work, or not give what is asked for. The others are
            preferences.
    """

    criterion: str
    speaks_for: Mode
    because: str
    binding: bool = True


@dataclass(frozen=True)
class Advice:
    """The answer.

    Attributes:
        mode: the mode; ``both`` is two routing domains; None: no mode serves all of it as it is.
        reasons: every criterion that was met.
        next_steps: what to do about it.
    """

    mode: Mode | Literal["both"] | None
    reasons: tuple[Reason, ...]
    next_steps: tuple[str, ...]


def recommend(given: Circumstances) -> Advice:
    """Returns the mode that suits, with its reasons.

    Requirements decide. Conflicting ones are met by two routing domains; on a first-generation rack one of them has to
    be given up. Without any, the number of exposed resources decides, and without that number the default, direct VPC
    routing.
    """
    reasons = tuple(_reasons(given))
    sides = {reason.speaks_for for reason in reasons if reason.binding}
    notes = tuple(_notes(given))
    if len(sides) == 2 and given.second_generation:
        steps = (
            "rack_generation: 2, and a second domain under more_domains: what does not work behind NAT goes into the "
            "VPC of the domain in mode direct-vpc-routing, whose ranges must not overlap; the rest into the other one",
        )
        return Advice("both", reasons, (*steps, *_sizing(given), *notes))
    if len(sides) == 2:
        return Advice(None, reasons, (*_ways_out(given), *notes))
    if (sides or {reason.speaks_for for reason in reasons[:1]}) == {COIP}:
        return Advice(COIP, reasons, ("mode: coip, with a range of your own in coip_cidr", *_sizing(given), *notes))
    return Advice(DIRECT, reasons, ("mode: direct-vpc-routing", *notes))


def _reasons(given: Circumstances) -> Iterator[Reason]:
    """Requirements, then preferences."""
    for one, other in overlaps(given.ranges):
        if Kind.VPC in (one.kind, other.kind) and {one.kind, other.kind} & {Kind.ON_PREMISES, Kind.UNREACHED}:
            yield Reason("overlap", COIP, f"{one} overlaps {other}; direct VPC routing would advertise it there")
    if given.overlap_likely:
        yield Reason("overlap", COIP, "ranges of VPCs and of the network on premises are likely to overlap")
    if given.isolate:
        yield Reason("isolation", COIP, "only resources with an address of the pool are reached from on premises")
    if given.internet_facing:
        because = "the load balancer gets internet-routable addresses of a small pool, without a detour by the Region"
        yield Reason("internet-facing load balancer", COIP, because)
    for application in given.nat_sensitive:
        yield Reason("NAT-sensitive application", DIRECT, f"{application} may fail behind translated addresses")
    if given.exposed is not None and given.resources is not None:
        few = given.exposed * FEW <= given.resources
        size = f"a /{_prefix(given)} of your own is enough" if few else "the pool would be about as large as the subnet"
        because = f"{given.exposed} of {given.resources} are exposed: {size}"
        yield Reason("exposed resources", COIP if few else DIRECT, because, binding=False)
    because = "it is the default mode, and there is no second set of addresses to manage"
    yield Reason("operation", DIRECT, because, binding=False)


def _notes(given: Circumstances) -> Iterator[str]:
    for one, other in overlaps(given.ranges):
        if {one.kind, other.kind} == {Kind.VPC, Kind.ON_PREMISES}:
            yield f"{one} and {other}: in neither mode are hosts there reached from the VPC, whose own route wins"


def _prefix(given: Circumstances) -> int:
    return smallest_prefix((given.exposed or 0) + BALANCER_ADDRESSES * given.internet_facing)


def _sizing(given: Circumstances) -> Iterator[str]:
    if given.exposed:
        yield f"the smallest coip_cidr for it is a /{_prefix(given)}; room to grow is yours to add"


def _ways_out(given: Circumstances) -> Iterator[str]:
    yield "a first-generation rack has one mode for all subnets of a route table; choose one:"
    if given.nat_sensitive:
        yield f"coip, if {', '.join(given.nat_sensitive)} can stay on premises or in the Region, or be tuned for NAT"
    yield "direct-vpc-routing, if the VPC can get ranges that are unused on premises"
    yield "a second-generation rack has a routing domain for each mode (--second-generation)"
