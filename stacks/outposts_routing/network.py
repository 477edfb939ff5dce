"""What a routing domain brings with it: a VPC with a subnet on the Outpost, and virtual interfaces of its own."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from aws_cdk import Aws, CfnResource, CfnTag
from aws_cdk import aws_ec2 as ec2
from constructs import Construct, IConstruct

from stacks.outposts_routing.functions import STACK_TAG
from stacks.outposts_routing.settings.domain import Domain
from stacks.shared.guard import Guard
from stacks.shared.lifecycle import LifecycleResource
from stacks.shared.network import new_vpc
from stacks.shared.solution import SolutionStack

Guarding = Callable[[str, IConstruct, str, dict[str, Any], str], Guard]
"""Makes a guard that no switch opens: of its name, what it guards, that in words, its values, and the way around."""


@dataclass(frozen=True)
class OwnNetwork:
    """The solution's own VPC.

    Attributes:
        subnet: its only one, on the Outpost.
        route_table_id: of that subnet.
    """

    vpc: ec2.Vpc
    subnet: ec2.CfnSubnet
    route_table_id: str


def own_network(
    stack: SolutionStack, parent: Construct, domain: Domain, *, rack: LifecycleResource, guard: Guarding
) -> OwnNetwork:
    """A VPC with one subnet on the Outpost, in the Outpost's zone."""
    assert domain.vpc_cidr
    vpc = new_vpc(stack, parent, cidr=domain.vpc_cidr)
    subnet = ec2.CfnSubnet(
        parent,
        "OutpostSubnet",
        vpc_id=vpc.vpc_id,
        cidr_block=domain.subnet_cidr,
        availability_zone=rack.get_att_string("AvailabilityZone"),
        outpost_arn=rack.get_att_string("OutpostArn"),
    )
    # A replaced subnet in which something runs would not be deleted, and no load balancer moves to another VPC.
    guards = guard(
        "Network",
        vpc,
        "the VPC and its subnet on the Outpost",
        {
            "OutpostArn": rack.get_att_string("OutpostArn"),  # another has another subnet, which finds its range taken
            "SubnetCidr": domain.subnet_cidr,
            "VpcCidr": domain.vpc_cidr,
        },
        "Remove what runs in the subnet. In two deployments: first vpc_cidr: null and subnet_cidr: null, "
        "without load_balancer and map_coip_on_launch, then as wanted.",
    )
    subnet.node.add_dependency(guards)
    table = ec2.CfnRouteTable(parent, "OutpostRoutes", vpc_id=vpc.vpc_id)
    ec2.CfnSubnetRouteTableAssociation(parent, "OutpostSubnetRoutes", subnet_id=subnet.ref, route_table_id=table.ref)
    return OwnNetwork(vpc, subnet, table.ref)


def own_interfaces(
    parent: Construct, domain: Domain, *, gateway_id: str, guard: Guarding
) -> tuple[str, Sequence[CfnResource]]:
    """A group of virtual interfaces: its id, and the interfaces that must be there before it is of use."""
    # By its tag Rack tells it from the group of the rack, which it looks for while this one comes or goes.
    group = ec2.CfnLocalGatewayVirtualInterfaceGroup(
        parent,
        "Interfaces",
        local_gateway_id=gateway_id,
        tags=[CfnTag(key=STACK_TAG, value=Aws.STACK_ID)],
        **_asn("local_bgp_asn", domain.local_bgp_asn),
    )
    interfaces = [
        ec2.CfnLocalGatewayVirtualInterface(
            parent,
            f"Interface{number}",
            local_gateway_virtual_interface_group_id=group.ref,
            outpost_lag_id=interface.outpost_lag_id,
            vlan=interface.vlan,
            local_address=interface.local_address,
            peer_address=interface.peer_address,
            **_asn("peer_bgp_asn", interface.peer_bgp_asn),
        )
        for number, interface in enumerate(domain.virtual_interfaces, 1)
    ]
    # CloudFormation deletes the group before it makes another, with the interfaces still on it; and it makes an
    # interface before it deletes the one whose addresses and link it is to have.
    guard(
        "Interfaces",
        group,
        "the group of virtual interfaces",
        {
            "LocalBgpAsn": domain.local_bgp_asn or "",
            "LocalGatewayId": gateway_id,
            "VirtualInterfaces": [each.described for each in domain.virtual_interfaces],
        },
        "In two deployments, both with accept_outage: true: first attached: false without virtual_interfaces (of "
        "more_domains: without the domain), then as before with the change.",
    )
    return group.ref, interfaces


def _asn(field: str, number: int | None) -> dict[str, Any]:
    """A BGP number in the field that has room for it: the plain one is a signed integer of 32 bits."""
    return {} if number is None else {field if number < 2**31 else f"{field}_extended": number}
