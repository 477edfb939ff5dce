"""Section ``solutions.outposts_routing`` of config/config.yaml."""

from collections.abc import Iterator, Mapping
from ipaddress import IPv4Network
from typing import ClassVar, Literal

from pydantic import Field

from config.models import CommonSettings, Problem, SolutionSettings, common_rule, rule
from config.types import Cidr, OutpostArn, repeated
from stacks.outposts_routing.advice import COIP
from stacks.outposts_routing.ranges import Kind, Range, overlaps
from stacks.outposts_routing.settings.domain import Domain
from stacks.outposts_routing.settings.parts import MAIN, MOST_DOMAINS, RESERVED, LocalGatewayId, Name, PoolId, way


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

    @property
    def reserved_cidrs(self) -> Mapping[str, str]:
        """What ipam_pool_id reserves, each range with what it is: the pools' ranges, and those on premises.

        IPAM takes no two allocations that overlap. So a range with a VPC or a pool of this stack in it is left out, and
        of two domains' ranges on premises the narrower one.
        """
        ours = [item.network for item in self.ranges if item.kind in (Kind.VPC, Kind.COIP)]
        found = dict.fromkeys(
            IPv4Network(cidr) for domain in self.domains.values() for cidr in domain.on_premises_cidrs
        )
        others = [wide for wide in found if not any(own.subnet_of(wide) for own in ours)]
        pools = [domain.coip_cidr for domain in self.domains.values() if domain.coip_cidr]
        return {
            **dict.fromkeys(pools, "customer-owned addresses of an Outpost"),
            **{
                str(one): "on premises"
                for one in others
                if not any(one != wider and one.subnet_of(wider) for wider in others)
            },
        }

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
                    (*way(name), "virtual_interface_group_id"),
                    "must be set with more_domains: each domain has a group of its own; set it, or virtual_interfaces",
                )

    @rule
    def _domains_share_nothing(self) -> Iterator[Problem]:
        groups: list[tuple[tuple[str | int, ...], str | None]] = []
        vpcs: list[tuple[tuple[str | int, ...], str | None]] = []
        interfaces: list[tuple[tuple[str | int, ...], str | None]] = []
        for name, domain in self.domains.items():
            groups.append(((*way(name), "virtual_interface_group_id"), domain.virtual_interface_group_id))
            interfaces += [((*way(name), "elastic_ips", key), eni) for key, eni in domain.elastic_ips.items()]
            for index, vpc in enumerate(domain.vpcs):
                if all(vpc.id != each.id for each in domain.vpcs[:index]):  # within a domain it is said already
                    vpcs.append(((*way(name), "vpcs", index, "id"), vpc.id))
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
                    (*way(name), "vpc_cidr"),
                    "must be null with common.vpc, which takes its place; set vpc_cidr and subnet_cidr to null",
                )
            for key in ("load_balancer", "map_coip_on_launch"):
                if getattr(domain, key):
                    yield Problem(
                        (*way(name), key),
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
