"""The happy paths of the functions of outposts_routing.

moto has no local gateways; the model of the embedded AWS is put into it. Its Outposts API it has neither: GetOutpost is
answered here.
"""

import logging
from dataclasses import replace
from typing import Any
from unittest.mock import patch

from moto.ec2.models import ec2_backends

from emulator.services.ec2.racks.local_gateways import COIP, DIRECT, serve_in_moto
from emulator.services.ec2.resources import LOOKS
from emulator.services.outposts.racks import A_RACK
from shared.aws import client
from tests.faults.custom_resources import (
    ANSWERS,
    CustomResourceWorld,
    StackInS3,
    custom_resource,
)
from tests.faults.subject import Event, Subject

STACK_ID = "arn:aws:cloudformation:us-east-1:123456789012:stack/tried/1"
POOL = "172.16.0.0/26"

serve_in_moto(A_RACK)
logging.getLogger().setLevel(logging.WARNING)  # ministack, which the model imports, sets it to INFO


def tagged(kind: str, stack_id: str) -> list[dict[str, Any]]:
    """The tag of a stack, for what it makes."""
    return [{"ResourceType": kind, "Tags": [{"Key": "outposts-routing-stack", "Value": stack_id}]}]


class RoutingWorld(CustomResourceWorld):
    """A route table of the local gateway in mode coip that is this stack's."""

    kind, physical_id = "", "made"

    def __init__(self) -> None:
        super().__init__()
        self.table = self.new_table(COIP)
        self.event |= {
            "RequestType": "Create",
            "ResourceType": f"Custom::{self.kind}",
            "LogicalResourceId": self.kind,
            "StackId": STACK_ID,
        }
        del self.event["PhysicalResourceId"]

    @staticmethod
    def new_table(mode: str, stack_id: str = STACK_ID) -> str:
        """Makes a route table with the tag of a stack."""
        made = client("ec2").create_local_gateway_route_table(
            LocalGatewayId=A_RACK.gateway,
            Mode=mode,
            TagSpecifications=tagged("local-gateway-route-table", stack_id),
        )
        return str(made["LocalGatewayRouteTable"]["LocalGatewayRouteTableId"])

    def new_pool(self) -> str:
        """Makes a pool with a range, by somebody."""
        pool = client("ec2").create_coip_pool(LocalGatewayRouteTableId=self.table)["CoipPool"]["PoolId"]
        client("ec2").create_coip_cidr(CoipPoolId=pool, Cidr=POOL)
        return str(pool)


class PoolWorld(RoutingWorld):
    """A pool is to be made; the table has one of somebody else."""

    kind = "CoipPool"

    def __init__(self) -> None:
        super().__init__()
        self.other = self.new_pool()
        self.event["ResourceProperties"] = {"RouteTableId": self.table, "Cidr": "172.16.64.0/26"}

    def invariant(self) -> None:
        super().invariant()
        assert len(pools()) == 2, f"{pools()}"

    def unharmed(self) -> None:
        assert self.other in pools() and len(pools()) <= 2, f"{pools()}"


class RangeGoesWorld(RoutingWorld):
    """A range that nobody uses any more goes; another pool stays."""

    kind = "CoipCidr"

    def __init__(self) -> None:
        super().__init__()
        self.pool = self.new_pool()
        self.event |= {"RequestType": "Delete", "PhysicalResourceId": f"{self.pool}|{POOL}"}
        self.event["ResourceProperties"] = {"PoolId": self.pool, "Cidr": POOL}

    def invariant(self) -> None:
        super().invariant()
        assert pools() == {self.pool: []}, f"{pools()}"

    def unharmed(self) -> None:
        assert self.pool in pools(), "the pool itself is gone"


class AddressWorld(RoutingWorld):
    """An Elastic IP is to be allocated and given to a network interface."""

    kind = "CoipAddress"

    def __init__(self) -> None:
        super().__init__()
        pool = self.new_pool()
        vpc = client("ec2").create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        subnet = client("ec2").create_subnet(VpcId=vpc, CidrBlock="10.0.0.0/24")["Subnet"]["SubnetId"]
        made = client("ec2").create_network_interface(SubnetId=subnet)["NetworkInterface"]
        self.interface = made["NetworkInterfaceId"]
        self.event["ResourceProperties"] = {"PoolId": pool, "NetworkInterfaceId": self.interface}

    def invariant(self) -> None:
        super().invariant()
        assert [item.network_interface_id for item in addresses()] == [self.interface]

    def unharmed(self) -> None:
        assert len(addresses()) <= 1, "two addresses are allocated"


