"""A private instance to connect to: no public address, no permissions, no egress."""

from aws_cdk import Acknowledgment, CfnTag, Validations
from aws_cdk import aws_ec2 as ec2
from constructs import Construct

from config.models import Tag
from stacks.instance_connect_endpoint.network import PrivateNetwork
from stacks.shared.launch_template import HardenedLaunchTemplate
from stacks.shared.solution import SolutionStack

LINUX_GIB = 8  # the image needs it
WINDOWS_GIB = 30


class DemoInstance(Construct):
    """One instance in the endpoint's subnet.

    Args:
        image: what it boots, the newest at deployment time.
        device: name of the image's root device.
        volume_gib: size of the root volume.
        tag: lets the data-plane policy push SSH keys to it.
        key_pair: for what decrypts the password of Windows.

    Attributes:
        instance_id: the instance's id.
    """

    def __init__(
        self,
        scope: SolutionStack,
        construct_id: str,
        *,
        network: PrivateNetwork,
        instance_type: str,
        image: ec2.IMachineImage,
        device: str,
        volume_gib: int,
        tag: Tag,
        key_pair: ec2.IKeyPair | None = None,
    ) -> None:
        super().__init__(scope, construct_id)
        template = HardenedLaunchTemplate(
            self,
            "Template",
            image=image,
            root_device=device,
            volume_gib=volume_gib,
            key=scope.encryption_key,
            instance_type=instance_type,
            key_pair=key_pair,
        )
        properties = ec2.CfnInstance
        instance = properties(
            self,
            "Instance",
            launch_template=properties.LaunchTemplateSpecificationProperty(
                launch_template_id=template.launch_template_id, version=template.latest_version_number
            ),
            network_interfaces=[
                properties.NetworkInterfaceProperty(
                    device_index="0",
                    subnet_id=network.subnet_id,
                    group_set=[network.instance_group.security_group_id],
                    # An existing subnet may give every instance one. Without any way out pushed keys work, and only
                    # host keys are not harvested: https://github.com/aws/aws-ec2-instance-connect-config/issues/18.
                    associate_public_ip_address=False,
                    delete_on_termination=True,
                )
            ],
            tags=[CfnTag(key="Name", value=instance_name(scope, construct_id)), CfnTag(key=tag.key, value=tag.value)],
        )
        self.instance_id = instance.ref
        Validations.of(instance).acknowledge(
            Acknowledgment(id="AwsSolutions-EC28", reason="Nobody looks at the metrics of a demo instance."),
            Acknowledgment(id="AwsSolutions-EC29", reason="It holds nothing, and is to go with its stack."),
        )


def instance_name(stack: SolutionStack, kind: str) -> str:
    """What the console shows."""
    return f"{stack.stack_name}-{kind.lower()}"
