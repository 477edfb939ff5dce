"""What a routing domain is made of: names, addresses, VPCs, interfaces and a load balancer."""

from collections.abc import Iterator
from ipaddress import IPv4Address, IPv4Interface
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from config.models import Problem, Section, rule
from config.types import CertificateArn, Cidr, RouteTableId, SubnetId, VpcId

MOST_DOMAINS = 10
"""https://docs.aws.amazon.com/outposts/latest/network-userguide/routing-domains.html; as are the four interfaces."""
INTERFACES_PER_GROUP = 4
BALANCER_PREFIX = 27
"""The smallest subnet of an Application Load Balancer:
https://docs.aws.amazon.com/elasticloadbalancing/latest/application/application-load-balancers.html#subnets-load-balancer."""
RESERVED = ("functions", "handover", "coip", "rack")
"""What parts of the stack are called already."""
MAIN = "main"
"""The domain of the keys beside ``more_domains``."""


def _interface(text: str) -> str:
    try:
        IPv4Interface(text)
    except ValueError:
        raise ValueError("must be an IPv4 address with its prefix length, such as 169.254.1.1/30") from None
    return text


InterfaceAddress = Annotated[
    str, Field(pattern=r"^[0-9.]+/\d{1,2}$", examples=["169.254.1.1/30"]), AfterValidator(_interface)
]


def _address(text: str) -> str:
    try:
        IPv4Address(text)
    except ValueError:
        raise ValueError("must be an IPv4 address, such as 172.16.0.10") from None
    return text


PoolAddress = Annotated[str, Field(pattern=r"^[0-9.]+$", examples=["172.16.0.10"]), AfterValidator(_address)]
LocalGatewayId = Annotated[str, Field(pattern=r"^lgw-[0-9a-f]{8,17}$", examples=["lgw-0123456789abcdef0"])]
GroupId = Annotated[str, Field(pattern=r"^lgw-vif-grp-[0-9a-f]{8,17}$", examples=["lgw-vif-grp-0123456789abcdef0"])]
LagId = Annotated[str, Field(pattern=r"^op-lag-[0-9a-f]{8,17}$", examples=["op-lag-0123456789abcdef0"])]
PoolId = Annotated[str, Field(pattern=r"^ipam-pool-[0-9a-f]{8,17}$", examples=["ipam-pool-0123456789abcdef0"])]
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9]{0,19}$", examples=["factory"])]
Asn = Annotated[int, Field(ge=1, le=4_294_967_294)]


class AssociatedVpc(Section):
    """An existing VPC that gets routes through the local gateway."""

    id: VpcId
    """The VPC's id."""
    cidrs: Annotated[tuple[Cidr, ...], Field(min_length=1, max_length=50)]
    """All its IPv4 ranges, which synthesis does not look up."""
    route_table_ids: Annotated[tuple[RouteTableId, ...], Field(max_length=20)] = ()
    """Route tables of its Outpost subnets, which get the routes to on_premises_cidrs."""
    coip_subnet_ids: Annotated[tuple[SubnetId, ...], Field(max_length=20)] = ()
    """Mode coip: those of its Outpost subnets in which every new interface gets an address of the pool."""


class VirtualInterface(Section):
    """One of the four virtual interfaces of a routing domain on a second-generation rack."""

    outpost_lag_id: LagId
    """The link aggregation group."""
    vlan: Annotated[int, Field(ge=1, le=4_094)]
    """VLAN tag."""
    local_address: InterfaceAddress
    """Address of the Outpost's end, with its prefix length."""
    peer_address: InterfaceAddress
    """Address of your device, with its prefix length."""
    peer_bgp_asn: Asn
    """BGP number of your device."""

    @property
    def described(self) -> str:
        """All of it in one line: no part of a virtual interface can be changed."""
        ends = f"{self.local_address} - {self.peer_address} AS {self.peer_bgp_asn}"
        return f"{self.outpost_lag_id} VLAN {self.vlan} {ends}"

    @rule
    def _two_ends_of_one_link(self) -> Iterator[Problem]:
        here, there = IPv4Interface(self.local_address), IPv4Interface(self.peer_address)
        if here.network != there.network or here.ip == there.ip:
            yield Problem("peer_address", f"must be another address of the link of local_address {here}; correct one")
        for key, end in (("local_address", here), ("peer_address", there)):
            network = end.network
            if network.prefixlen < 31 and end.ip in (network.network_address, network.broadcast_address):
                yield Problem(key, f"must be an address of a host, got {end.ip}, the first or last of {network}")


class LoadBalancer(Section):
    """An Application Load Balancer on the Outpost, in the solution's own subnet."""

    scheme: Literal["internal", "internet-facing"] = "internal"
    """internet-facing needs mode coip: its addresses come from the pool."""
    port: Annotated[int, Field(ge=1, le=65_535)] = 80
    """Port of the listener and of the targets."""
    certificate_arn: CertificateArn | None = None
    """Certificate of ACM, for HTTPS. null: HTTP."""
    client_cidrs: Annotated[tuple[Cidr, ...], Field(max_length=30)] = ()
    """IPv4 ranges of the clients; the own subnet gets a route to each. Empty: on_premises_cidrs."""
    confirm_open_to_the_world: bool = False
    """Safety switch, internet-facing: must be true before client_cidrs may admit everybody."""


def way(domain: str) -> tuple[str, ...]:
    """The way to the keys of a domain."""
    return () if domain == MAIN else ("more_domains", domain)
