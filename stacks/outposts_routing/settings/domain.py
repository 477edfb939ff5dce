"""One routing domain of a local gateway."""

from collections.abc import Iterator
from ipaddress import IPv4Address, IPv4Network
from typing import Annotated, Literal

from pydantic import Field

from config.models import Problem, Section, rule
from config.ranges import admits_everybody, never_routed
from config.types import Cidr, InterfaceId, repeated
from stacks.outposts_routing.advice import BALANCER_ADDRESSES, COIP, DIRECT
from stacks.outposts_routing.ranges import Kind, Range, addresses
from stacks.outposts_routing.settings.parts import (
    BALANCER_PREFIX,
    INTERFACES_PER_GROUP,
    Asn,
    AssociatedVpc,
    GroupId,
    LoadBalancer,
    Name,
    PoolAddress,
    VirtualInterface,
    way,
)


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
    """A load balancer on the Outpost, which is billed by the hour. null: none."""

    def own_ranges(self, name: str) -> Iterator[Range]:
        """Every range of this domain, and where it stands."""
        for kind, at, cidr, owner in self._stated_ranges():
            key = ".".join(str(part) for part in (*way(name), *at[:1])) + (f" {owner}" if owner else "")
            yield Range(kind, key, IPv4Network(cidr), name, owner, (*way(name), *at))

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
