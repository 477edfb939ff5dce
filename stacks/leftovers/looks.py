"""What services say of one thing that the tagging API knows: whether it is there, ends or has ended."""

from typing import Any

from botocore.exceptions import ClientError

from stacks.leftovers.kind import named_by
from stacks.shared.preflight import DENIED, Clients

# EC2's calls that describe one of a kind, by its id: of each that the stacks make, by a resource or by a part, since
# GetResources answers "all the tagged or previously tagged resources".
# https://docs.aws.amazon.com/resourcegroupstagging/latest/APIReference/API_GetResources.html
DESCRIBED = {
    "ec2:capacity-reservation": ("describe_capacity_reservations", "CapacityReservationIds"),
    "ec2:coip-pool": ("describe_coip_pools", "PoolIds"),
    "ec2:elastic-ip": ("describe_addresses", "AllocationIds"),
    "ec2:image": ("describe_images", "ImageIds"),
    "ec2:instance": ("describe_instances", "InstanceIds"),
    "ec2:instance-connect-endpoint": ("describe_instance_connect_endpoints", "InstanceConnectEndpointIds"),
    "ec2:internet-gateway": ("describe_internet_gateways", "InternetGatewayIds"),
    "ec2:key-pair": ("describe_key_pairs", "KeyPairIds"),
    "ec2:launch-template": ("describe_launch_templates", "LaunchTemplateIds"),
    "ec2:local-gateway-route-table": ("describe_local_gateway_route_tables", "LocalGatewayRouteTableIds"),
    "ec2:local-gateway-route-table-virtual-interface-group-association": (
        "describe_local_gateway_route_table_virtual_interface_group_associations",
        "LocalGatewayRouteTableVirtualInterfaceGroupAssociationIds",
    ),
    "ec2:local-gateway-route-table-vpc-association": (
        "describe_local_gateway_route_table_vpc_associations",
        "LocalGatewayRouteTableVpcAssociationIds",
    ),
    "ec2:local-gateway-virtual-interface": (
        "describe_local_gateway_virtual_interfaces",
        "LocalGatewayVirtualInterfaceIds",
    ),
    "ec2:local-gateway-virtual-interface-group": (
        "describe_local_gateway_virtual_interface_groups",
        "LocalGatewayVirtualInterfaceGroupIds",
    ),
    "ec2:natgateway": ("describe_nat_gateways", "NatGatewayIds"),
    "ec2:network-interface": ("describe_network_interfaces", "NetworkInterfaceIds"),
    "ec2:replace-root-volume-task": ("describe_replace_root_volume_tasks", "ReplaceRootVolumeTaskIds"),
    "ec2:route-table": ("describe_route_tables", "RouteTableIds"),
    "ec2:security-group": ("describe_security_groups", "GroupIds"),
    "ec2:snapshot": ("describe_snapshots", "SnapshotIds"),
    "ec2:spot-instances-request": ("describe_spot_instance_requests", "SpotInstanceRequestIds"),
    "ec2:subnet": ("describe_subnets", "SubnetIds"),
    "ec2:volume": ("describe_volumes", "VolumeIds"),
    "ec2:vpc": ("describe_vpcs", "VpcIds"),
    "ec2:vpc-endpoint": ("describe_vpc_endpoints", "VpcEndpointIds"),
    "ec2:vpc-flow-log": ("describe_flow_logs", "FlowLogIds"),
}
ALSO = {"ec2:image": {"IncludeDisabled": True}}
"""What else is asked, of which EC2 shows some only to who asks for them: a disabled image costs as much as another."""
# In the codes by which a service says that nothing of this id is there, or nothing that can be used any more:
# https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html
GONE = ("NotFound", ".Unavailable")
STATES = ("State", "ConfigurationState", "TaskState", "KeyState")
"""Where it is said how something is."""
ENDED = {
    "cancelled",
    "closed",
    "delete-complete",
    "delete-in-progress",
    "deleted",
    "deleting",
    "deregistered",
    "disassociated",
    "disassociating",
    "expired",
    "pendingdeletion",
    "shutting-down",
    "terminated",
}
"""In small letters, as EC2 answers; its pages begin some with a capital."""
FAILED = {
    # https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CapacityReservation.html
    "ec2:capacity-reservation": {"failed", "payment-failed", "unsupported"},
    # https://docs.aws.amazon.com/vpc/latest/userguide/nat-gateway-troubleshooting.html: "is automatically deleted"
    "ec2:natgateway": {"failed"},
    # https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ReplaceRootVolumeTask.html
    "ec2:replace-root-volume-task": {"failed", "failed-detached", "succeeded"},
    # https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_SpotInstanceRequest.html
    "ec2:spot-instances-request": {"failed"},
}
"""How a kind is over besides: it costs nothing, and goes by itself. What has failed of others stays there."""
ENDING = {"shutting-down", "deleting"}
"""How instances and NAT gateways end: until then they hold what they have."""


def looked_at(clients: Clients, region: str, arn: str) -> list[Any]:
    """How it is described, also after its end: some are shown for a while. Nothing where it is gone.

    What may not be looked at is taken for being there.
    """
    kind, name = named_by(arn)
    try:
        return _described(clients, region, kind, name)
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code in DENIED:
            return [{}]
        if not any(words in code for words in GONE):
            raise
        return []


def is_over(kind: str, item: Any) -> bool:
    """Whether it has ended, or ends already."""
    return _state(item) in ENDED | FAILED.get(kind, set())


def is_ending(item: Any) -> bool:
    """Whether it ends, and still holds what it has."""
    return _state(item) in ENDING


def _described(clients: Clients, region: str, kind: str, name: str) -> list[Any]:
    if kind == "kms:key":
        return [clients("kms", region).describe_key(KeyId=name)["KeyMetadata"]]
    if kind not in DESCRIBED:
        return [{}]
    operation, parameter = DESCRIBED[kind]
    answered = getattr(clients("ec2", region), operation)(**{parameter: [name]}, **ALSO.get(kind, {}))
    items = [item for value in answered.values() if isinstance(value, list) for item in value]
    return [each for item in items for each in item.get("Instances", [item])]


def _state(item: Any) -> str:
    state = next((item[name] for name in STATES if name in item), "")
    return str(state["Name"] if isinstance(state, dict) else state).lower()
