"""The Windows instance, with NitroTPM and Secure Boot from its image, and the tunnel for Remote Desktop."""

from typing import cast

from aws_cdk import Acknowledgment, CfnTag, Validations
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from constructs import Construct

from stacks.credential_guard.settings import CredentialGuardSettings
from stacks.shared.grants import agents_role
from stacks.shared.guard import Guard
from stacks.shared.launch_template import HardenedLaunchTemplate
from stacks.shared.network import Network, Reach
from stacks.shared.solution import SolutionStack

POLICY = "AmazonSSMManagedInstanceCore"
# Not ec2messages, which Regions since 2024 do not have, and the agent needs no more since 3.3.40.0:
# https://docs.aws.amazon.com/systems-manager/latest/userguide/systems-manager-setting-up-messageAPIs.html
ENDPOINTS = ("ssm", "ssmmessages")
ROOT_GIB = 30  # the image needs it
ROOT_DEVICE = "/dev/sda1"
RDP = 3389
NEW_INSTANCE = (
    "CloudFormation would make a new instance and terminate this one, with its volume. Save what is on it, then deploy "
    "with accept_instance_replacement: true."
)
TWO_STEPS = (
    "A VPC has one endpoint at most, so that CloudFormation cannot make the new one before it deletes the old one. "
    "Deploy first with rdp: session-manager and nothing else changed, then with the endpoint and your change."
)


class WindowsInstance(Construct):
    """Launch template, instance, role; with the endpoint if that is the tunnel.

    The image is looked up when the instance is launched and never again: a newer one of AWS replaces nothing.

    Attributes:
        instance_id: the instance's id.
        endpoint: the Instance Connect Endpoint, if any.
    """

    def __init__(self, scope: SolutionStack, construct_id: str, settings: CredentialGuardSettings) -> None:
        super().__init__(scope, construct_id)
        network = Network(
            scope,
            "Network",
            reach=Reach(settings.network),
            zones=[settings.zone] if settings.zone else 1,
            endpoints=ENDPOINTS,
        )
        subnet, group = network.subnet_ids[0], network.security_group
        instance = self._instance(scope, settings, subnet, group)
        # It is managed by what the subnet leads to, which must be there before it and after.
        instance.node.add_dependency(network)
        self.instance_id = instance.ref
        self.endpoint = (
            self._endpoint(scope, settings, network, subnet) if settings.rdp == "instance-connect-endpoint" else None
        )

    def _instance(
        self, stack: SolutionStack, settings: CredentialGuardSettings, subnet: str, group: ec2.ISecurityGroup
    ) -> ec2.CfnInstance:
        assert settings.instance_type
        template = HardenedLaunchTemplate(
            self,
            "Template",
            image=ec2.MachineImage.resolve_ssm_parameter_at_launch(
                settings.image_parameter, os=ec2.OperatingSystemType.WINDOWS
            ),
            root_device=ROOT_DEVICE,
            volume_gib=ROOT_GIB,
            key=stack.encryption_key,
        )
        said = "Windows instance: Systems Manager, reports to Compliance among its permissions"
        role = agents_role(self, "Role", POLICY, description=said)
        profile = iam.InstanceProfile(self, "Profile", role=role)
        version = template.latest_version_number
        properties = ec2.CfnInstance
        instance = properties(
            self,
            "Instance",
            launch_template=properties.LaunchTemplateSpecificationProperty(
                launch_template_id=template.launch_template_id, version=version
            ),
            # Not in the template, a new version of which makes a new instance; another type stops and starts this one.
            instance_type=settings.instance_type,
            iam_instance_profile=profile.instance_profile_name,
            subnet_id=subnet,
            security_group_ids=[group.security_group_id],
            tags=[
                CfnTag(key="Name", value=f"{stack.stack_name}-windows"),
                CfnTag(key=settings.tag.key, value=settings.tag.value),
            ],
        )
        # Before the template is touched: what is rolled back gets another version, and the next deployment would
        # make another instance of it.
        Guard(
            stack,
            "TemplateGuard",
            of=template,
            subject="the Windows instance",
            guarded={"Image": settings.image_parameter, "Key": stack.common.kms_key_arn or "of AWS"},
            way=NEW_INSTANCE,
            accepted=settings.accept_instance_replacement,
        )
        Guard(
            stack,
            "InstanceGuard",
            of=instance,
            subject="the Windows instance",
            guarded={"LaunchTemplateVersion": version, "SubnetId": subnet},
            way=NEW_INSTANCE,
            accepted=settings.accept_instance_replacement,
        )
        Validations.of(instance).acknowledge(
            Acknowledgment(id="AwsSolutions-EC28", reason="Whether Credential Guard runs is what is watched here."),
            Acknowledgment(id="AwsSolutions-EC29", reason="It is to go with its stack; a guard stops its replacement."),
        )
        return instance

    def _endpoint(
        self, stack: SolutionStack, settings: CredentialGuardSettings, network: Network, subnet: str
    ) -> ec2.CfnInstanceConnectEndpoint:
        """An endpoint whose group lets Remote Desktop out to the instance, and from nobody else in to it."""
        group = ec2.SecurityGroup(
            self,
            "EndpointGroup",
            vpc=network.vpc,
            description="Remote Desktop to the instance",
            allow_all_outbound=False,
        )
        # A rule that leads nowhere takes away the one that lets everything out; the other is a resource of its own.
        cast(ec2.CfnSecurityGroup, group.node.default_child).security_group_egress = [
            ec2.CfnSecurityGroup.EgressProperty(
                ip_protocol="icmp", from_port=252, to_port=86, cidr_ip="255.255.255.255/32", description="Nowhere"
            )
        ]
        group.add_egress_rule(network.security_group, ec2.Port.tcp(RDP), "To the instance")
        network.security_group.add_ingress_rule(group, ec2.Port.tcp(RDP), "Remote Desktop from the endpoint")
        groups = [group.security_group_id]
        endpoint = ec2.CfnInstanceConnectEndpoint(
            self, "Endpoint", subnet_id=subnet, security_group_ids=groups, preserve_client_ip=False
        )
        Guard(
            stack,
            "EndpointGuard",
            of=endpoint,
            subject="the endpoint",
            guarded={"SubnetId": subnet, "SecurityGroupIds": groups},
            way=TWO_STEPS,
            accepted=settings.accept_endpoint_replacement,
        )
        return endpoint
