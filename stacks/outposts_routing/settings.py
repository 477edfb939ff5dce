"""Section ``solutions.outposts_routing`` of config/config.yaml."""

from collections.abc import Iterator, Mapping
from ipaddress import AddressValueError, IPv4Interface, IPv4Network, NetmaskValueError
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from config.models import CommonSettings, Section, SolutionSettings, SubnetId, VpcId
from stacks.outposts_routing.advice import BALANCER_ADDRESSES, COIP, DIRECT
from stacks.outposts_routing.ranges import Kind, Range, addresses, overlaps

MOST_DOMAINS = 10
"""https://docs.aws.amazon.com/outposts/latest/network-userguide/routing-domains.html; as are the four interfaces."""
INTERFACES_PER_GROUP = 4
MAIN = "main"
"""The domain of the keys beside ``more_domains``."""


def _network(text: str) -> str:
    try:
        IPv4Network(text)
    except (AddressValueError, NetmaskValueError, ValueError) as error:
        raise ValueError(f"{text!r} is no IPv4 range: {error}") from None
    return text


Cidr = Annotated[str, Field(examples=["10.1.0.0/16"]), AfterValidator(_network)]
OutpostArn = Annotated[
    str,
    Field(
        pattern=r"^arn:aws[a-z-]*:outposts:[a-z0-9-]+:\d{12}:outpost/op-[0-9a-f]{17}$",
        examples=["arn:aws-us-gov:outposts:us-gov-west-1:123456789012:outpost/op-0123456789abcdef0"],
    ),
]
LocalGatewayId = Annotated[str, Field(pattern=r"^lgw-[0-9a-f]{8,17}$", examples=["lgw-0123456789abcdef0"])]
GroupId = Annotated[str, Field(pattern=r"^lgw-vif-grp-[0-9a-f]{8,17}$", examples=["lgw-vif-grp-0123456789abcdef0"])]
LagId = Annotated[str, Field(pattern=r"^op-lag-[0-9a-f]{8,17}$", examples=["op-lag-0123456789abcdef0"])]
RouteTableId = Annotated[str, Field(pattern=r"^rtb-[0-9a-f]{8,17}$", examples=["rtb-0123456789abcdef0"])]
InterfaceId = Annotated[str, Field(pattern=r"^eni-[0-9a-f]{8,17}$", examples=["eni-0123456789abcdef0"])]
PoolId = Annotated[str, Field(pattern=r"^ipam-pool-[0-9a-f]{8,17}$", examples=["ipam-pool-0123456789abcdef0"])]
CertificateArn = Annotated[
    str,
    Field(
        pattern=r"^arn:aws[a-z-]*:acm:[a-z0-9-]+:\d{12}:certificate/[\w-]+$",
        examples=["arn:aws-us-gov:acm:us-gov-west-1:123456789012:certificate/1111..."],
    ),
]
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9]{0,19}$", examples=["factory"])]
Asn = Annotated[int, Field(ge=1, le=4_294_967_294)]


class AssociatedVpc(Section):
    """A VPC that is there already and gets a way through the local gateway."""

    id: VpcId
    """The VPC's id."""
    cidrs: Annotated[tuple[Cidr, ...], Field(min_length=1, max_length=50)]
    """All its IPv4 ranges: synthesis looks nothing up."""
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
    local_address: Annotated[str, Field(pattern=r"^[0-9.]+/\d{1,2}$", examples=["169.254.1.1/30"])]
    """Address of the Outpost's end, with its prefix length."""
    peer_address: Annotated[str, Field(pattern=r"^[0-9.]+/\d{1,2}$", examples=["169.254.1.2/30"])]
    """Address of your device, with its prefix length."""
    peer_bgp_asn: Asn
    """BGP number of your device."""

    @model_validator(mode="after")
    def _two_ends_of_one_link(self) -> Self:
        try:
            here, there = IPv4Interface(self.local_address), IPv4Interface(self.peer_address)
        except ValueError as error:
            raise ValueError(f"local_address or peer_address is no IPv4 address: {error}") from None
        if here.network != there.network or here.ip == there.ip:
            raise ValueError(f"local_address {here} and peer_address {there} are not two addresses of one link")
        return self


