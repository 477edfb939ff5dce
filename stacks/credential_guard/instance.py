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
# Without ec2messages, which Regions since 2024 lack and the agent no longer needs since 3.3.40.0:
# https://docs.aws.amazon.com/systems-manager/latest/userguide/systems-manager-setting-up-messageAPIs.html
ENDPOINTS = ("ssm", "ssmmessages")
ROOT_GIB = 30  # the image's minimum
ROOT_DEVICE = "/dev/sda1"
RDP = 3389
NEW_INSTANCE = (
    "CloudFormation would create a new instance and terminate this one with its volume. Save what is on it, then "
    "deploy with accept_instance_replacement: true."
)
TWO_STEPS = (
    "A VPC has at most one endpoint, so CloudFormation cannot create the new one before it deletes the old one. "
    "Deploy first with rdp: session-manager and nothing else changed, then with the endpoint and your change."
)


class WindowsInstance(Construct):
    """Launch template, instance and role; also the endpoint if it is the tunnel.

    The image is looked up only when the instance is launched: a newer image does not replace it.

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
        # Systems Manager needs the subnet's routes and endpoints before the instance starts and until it is gone.
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
        said = "Windows instance: Systems Manager, including reports to Compliance"
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
            # Not in the template, whose new version would replace the instance; a new type only stops and starts it.
            instance_type=settings.instance_type,
            iam_instance_profile=profile.instance_profile_name,
            subnet_id=subnet,
            security_group_ids=[group.security_group_id],
            tags=[
                CfnTag(key="Name", value=f"{stack.stack_name}-windows"),
                CfnTag(key=settings.tag.key, value=settings.tag.value),
            ],
        )
        # Before the template changes: a rollback creates another version, from which the next deployment would
        # create another instance.
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
            Acknowledgment(id="AwsSolutions-EC28", reason="Its alarms watch whether Credential Guard runs."),
            Acknowledgment(
                id="AwsSolutions-EC29", reason="It must be deleted with its stack; a guard stops its replacement."
            ),
        )
        return instance

    def _endpoint(
        self, stack: SolutionStack, settings: CredentialGuardSettings, network: Network, subnet: str
    ) -> ec2.CfnInstanceConnectEndpoint:
        """An endpoint whose group allows Remote Desktop only to the instance, which admits it only from there."""
        group = ec2.SecurityGroup(
            self,
            "EndpointGroup",
            vpc=network.vpc,
            description="Remote Desktop to the instance",
            allow_all_outbound=False,
        )
        # A rule that leads nowhere removes the default rule for all outbound traffic; the other is a separate resource.
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
