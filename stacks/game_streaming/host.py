"""The instance: Ubuntu on G5g, its volumes, and what CloudFormation waits for."""

from aws_cdk import (
    Acknowledgment,
    CfnCreationPolicy,
    CfnResourceSignal,
    CfnTag,
    CfnWaitCondition,
    Duration,
    Validations,
)
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3_assets as assets
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from stacks.game_streaming.contract import DATA_DEVICE, INSTALL_MINUTES, READY, ROOT_DEVICE, USER_DATA
from stacks.game_streaming.network import GameNetwork
from stacks.game_streaming.settings import GameStreamingSettings
from stacks.shared.filled import filled
from stacks.shared.grants import allow_agent, allow_describing, allow_metrics, allow_reading_asset
from stacks.shared.guard import Guard
from stacks.shared.solution import SolutionStack

NEW_INSTANCE = (
    "The appliance reads these only at its initialization, so a new instance is needed: deploy with instance: "
    "false, then with instance: true and your change. Games, users and tokens are lost; the address stays."
)


class GameHost(Construct):
    """Role, launch template, instance with two volumes, and the wait condition for its installation.

    The stack waits for a wait condition, not for the instance; both accept signals through the same API
    (https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-attribute-creationpolicy.html): alarms,
    documents and Session Manager are available during the installation.

    Both volumes are deleted with the instance: without the appliance's database on the root volume, nothing can read
    the pool. A volume with a separate attachment in CloudFormation could not be detached while it is in use.

    Attributes:
        instance: the instance.
        role: the instance's role.
        ready: the wait condition.
    """

    def __init__(
        self, scope: SolutionStack, construct_id: str, settings: GameStreamingSettings, network: GameNetwork
    ) -> None:
        super().__init__(scope, construct_id)
        files = assets.Asset(self, "Files", path=str(USER_DATA / "host"))
        self.role = self._role(scope, settings, files)
        oidc = settings.oidc
        user_data = filled(
            USER_DATA / "bootstrap.sh",
            FILES_URI=files.s3_object_url,
            REGION=scope.region,
            STACK=scope.stack_id,
            LOGICAL_ID=READY,
            PUBLIC_ADDRESS=network.address,
            DOMAIN=settings.domain or "",
            DATA_DEVICE=DATA_DEVICE,
            PRO_SECRET=settings.pro_token_secret,
            CHANNEL=settings.channel,
            DRIVER_SERIES=settings.driver_series,
            OIDC_ISSUER=oidc.issuer if oidc else "",
            OIDC_CLIENT_ID=oidc.client_id if oidc else "",
            OIDC_AUDIENCE=(oidc.audience or "") if oidc else "",
            NAMESPACE=scope.stack_name,
        )
        self.instance = self._instance(scope, settings, network, user_data)
        self.ready = CfnWaitCondition(scope, READY)
        self.ready.override_logical_id(READY)
        self.ready.cfn_options.creation_policy = CfnCreationPolicy(
            resource_signal=CfnResourceSignal(count=1, timeout=f"PT{INSTALL_MINUTES}M")
        )
        self.ready.node.add_dependency(self.instance)
        Guard(
            scope,
            "InstanceGuard",
            of=self.instance,
            subject="the appliance",
            guarded={"Subnet": network.subnet_id, **settings.installed},
            way=NEW_INSTANCE,
            accepted=False,
        )

    def _role(self, stack: SolutionStack, settings: GameStreamingSettings, files: assets.Asset) -> iam.Role:
        role = iam.Role(
            self,
            "Role",
            assumed_by=iam.ServicePrincipal("ec2.amazonaws.com"),
            description="Anbox Cloud Appliance: its installation, Session Manager, its metrics",
        )
        allow_agent(role)
        allow_describing(role, "ec2:DescribeVolumes")
        allow_metrics(role, stack.stack_name)
        allow_reading_asset(role, files)
        role.add_to_policy(iam.PolicyStatement(actions=["cloudformation:SignalResource"], resources=[stack.stack_id]))
        named = settings.pro_token_secret
        whole = named.startswith("arn:")
        secret = (
            secretsmanager.Secret.from_secret_complete_arn(self, "ProToken", named)
            if whole
            else secretsmanager.Secret.from_secret_name_v2(self, "ProToken", named)
        )
        role.add_to_policy(
            iam.PolicyStatement(
                actions=["secretsmanager:GetSecretValue"],
                # Six characters follow a name: https://docs.aws.amazon.com/secretsmanager/latest/userguide/auth-and-access_examples.html
                resources=[secret.secret_arn if whole else f"{secret.secret_arn}-??????"],
            )
        )
        if stack.encryption_key:
            stack.encryption_key.grant_decrypt(role)
        return role

    def _instance(
        self, stack: SolutionStack, settings: GameStreamingSettings, network: GameNetwork, user_data: str
    ) -> ec2.CfnInstance:
        """An instance from version 1 of the template: a newer image or script does not replace or restart it."""
        template = ec2.LaunchTemplate(
            self,
            "Template",
            machine_image=self._image(stack, settings),
            role=self.role,
            user_data=ec2.UserData.custom(user_data),
            require_imdsv2=True,
            http_endpoint=True,
            # A game's container is one hop further away and must not reach the role.
            http_put_response_hop_limit=1,
            # It shuts itself down when nobody plays, which must not terminate it and lose its games.
            instance_initiated_shutdown_behavior=ec2.InstanceInitiatedShutdownBehavior.STOP,
            block_devices=[
                ec2.BlockDevice(
                    device_name=device,
                    volume=ec2.BlockDeviceVolume.ebs(
                        size,
                        volume_type=ec2.EbsDeviceVolumeType.GP3,
                        encrypted=True,
                        delete_on_termination=True,
                        kms_key=stack.encryption_key,
                    ),
                )
                for device, size in ((ROOT_DEVICE, settings.root_gib), (DATA_DEVICE, settings.data_gib))
            ],
        )
        properties = ec2.CfnInstance
        instance = properties(
            self,
            "Instance",
            launch_template=properties.LaunchTemplateSpecificationProperty(
                launch_template_id=template.launch_template_id, version="1"
            ),
            # Not in the template: another size only stops and starts the instance, without a new installation.
            instance_type=settings.instance_type,
            network_interfaces=[
                properties.NetworkInterfaceProperty(device_index="0", network_interface_id=network.interface.ref)
            ],
            tags=[CfnTag(key="Name", value=f"{stack.stack_name}-appliance")],
        )
        # The installation needs the address, the route and the permissions.
        instance.node.add_dependency(network, self.role)
        Validations.of(instance).acknowledge(
            Acknowledgment(id="AwsSolutions-EC28", reason="Its alarm uses status checks, which come every minute."),
            Acknowledgment(
                id="AwsSolutions-EC29", reason="Its games do not survive a stop; it is deleted with its stack."
            ),
        )
        return instance

    def _image(self, stack: SolutionStack, settings: GameStreamingSettings) -> ec2.IMachineImage:
        if settings.image_parameter:
            return ec2.MachineImage.from_ssm_parameter(settings.image_parameter, os=ec2.OperatingSystemType.LINUX)
        assert stack.common.region  # the settings require it
        return ec2.MachineImage.generic_linux({stack.common.region: settings.image})

    def failed_checks(self) -> cloudwatch.Metric:
        """Status checks of the instance that fail."""
        return cloudwatch.Metric(
            namespace="AWS/EC2",
            metric_name="StatusCheckFailed",
            dimensions_map={"InstanceId": self.instance.ref},
            statistic=cloudwatch.Stats.MAXIMUM,
            period=Duration.minutes(1),
        )
