"""Managed nodes: instances whose agent may report itself, by their role (our model).

https://docs.aws.amazon.com/systems-manager/latest/userguide/setup-instance-permissions.html: without
``ssm:UpdateInstanceInformation``, which AmazonSSMManagedInstanceCore allows, Systems Manager does not know an instance.
Every image here has the agent, every network leads to Systems Manager, and default host management is off.
"""

from collections.abc import Iterator

from emulator.core.api import Json, Operation, call, client_error
from emulator.core.iam import role_may
from emulator.core.store import arn
from emulator.services.ec2.patches import role_of_profile

AGENT_VERSION = "3.3.1611.0"  # of 2025; it only has to be one that AWS ships
_REPORTS = "ssm:UpdateInstanceInformation"
_PAGE = 50
_PING = {"running": "Online", "stopped": "ConnectionLost"}
_FILTERED = {
    "InstanceIds": "InstanceId",
    "PingStatus": "PingStatus",
    "PlatformTypes": "PlatformType",
    "ResourceType": "ResourceType",
}


def is_managed(instance: Json) -> bool:
    """Whether Systems Manager knows an instance, as DescribeInstances describes it."""
    profile = instance.get("IamInstanceProfile")
    if not profile or instance["State"]["Name"] not in _PING:
        return False
    role = role_of_profile(profile["Arn"])
    return role_may(role, _REPORTS, arn("ec2", f"instance/{instance['InstanceId']}"))


def nodes() -> Iterator[Json]:
    """All managed nodes of the Region, as DescribeInstances describes them."""
    for reservation in call("ec2", "DescribeInstances")["Reservations"]:
        for instance in reservation["Instances"]:
            if is_managed(instance):
                yield instance


def _information(instance: Json) -> Json:
    windows = instance.get("Platform") == "windows"
    return {
        "InstanceId": instance["InstanceId"],
        "PingStatus": _PING[instance["State"]["Name"]],
        "AgentVersion": AGENT_VERSION,
        "IsLatestVersion": True,
        "PlatformType": "Windows" if windows else "Linux",
        "PlatformName": "Microsoft Windows Server" if windows else "Amazon Linux",
        "ResourceType": "EC2Instance",
        "IPAddress": instance["PrivateIpAddress"],
    }


def describe_instance_information(request: Json) -> Json:
    """https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_DescribeInstanceInformation.html."""
    filters = {item["Key"]: item["Values"] for item in request.get("Filters", [])}
    filters |= {item["key"]: item["valueSet"] for item in request.get("InstanceInformationFilterList", [])}
    if unknown := filters.keys() - _FILTERED.keys():
        raise client_error("InvalidFilterKey", f"The filter {unknown.pop()} is not part of the embedded AWS")
    found = [
        node
        for node in map(_information, nodes())
        if all(node[_FILTERED[key]] in values for key, values in filters.items())
    ]
    start, size = int(request.get("NextToken") or 0), int(request.get("MaxResults") or _PAGE)
    page: Json = {"InstanceInformationList": found[start : start + size]}
    return {**page, "NextToken": str(start + size)} if len(found) > start + size else page


OPERATIONS: dict[str, Operation] = {"DescribeInstanceInformation": describe_instance_information}
