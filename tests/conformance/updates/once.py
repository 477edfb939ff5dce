"""What may exist once only: its keys, so that an update that makes the new beside the old is seen to collide.

Names that CloudFormation knows are those of the resource schemas; the rest is a table, with AWS's pages.
"""

from collections.abc import Iterator, Mapping
from ipaddress import IPv4Network

from tests.conformance.updates.model import Json, Update, at, schema

VPC_GUIDE = "https://docs.aws.amazon.com/vpc/latest/userguide/"
OUTPOSTS_GUIDE = "https://docs.aws.amazon.com/outposts/latest/userguide/"
ELB_API = "https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/"

# Type -> the properties that are together unique, and the page that says so.
ONCE: Mapping[str, tuple[tuple[str, ...], str]] = {
    "AWS::EC2::SubnetRouteTableAssociation": (("SubnetId",), f"{VPC_GUIDE}subnet-route-tables.html"),
    "AWS::EC2::Route": (("RouteTableId", "DestinationCidrBlock"), f"{VPC_GUIDE}subnet-route-tables.html"),
    "AWS::EC2::VPCGatewayAttachment": (("InternetGatewayId",), f"{VPC_GUIDE}VPC_Internet_Gateway.html"),
    "AWS::EC2::NatGateway": (("AllocationId",), f"{VPC_GUIDE}nat-gateway-working-with.html"),
    "AWS::EC2::EIPAssociation": (("AllocationId",), f"{VPC_GUIDE}vpc-eips.html"),
    "AWS::EC2::InstanceConnectEndpoint": (
        ("SubnetId",),
        "https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/eice-quotas.html",
    ),
    "AWS::EC2::SecurityGroup": (("VpcId", "GroupName"), f"{VPC_GUIDE}creating-security-groups.html"),
    "AWS::EC2::VolumeAttachment": (
        ("VolumeId",),
        "https://docs.aws.amazon.com/ebs/latest/userguide/ebs-attaching-volume.html",
    ),
    "AWS::EC2::IPAMAllocation": (
        ("IpamPoolId", "Cidr"),
        "https://docs.aws.amazon.com/vpc/latest/ipam/manually-allocate-ipam.html",
    ),
    "AWS::EC2::LocalGatewayRoute": (
        ("LocalGatewayRouteTableId", "DestinationCidrBlock"),
        f"{OUTPOSTS_GUIDE}routing.html",
    ),
    "AWS::EC2::LocalGatewayRouteTableVPCAssociation": (("VpcId",), f"{OUTPOSTS_GUIDE}routing.html"),
    "AWS::EC2::LocalGatewayRouteTableVirtualInterfaceGroupAssociation": (
        ("LocalGatewayVirtualInterfaceGroupId",),
        f"{OUTPOSTS_GUIDE}routing.html",
    ),
    "AWS::EC2::LocalGatewayVirtualInterface": (("OutpostLagId", "Vlan"), f"{OUTPOSTS_GUIDE}routing.html"),
    "AWS::ElasticLoadBalancingV2::Listener": (("LoadBalancerArn", "Port"), f"{ELB_API}API_CreateListener.html"),
    "AWS::ElasticLoadBalancingV2::ListenerRule": (("ListenerArn", "Priority"), f"{ELB_API}API_CreateRule.html"),
    "AWS::AutoScaling::ScheduledAction": (
        ("AutoScalingGroupName", "Recurrence", "TimeZone"),
        "https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-scheduled-scaling.html",
    ),
    "AWS::AutoScaling::WarmPool": (
        ("AutoScalingGroupName",),
        "https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-warm-pools.html",
    ),
    "AWS::Lambda::EventInvokeConfig": (
        ("FunctionName", "Qualifier"),
        "https://docs.aws.amazon.com/lambda/latest/api/API_PutFunctionEventInvokeConfig.html",
    ),
    "AWS::Lambda::EventSourceMapping": (
        ("FunctionName", "EventSourceArn"),
        "https://docs.aws.amazon.com/lambda/latest/api/API_CreateEventSourceMapping.html",
    ),
    "AWS::Logs::MetricFilter": (
        ("LogGroupName", "FilterName"),
        "https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutMetricFilter.html",
    ),
    "AWS::SNS::TopicPolicy": (("Topics",), "https://docs.aws.amazon.com/sns/latest/api/API_SetTopicAttributes.html"),
    "AWS::SQS::QueuePolicy": (
        ("Queues",),
        "https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html",
    ),
    "AWS::S3::BucketPolicy": (("Bucket",), "https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketPolicy.html"),
    "AWS::IAM::Policy": (
        ("PolicyName", "Roles"),
        "https://docs.aws.amazon.com/IAM/latest/APIReference/API_PutRolePolicy.html",
    ),
    "AWS::ImageBuilder::Component": (
        ("Name", "Version"),
        "https://docs.aws.amazon.com/imagebuilder/latest/APIReference/API_CreateComponent.html",
    ),
    "AWS::ImageBuilder::ImageRecipe": (
        ("Name", "Version"),
        "https://docs.aws.amazon.com/imagebuilder/latest/APIReference/API_CreateImageRecipe.html",
    ),
    "AWS::ImageBuilder::ContainerRecipe": (
        ("Name", "Version"),
        "https://docs.aws.amazon.com/imagebuilder/latest/APIReference/API_CreateContainerRecipe.html",
    ),
    **dict.fromkeys(
        (
            "AWS::ImageBuilder::InfrastructureConfiguration",
            "AWS::ImageBuilder::DistributionConfiguration",
            "AWS::ImageBuilder::ImagePipeline",
            "AWS::ImageBuilder::LifecyclePolicy",
            "AWS::SecretsManager::Secret",
            "AWS::Organizations::Policy",
            "AWS::ResourceGroups::Group",
            "AWS::Events::Rule",
            "AWS::CodeBuild::Project",
        ),
        (("Name",), "https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-properties-name.html"),
    ),
}
NAMES = "https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-properties-name.html"
SUBNETS = f"{VPC_GUIDE}subnet-sizing.html"