class LoadBalancer(Section):
    """An Application Load Balancer on the Outpost, in the solution's own subnet."""

    scheme: Literal["internal", "internet-facing"] = "internal"
    """internet-facing needs mode coip: its addresses come from the pool."""
    port: Annotated[int, Field(ge=1, le=65_535)] = 80
    """Where it listens, and where its targets do."""
    certificate_arn: CertificateArn | None = None
    """Certificate of ACM, for HTTPS. null: HTTP."""
    client_cidrs: Annotated[tuple[Cidr, ...], Field(max_length=30)] = ()
    """Who may come in; the own subnet gets a route to each. Empty: on_premises_cidrs."""


class Domain(Section):
    """A route table of the local gateway, and what hangs on it."""

    mode: Literal["direct-vpc-routing", "coip"] = DIRECT
    """How the on-premises network sees the Outpost: by addresses of the VPC, or of a pool of yours."""
    attached: bool = True
    """false takes the route table and all that hangs on it out: the careful way to another mode, in two deployments."""
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
    """On-premises ranges that the VPCs reach through the local gateway. One may contain a VPC, whose own route wins."""
    unreached_on_premises_cidrs: Annotated[tuple[Cidr, ...], Field(max_length=200)] = ()
    """On-premises ranges in use that they do not. Mode coip: a VPC may overlap these."""
    coip_cidr: Cidr | None = None
    """Mode coip: the pool's range, /16 to /28, of your own and in use by nobody."""
    map_coip_on_launch: bool = False
    """Mode coip: true gives every interface in the own subnet an address of the pool."""
    elastic_ips: dict[Name, InterfaceId | None] = Field(default={}, max_length=60)
    """Mode coip: addresses of the pool by name, each with the network interface that has it, or null."""
    load_balancer: LoadBalancer | None = None
    """A load balancer on the Outpost, which bills its hours. null: none."""

    def own_ranges(self, name: str) -> Iterator[Range]:
        """Every range of this domain, and where it stands."""
        key = "" if name == MAIN else f"more_domains.{name}."

        def said(kind: Kind, field: str, cidr: str, owner: str = "") -> Range:
            return Range(kind, f"{key}{field}", IPv4Network(cidr), name, owner)

        if self.vpc_cidr:
            yield said(Kind.VPC, "vpc_cidr", self.vpc_cidr)
        for vpc in self.vpcs:
            for cidr in vpc.cidrs:
                yield said(Kind.VPC, f"vpcs {vpc.id}", cidr, vpc.id)
        if self.coip_cidr:
            yield said(Kind.COIP, "coip_cidr", self.coip_cidr)
        for cidr in self.on_premises_cidrs:
            yield said(Kind.ON_PREMISES, "on_premises_cidrs", cidr)
        for cidr in self.unreached_on_premises_cidrs:
            yield said(Kind.UNREACHED, "unreached_on_premises_cidrs", cidr)

    @property
    def routed_cidrs(self) -> list[str]:
        """What the own subnet sends to the local gateway: on-premises ranges, and clients that are in none of them.

        A load balancer answers by the route table of its subnet: a client without a route never gets its answer.
        """
        ranges = list(self.on_premises_cidrs)
        covered = [IPv4Network(cidr) for cidr in ranges]
        if self.vpc_cidr:
            covered.append(IPv4Network(self.vpc_cidr))
        for cidr in self.load_balancer.client_cidrs if self.load_balancer else ():
            if not any(IPv4Network(cidr).subnet_of(each) for each in covered):
                ranges.append(cidr)
        return list(dict.fromkeys(ranges))

    @property
    def needed_addresses(self) -> int:
        """Addresses of the pool that this configuration takes."""
        return len(self.elastic_ips) + BALANCER_ADDRESSES * (self.load_balancer is not None)

    @model_validator(mode="after")
    def _mode_has_what_it_needs(self) -> Self:
        if self.mode == COIP and not self.coip_cidr:
            raise ValueError("mode coip needs coip_cidr, a range of your own that nobody uses")
        if self.mode == DIRECT:
            for key in ("coip_cidr", "map_coip_on_launch", "elastic_ips"):
                if getattr(self, key):
                    raise ValueError(f"{key} has no effect in mode {DIRECT}; remove it, or set mode to {COIP}")
            if any(vpc.coip_subnet_ids for vpc in self.vpcs):
                raise ValueError(f"coip_subnet_ids has no effect in mode {DIRECT}; remove it, or set mode to {COIP}")
            if self.load_balancer and self.load_balancer.scheme == "internet-facing":
                raise ValueError(
                    f"an internet-facing load_balancer needs mode {COIP}, for addresses that the internet can route; "
                    "set mode, or scheme to internal"
                )
        return self

    @model_validator(mode="after")
    def _ranges_have_their_sizes(self) -> Self:
        if (self.vpc_cidr is None) != (self.subnet_cidr is None):
            raise ValueError("vpc_cidr and subnet_cidr belong together; set both, or neither")
        for key, cidr, widest in (("vpc_cidr", self.vpc_cidr, 16), ("subnet_cidr", self.subnet_cidr, 16)):
            if cidr and not widest <= IPv4Network(cidr).prefixlen <= 28:
                raise ValueError(f"{key} {cidr}: a VPC and its subnets are /16 to /28")
        if self.vpc_cidr and self.subnet_cidr:
            vpc, subnet = IPv4Network(self.vpc_cidr), IPv4Network(self.subnet_cidr)
            if not subnet.subnet_of(vpc):
                raise ValueError(f"subnet_cidr {subnet} is not inside vpc_cidr {vpc}; choose a part of it")
        if self.coip_cidr:
            pool = IPv4Network(self.coip_cidr)
            if not 16 <= pool.prefixlen <= 28:
                raise ValueError(
                    f"coip_cidr {pool}: it is a /16 to a /28; the post's example is a /26 for a /22 subnet"
                )
            if self.needed_addresses > addresses(pool):
                raise ValueError(
                    f"coip_cidr {pool} has {addresses(pool)} addresses, and {self.needed_addresses} are needed for "
                    "elastic_ips and load_balancer; choose a wider one"
                )
        return self

    @model_validator(mode="after")
    def _parts_fit_together(self) -> Self:
        ids = [vpc.id for vpc in self.vpcs]
        if len(set(ids)) < len(ids):
            raise ValueError("vpcs names a VPC twice; list each once, with all its cidrs")
        if (self.load_balancer or self.map_coip_on_launch) and not self.vpc_cidr:
            raise ValueError(
                "load_balancer and map_coip_on_launch are about the own subnet; set vpc_cidr, or remove them"
            )
        if self.load_balancer and not (self.load_balancer.client_cidrs or self.on_premises_cidrs):
            raise ValueError("nobody may reach the load_balancer; set its client_cidrs, or on_premises_cidrs")
        if self.load_balancer and "0.0.0.0/0" in (self.load_balancer.client_cidrs or self.on_premises_cidrs):
            raise ValueError("client_cidrs 0.0.0.0/0 lets everybody in; name the ranges of your clients")
        if self.virtual_interfaces and self.virtual_interface_group_id:
            raise ValueError("virtual_interfaces make a new group; remove them or virtual_interface_group_id")
        if self.virtual_interfaces and len(self.virtual_interfaces) != INTERFACES_PER_GROUP:
            raise ValueError(f"a group has {INTERFACES_PER_GROUP} virtual_interfaces, one for each link; list them all")
        if self.local_bgp_asn and not self.virtual_interfaces:
            raise ValueError("local_bgp_asn is of a new group; set virtual_interfaces too, or remove it")
        return self


