"""Whether security groups let a connection through. No AWS in here."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network
from typing import Any

from config.ranges import admits_everybody

Permission = Mapping[str, Any]


@dataclass(frozen=True)
class Peer:
    """The other end of a connection: the groups that it is in, and its addresses, of which all must be let through."""

    groups: frozenset[str] = frozenset()
    ranges: tuple[IPv4Network, ...] = field(default=())

    @classmethod
    def of(cls, groups: Iterable[str] = (), ranges: Iterable[str] = ()) -> "Peer":
        """A peer by ids of groups, and by addresses or ranges."""
        return cls(frozenset(groups), tuple(IPv4Network(text) for text in ranges))


def allows(permissions: Sequence[Permission], port: int, peer: Peer) -> bool:
    """Whether the rules of one direction, as DescribeSecurityGroups gives them, let TCP to a port through.

    A rule that names one of the peer's groups lets it through; rules that name ranges do when each of the peer's
    ranges is within one of them.
    """
    fitting = [permission for permission in permissions if _is_of(permission, port)]
    if any(pair["GroupId"] in peer.groups for rule in fitting for pair in rule.get("UserIdGroupPairs", [])):
        return True
    let = [IPv4Network(item["CidrIp"]) for rule in fitting for item in rule.get("IpRanges", [])]
    return bool(peer.ranges) and all(any(wanted.subnet_of(network) for network in let) for wanted in peer.ranges)


def prefix_lists(permissions: Sequence[Permission], port: int) -> list[str]:
    """The prefix lists that rules on a port name; whom they let through is not known here."""
    return sorted(
        item["PrefixListId"] for rule in permissions if _is_of(rule, port) for item in rule.get("PrefixListIds", [])
    )


def is_open_to_everyone(permissions: Sequence[Permission], port: int) -> bool:
    """Whether anybody in the internet is let through to a port."""
    fitting = [permission for permission in permissions if _is_of(permission, port)]
    ranges = [item["CidrIp"] for rule in fitting for item in rule.get("IpRanges", [])]
    ranges += [item["CidrIpv6"] for rule in fitting for item in rule.get("Ipv6Ranges", [])]
    return admits_everybody(ranges) is not None


def is_within(address: str, ranges: Iterable[str]) -> bool:
    """Whether an address is in one of the ranges."""
    return any(IPv4Address(address) in IPv4Network(text) for text in ranges)


def _is_of(permission: Permission, port: int) -> bool:
    protocol = str(permission["IpProtocol"])
    if protocol == "-1":
        return True
    return protocol in ("tcp", "6") and int(permission["FromPort"]) <= port <= int(permission["ToPort"])
