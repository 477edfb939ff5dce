"""Section ``solutions.outposts_routing`` of config/config.yaml."""

from collections.abc import Iterator, Mapping
from ipaddress import IPv4Address, IPv4Interface, IPv4Network
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, Field

from config.models import CommonSettings, Problem, Section, SolutionSettings, common_rule, rule
from config.ranges import admits_everybody, never_routed
from config.types import CertificateArn, Cidr, InterfaceId, OutpostArn, RouteTableId, SubnetId, VpcId, repeated
from stacks.outposts_routing.advice import BALANCER_ADDRESSES, COIP, DIRECT
from stacks.outposts_routing.ranges import Kind, Range, addresses, overlaps

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
    """Mode coip: its Outpost subnets whose interfaces get an address of the pool from their start."""


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
        """All of it in one line: every part of a virtual interface is for good."""
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


class Domain(Section):
    """A route table of the local gateway, with its associations."""

    mode: Literal["direct-vpc-routing", "coip"] = DIRECT
    """Addresses under which the on-premises network sees the Outpost: of the VPC, or of your own pool (coip)."""
    attached: bool = True
    """false removes the route table and its associations (step 1 of 2 when changing the mode)."""
    virtual_interface_group_id: GroupId | None = None
    """Group of virtual interfaces. null: the local gateway's only one, or a new one with virtual_interfaces."""
    virtual_interfaces: Annotated[tuple[VirtualInterface, ...], Field(max_length=INTERFACES_PER_GROUP)] = ()
    """Second generation: a new group of these four."""
    local_bgp_asn: Asn | None = None
    """BGP number of that new group. null: AWS chooses."""
    local_gateway_routes: Annotated[tuple[Cidr, ...], Field(min_length=1, max_length=50)] = ("0.0.0.0/0",)
    """Destinations that the local gateway sends to your network."""
    vpc_cidr: Cidr | None = None
    """Range of the solution's own VPC. null: none is made."""
    subnet_cidr: Cidr | None = None
    """Range of its subnet on the Outpost, inside vpc_cidr."""
    vpcs: Annotated[tuple[AssociatedVpc, ...], Field(max_length=20)] = ()
    """Further VPCs, which are there already."""
    on_premises_cidrs: Annotated[tuple[Cidr, ...], Field(max_length=50)] = ()
    """On-premises ranges that the VPCs have routes to through the local gateway. One may contain a VPC."""
    unreached_on_premises_cidrs: Annotated[tuple[Cidr, ...], Field(max_length=200)] = ()
    """Other on-premises ranges in use, without routes. Mode coip: a VPC may overlap these."""
    coip_cidr: Cidr | None = None
    """Mode coip: the pool's range, /16 to /28, an unused one of your own."""
    map_coip_on_launch: bool = False
    """Mode coip: true gives every interface in the own subnet an address of the pool."""
    elastic_ips: dict[Name, InterfaceId | None] = Field(default={}, max_length=60)
    """Mode coip: addresses of the pool by name, each with the network interface that has it, or null."""
    elastic_ip_addresses: dict[Name, PoolAddress] = Field(default={}, max_length=60)
    """Mode coip: addresses of the pool for names of elastic_ips. A name that is not here gets any."""
    load_balancer: LoadBalancer | None = None
    """A load balancer on the Outpost, which bills its hours. null: none."""

    def own_ranges(self, name: str) -> Iterator[Range]:
        """Every range of this domain, and where it stands."""
        for kind, at, cidr, owner in self._stated_ranges():
            key = ".".join(str(part) for part in (*_way(name), *at[:1])) + (f" {owner}" if owner else "")
            yield Range(kind, key, IPv4Network(cidr), name, owner, (*_way(name), *at))

    def _stated_ranges(self) -> Iterator[tuple[Kind, tuple[str | int, ...], str, str]]:
        """Kind, key, range and VPC of each."""
        if self.vpc_cidr:
            yield Kind.VPC, ("vpc_cidr",), self.vpc_cidr, ""
        for number, vpc in enumerate(self.vpcs):
            for index, cidr in enumerate(vpc.cidrs):
                yield Kind.VPC, ("vpcs", number, "cidrs", index), cidr, vpc.id
        if self.coip_cidr:
            yield Kind.COIP, ("coip_cidr",), self.coip_cidr, ""
        for index, cidr in enumerate(self.on_premises_cidrs):
            yield Kind.ON_PREMISES, ("on_premises_cidrs", index), cidr, ""
        for index, cidr in enumerate(self.unreached_on_premises_cidrs):
            yield Kind.UNREACHED, ("unreached_on_premises_cidrs", index), cidr, ""

    @property
    def routed_cidrs(self) -> list[str]:
        """What the own subnet sends to the local gateway: on-premises ranges, and clients that are in none of them.

        A load balancer answers by the route table of its subnet: a client without a route never gets its answer.
        """
        ranges = list(self.on_premises_cidrs)
        covered = [IPv4Network(cidr) for cidr in (*ranges, *([self.vpc_cidr] if self.vpc_cidr else []))]
        for cidr in self.load_balancer.client_cidrs if self.load_balancer else ():
            if not any(IPv4Network(cidr).subnet_of(each) for each in covered):
                ranges.append(cidr)
        return list(dict.fromkeys(ranges))

    @property
    def needed_addresses(self) -> int:
        """Addresses of the pool that this configuration takes."""
        return len(self.elastic_ips) + BALANCER_ADDRESSES * (self.load_balancer is not None)

    @rule
    def _mode_has_what_it_needs(self) -> Iterator[Problem]:
        if self.mode == COIP and not self.coip_cidr:
            yield Problem("coip_cidr", f"must be set with mode {COIP}; name an unused range of your own, such as a /26")

    @rule
    def _mode_ignores_nothing(self) -> Iterator[Problem]:
        if self.mode != DIRECT:
            return
        advice = f"with mode {DIRECT}; remove it, or set mode to {COIP}"
        for key in ("coip_cidr", "map_coip_on_launch", "elastic_ips", "elastic_ip_addresses"):
            if getattr(self, key):
                yield Problem(key, f"must be left out {advice}")
        for index, vpc in enumerate(self.vpcs):
            if vpc.coip_subnet_ids:
                yield Problem(("vpcs", index, "coip_subnet_ids"), f"must be empty {advice}")
        if self.load_balancer and self.load_balancer.scheme == "internet-facing":
            yield Problem(
                ("load_balancer", "scheme"),
                f"must be internal with mode {DIRECT}, without internet addresses; set it, or mode to {COIP}",
            )

    @rule
    def _own_network_has_its_size(self) -> Iterator[Problem]:
        for key in ("vpc_cidr", "subnet_cidr"):
            cidr, other = getattr(self, key), "subnet_cidr" if key == "vpc_cidr" else "vpc_cidr"
            if cidr is None and getattr(self, other):
                yield Problem(key, f"must be set with {other}; set both, or neither")
            if cidr and not 16 <= IPv4Network(cidr).prefixlen <= 28:
                yield Problem(key, "must be a /16 to /28, as a VPC and its subnets are; change its length")
        if self.load_balancer and self.subnet_cidr and IPv4Network(self.subnet_cidr).prefixlen > BALANCER_PREFIX:
            yield Problem(
                "subnet_cidr",
                f"must be a /{BALANCER_PREFIX} or larger with load_balancer, which wants 8 free addresses; widen it",
            )
        if self.vpc_cidr and self.subnet_cidr:
            vpc, subnet = IPv4Network(self.vpc_cidr), IPv4Network(self.subnet_cidr)
            if not subnet.subnet_of(vpc):
                yield Problem("subnet_cidr", f"must be inside vpc_cidr, which is {vpc}; choose a part of it")

    @rule
    def _pool_has_its_size(self) -> Iterator[Problem]:
        if not self.coip_cidr:
            return
        pool = IPv4Network(self.coip_cidr)
        if not 16 <= pool.prefixlen <= 28:
            yield Problem("coip_cidr", "must be a /16 to /28; the post's example is a /26 for a /22 subnet")
        if self.needed_addresses > addresses(pool):
            yield Problem(
                "coip_cidr",
                f"must have at least {self.needed_addresses} addresses for elastic_ips and load_balancer, and has "
                f"{addresses(pool)}; choose a wider one",
            )

    @rule
    def _chosen_addresses_are_of_the_pool(self) -> Iterator[Problem]:
        chosen = self.elastic_ip_addresses
        for name, address in chosen.items() if self.coip_cidr else ():
            at = ("elastic_ip_addresses", name)
            if name not in self.elastic_ips:
                yield Problem(at, "must be of a name that elastic_ips has; add it there, or remove it here")
            if IPv4Address(address) not in IPv4Network(self.coip_cidr):
                yield Problem(at, f"must be an address of coip_cidr {self.coip_cidr}, got {address}; change it")
        names = list(chosen)
        for index in repeated(list(chosen.values())):
            yield Problem(("elastic_ip_addresses", names[index]), "must not be listed twice; choose another")

    @rule
    def _nothing_twice(self) -> Iterator[Problem]:
        for key in ("local_gateway_routes", "on_premises_cidrs"):
            for index in repeated(getattr(self, key)):
                yield Problem((key, index), "must not be listed twice; remove one")
        links = [(each.outpost_lag_id, each.vlan) for each in self.virtual_interfaces]
        for index in repeated([f"{lag} {vlan}" for lag, vlan in links]):
            yield Problem(
                ("virtual_interfaces", index, "vlan"), "must be used once on each outpost_lag_id; choose another"
            )

    @rule
    def _ranges_are_of_hosts(self) -> Iterator[Problem]:
        balancer = self.load_balancer.client_cidrs if self.load_balancer else ()
        stated = [(at, cidr) for _, at, cidr, _ in self._stated_ranges()]
        stated += [(("local_gateway_routes", index), cidr) for index, cidr in enumerate(self.local_gateway_routes)]
        stated += [(("load_balancer", "client_cidrs", index), cidr) for index, cidr in enumerate(balancer)]
        for at, cidr in stated:
            if reserved := never_routed(cidr):
                yield Problem(at, f"must not be in {reserved}, which is never routed, got {cidr}; change it")

    @rule
    def _no_vpc_twice(self) -> Iterator[Problem]:
        for index in repeated([vpc.id for vpc in self.vpcs]):
            yield Problem(("vpcs", index, "id"), "must not be listed twice; list it once, with all its cidrs")

    @rule
    def _own_subnet_is_there(self) -> Iterator[Problem]:
        for key in ("load_balancer", "map_coip_on_launch"):
            if getattr(self, key) and not self.vpc_cidr:
                yield Problem(
                    key, "must be left out without vpc_cidr: it is of the solution's own subnet; set vpc_cidr"
                )

    @rule
    def _clients_are_named(self) -> Iterator[Problem]:
        if self.load_balancer is None:
            return
        if not (self.load_balancer.client_cidrs or self.on_premises_cidrs):
            yield Problem(
                ("load_balancer", "client_cidrs"),
                "must name a range, or no client can connect; or set on_premises_cidrs",
            )
        if not self.load_balancer.client_cidrs and admits_everybody(self.on_premises_cidrs) is not None:
            yield Problem(
                ("load_balancer", "client_cidrs"),
                "must name the ranges of your clients: on_premises_cidrs, which count without it, admit everybody",
            )
        index = admits_everybody(self.load_balancer.client_cidrs)
        meant = self.load_balancer.scheme == "internet-facing"
        if index is not None and not (meant and self.load_balancer.confirm_open_to_the_world):
            yield Problem(
                ("load_balancer", "client_cidrs", index),
                "must not admit everybody; name the ranges of your clients"
                + (", or set confirm_open_to_the_world to true" if meant else ""),
            )
        if self.load_balancer.confirm_open_to_the_world and not meant:
            yield Problem(
                ("load_balancer", "confirm_open_to_the_world"),
                "must be false with scheme internal, which nobody in the internet reaches; remove it",
            )

    @rule
    def _interfaces_make_a_group(self) -> Iterator[Problem]:
        if self.virtual_interfaces and self.virtual_interface_group_id:
            yield Problem(
                "virtual_interface_group_id", "must be null with virtual_interfaces, which make a new group; remove one"
            )
        if self.virtual_interfaces and len(self.virtual_interfaces) != INTERFACES_PER_GROUP:
            yield Problem(
                "virtual_interfaces",
                f"must have {INTERFACES_PER_GROUP} items, one for each link, has {len(self.virtual_interfaces)}; "
                "list them all",
            )
        if self.local_bgp_asn and not self.virtual_interfaces:
            yield Problem(
                "local_bgp_asn", "must be null without virtual_interfaces, a new group; set these, or remove it"
            )