class OutpostsRoutingSettings(Domain, SolutionSettings):
    """How resources on an Outposts rack and your network reach each other: direct VPC routing or customer-owned IPs."""

    vpc_cidr: Cidr | None = "10.0.0.0/16"
    """Range of the solution's own VPC. null: none is made."""
    subnet_cidr: Cidr | None = "10.0.0.0/22"
    """Range of its subnet on the Outpost, inside vpc_cidr."""
    accept_outage: bool = False
    """true lets an update change mode or coip_cidr, or detach: the second key, because traffic stops meanwhile."""
    outpost_arn: OutpostArn | None = None
    """ARN of the Outpost. null: the account's only one."""
    local_gateway_id: LocalGatewayId | None = None
    """Its local gateway. null: found by the Outpost."""
    rack_generation: Literal[1, 2] = 1
    """2: a second-generation rack, which has several routing domains."""
    more_domains: dict[Name, Domain] = Field(default={}, max_length=MOST_DOMAINS - 1)
    """Second generation: further routing domains by name, each with the keys of this one."""
    ipam_pool_id: PoolId | None = None
    """IPAM pool in which coip_cidr and on_premises_cidrs are set aside, so that nobody takes them for a VPC."""

    @property
    def domains(self) -> Mapping[str, Domain]:
        """All routing domains by name; the keys of this section are the first."""
        return {MAIN: self, **self.more_domains}

    @property
    def ranges(self) -> list[Range]:
        """Every range of every domain."""
        return [item for name, domain in self.domains.items() for item in domain.own_ranges(name)]

    @model_validator(mode="after")
    def _nothing_overlaps(self) -> Self:
        translated = [name for name, domain in self.domains.items() if domain.mode == COIP]
        pairs = [f"{one} and {other}" for one, other in overlaps(self.ranges, translated=translated)]
        if pairs:
            raise ValueError(f"these overlap: {'; '.join(pairs)}. Choose ranges that nobody else has")
        return self

    @model_validator(mode="after")
    def _rack_can_do_it(self) -> Self:
        if self.rack_generation == 1:
            if self.more_domains:
                raise ValueError(
                    "more_domains needs a second-generation rack: a first-generation one has one mode at a time; "
                    "set rack_generation to 2, or remove it"
                )
            if self.virtual_interfaces:
                raise ValueError("virtual_interfaces are yours to make on a second-generation rack only; remove them")
        if MAIN in self.more_domains:
            raise ValueError(f"more_domains: {MAIN} is the domain of the other keys; choose another name")
        return self

    @model_validator(mode="after")
    def _domains_share_nothing(self) -> Self:
        if self.more_domains:
            for name, domain in self.domains.items():
                if not (domain.virtual_interface_group_id or domain.virtual_interfaces):
                    raise ValueError(
                        f"domain {name} needs virtual_interface_group_id or virtual_interfaces: each domain has a "
                        "group of its own"
                    )
        for what, ids in (
            ("virtual_interface_group_id", [domain.virtual_interface_group_id for domain in self.domains.values()]),
            ("VPC", [vpc.id for domain in self.domains.values() for vpc in domain.vpcs]),
            ("elastic_ips interface", [eni for domain in self.domains.values() for eni in domain.elastic_ips.values()]),
        ):
            known = [item for item in ids if item]
            if twice := sorted({item for item in known if known.count(item) > 1}):
                raise ValueError(f"{what} {', '.join(twice)} is named twice, and can be at one place only; remove one")
        return self

    def problems_with(self, common: CommonSettings) -> list[tuple[str, str]]:
        """The network of ``common`` takes the place of the own one; what is said about ranges must cover it."""
        if common.vpc is None or not self.enabled:
            return []
        problems = [
            ("vpc_cidr", "has no effect with common.vpc, which takes its place; set vpc_cidr and subnet_cidr to null")
            for domain in self.domains.values()
            if "vpc_cidr" in domain.model_fields_set and domain.vpc_cidr
        ]
        for key in ("load_balancer", "map_coip_on_launch"):
            if any(getattr(domain, key) for domain in self.domains.values()):
                problems.append(
                    (key, "is about a subnet of the solution's own, and common.vpc takes its place; remove it")
                )
        listed = [vpc.id for domain in self.domains.values() for vpc in domain.vpcs]
        if common.vpc.id not in listed and any(item.kind is not Kind.VPC for item in self.ranges):
            problems.append(("vpcs", f"list {common.vpc.id} of common.vpc with its cidrs, or no overlap can be found"))
        return problems
