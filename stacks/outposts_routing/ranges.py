"""Ranges of addresses: which overlap, and how many fit. After the post and the routing-domains page of the user guide.

https://docs.aws.amazon.com/outposts/latest/network-userguide/routing-domains.html: ranges must not overlap within a
routing domain, and should not between two.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv4Network
from itertools import combinations

RESERVED_IN_A_SUBNET = 5
"""https://docs.aws.amazon.com/vpc/latest/userguide/subnet-sizing.html."""


class Kind(StrEnum):
    """What a range is for."""

    VPC = "VPC"
    COIP = "CoIP"
    ON_PREMISES = "on-premises"
    UNREACHED = "unreached"
    """In use on premises, and not reached from the Outpost."""


@dataclass(frozen=True)
class Range:
    """A range, its key in the configuration, and its routing domain.

    Attributes:
        path: the key of the configuration, for a problem with it.
        owner: what it belongs to. Two ranges of one VPC do not overlap, and nobody needs to be told.
    """

    kind: Kind
    key: str
    network: IPv4Network
    domain: str = ""
    owner: str = ""
    path: tuple[str | int, ...] = ()

    def __str__(self) -> str:
        return f"{self.key} {self.network}"


def overlaps(ranges: Iterable[Range], *, translated: bool | Sequence[str] = ()) -> Iterator[tuple[Range, Range]]:
    """Yields every pair that must not overlap and does.

    Args:
        translated: the domains whose local gateway translates addresses (mode coip); True: all. There a VPC may overlap
            what is on premises and not reached, because nobody there ever sees an address of the VPC.
    """
    for one, other in combinations(ranges, 2):
        if one.network.overlaps(other.network) and not _may(one, other, translated):
            yield one, other


def _may(one: Range, other: Range, translated: bool | Sequence[str]) -> bool:
    kinds = {one.kind, other.kind}
    if Kind.ON_PREMISES in kinds and len(kinds) == 2 and Kind.UNREACHED not in kinds:
        # The range of a company, or 0.0.0.0/0, out of which a VPC or a pool is cut: the narrower route wins.
        # https://docs.aws.amazon.com/vpc/latest/userguide/VPC_Route_Tables.html#route-tables-priority
        outer, inner = (one, other) if one.kind is Kind.ON_PREMISES else (other, one)
        return inner.network.subnet_of(outer.network) and inner.network != outer.network
    if kinds <= {Kind.ON_PREMISES, Kind.UNREACHED}:
        # Two domains may lead to the same network; a list that says something twice is a mistake.
        return one.domain != other.domain or one.kind is not other.kind
    if Kind.UNREACHED in kinds:
        if one.domain != other.domain:
            return True
        hidden = translated if isinstance(translated, bool) else one.domain in translated
        return kinds == {Kind.UNREACHED, Kind.VPC} and hidden
    return bool(one.owner) and one.owner == other.owner and one.kind is other.kind


def addresses(network: IPv4Network) -> int:
    """How many addresses a range has."""
    return network.num_addresses


def usable_in_subnet(network: IPv4Network) -> int:
    """How many resources a subnet has room for."""
    return max(0, network.num_addresses - RESERVED_IN_A_SUBNET)


def smallest_prefix(needed: int) -> int:
    """The prefix length of the smallest range that has so many addresses."""
    return 32 - max(0, needed - 1).bit_length()