class HandoverWorld(RoutingWorld):
    """The mode changes: the old table has a VPC, virtual interfaces and a route; another stack has its own."""

    kind = "Handover"

    def __init__(self) -> None:
        super().__init__()
        ec2 = client("ec2")
        self.old = self.new_table(DIRECT)
        self.foreign = self.new_table(DIRECT, STACK_ID.replace("tried", "other"))
        kind = "local-gateway-route-table-{}-association"
        for table, owner in ((self.old, STACK_ID), (self.foreign, STACK_ID.replace("tried", "other"))):
            vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
            ec2.create_local_gateway_route_table_vpc_association(
                LocalGatewayRouteTableId=table, VpcId=vpc, TagSpecifications=tagged(kind.format("vpc"), owner)
            )
        ec2.create_local_gateway_route_table_virtual_interface_group_association(
            LocalGatewayRouteTableId=self.old,
            LocalGatewayVirtualInterfaceGroupId=A_RACK.group,
            TagSpecifications=tagged(kind.format("virtual-interface-group"), STACK_ID),
        )
        for _ in range(LOOKS + 1):  # until both are there
            ec2.describe_local_gateway_route_table_vpc_associations()
            ec2.describe_local_gateway_route_table_virtual_interface_group_associations()
        ec2.create_local_gateway_route(
            LocalGatewayRouteTableId=self.old,
            DestinationCidrBlock="0.0.0.0/0",
            LocalGatewayVirtualInterfaceGroupId=A_RACK.group,
        )
        client("s3").put_object(Bucket=ANSWERS, Key="status", Body=b"UPDATE_IN_PROGRESS")
        known = {"VpcIds": [], "VirtualInterfaceGroupId": A_RACK.group, "Destinations": ["0.0.0.0/0"]}
        self.event |= {"RequestType": "Update", "PhysicalResourceId": "handover-Handover"}
        self.event["OldResourceProperties"] = {**known, "RouteTableId": self.old}
        self.event["ResourceProperties"] = {**known, "RouteTableId": self.table}

    def invariant(self) -> None:
        super().invariant()
        assert holders() == [self.foreign], f"{holders()} hold VPCs"

    def unharmed(self) -> None:
        assert self.foreign in holders(), "another stack lost its VPC"


class RackWorld(RoutingWorld):
    """One rack, whose ids are to be told."""

    kind = "OutpostsRack"

    def __init__(self) -> None:
        super().__init__()
        self.event["ResourceProperties"] = {"MakesGroup": "false"}

    def invariant(self) -> None:
        super().invariant()
        answer = self.answer()
        assert answer and answer["Data"]["LocalGatewayId"] == A_RACK.gateway, f"{answer}"


def kept(name: str) -> dict[str, Any]:
    """What the model keeps."""
    found: dict[str, Any] = vars(ec2_backends["123456789012"]["us-east-1"]).get(f"kept_{name}", {})
    return found


def pools() -> dict[str, list[str]]:
    """Ranges by pool."""
    return {name: list(pool["PoolCidrs"]) for name, pool in kept("coip_pool").items()}


def holders() -> list[str]:
    """Route tables that have a VPC."""
    return sorted(
        item["LocalGatewayRouteTableId"] for item in kept("local_gateway_route_table_vpc_association").values()
    )


def addresses() -> list[Any]:
    """The Elastic IPs."""
    return list(ec2_backends["123456789012"]["us-east-1"].addresses)


class Outposts:
    """The Outposts API as far as Rack asks it."""

    def get_outpost(self, OutpostId: str) -> Any:  # noqa: N803
        """The one Outpost."""
        assert OutpostId == A_RACK.id
        return {"Outpost": {"AvailabilityZone": "us-east-1a"}}


def failed(result: Any) -> bool:
    """Whether CloudFormation was told of a failure."""
    return bool(result == "FAILED")


def subject(function: str, world: type[RoutingWorld], name: str = "") -> Subject:
    """Registers a function; what moto has no service for is answered here."""
    others = {"cloudformation": StackInS3, "outposts": Outposts}
    module = f"outposts_routing.{function}.handler"
    registered = custom_resource(f"outposts_routing.{function}", world, name, failed)

    def answering(service: str, *attempts: int) -> Any:
        return others[service]() if service in others else client(service, *attempts)

    def deliver(event: Event) -> Any:
        with patch(f"{module}.client", answering):
            return registered.deliver(event)

    return replace(registered, deliver=deliver)


SUBJECTS: list[Subject] = [
    subject("coip", PoolWorld, " (pool)"),
    subject("coip", RangeGoesWorld, " (range goes)"),
    subject("coip", AddressWorld, " (address)"),
    subject("handover", HandoverWorld),
    subject("rack", RackWorld),
]
