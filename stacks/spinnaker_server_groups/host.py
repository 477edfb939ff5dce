"""By setting, a Spinnaker of your own: one instance in a private subnet, without an open port.

The project's recommended installation, its kustomization, on k3s (https://spinnaker.io/docs/setup/install/environment/).
"""

from pathlib import Path

from aws_cdk import Acknowledgment, CfnCreationPolicy, CfnResourceSignal, CfnTag, Validations
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3_assets as assets
from constructs import Construct

from stacks.shared.filled import filled, shared_part
from stacks.shared.grants import allow_reading_asset
from stacks.shared.launch_template import HardenedLaunchTemplate
from stacks.shared.solution import SolutionStack
from stacks.spinnaker_server_groups.network import SpinnakerNetwork
from stacks.spinnaker_server_groups.roles import SpinnakerRoles
from stacks.spinnaker_server_groups.settings import UBUNTU, SpinnakerServerGroupsSettings
from stacks.spinnaker_server_groups.settings.host import HostSettings

USER_DATA = Path(__file__).parent / "user_data"
DECK_PORT, GATE_PORT = 9000, 8084
INSTALL_MINUTES = 60


class SpinnakerHost(Construct):
    """The roles, the key pair of the instances that Spinnaker launches, and the host instance.

    The instance keeps the first version of its launch template, so that neither a newer image nor a changed script
    replaces it and Spinnaker's database with it: only a new ``generation`` or another VPC does.

    Attributes:
        instance: the instance.
        roles: the roles of the host and of Spinnaker.
        key_pair_name: key pair of the instances that Spinnaker launches; clouddriver needs one.
    """

    def __init__(
        self,
        scope: SolutionStack,
        construct_id: str,
        settings: SpinnakerServerGroupsSettings,
        host: HostSettings,
        network: SpinnakerNetwork,
        *,
        base_role: iam.Role,
        base_profile: iam.InstanceProfile,
    ) -> None:
        super().__init__(scope, construct_id)
        self.roles = SpinnakerRoles(self, "Roles", scope, settings, network, base_role=base_role)
        files = assets.Asset(self, "Files", path=str(USER_DATA / "host"))
        role = self.roles.host
        allow_reading_asset(role, files)
        role.add_to_policy(iam.PolicyStatement(actions=["cloudformation:SignalResource"], resources=[scope.stack_id]))
        self.key_pair_name = settings.key_pair or self._key_pair()
        logical_id = f"SpinnakerHost{host.generation}"
        template = self._template(
            scope,
            host,
            network,
            filled(
                USER_DATA / "host.sh",
                FILES_URI=files.s3_object_url,
                SPINNAKER_VERSION=host.spinnaker_version,
                KUSTOMIZE_COMMIT=host.kustomize_commit,
                K3S_VERSION=host.k3s_version,
                ACCOUNT_NAME=settings.account_name,
                ACCOUNT_ID=scope.account,
                MANAGED_ROLE=self.roles.managed.role_arn,
                BASE_PROFILE=base_profile.instance_profile_name,
                KEY_PAIR=self.key_pair_name,
                REGION=scope.region,
                STACK=scope.stack_id,
                LOGICAL_ID=logical_id,
                RETRY=shared_part("retry.sh"),
                METADATA=shared_part("metadata.sh"),
            ),
        )
        properties = ec2.CfnInstance
        self.instance = properties(
            self,
            logical_id,
            launch_template=properties.LaunchTemplateSpecificationProperty(
                launch_template_id=template.launch_template_id, version="1"
            ),
            subnet_id=network.private.ids[0],
            tags=[CfnTag(key="Name", value=f"{scope.stack_name}-host")],
        )
        self.instance.override_logical_id(logical_id)
        self.instance.cfn_options.creation_policy = CfnCreationPolicy(
            resource_signal=CfnResourceSignal(count=1, timeout=f"PT{INSTALL_MINUTES}M")
        )
        # The installation needs routes and permissions.
        self.instance.node.add_dependency(network, self.roles)
        Validations.of(self.instance).acknowledge(
            Acknowledgment(id="AwsSolutions-EC28", reason="Its alarm uses status checks, which come every minute."),
            Acknowledgment(
                id="AwsSolutions-EC29", reason="It holds only Spinnaker's own data and is deleted with its stack."
            ),
        )

    def _key_pair(self) -> str:
        """Only Systems Manager has the private key, and the security group of the instances admits no SSH."""
        return ec2.KeyPair(self, "KeyPair", type=ec2.KeyPairType.ED25519).key_pair_name

    def _template(
        self, stack: SolutionStack, host: HostSettings, network: SpinnakerNetwork, user_data: str
    ) -> ec2.LaunchTemplate:
        group = ec2.SecurityGroup(
            self,
            "SecurityGroup",
            vpc=network.vpc,
            description="Spinnaker host, no inbound traffic",
            allow_all_outbound=False,
        )
        group.add_egress_rule(ec2.Peer.any_ipv4(), ec2.Port.tcp(443), "AWS APIs, images, Kubernetes and snaps")
        group.add_egress_rule(ec2.Peer.any_ipv4(), ec2.Port.tcp(80), "Ubuntu's repositories, which are signed")
        # Version 1 names the security group, which differs in another VPC, and the files of its time: where another VPC
        # or subnet replaces the host, it gets another template.
        existing = stack.common.vpc
        place = f"{existing.id}-{network.private.ids[0]}".title().replace("-", "") if existing else ""
        return HardenedLaunchTemplate(
            self,
            f"Template{host.generation}{place}",
            image=ec2.MachineImage.from_ssm_parameter(UBUNTU, os=ec2.OperatingSystemType.LINUX),
            root_device="/dev/sda1",
            volume_gib=host.volume_gib,
            key=stack.encryption_key,
            instance_type=host.instance_type,
            hops=2,  # Clouddriver is a pod
            role=self.roles.host,
            security_group=group,
            user_data=ec2.UserData.custom(user_data),
        )

    def write_outputs(self, stack: SolutionStack) -> None:
        """The commands that forward Deck and Gate to the user's machine; the browser needs both."""
        for name, port in (("ForwardDeck", DECK_PORT), ("ForwardGate", GATE_PORT)):
            stack.output(
                name,
                f"aws ssm start-session --region {stack.region} --target {self.instance.ref} "
                f"--document-name AWS-StartPortForwardingSession "
                f"--parameters portNumber={port},localPortNumber={port}",
                f"Forwards {name.removeprefix('Forward')} to localhost:{port}; keep both forwards running",
            )
        stack.output("HostInstanceId", self.instance.ref, "Instance of the Spinnaker host")
        stack.output("ManagedRole", self.roles.managed.role_name, "Role that Spinnaker assumes")
        stack.output("KeyPair", self.key_pair_name, "Key pair of the instances that Spinnaker launches")
