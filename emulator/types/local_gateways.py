"""AWS::EC2::LocalGateway types. What they cannot change makes a new one; the engine deletes the old at the end.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-updating-stacks-update-behaviors.html
"""

from typing import Any

from emulator import seams
from emulator.calls import call
from emulator.types.resource import Properties, ResourceType, without_tags


class MadeBeside(ResourceType):
    """A type that is replaced as CloudFormation replaces: the new one beside the old, which the clean-up deletes."""

    def _update(
        self, physical_id: str, old: Properties, new: Properties, stack: str, logical_id: str
    ) -> tuple[str, dict[str, Any]]:
        changed = {name for name in old.keys() | new.keys() if old.get(name) != new.get(name)}
        if changed <= {"Tags"}:
            seams.tag_in_ec2(physical_id, {tag["Key"]: tag["Value"] for tag in new.get("Tags") or []})
            return physical_id, self._attributes(physical_id, new)
        return self._create(logical_id, new, stack)


def _type(operation: str, key: str, kind: str) -> ResourceType:
    """A type of one Create and one Delete call, whose id is in the answer and is what Ref returns."""

    def create(properties: Properties) -> str:
        tags = [{"ResourceType": kind, "Tags": properties.get("Tags") or []}]
        return str(call("ec2", f"Create{operation}", without_tags(properties), TagSpecifications=tags)[operation][key])

    return MadeBeside(
        create=create,
        delete=lambda name, _: call("ec2", f"Delete{operation}", {key: name}),
        attributes=lambda name, _: {key: name},
    )


def _create_route(properties: Properties) -> str:
    call("ec2", "CreateLocalGatewayRoute", properties)
    return f"{properties['DestinationCidrBlock']}|{properties['LocalGatewayRouteTableId']}"


_TABLE, _GROUP = "LocalGatewayRouteTable", "LocalGatewayVirtualInterfaceGroup"

TYPES: dict[str, ResourceType] = {
    f"AWS::EC2::{name}": _type(operation, f"{operation}Id", kind)
    for name, operation, kind in (
        (_TABLE, _TABLE, "local-gateway-route-table"),
        (
            "LocalGatewayRouteTableVPCAssociation",
            "LocalGatewayRouteTableVpcAssociation",
            "local-gateway-route-table-vpc-association",
        ),
        (
            "LocalGatewayRouteTableVirtualInterfaceGroupAssociation",
            "LocalGatewayRouteTableVirtualInterfaceGroupAssociation",
            "local-gateway-route-table-virtual-interface-group-association",
        ),
        (_GROUP, _GROUP, "local-gateway-virtual-interface-group"),
        ("LocalGatewayVirtualInterface", "LocalGatewayVirtualInterface", "local-gateway-virtual-interface"),
    )
} | {
    "AWS::EC2::LocalGatewayRoute": MadeBeside(
        create=_create_route,
        delete=lambda _, properties: call("ec2", "DeleteLocalGatewayRoute", properties),
    )
}
