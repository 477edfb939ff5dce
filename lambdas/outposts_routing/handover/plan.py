"""What a route table of a local gateway holds, and what it lacks. No AWS in here."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Json = Mapping[str, Any]
ENDING = ("disassociating", "disassociated")
"""States of an association that is on its way out or gone."""


@dataclass(frozen=True)
class Held:
    """What a route table holds on to: nothing else can have it meanwhile.

    Attributes:
        routes: destinations of its static routes.
        vpcs: association id of each VPC.
        groups: association id of each group of virtual interfaces.
        ending: association ids that are on their way out.
    """

    routes: tuple[str, ...]
    vpcs: Mapping[str, str]
    groups: Mapping[str, str]
    ending: tuple[str, ...]

    @property
    def empty(self) -> bool:
        """Whether others can have all of it."""
        return not (self.routes or self.vpcs or self.groups or self.ending)


@dataclass(frozen=True)
class Wanted:
    """What a route table shall hold."""

    routes: tuple[str, ...]
    vpcs: tuple[str, ...]
    group: str

    @classmethod
    def of(cls, properties: Json) -> "Wanted":
        """As the custom resource's properties say it."""
        return cls(
            tuple(properties["Destinations"]), tuple(properties["VpcIds"]), properties["VirtualInterfaceGroupId"]
        )


def held(routes: Iterable[Json], vpcs: Sequence[Json], groups: Sequence[Json]) -> Held:
    """Sorts what EC2 describes. Routes that EC2 propagates go by themselves."""
    return Held(
        tuple(
            route["DestinationCidrBlock"]
            for route in routes
            if route["Type"] == "static" and route.get("State") not in ("deleting", "deleted")
        ),
        {item["VpcId"]: item["LocalGatewayRouteTableVpcAssociationId"] for item in vpcs if not _ends(item)},
        {
            item["LocalGatewayVirtualInterfaceGroupId"]: item[
                "LocalGatewayRouteTableVirtualInterfaceGroupAssociationId"
            ]
            for item in groups
            if not _ends(item)
        },
        tuple(
            item.get("LocalGatewayRouteTableVpcAssociationId")
            or item["LocalGatewayRouteTableVirtualInterfaceGroupAssociationId"]
            for item in (*vpcs, *groups)
            if item["State"] == "disassociating"
        ),
    )


def lacking(wanted: Wanted, has: Held) -> Wanted:
    """Returns what of *wanted* a table does not hold; an empty group where it holds that."""
    return Wanted(
        tuple(route for route in wanted.routes if route not in has.routes),
        tuple(vpc for vpc in wanted.vpcs if vpc not in has.vpcs),
        "" if wanted.group in has.groups else wanted.group,
    )


def _ends(item: Json) -> bool:
    return item["State"] in ENDING
