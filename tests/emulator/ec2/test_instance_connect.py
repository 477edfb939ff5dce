"""EC2 Instance Connect Endpoints, what CloudFormation does with them, and what IAM and EventBridge say of their use."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from emulator.client import EmbeddedAws
from tests.embedded_aws import Stack, eventually
from tests.emulator.receivers import policy, statement

Json = dict[str, Any]
ENDPOINT = "arn:aws:ec2:us-east-1:123456789012:instance-connect-endpoint/eice-123456789abcdef"

# The example of https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/permissions-for-ec2-instance-connect-endpoint.html
POLICY = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Sid": "EC2InstanceConnect",
            "Action": "ec2-instance-connect:OpenTunnel",
            "Effect": "Allow",
            "Resource": ENDPOINT,
            "Condition": {
                "NumericEquals": {"ec2-instance-connect:remotePort": "22"},
                "IpAddress": {"ec2-instance-connect:privateIpAddress": "10.0.1.0/31"},
                "NumericLessThanEquals": {"ec2-instance-connect:maxTunnelDuration": "3600"},
            },
        }
    ],
}


def refused(error: pytest.ExceptionInfo[ClientError]) -> str:
    return str(error.value.response["Error"]["Code"])


@pytest.fixture
def subnets(aws: EmbeddedAws) -> list[str]:
    """Two subnets of one VPC."""
    ec2 = aws.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    cidrs = ("10.0.0.0/24", "10.0.1.0/24")
    return [ec2.create_subnet(VpcId=vpc, CidrBlock=cidr)["Subnet"]["SubnetId"] for cidr in cidrs]


def test_a_changed_endpoint_is_in_another_state(aws: EmbeddedAws, subnets: list[str]) -> None:
    ec2 = aws.client("ec2")
    made = ec2.create_instance_connect_endpoint(SubnetId=subnets[0])["InstanceConnectEndpoint"]
    named = made["InstanceConnectEndpointId"]
    assert ec2.modify_instance_connect_endpoint(InstanceConnectEndpointId=named, PreserveClientIp=True)["Return"]
    (found,) = ec2.describe_instance_connect_endpoints()["InstanceConnectEndpoints"]
    assert (found["State"], found["PreserveClientIp"]) == ("update-complete", True)
    assert found["SecurityGroupIds"] == made["SecurityGroupIds"]


def test_an_endpoint_is_created_described_and_deleted_with_its_interface(aws: EmbeddedAws, subnets: list[str]) -> None:
    ec2 = aws.client("ec2")
    made = ec2.create_instance_connect_endpoint(SubnetId=subnets[0], PreserveClientIp=True)["InstanceConnectEndpoint"]
    endpoint_id = made["InstanceConnectEndpointId"]
    assert (made["State"], made["PreserveClientIp"], made["SubnetId"]) == ("create-complete", True, subnets[0])
    (found,) = ec2.describe_instance_connect_endpoints(InstanceConnectEndpointIds=[endpoint_id])[
        "InstanceConnectEndpoints"
    ]
    assert found["VpcId"] == made["VpcId"] and found["SecurityGroupIds"] == made["SecurityGroupIds"]
    by_vpc = [{"Name": "vpc-id", "Values": [made["VpcId"]]}]
    assert len(ec2.describe_instance_connect_endpoints(Filters=by_vpc)["InstanceConnectEndpoints"]) == 1
    elsewhere = [{"Name": "vpc-id", "Values": ["vpc-76543210"]}]
    assert ec2.describe_instance_connect_endpoints(Filters=elsewhere)["InstanceConnectEndpoints"] == []
    interfaces = {"NetworkInterfaceIds": made["NetworkInterfaceIds"]}
    assert ec2.describe_network_interfaces(**interfaces)["NetworkInterfaces"][0]["SubnetId"] == subnets[0]
    ec2.delete_instance_connect_endpoint(InstanceConnectEndpointId=endpoint_id)
    assert ec2.describe_instance_connect_endpoints()["InstanceConnectEndpoints"] == []
    with pytest.raises(ClientError):
        ec2.describe_network_interfaces(**interfaces)


def test_without_a_group_it_has_the_default_one_and_preserves_no_address(aws: EmbeddedAws, subnets: list[str]) -> None:
    made = aws.client("ec2").create_instance_connect_endpoint(SubnetId=subnets[0])["InstanceConnectEndpoint"]
    (group,) = aws.client("ec2").describe_security_groups(GroupIds=made["SecurityGroupIds"])["SecurityGroups"]
    assert group["GroupName"] == "default" and made["PreserveClientIp"] is False


def test_a_vpc_has_one_endpoint_at_most(aws: EmbeddedAws, subnets: list[str]) -> None:
    ec2 = aws.client("ec2")
    ec2.create_instance_connect_endpoint(SubnetId=subnets[0])
    with pytest.raises(ClientError, match="maximum number"):
        ec2.create_instance_connect_endpoint(SubnetId=subnets[1])
    aws.reset()
    assert ec2.describe_instance_connect_endpoints()["InstanceConnectEndpoints"] == []


def test_an_endpoint_that_is_not_there_is_not_found(aws: EmbeddedAws) -> None:
    ec2 = aws.client("ec2")
    with pytest.raises(ClientError) as error:
        ec2.describe_instance_connect_endpoints(InstanceConnectEndpointIds=["eice-1"])
    assert refused(error) == "InvalidInstanceConnectEndpointId.NotFound"
    with pytest.raises(ClientError) as error:
        ec2.delete_instance_connect_endpoint(InstanceConnectEndpointId="eice-1")
    assert refused(error) == "InvalidInstanceConnectEndpointId.NotFound"


def template(subnet: str, **properties: Any) -> Json:
    """An endpoint, an instance of a launch template and a key pair, in a subnet that is there."""
    device = {"DeviceName": "/dev/sda1", "Ebs": {"VolumeSize": 9, "DeleteOnTermination": True}}
    return {
        "Endpoint": {
            "Type": "AWS::EC2::InstanceConnectEndpoint",
            "Properties": {"SubnetId": subnet, "Tags": [{"Key": "team", "Value": "a"}], **properties},
        },
        "Template": {
            "Type": "AWS::EC2::LaunchTemplate",
            "Properties": {
                "LaunchTemplateData": {
                    "ImageId": "ami-1",
                    "InstanceType": "t3.micro",
                    "KeyName": {"Ref": "Key"},
                    "BlockDeviceMappings": [device],
                }
            },
        },
        "Instance": {
            "Type": "AWS::EC2::Instance",
            "Properties": {
                "LaunchTemplate": {
                    "LaunchTemplateId": {"Ref": "Template"},
                    "Version": {"Fn::GetAtt": ["Template", "LatestVersionNumber"]},
                },
                "NetworkInterfaces": [
                    {"DeviceIndex": "0", "SubnetId": subnet, "AssociatePublicIpAddress": False, "GroupSet": []}
                ],
                "Tags": [{"Key": "team", "Value": "a"}],
            },
        },
        "Key": {"Type": "AWS::EC2::KeyPair", "Properties": {"KeyName": "tried", "KeyType": "rsa"}},
    }


def test_the_types_are_created_and_deleted_and_nothing_is_left(
    aws: EmbeddedAws, stack: Stack, subnets: list[str]
) -> None:
    ec2 = aws.client("ec2")
    output = {
        "Id": {"Value": {"Fn::GetAtt": ["Endpoint", "Id"]}},
        "Key": {"Value": {"Fn::GetAtt": ["Key", "KeyPairId"]}},
    }
    ids = stack.create(template(subnets[0]), Outputs=output)
    assert stack.outputs()["Id"] == ids["Endpoint"] and stack.outputs()["Key"].startswith("key-")
    (endpoint,) = ec2.describe_instance_connect_endpoints()["InstanceConnectEndpoints"]
    assert {"Key": "team", "Value": "a"} in endpoint["Tags"]
    (reservation,) = ec2.describe_instances(InstanceIds=[ids["Instance"]])["Reservations"]
    (instance,) = reservation["Instances"]
    assert instance["SubnetId"] == subnets[0] and "PublicIpAddress" not in instance
    assert [volume["Size"] for volume in ec2.describe_volumes()["Volumes"]] == [9]
    stack.delete()
    assert ec2.describe_instance_connect_endpoints()["InstanceConnectEndpoints"] == []
    assert ec2.describe_volumes()["Volumes"] == [] and ec2.describe_key_pairs()["KeyPairs"] == []


def test_a_replacement_creates_before_it_deletes_and_so_fails_in_one_vpc(
    aws: EmbeddedAws, stack: Stack, subnets: list[str]
) -> None:
    """https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-resource-ec2-instanceconnectendpoint.html."""
    ids = stack.create(template(subnets[0]))
    with pytest.raises(AssertionError, match="maximum number"):
        stack.update(template(subnets[0], PreserveClientIp=True))
    (endpoint,) = aws.client("ec2").describe_instance_connect_endpoints()["InstanceConnectEndpoints"]
    assert endpoint["InstanceConnectEndpointId"] == ids["Endpoint"] and not endpoint["PreserveClientIp"]


def test_changed_tags_replace_nothing(aws: EmbeddedAws, stack: Stack, subnets: list[str]) -> None:
    before = stack.create(template(subnets[0]))
    after = stack.update(template(subnets[0], Tags=[{"Key": "team", "Value": "b"}]))
    assert after["Endpoint"] == before["Endpoint"]
    (endpoint,) = aws.client("ec2").describe_instance_connect_endpoints()["InstanceConnectEndpoints"]
    assert {"Key": "team", "Value": "b"} in endpoint["Tags"]


@pytest.mark.parametrize(
    ("port", "address", "seconds", "decision"),
    [
        ("22", "10.0.1.1", "3600", "allowed"),
        ("3389", "10.0.1.1", "3600", "implicitDeny"),
        ("22", "10.0.1.2", "3600", "implicitDeny"),
        ("22", "10.0.1.1", "3601", "implicitDeny"),
    ],
)
def test_a_simulation_judges_by_the_condition_keys_of_its_request(
    aws: EmbeddedAws, port: str, address: str, seconds: str, decision: str
) -> None:
    iam = aws.client("iam")
    arn = iam.create_user(UserName="ada")["User"]["Arn"]
    iam.put_user_policy(UserName="ada", PolicyName="connects", PolicyDocument=json.dumps(POLICY))
    keys = {
        "remotePort": ("numeric", port),
        "privateIpAddress": ("ip", address),
        "maxTunnelDuration": ("numeric", seconds),
    }

    def decided(entries: list[Json]) -> str:
        answer = iam.simulate_principal_policy(
            PolicySourceArn=arn,
            ActionNames=["ec2-instance-connect:OpenTunnel"],
            ResourceArns=[ENDPOINT],
            ContextEntries=entries,
        )
        return str(answer["EvaluationResults"][0]["EvalDecision"])

    entries = [
        {"ContextKeyName": f"ec2-instance-connect:{name}", "ContextKeyType": kind, "ContextKeyValues": [value]}
        for name, (kind, value) in keys.items()
    ]
    assert decided(entries) == decision
    assert decided([]) == "implicitDeny"  # nothing is left of the request before


def test_a_rule_writes_events_to_a_log_group_and_a_query_reads_their_fields(aws: EmbeddedAws) -> None:
    logs, events = aws.client("logs"), aws.client("events")
    logs.create_log_group(logGroupName="/tried")
    writes = [
        statement(service, action)
        for service in ("events.amazonaws.com", "delivery.logs.amazonaws.com")
        for action in ("logs:CreateLogStream", "logs:PutLogEvents")
    ]
    logs.put_resource_policy(policyName="tried", policyDocument=policy(*writes))
    pattern = {
        "detail": {"eventName": ["OpenTunnel"], "userIdentity": {"arn": [{"anything-but": {"wildcard": ["*/b"]}}]}}
    }
    events.put_rule(Name="tried", EventPattern=json.dumps(pattern))
    arn = "arn:aws:logs:us-east-1:123456789012:log-group:/tried"
    events.put_targets(Rule="tried", Targets=[{"Id": "Log", "Arn": arn}])
    for who, name in (("user/a", "OpenTunnel"), ("user/b", "OpenTunnel"), ("user/a", "SendSSHPublicKey")):
        detail = {"eventName": name, "userIdentity": {"arn": who}, "responseElements": None}
        aws.control("put-event", source="aws.tried", detail_type="AWS API Call via CloudTrail", detail=detail)
    query = "fields detail.eventName, detail.userIdentity.arn, detail.responseElements"

    def rows() -> list[Json]:
        started = logs.start_query(logGroupName="/tried", startTime=0, endTime=2**33, queryString=query)
        found = logs.get_query_results(queryId=started["queryId"])["results"]
        return [{item["field"]: item["value"] for item in row} for row in found]

    (row,) = eventually(rows, "an event in the log")
    assert (row["detail.eventName"], row["detail.userIdentity.arn"]) == ("OpenTunnel", "user/a")
