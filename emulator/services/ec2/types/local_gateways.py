"""AWS::EC2::LocalGateway types: each change of one is a replacement, but that of tags."""

from emulator.core.api import call
from emulator.core.resource import Properties, ResourceType, without_tags
from emulator.services.ec2.racks.local_gateways import (
    GROUP_ASSOCIATIONS,
    GROUPS,
    INTERFACES,
    TABLES,
    VPC_ASSOCIATIONS,
)
from emulator.services.ec2.resources import Kind


def _type(kind: Kind) -> ResourceType:
    """A type of one Create and one Delete call, whose id is in the answer and is what Ref returns."""

    def create(properties: Properties) -> str:
        made = call("ec2", f"Create{kind.name}", without_tags(properties))
        return str(made[kind.name][kind.id_member])

    return ResourceType(
        create=create,
        delete=lambda name, _: call("ec2", f"Delete{kind.name}", {kind.parameter: name}),
        attributes=lambda name, _: {kind.id_member: name},
        ec2_tags=True,
    )


def _create_route(properties: Properties) -> str:
    call("ec2", "CreateLocalGatewayRoute", properties)
    return f"{properties['DestinationCidrBlock']}|{properties['LocalGatewayRouteTableId']}"


TYPES: dict[str, ResourceType] = {
    # CloudFormation writes VPC where the API writes Vpc.
    "AWS::EC2::LocalGatewayRouteTableVPCAssociation": _type(VPC_ASSOCIATIONS),
    **{f"AWS::EC2::{kind.name}": _type(kind) for kind in (TABLES, GROUP_ASSOCIATIONS, GROUPS, INTERFACES)},
    "AWS::EC2::LocalGatewayRoute": ResourceType(
        create=_create_route,
        delete=lambda _, properties: call("ec2", "DeleteLocalGatewayRoute", properties),
    ),
}