def claims(update: Update, name: str, *, side: str) -> Iterator[tuple[str, str, str]]:
    """What a resource takes for itself: a kind, the key, and the page that says that there is one only."""
    resource = (update.after if side == "after" else update.before)[name]
    kind, properties = resource["Type"], resource.get("Properties", {})
    if kind in ONCE:
        keys, page = ONCE[kind]
        values = [properties.get(key) for key in keys]
        if values[0] is not None and (values[-1] is not None or kind in MAY_LACK_THE_LAST):
            yield kind, update.said(values, side=side), page
    found = schema(kind)
    given = [p for p in found.get("primaryIdentifier", []) if p not in found.get("readOnlyProperties", [])]
    if given and len(given) == len(found.get("primaryIdentifier", [])) and kind not in ONCE:
        values = [at(properties, pointer) for pointer in given]
        if None not in values:
            yield f"name of {kind}", update.said(values, side=side), NAMES


MAY_LACK_THE_LAST = {"AWS::AutoScaling::ScheduledAction", "AWS::Lambda::EventInvokeConfig"}


def ranges(update: Update, *, side: str, of: set[str]) -> dict[str, tuple[str, IPv4Network]]:
    """VPC and range of each subnet."""
    resources = update.after if side == "after" else update.before
    return {
        name: (
            update.said(resources[name]["Properties"]["VpcId"], side=side),
            IPv4Network(resources[name]["Properties"]["CidrBlock"]),
        )
        for name in of
        if resources[name]["Type"] == "AWS::EC2::Subnet"
        and isinstance(resources[name]["Properties"].get("CidrBlock"), str)
    }


__all__ = ["NAMES", "SUBNETS", "Json", "claims", "ranges"]
