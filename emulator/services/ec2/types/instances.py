"""AWS::EC2 types of single instances, and of what an instance takes to itself; AWS::EC2::LaunchTemplate.

Instances that run keep the version of the template that they were launched with.
"""

from typing import Any

from emulator.core.api import call
from emulator.core.resource import Properties, ResourceType, described, without_tags


def _create_endpoint(properties: Properties) -> str:
    made = call("ec2", "CreateInstanceConnectEndpoint", without_tags(properties))
    return str(made["InstanceConnectEndpoint"]["InstanceConnectEndpointId"])


def _create_instance(properties: Properties) -> str:
    """An instance of its own, or of a launch template.

    Of a template moto ignores the volumes (the instance gets a root volume besides, which stays when it ends), the
    profile, the security groups and the metadata options, unless it is told of them.
    """
    wanted = without_tags(properties)
    if "LaunchTemplate" in wanted:
        version = {"LaunchTemplateId": wanted["LaunchTemplate"]["LaunchTemplateId"]}
        versions = [str(wanted["LaunchTemplate"]["Version"])]
        found = call("ec2", "DescribeLaunchTemplateVersions", version, Versions=versions)["LaunchTemplateVersions"]
        names = ["BlockDeviceMappings", "IamInstanceProfile", "MetadataOptions"]
        names += [] if wanted.get("NetworkInterfaces") else ["SecurityGroupIds"]
        given = found[0]["LaunchTemplateData"]
        wanted = {name: given[name] for name in names if given.get(name)} | wanted
    if isinstance(wanted.get("IamInstanceProfile"), str):  # CloudFormation takes the name where the API says Name
        wanted["IamInstanceProfile"] = {"Name": wanted["IamInstanceProfile"]}
    if interfaces := wanted.get("NetworkInterfaces"):  # CloudFormation says GroupSet where the API says Groups
        wanted["NetworkInterfaces"] = [{**item, "Groups": item.get("GroupSet", [])} for item in interfaces]
    made = str(call("ec2", "RunInstances", wanted, MinCount=1, MaxCount=1)["Instances"][0]["InstanceId"])
    if "SourceDestCheck" in wanted:  # which RunInstances does not take
        checked = {"Value": wanted["SourceDestCheck"]}
        call("ec2", "ModifyInstanceAttribute", InstanceId=made, SourceDestCheck=checked)
    return made


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


def _template_call(operation: str, properties: Properties, **more: Any) -> dict[str, Any]:
    known: Properties = {
        name: properties[name] for name in ("LaunchTemplateData", "VersionDescription") if name in properties
    }
    return call("ec2", operation, known, **more)


def _create_template(properties: Properties) -> str:
    specifications = properties.get("TagSpecifications") or []
    tags = [item for item in specifications if item.get("ResourceType") == "launch-template"]
    made = _template_call(
        "CreateLaunchTemplate",
        properties,
        LaunchTemplateName=properties["LaunchTemplateName"],
        TagSpecifications=tags,
    )
    return str(made["LaunchTemplate"]["LaunchTemplateId"])


def _update_template(template_id: str, _old: Properties, new: Properties) -> None:
    """CloudFormation makes a new version of a changed template and leaves the default version alone."""
    _template_call("CreateLaunchTemplateVersion", new, LaunchTemplateId=template_id)


def _resize(instance_id: str, old: Properties, new: Properties) -> None:
    """Another type stops and starts an instance whose root volume is of EBS: "Some interruptions".

    What else is changed replaces it here, on AWS not all of it.
    https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-ec2-instance.html
    """
    if old.get("InstanceType") == new.get("InstanceType"):
        return
    found = call("ec2", "DescribeInstances", InstanceIds=[instance_id])["Reservations"][0]["Instances"][0]
    call("ec2", "StopInstances", InstanceIds=[instance_id])
    call("ec2", "ModifyInstanceAttribute", InstanceId=instance_id, InstanceType={"Value": new["InstanceType"]})
    if found["State"]["Name"] == "running":
        call("ec2", "StartInstances", InstanceIds=[instance_id])


_ENDPOINT = "InstanceConnectEndpoints[0]."

TYPES = {
    "AWS::EC2::InstanceConnectEndpoint": ResourceType(
        create=_create_endpoint,
        delete=lambda endpoint_id, _: call(
            "ec2", "DeleteInstanceConnectEndpoint", InstanceConnectEndpointId=endpoint_id
        ),
        attributes=described(
            "DescribeInstanceConnectEndpoints",
            "InstanceConnectEndpointIds",
            {
                "Id": f"{_ENDPOINT}InstanceConnectEndpointId",
                "InstanceConnectEndpointArn": f"{_ENDPOINT}InstanceConnectEndpointArn",
                "State": f"{_ENDPOINT}State",
                "VpcId": f"{_ENDPOINT}VpcId",
                "NetworkInterfaceIds": f"{_ENDPOINT}NetworkInterfaceIds",
            },
        ),
        ec2_tags=True,
    ),
    "AWS::EC2::Instance": ResourceType(
        create=_create_instance,
        update=_resize,
        replaced_if=lambda _, old, new: any(
            old.get(name) != new.get(name) for name in (old.keys() | new.keys()) - {"InstanceType", "Tags"}
        ),
        delete=lambda instance_id, _: call("ec2", "TerminateInstances", InstanceIds=[instance_id]),
        attributes=described(
            "DescribeInstances",
            "InstanceIds",
            {
                "InstanceId": "Reservations[0].Instances[0].InstanceId",
                "PrivateIp": "Reservations[0].Instances[0].PrivateIpAddress",
                "VpcId": "Reservations[0].Instances[0].VpcId",
            },
        ),
        ec2_tags=True,
    ),
    "AWS::EC2::KeyPair": ResourceType(
        create=lambda properties: str(call("ec2", "CreateKeyPair", without_tags(properties))["KeyName"]),
        delete=lambda name, _: call("ec2", "DeleteKeyPair", KeyName=name),
        attributes=lambda name, _: {
            "KeyPairId": call("ec2", "DescribeKeyPairs", KeyNames=[name])["KeyPairs"][0]["KeyPairId"]
        },
    ),
    "AWS::EC2::LaunchTemplate": ResourceType(
        create=_create_template,
        update=_update_template,
        replaced_by=frozenset({"LaunchTemplateName"}),
        delete=lambda template_id, _: call("ec2", "DeleteLaunchTemplate", LaunchTemplateId=template_id),
        attributes=described(
            "DescribeLaunchTemplates",
            "LaunchTemplateIds",
            {
                "LaunchTemplateId": "LaunchTemplates[0].LaunchTemplateId",
                "LatestVersionNumber": "to_string(LaunchTemplates[0].LatestVersionNumber)",
                "DefaultVersionNumber": "to_string(LaunchTemplates[0].DefaultVersionNumber)",
            },
        ),
        name="LaunchTemplateName",
    ),
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
