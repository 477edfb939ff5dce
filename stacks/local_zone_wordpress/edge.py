"""Single instances at the edge of the zone: the NAT instance and the self-managed load balancer."""

from aws_cdk import Acknowledgment, CfnCreationPolicy, CfnResourceSignal, CfnTag, Duration, Validations
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from constructs import Construct

from stacks.local_zone_wordpress.settings import LocalZoneWordpressSettings
from stacks.local_zone_wordpress.zone_network import Place
from stacks.shared.instance_attributes import is_arm
from stacks.shared.launch_template import Al2023LaunchTemplate
from stacks.shared.solution import SolutionStack

BOOT_MINUTES = 15


class EdgeInstance(Construct):
    """One instance with an elastic address. A new launch template replaces it: the new one first, then the address.

    Args:
        logical_id: under which its user data signals the end of the boot.
        forwards: whether it passes on what is not addressed to it.

    Attributes:
        instance: the instance.
        role: its role, which may signal its own stack.
        address: its elastic address.
    """

    def __init__(
        self,
        place: Place,
        construct_id: str,
        *,
        security_group: ec2.ISecurityGroup,
        user_data: str,
        logical_id: str,
        forwards: bool,
        description: str,
    ) -> None:
        scope, settings, network = place.stack, place.settings, place.network
        super().__init__(place.stack, construct_id)
        self.role = instance_role(scope, self, description)
        template = launch_template(
            scope,
            self,
            settings,
            instance_type=settings.edge_type,
            role=self.role,
            security_group=security_group,
            user_data=user_data,
        )
        properties = ec2.CfnInstance
        self.instance = properties(
            self,
            "Instance",
            launch_template=properties.LaunchTemplateSpecificationProperty(
                launch_template_id=template.launch_template_id, version=template.latest_version_number
            ),
            subnet_id=network.public[0].subnet_id,
            source_dest_check=False if forwards else None,
            tags=[CfnTag(key="Name", value=f"{scope.stack_name}-{construct_id.lower()}")],
        )
        self.instance.override_logical_id(logical_id)
        self.instance.cfn_options.creation_policy = CfnCreationPolicy(
            resource_signal=CfnResourceSignal(count=1, timeout=f"PT{BOOT_MINUTES}M")
        )
        self.instance.node.add_dependency(self.role, network.public[0].internet_connectivity_established)
        self.address = network.elastic_address(self, "Address", settings.border_group)
        ec2.CfnEIPAssociation(
            self,
            "Association",
            allocation_id=self.address.attr_allocation_id,
            instance_id=self.instance.ref,
        )
        Validations.of(self.instance).acknowledge(
            Acknowledgment(id="AwsSolutions-EC28", reason="Its alarm looks at status checks, which come every minute."),
            Acknowledgment(id="AwsSolutions-EC29", reason="It holds nothing, and is to go with its stack."),
        )

    def failed_checks(self) -> cloudwatch.Metric:
        """Status checks of the instance that fail."""
        return cloudwatch.Metric(
            namespace="AWS/EC2",
            metric_name="StatusCheckFailed",
            dimensions_map={"InstanceId": self.instance.ref},
            statistic=cloudwatch.Stats.MAXIMUM,
            period=Duration.minutes(1),
        )


def instance_role(stack: SolutionStack, scope: Construct, description: str) -> iam.Role:
    """A role that may tell CloudFormation how the boot has ended, and nothing else yet."""
    role = iam.Role(scope, "Role", assumed_by=iam.ServicePrincipal("ec2.amazonaws.com"), description=description)
    role.add_to_policy(iam.PolicyStatement(actions=["cloudformation:SignalResource"], resources=[stack.stack_id]))
    return role


def launch_template(
    stack: SolutionStack,
    scope: Construct,
    settings: LocalZoneWordpressSettings,
    *,
    instance_type: str,
    role: iam.IRole,
    security_group: ec2.ISecurityGroup,
    user_data: str,
) -> Al2023LaunchTemplate:
    """The launch template of one kind of instance, with the volumes that the zone has."""
    return Al2023LaunchTemplate(
        stack,
        f"{scope.node.id}Template",
        architecture="arm64" if is_arm(instance_type) else "x86_64",
        instance_type=instance_type,
        role=role,
        security_group=security_group,
        user_data=ec2.UserData.custom(user_data),
        volume_type=VOLUME_TYPES[settings.volume_type],
    )


VOLUME_TYPES = {"gp3": ec2.EbsDeviceVolumeType.GP3, "gp2": ec2.EbsDeviceVolumeType.GP2}
