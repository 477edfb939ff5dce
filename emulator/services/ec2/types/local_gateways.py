"""AWS::EC2::LocalGateway types: each change of one is a replacement, but that of tags."""

from contextlib import suppress

from botocore.exceptions import ClientError

from emulator.core.api import call
from emulator.core.resource import Properties, ResourceType, without_tags
from emulator.services.ec2.racks.local_gateways import (
    GROUP_ASSOCIATIONS,
    GROUPS,
    INTERFACES,
    TABLES,
    VPC_ASSOCIATIONS,
)
from emulator.services.ec2.resources import LOOKS, Kind


def _type(kind: Kind) -> ResourceType:
    """A type of one Create and one Delete call, whose id is in the answer and is what Ref returns."""

    def create(properties: Properties) -> str:
        made = call("ec2", f"Create{kind.name}", without_tags(properties))
        name = str(made[kind.name][kind.id_member])
        _settle(kind, name)
        return name

    def delete(name: str, _: Properties) -> None:
        call("ec2", f"Delete{kind.name}", {kind.parameter: name})
        with suppress(ClientError):  # gone, which ends the waiting
            _settle(kind, name)

    def attributes(name: str, _: Properties) -> dict[str, str]:
        """An update of something that is gone fails, even if only its tags differ: CloudFormation looks it up."""
        if "Describe" in kind.verbs:
            call("ec2", f"Describe{kind.name}s", {kind.ids: [name]})
        return {kind.id_member: name}

    return ResourceType(
        create=create,
        delete=delete,
        attributes=attributes,
        ec2_tags=True,
    )


def _settle(kind: Kind, name: str) -> None:
    """Waits as CloudFormation does before what depends on it comes; each look brings it nearer."""
    for _ in range(LOOKS + 1) if kind.settles else ():
        call("ec2", f"Describe{kind.name}s", {kind.ids: [name]})


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
