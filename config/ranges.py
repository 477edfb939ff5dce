"""What ranges of addresses say, alone and together."""

from collections.abc import Iterable, Sequence
from ipaddress import IPv4Network, IPv6Network, collapse_addresses, ip_network

NEVER_ROUTED = tuple(map(IPv4Network, ("0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/4", "240.0.0.0/4")))
"""Ranges whose addresses no VPC and no router between networks has: this network, loopback, link-local, multicast and
reserved (https://www.iana.org/assignments/iana-ipv4-special-registry/)."""


def never_routed(cidr: str) -> IPv4Network | None:
    """The range of NEVER_ROUTED that all of a range is in; None if some of it can be routed, as with 0.0.0.0/0."""
    network = IPv4Network(cidr)
    return next((each for each in NEVER_ROUTED if network.subnet_of(each)), None)


def admits_everybody(cidrs: Sequence[str]) -> int | None:
    """The place of the range with which all addresses are let in, be it by halves; None if they are not."""
    return next((place for place in range(len(cidrs)) if _everything(cidrs[: place + 1])), None)


def _everything(cidrs: Iterable[str]) -> bool:
    networks = [ip_network(cidr) for cidr in cidrs]
    four = collapse_addresses(network for network in networks if isinstance(network, IPv4Network))
    six = collapse_addresses(network for network in networks if isinstance(network, IPv6Network))
    return any(network.prefixlen == 0 for network in four) or any(network.prefixlen == 0 for network in six)
