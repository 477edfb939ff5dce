"""AWS::EC2 types that an instance takes to itself: volumes, network interfaces and elastic addresses."""

from emulator.calls import call
from emulator.types.resource import Properties, ResourceType, described, without_tags


def _create_volume(properties: Properties) -> str:
    return str(call("ec2", "CreateVolume", without_tags(properties))["VolumeId"])


def _modify_volume(volume_id: str, old: Properties, new: Properties) -> None:
    """A volume never shrinks: https://docs.aws.amazon.com/ebs/latest/userguide/modify-volume-requirements.html."""
    if int(new.get("Size") or 0) < int(old.get("Size") or 0):
        raise ValueError(f"InvalidParameterValue: new size cannot be smaller than existing size {old['Size']}")
    call("ec2", "ModifyVolume", new, VolumeId=volume_id)


def _create_interface(properties: Properties) -> str:
    """CloudFormation says GroupSet where the API says Groups."""
    groups = properties.get("GroupSet") or []
    made = call("ec2", "CreateNetworkInterface", without_tags(properties), Groups=groups)
    return str(made["NetworkInterface"]["NetworkInterfaceId"])


def _associate(properties: Properties) -> str:
    made = call("ec2", "AssociateAddress", properties, AllowReassociation=True)
    return str(made["AssociationId"])


TYPES = {
    "AWS::EC2::Volume": ResourceType(
        create=_create_volume,
        update=_modify_volume,
        # "Updates are not supported", neither in place nor by replacement:
        # https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-ec2-volume.html
        fixed=frozenset(
            {"AvailabilityZone", "AvailabilityZoneId", "Encrypted", "KmsKeyId", "OutpostArn", "SnapshotId"}
            | {"SourceVolumeId", "VolumeInitializationRate"}
        ),
        snapshot=lambda volume_id, _: call("ec2", "CreateSnapshot", VolumeId=volume_id),
        delete=lambda volume_id, _: call("ec2", "DeleteVolume", VolumeId=volume_id),
        attributes=lambda volume_id, _: {"VolumeId": volume_id},
        ec2_tags=True,
    ),
    "AWS::EC2::NetworkInterface": ResourceType(
        create=_create_interface,
        delete=lambda interface_id, _: call("ec2", "DeleteNetworkInterface", NetworkInterfaceId=interface_id),
        attributes=described(
            "DescribeNetworkInterfaces",
            "NetworkInterfaceIds",
            {
                "Id": "NetworkInterfaces[0].NetworkInterfaceId",
                "PrimaryPrivateIpAddress": "NetworkInterfaces[0].PrivateIpAddress",
                "VpcId": "NetworkInterfaces[0].VpcId",
            },
        ),
        ec2_tags=True,
    ),
    "AWS::EC2::EIPAssociation": ResourceType(
        create=_associate,
        delete=lambda association_id, _: call("ec2", "DisassociateAddress", AssociationId=association_id),
        attributes=lambda association_id, _: {"Id": association_id},
    ),
}
