"""``python -m stacks leftovers``: what carries the tags of this app and belongs to no stack any more. Reads only.

What GetResources of the Resource Groups Tagging API answers: what has a tag now, in one Region. It knows no IAM users,
IAM roles and Auto Scaling groups (https://docs.aws.amazon.com/resourcegroupstagging/latest/APIReference/supported-services.html),
and nothing that was never tagged (API_GetResources.html there).
"""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from botocore.exceptions import ClientError

from stacks.leftover_kinds import KINDS, LAUNCHED, Kind, named_by, turn
from stacks.series import SOLUTIONS
from stacks.shared.command import Answer
from stacks.shared.preflight import DENIED, Clients

TAG = "solution"
STACK_ID, LOGICAL_ID = "aws:cloudformation:stack-id", "aws:cloudformation:logical-id"
VALUES_OF_A_FILTER = 20  # API_GetResources.html
NOTES = (
    "Not listed, since GetResources does not know it: IAM roles and users, Auto Scaling groups, what never had a tag.",
    "Made by a stack that is there, and so not listed: what its groups launch, its snapshots and images.",
    "What was deleted in the last minutes, and a secret until the end of its recovery window, may still be listed: "
    "run it again.",
)


@dataclass(frozen=True)
class Leftover:
    """Something that a stack has left.

    Attributes:
        solution: whose tag it carries.
        why: why it is taken for left, and why it may have been kept.
        bills: what it costs, by the units of the price file where there are some.
        remove: the command that removes it; empty where none is known, or another one's removes it too.
    """

    arn: str
    region: str
    solution: str
    kind: str
    why: str
    bills: str
    remove: str


@dataclass(frozen=True)
class _Stacks:
    """The stacks of a Region that are there: what they hold, by their ids, and whose they are."""

    held: Mapping[str, frozenset[str]]
    solutions: frozenset[str]

    def hold(self, names: set[str]) -> bool:
        return any(names & held for held in self.held.values())


def answer(clients: Clients, regions: list[str]) -> Answer:
    """Everything left in some Regions, as a table and as data."""
    found = [one for region in regions for one in leftovers(clients, region)]
    rows = [(one.solution, one.kind, one.arn, one.why, one.bills) for one in found]
    return Answer(
        ("solution", "kind", "resource", "why", "bills"),
        rows,
        [asdict(one) for one in found],
        notes=(f"{len(found)} left in {', '.join(regions)}; nothing was changed", *NOTES),
        lines=[one.remove for one in found if one.remove],
        ok=not found,
    )


def leftovers(clients: Clients, region: str) -> Iterator[Leftover]:
    """What is left in one Region, in the order in which it can be removed; of one turn, in that of the ARNs.

    Raises:
        ClientError: a read was refused.
        BotoCoreError: there are no credentials, or no connection.
    """
    stacks = _stacks(clients, region)
    known: dict[str, bool] = {}
    holders: dict[str, str] = {}
    for arn, tags in sorted(_tagged(clients, region).items(), key=_in_turn):
        of, id_ = named_by(arn)
        kind = KINDS.get(of, Kind(of))
        if stacks.hold(_names(arn)) or not (shown := _shown(clients, region, arn)):
            continue
        stack = tags.get(STACK_ID)
        if stack is None:
            there, said = tags[TAG] in stacks.solutions, "no stack has it"
        else:
            if stack not in known:
                known[stack] = stack in stacks.held or _is_there(clients, region, stack)
            there = known[stack]
            name = stack.split("/")[1]
            said = f"{name} is there without it" if there else f"its stack {name} is gone"
        if there and of in LAUNCHED:
            continue
        holders |= dict.fromkeys(_going_with(shown), id_)
        reason, command = kind.kept, kind.command(arn, region, shown[0])
        if id_ in holders:
            reason, command = "; ".join(filter(None, (kind.kept, f"goes with {holders[id_]}"))), ""
        why = f"{said}; {reason}" if reason else said
        yield Leftover(arn, region, tags[TAG], kind.name, why, kind.bills, command)


def _in_turn(tagged: tuple[str, Any]) -> tuple[int, str]:
    arn, _ = tagged
    return turn(named_by(arn)[0]), arn


def _going_with(shown: list[Any]) -> Iterator[str]:
    """What the command deletes with it: snapshots of an AMI, but for one that an AMI of others has too, and volumes.

    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_EbsInstanceBlockDevice.html: DeleteOnTermination. Where
    an AMI has that member, it has no volume.
    """
    for item in shown:
        for mapping in item.get("BlockDeviceMappings", ()):
            ebs = mapping.get("Ebs", {})
            if snapshot := ebs.get("SnapshotId"):
                yield snapshot
            if ebs.get("VolumeId") and ebs.get("DeleteOnTermination"):
                yield ebs["VolumeId"]


def _tagged(clients: Clients, region: str) -> dict[str, dict[str, str]]:
    found = {}
    pages = clients("resourcegroupstaggingapi", region).get_paginator("get_resources")
    slugs = [solution.slug for solution in SOLUTIONS]
    for first in range(0, len(slugs), VALUES_OF_A_FILTER):
        values = slugs[first : first + VALUES_OF_A_FILTER]
        for page in pages.paginate(TagFilters=[{"Key": TAG, "Values": values}]):
            for resource in page["ResourceTagMappingList"]:
                found[resource["ResourceARN"]] = {tag["Key"]: tag["Value"] for tag in resource["Tags"]}
    return found


def _stacks(clients: Clients, region: str) -> _Stacks:
    formation = clients("cloudformation", region)
    slugs = {solution.slug for solution in SOLUTIONS}
    held, solutions = {}, set()
    for page in formation.get_paginator("describe_stacks").paginate():
        for stack in page["Stacks"]:
            tags = {tag["Key"]: tag["Value"] for tag in stack.get("Tags", [])}
            if tags.get(TAG) in slugs and stack["StackStatus"] != "DELETE_COMPLETE":
                held[stack["StackId"]] = frozenset({stack["StackId"], *_physical(formation, stack["StackId"])})
                solutions.add(tags[TAG])
    return _Stacks(held, frozenset(solutions))


def _physical(formation: Any, stack: str) -> Iterator[str]:
    for page in formation.get_paginator("list_stack_resources").paginate(StackName=stack):
        for resource in page["StackResourceSummaries"]:
            if name := resource.get("PhysicalResourceId"):  # one that could not be created has none
                yield name
                yield name.rpartition("/")[2] if "://" in name else name  # the Ref of a queue is its address


def _is_there(clients: Clients, region: str, stack: str) -> bool:
    try:
        (found,) = clients("cloudformation", region).describe_stacks(StackName=stack)["Stacks"]
    except ClientError as error:
        if error.response["Error"]["Code"] != "ValidationError":
            raise
        return False
    return bool(found["StackStatus"] != "DELETE_COMPLETE")


def _names(arn: str) -> set[str]:
    """Every way in which CloudFormation may name what an ARN names."""
    resource = arn.split(":", 5)[5]
    return {arn, arn.removesuffix(":*"), resource, named_by(arn)[1], resource.rpartition("/")[2]}


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


def _shown(clients: Clients, region: str, arn: str) -> list[Any]:
    """How it is described; nothing where it is gone or ends already: some are shown for a while after their end.

    What may not be looked at is taken for being there.
    """
    kind, name = named_by(arn)
    try:
        found = _described(clients, region, kind, name)
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code in DENIED:
            return [{}]
        if not any(words in code for words in GONE):
            raise
        return []
    return [item for item in found if _state(item) not in ENDED | FAILED.get(kind, set())]


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
