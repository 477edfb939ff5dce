"""The launch template of every instance here: IMDSv2 only, encrypted gp3, Amazon Linux 2023 unless another is named."""

from typing import Any, Literal

from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

from stacks.shared.solution import SolutionStack


class HardenedLaunchTemplate(ec2.LaunchTemplate):
    """A launch template with IMDSv2, and an encrypted root volume that goes with its instance.

    Args:
        image: what it boots.
        root_device: name of the image's root device.
        volume_gib: size of the root volume; the image has a least one.
        key: encrypts the volume; None: EBS's own.
        instance_type: None: whoever launches names it.
        volume_type: of the root volume; some places have no gp3.
        hops: how far an answer of the metadata service gets; a container's network is one further away.
        more: what else ``ec2.LaunchTemplate`` takes.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        image: ec2.IMachineImage,
        root_device: str,
        volume_gib: int,
        key: kms.IKey | None,
        instance_type: str | None = None,
        volume_type: ec2.EbsDeviceVolumeType = ec2.EbsDeviceVolumeType.GP3,
        hops: int = 1,
        **more: Any,
    ) -> None:
        volume = ec2.BlockDeviceVolume.ebs(
            volume_gib, volume_type=volume_type, encrypted=True, delete_on_termination=True, kms_key=key
        )
        super().__init__(
            scope,
            construct_id,
            machine_image=image,
            instance_type=ec2.InstanceType(instance_type) if instance_type else None,
            require_imdsv2=True,
            http_endpoint=True,
            http_put_response_hop_limit=hops,
            block_devices=[ec2.BlockDevice(device_name=root_device, volume=volume)],
            **more,
        )


class Al2023LaunchTemplate(HardenedLaunchTemplate):
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
            image=amazon_linux(scope, architecture),
            root_device="/dev/xvda",
            volume_gib=volume_gib,
            key=scope.encryption_key,
            instance_type=instance_type,
            volume_type=volume_type,
            role=role,
            security_group=security_group,
            user_data=user_data,
        )


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
