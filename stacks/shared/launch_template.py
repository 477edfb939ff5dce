"""The launch template of every instance here: Amazon Linux 2023, IMDSv2 only, encrypted gp3."""

from typing import Literal

from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam

from stacks.shared.solution import SolutionStack


class Al2023LaunchTemplate(ec2.LaunchTemplate):
    """A launch template with Amazon Linux 2023: the image that ``common.linux_images`` names, or the newest.

    Args:
        architecture: of the image; with attribute-based selection it decides which instance types fit.
        volume_gib: size of the root volume; the image needs 8.
        instance_type: for a group of one type; None: the group chooses.
        volume_type: of the root volume; some places have no gp3.
    """

    def __init__(
        self,
        scope: SolutionStack,
        construct_id: str,
        *,
        architecture: Literal["arm64", "x86_64"],
        role: iam.IRole,
        security_group: ec2.ISecurityGroup,
        user_data: ec2.UserData,
        volume_gib: int = 8,
        instance_type: str | None = None,
        volume_type: ec2.EbsDeviceVolumeType = ec2.EbsDeviceVolumeType.GP3,
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            machine_image=amazon_linux(scope, architecture),
            instance_type=ec2.InstanceType(instance_type) if instance_type else None,
            role=role,
            security_group=security_group,
            user_data=user_data,
            require_imdsv2=True,
            http_endpoint=True,
            http_put_response_hop_limit=1,
            block_devices=[root_volume(scope, volume_gib, volume_type=volume_type)],
        )


def root_volume(
    stack: SolutionStack,
    gib: int,
    *,
    device_name: str = "/dev/xvda",
    volume_type: ec2.EbsDeviceVolumeType = ec2.EbsDeviceVolumeType.GP3,
) -> ec2.BlockDevice:
    """A root volume: encrypted, by ``common.kms_key_arn`` where that is set, and gone with its instance.

    Args:
        device_name: as the image has it: Amazon Linux /dev/xvda, Ubuntu /dev/sda1.
    """
    volume = ec2.BlockDeviceVolume.ebs(
        gib, volume_type=volume_type, encrypted=True, delete_on_termination=True, kms_key=stack.encryption_key
    )
    return ec2.BlockDevice(device_name=device_name, volume=volume)


def amazon_linux(stack: SolutionStack, architecture: Literal["arm64", "x86_64"]) -> ec2.IMachineImage:
    """The image that ``common.linux_images`` names; without one the newest at deployment time.

    A new one comes about every two weeks
    (https://docs.aws.amazon.com/linux/al2023/release-notes/relnotes-2023.5.html has their dates): with the newest the
    next deployment, whatever it is for, replaces every instance, and ``cdk diff`` does not show it
    (https://github.com/aws/aws-cdk/issues/12484).
    """
    named: str | None = getattr(stack.common.linux_images, architecture)
    if named:
        assert stack.common.region  # the settings insist on it
        return ec2.MachineImage.generic_linux({stack.common.region: named})
    return ec2.MachineImage.latest_amazon_linux2023(cpu_type=_CPU_TYPE[architecture])


_CPU_TYPE = {"arm64": ec2.AmazonLinuxCpuType.ARM_64, "x86_64": ec2.AmazonLinuxCpuType.X86_64}