class OutpostsRoutingSettings(Domain, SolutionSettings):
    """How resources on an Outposts rack and your network reach each other: direct VPC routing or customer-owned IPs."""

    regional_arns: ClassVar[tuple[str, ...]] = ("outpost_arn",)

    vpc_cidr: Cidr | None = "10.0.0.0/16"
    """Range of the solution's own VPC. null: none is made."""
    subnet_cidr: Cidr | None = "10.0.0.0/22"
    """Range of its subnet on the Outpost, inside vpc_cidr."""
    accept_outage: bool = False
    """Safety switch: must be true before an update may change mode or coip_cidr, or detach; traffic stops meanwhile."""
    outpost_arn: OutpostArn | None = None
    """ARN of the Outpost. null: the account's only one."""
    local_gateway_id: LocalGatewayId | None = None
    """Its local gateway. null: found by the Outpost."""
    rack_generation: Literal[1, 2] = 1
    """2: a second-generation rack, which has several routing domains."""
    more_domains: dict[Name, Domain] = Field(default={}, max_length=MOST_DOMAINS - 1)
    """Second generation: further routing domains by name, each with the keys of this one."""
    ipam_pool_id: PoolId | None = None
    """IPAM pool in which coip_cidr and on_premises_cidrs are reserved, so that no VPC gets them."""

    @property
    def domains(self) -> Mapping[str, Domain]:
        """All routing domains by name; the keys of this section are the first."""
        return {MAIN: self, **self.more_domains}

    @property
    def ranges(self) -> list[Range]:
        """Every range of every domain."""
        return [item for name, domain in self.domains.items() for item in domain.own_ranges(name)]

    @common_rule
    def _nothing_overlaps(self, common: CommonSettings) -> Iterator[Problem]:
        translated = [name for name, domain in self.domains.items() if domain.mode == COIP]
        made = [item for item in self.ranges if common.vpc is None or item.path[-1] != "vpc_cidr"]
        for one, other in overlaps(made, translated=translated):
            yield Problem(other.path, f"must not overlap {one}; choose unused ranges")

    @rule
    def _rack_has_domains(self) -> Iterator[Problem]:
        if self.rack_generation == 1:
            for key in ("more_domains", "virtual_interfaces"):
                if getattr(self, key):
                    yield Problem(key, "must be empty with rack_generation 1; remove it, or set rack_generation to 2")
        for name in RESERVED:
            if name in self.more_domains:
                yield Problem(("more_domains", name), f"must not be called {name!r}: a part of the stack is; rename it")
        if MAIN in self.more_domains:
            yield Problem(
                ("more_domains", MAIN),
                f"must not be called {MAIN!r}, got {MAIN!r}: the domain of the other keys is; rename it",
            )

    @rule
    def _domains_have_groups(self) -> Iterator[Problem]:
        for name, domain in self.domains.items() if self.more_domains else ():
            if not (domain.virtual_interface_group_id or domain.virtual_interfaces):
                yield Problem(
                    (*_way(name), "virtual_interface_group_id"),
                    "must be set with more_domains: each domain has a group of its own; set it, or virtual_interfaces",
                )

    @rule
    def _domains_share_nothing(self) -> Iterator[Problem]:
        groups: list[tuple[tuple[str | int, ...], str | None]] = []
        vpcs: list[tuple[tuple[str | int, ...], str | None]] = []
        interfaces: list[tuple[tuple[str | int, ...], str | None]] = []
        for name, domain in self.domains.items():
            groups.append(((*_way(name), "virtual_interface_group_id"), domain.virtual_interface_group_id))
            interfaces += [((*_way(name), "elastic_ips", key), eni) for key, eni in domain.elastic_ips.items()]
            for index, vpc in enumerate(domain.vpcs):
                if all(vpc.id != each.id for each in domain.vpcs[:index]):  # within a domain it is said already
                    vpcs.append(((*_way(name), "vpcs", index, "id"), vpc.id))
        for places in (groups, vpcs, interfaces):
            listed = [(at, item) for at, item in places if item]
            for index in repeated([item for _, item in listed]):
                yield Problem(listed[index][0], "must be at one place only, and is named further up; remove one")

    @common_rule
    def _network_is_existing(self, common: CommonSettings) -> Iterator[Problem]:
        """The network of ``common`` takes the place of the solution's own."""
        for name, domain in self.domains.items() if common.vpc else ():
            # The default gives way: config/config.yaml states it.
            default = type(domain).model_fields["vpc_cidr"].default
            if domain.vpc_cidr and "vpc_cidr" in domain.model_fields_set and domain.vpc_cidr != default:
                yield Problem(
                    (*_way(name), "vpc_cidr"),
                    "must be null with common.vpc, which takes its place; set vpc_cidr and subnet_cidr to null",
                )
            for key in ("load_balancer", "map_coip_on_launch"):
                if getattr(domain, key):
                    yield Problem(
                        (*_way(name), key),
                        "must be left out with common.vpc: it is of the solution's own subnet; remove it",
                    )

    @common_rule
    def _existing_network_is_listed(self, common: CommonSettings) -> Iterator[Problem]:
        listed = [vpc.id for domain in self.domains.values() for vpc in domain.vpcs]
        others = any(item.kind is not Kind.VPC for item in self.ranges)
        if common.vpc and common.vpc.id not in listed and others:
            yield Problem(
                "vpcs", f"must list {common.vpc.id} of common.vpc with its cidrs, or no overlap can be found; add it"
            )


def _way(domain: str) -> tuple[str, ...]:
    """The way to the keys of a domain."""
    return () if domain == MAIN else ("more_domains", domain)
