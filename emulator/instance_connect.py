"""EC2 Instance Connect Endpoints, which moto lacks: created, described, deleted (our model). Nothing goes through them.

One for each VPC (https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/eice-quotas.html), with a network interface in its
subnet; complete at once, gone at once.
"""

import datetime
import secrets
from typing import Any

from emulator import events, seams
from emulator.calls import call

Endpoint = dict[str, Any]


def create_instance_connect_endpoint(parameters: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateInstanceConnectEndpoint.html."""
    subnet = call("ec2", "DescribeSubnets", SubnetIds=[parameters["SubnetId"]])["Subnets"][0]
    vpc_id = subnet["VpcId"]
    if any(endpoint["VpcId"] == vpc_id for endpoint in _endpoints().values()):
        # No page has the code of this error; the quota is not adjustable.
        message = f"The maximum number of EC2 Instance Connect Endpoints (1) for {vpc_id} has been reached."
        raise seams.client_error("InstanceConnectEndpointLimitExceeded", message)
    groups = parameters.get("SecurityGroupIds") or parameters.get("SecurityGroupId") or [_default_group(vpc_id)]
    interface = call("ec2", "CreateNetworkInterface", SubnetId=parameters["SubnetId"], Groups=groups)
    endpoint_id = f"eice-{secrets.token_hex(9)[:17]}"
    region = seams.region()
    endpoint = {
        "OwnerId": seams.account_id(),
        "InstanceConnectEndpointId": endpoint_id,
        "InstanceConnectEndpointArn": (
            f"arn:aws:ec2:{region}:{seams.account_id()}:instance-connect-endpoint/{endpoint_id}"
        ),
        "State": "create-complete",
        "StateMessage": "",
        "DnsName": f"{endpoint_id}.{secrets.token_hex(4)}.ec2-instance-connect-endpoint.{region}.amazonaws.com",
        "NetworkInterfaceIds": [interface["NetworkInterface"]["NetworkInterfaceId"]],
        "VpcId": vpc_id,
        "AvailabilityZone": subnet["AvailabilityZone"],
        "CreatedAt": datetime.datetime.now(datetime.UTC),
        "SubnetId": parameters["SubnetId"],
        "PreserveClientIp": str(parameters.get("PreserveClientIp", False)).lower() == "true",
        "SecurityGroupIds": groups,
        # "If no value is specified, the default value is determined by the IP address type of the subnet"
        "IpAddressType": "dualstack" if subnet.get("Ipv6CidrBlockAssociationSet") else "ipv4",
    }
    _endpoints()[endpoint_id] = endpoint
    return {"InstanceConnectEndpoint": endpoint}


def describe_instance_connect_endpoints(parameters: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeInstanceConnectEndpoints.html."""
    wanted = parameters.get("InstanceConnectEndpointIds") or parameters.get("InstanceConnectEndpointId") or []
    for endpoint_id in wanted:
        _named(endpoint_id)
    found = [item for item in _endpoints().values() if not wanted or item["InstanceConnectEndpointId"] in wanted]
    for condition in parameters.get("Filters") or parameters.get("Filter") or []:
        values = condition.get("Values") or condition.get("Value")
        found = [item for item in found if item[_FILTERS[condition["Name"]]] in values]
    tags = seams.ec2_tags()
    return {
        "InstanceConnectEndpoints": [
            {**item, "Tags": [{"Key": k, "Value": v} for k, v in tags[item["InstanceConnectEndpointId"]].items()]}
            for item in found
        ]
    }


def delete_instance_connect_endpoint(parameters: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteInstanceConnectEndpoint.html."""
    endpoint = _named(parameters["InstanceConnectEndpointId"])
    for interface_id in endpoint["NetworkInterfaceIds"]:
        call("ec2", "DeleteNetworkInterface", NetworkInterfaceId=interface_id)
    del _endpoints()[endpoint["InstanceConnectEndpointId"]]
    return {"InstanceConnectEndpoint": {**endpoint, "State": "delete-in-progress"}}


_FILTERS = {
    "instance-connect-endpoint-id": "InstanceConnectEndpointId",
    "state": "State",
    "subnet-id": "SubnetId",
    "vpc-id": "VpcId",
}


def _endpoints() -> dict[str, Endpoint]:
    return seams.kept_in_ec2("instance_connect_endpoints")


def _named(endpoint_id: str) -> Endpoint:
    if endpoint_id not in _endpoints():
        message = f"The instance connect endpoint ID '{endpoint_id}' does not exist"
        raise seams.client_error("InvalidInstanceConnectEndpointId.NotFound", message)
    return _endpoints()[endpoint_id]


def _default_group(vpc_id: str) -> str:
    filters = [{"Name": "vpc-id", "Values": [vpc_id]}, {"Name": "group-name", "Values": ["default"]}]
    return str(call("ec2", "DescribeSecurityGroups", Filters=filters)["SecurityGroups"][0]["GroupId"])


def put_aws_event(request: dict[str, Any]) -> dict[str, Any]:
    """``POST /_emulator/put-event {"source", "detail_type", "detail"}``: what an AWS service tells EventBridge."""
    events.put_event(request["source"], request["detail_type"], request["detail"])
    return {}


def install() -> None:
    """Puts the APIs into moto, and lets EventBridge write to log groups."""
    for api in (
        create_instance_connect_endpoint,
        describe_instance_connect_endpoints,
        delete_instance_connect_endpoint,
    ):
        seams.serve_action("ec2", api.__name__, api)
    seams.know_prefix("instance-connect-endpoint", "eice")
    seams.let_events_reach_logs()
    seams.discover_json_fields()
    seams.simulate_with_context_keys()
