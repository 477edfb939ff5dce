"""EC2 Instance Connect Endpoints, which moto lacks: made, described, changed, deleted. Nothing goes through them.

One for each VPC (https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/eice-quotas.html), with a network interface in its
subnet; complete at once, gone at once. After a change its state is another one (our model).
"""

import secrets
from datetime import UTC, datetime

from emulator.core.api import Json, call, client_error
from emulator.core.events import put_event
from emulator.core.store import account_id, region
from emulator.services.ec2.resources import Kind


def _new(parameters: Json, made: str) -> Json:
    """https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateInstanceConnectEndpoint.html."""
    subnet = call("ec2", "DescribeSubnets", SubnetIds=[parameters["SubnetId"]])["Subnets"][0]
    vpc_id = subnet["VpcId"]
    if ENDPOINTS.where(VpcId=vpc_id):
        # No page has the code of this error; the quota is not adjustable.
        message = f"The maximum number of EC2 Instance Connect Endpoints (1) for {vpc_id} has been reached."
        raise client_error("InstanceConnectEndpointLimitExceeded", message)
    groups = parameters.get("SecurityGroupIds") or parameters.get("SecurityGroupId") or [_default_group(vpc_id)]
    interface = call("ec2", "CreateNetworkInterface", SubnetId=parameters["SubnetId"], Groups=groups)
    return {
        "OwnerId": account_id(),
        "InstanceConnectEndpointArn": ENDPOINTS.arn(made),
        "State": "create-complete",
        "StateMessage": "",
        "DnsName": f"{made}.{secrets.token_hex(4)}.ec2-instance-connect-endpoint.{region()}.amazonaws.com",
        "NetworkInterfaceIds": [interface["NetworkInterface"]["NetworkInterfaceId"]],
        "VpcId": vpc_id,
        "AvailabilityZone": subnet["AvailabilityZone"],
        "CreatedAt": datetime.now(UTC),
        "SubnetId": parameters["SubnetId"],
        "PreserveClientIp": str(parameters.get("PreserveClientIp", False)).lower() == "true",
        "SecurityGroupIds": groups,
        # "If no value is specified, the default value is determined by the IP address type of the subnet"
        "IpAddressType": "dualstack" if subnet.get("Ipv6CidrBlockAssociationSet") else "ipv4",
    }


def _removed(endpoint: Json) -> None:
    for interface_id in endpoint["NetworkInterfaceIds"]:
        call("ec2", "DeleteNetworkInterface", NetworkInterfaceId=interface_id)


ENDPOINTS = Kind(
    "InstanceConnectEndpoint",
    "instance-connect-endpoint",
    "eice",
    made=_new,
    removed=_removed,
    filters={
        "instance-connect-endpoint-id": "InstanceConnectEndpointId",
        "state": "State",
        "subnet-id": "SubnetId",
        "vpc-id": "VpcId",
    },
    gone={"State": "delete-in-progress"},
)


def modify_instance_connect_endpoint(parameters: Json) -> Json:
    """https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ModifyInstanceConnectEndpoint.html.

    "update-complete": https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_Ec2InstanceConnectEndpoint.html.
    """
    endpoint = ENDPOINTS.named(parameters["InstanceConnectEndpointId"])
    if groups := parameters.get("SecurityGroupIds") or parameters.get("SecurityGroupId"):
        endpoint["SecurityGroupIds"] = groups
    if "PreserveClientIp" in parameters:
        endpoint["PreserveClientIp"] = str(parameters["PreserveClientIp"]).lower() == "true"
    endpoint |= {
        "State": "update-complete",
        "IpAddressType": parameters.get("IpAddressType", endpoint["IpAddressType"]),
    }
    return {"Return": True}


def _default_group(vpc_id: str) -> str:
    filters = [{"Name": "vpc-id", "Values": [vpc_id]}, {"Name": "group-name", "Values": ["default"]}]
    return str(call("ec2", "DescribeSecurityGroups", Filters=filters)["SecurityGroups"][0]["GroupId"])


def put_aws_event(request: Json) -> Json:
    """``put-event {"source", "detail_type", "detail"}``: what an AWS service tells EventBridge."""
    put_event(request["source"], request["detail_type"], request["detail"])
    return {}
