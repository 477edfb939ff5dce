"""What a route table of a local gateway holds, and what it lacks. No AWS in here."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Json = Mapping[str, Any]
ENDING = ("disassociating", "disassociated")
"""States of an association that is ending or has ended."""
THERE = "associated"
"""State of an association that exists; any other one that is not ending is on its way."""


@dataclass(frozen=True)
class Held:
    """What a route table holds on to: nothing else can have it meanwhile.

    Attributes:
        routes: destinations of its static routes: ranges, or ids of prefix lists.
        vpcs: association id of each VPC.
        groups: association id of each group of virtual interfaces.
        ending: association ids that are on their way out.
        coming: VPCs and groups whose association is not there yet.
        foreign: associations that somebody else has made, in words; foreign_routes: static routes.
    """

    routes: tuple[str, ...]
    vpcs: Mapping[str, str]
    groups: Mapping[str, str]
    ending: tuple[str, ...]
    coming: tuple[str, ...] = ()
    foreign: tuple[str, ...] = ()
    foreign_routes: tuple[str, ...] = ()

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

    @property
    def any(self) -> bool:
        """Whether it is anything."""
        return bool(self.routes or self.vpcs or self.group)

    @classmethod
    def of(cls, properties: Json) -> "Wanted":
        """As the custom resource's properties say it."""
        return cls(
            tuple(properties["Destinations"]), tuple(properties["VpcIds"]), properties["VirtualInterfaceGroupId"]
        )


def held(
    routes: Iterable[Json],
    vpcs: Sequence[Json],
    groups: Sequence[Json],
    *,
    known: Iterable[str] = (),
    is_ours: Callable[[Json], bool] = lambda _: True,
) -> Held:
    """Sorts what EC2 describes. Routes that EC2 propagates go by themselves.

    Args:
        known: destinations that this stack routes to a group of virtual interfaces.
        is_ours: whether an association carries the tag of this stack.
    """
    static = [
        route for route in routes if route["Type"] == "static" and route.get("State") not in ("deleting", "deleted")
    ]
    ours = set(known)
    return Held(
        tuple(destination(route) for route in static),
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
        tuple(_holder(item) for item in (*vpcs, *groups) if not _ends(item) and item["State"] != THERE),
        tuple(_described(item) for item in (*vpcs, *groups) if not _ends(item) and not is_ours(item)),
        tuple(
            f"the route to {destination(route)}"
            for route in static
            if destination(route) not in ours or route.get("NetworkInterfaceId")
        ),
    )


def destination(route: Json) -> str:
    """Where a route leads: a range, or the id of a prefix list.

    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_LocalGatewayRoute.html
    """
    return str(route.get("DestinationCidrBlock") or route["DestinationPrefixListId"])


def destination_parameter(to: str) -> dict[str, str]:
    """How a request names a destination."""
    return {"DestinationPrefixListId" if to.startswith("pl-") else "DestinationCidrBlock": to}


def _described(association: Json) -> str:
    return f"the association of {_holder(association)} (account {association.get('OwnerId', 'unknown')})"


def _holder(association: Json) -> str:
    return str(association.get("VpcId") or association["LocalGatewayVirtualInterfaceGroupId"])


def lacking(wanted: Wanted, has: Held) -> Wanted:
    """Returns what of *wanted* a table does not hold; an empty group where it holds that."""
    return Wanted(
        tuple(route for route in wanted.routes if route not in has.routes),
        tuple(vpc for vpc in wanted.vpcs if vpc not in has.vpcs),
        "" if wanted.group in has.groups else wanted.group,
    )


def _ends(item: Json) -> bool:
    return item["State"] in ENDING
