"""AWS::EC2::InstanceConnectEndpoint, and the AWS::EC2 types of single instances."""

from typing import Any

from emulator.calls import call
from emulator.types.resource import Properties, ResourceType, described, without_tags


class CreatedFirst(ResourceType):
    """A type that is replaced as CloudFormation replaces: the new one is made before the old one is deleted.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-updating-stacks-update-behaviors.html
    """

    def _update(
        self, physical_id: str, old: Properties, new: Properties, stack: str, logical_id: str
    ) -> tuple[str, dict[str, Any]]:
        changed = {name for name in old.keys() | new.keys() if old.get(name) != new.get(name)}
        if changed <= {"Tags"}:
            return super()._update(physical_id, old, new, stack, logical_id)
        made = self._create(logical_id, new, stack)
        self._delete(physical_id, old)
        return made


def _create_endpoint(properties: Properties) -> str:
    made = call("ec2", "CreateInstanceConnectEndpoint", without_tags(properties))
    return str(made["InstanceConnectEndpoint"]["InstanceConnectEndpointId"])


def _create_instance(properties: Properties) -> str:
    """An instance of its own, or of a launch template.

    Of a template moto ignores the volumes (the instance gets a root volume besides, which stays when it ends), the
    profile and the security groups, unless it is told of them.
    """
    wanted = without_tags(properties)
    if "LaunchTemplate" in wanted:
        version = {"LaunchTemplateId": wanted["LaunchTemplate"]["LaunchTemplateId"]}
        versions = [str(wanted["LaunchTemplate"]["Version"])]
        found = call("ec2", "DescribeLaunchTemplateVersions", version, Versions=versions)["LaunchTemplateVersions"]
        names = ["BlockDeviceMappings", "IamInstanceProfile"]
        names += [] if wanted.get("NetworkInterfaces") else ["SecurityGroupIds"]
        given = found[0]["LaunchTemplateData"]
        wanted = {name: given[name] for name in names if given.get(name)} | wanted
    if interfaces := wanted.get("NetworkInterfaces"):  # CloudFormation says GroupSet where the API says Groups
        wanted["NetworkInterfaces"] = [{**item, "Groups": item.get("GroupSet", [])} for item in interfaces]
    made = str(call("ec2", "RunInstances", wanted, MinCount=1, MaxCount=1)["Instances"][0]["InstanceId"])
    if "SourceDestCheck" in wanted:  # which RunInstances does not take
        checked = {"Value": wanted["SourceDestCheck"]}
        call("ec2", "ModifyInstanceAttribute", InstanceId=made, SourceDestCheck=checked)
    return made


_ENDPOINT = "InstanceConnectEndpoints[0]."

TYPES = {
    "AWS::EC2::InstanceConnectEndpoint": CreatedFirst(
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
}
