"""An internet gateway stays while something in its VPC has a public address; routes follow gateway endpoints."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from emulator.client import EmbeddedAws

Json = dict[str, Any]


@pytest.fixture
def network(aws: EmbeddedAws) -> Json:
    ec2 = aws.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.0.0/24")["Subnet"]["SubnetId"]
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(VpcId=vpc, InternetGatewayId=gateway)
    return {"ec2": ec2, "vpc": vpc, "subnet": subnet, "gateway": gateway}


def held(network: Json) -> bool:
    try:
        network["ec2"].detach_internet_gateway(VpcId=network["vpc"], InternetGatewayId=network["gateway"])
    except ClientError as refused:
        assert "mapped public address" in str(refused)
        return bool(refused.response["Error"]["Code"] == "DependencyViolation")
    return False


def test_an_empty_network_lets_go(network: Json) -> None:
    assert not held(network)


def test_an_instance_with_a_public_address_holds_the_gateway(network: Json) -> None:
    ec2 = network["ec2"]
    ec2.modify_subnet_attribute(SubnetId=network["subnet"], MapPublicIpOnLaunch={"Value": True})
    launched = ec2.run_instances(ImageId="ami-12345678", MinCount=1, MaxCount=1, SubnetId=network["subnet"])
    assert held(network)
    ec2.terminate_instances(InstanceIds=[launched["Instances"][0]["InstanceId"]])
    assert not held(network)


def test_a_nat_gateway_and_an_elastic_ip_hold_it_too(network: Json) -> None:
    ec2 = network["ec2"]
    address = ec2.allocate_address(Domain="vpc")["AllocationId"]
    nat = ec2.create_nat_gateway(SubnetId=network["subnet"], AllocationId=address)["NatGateway"]["NatGatewayId"]
    assert held(network)
    ec2.delete_nat_gateway(NatGatewayId=nat)
    eni = ec2.create_network_interface(SubnetId=network["subnet"])["NetworkInterface"]["NetworkInterfaceId"]
    other = ec2.allocate_address(Domain="vpc")["AllocationId"]
    made = ec2.associate_address(AllocationId=other, NetworkInterfaceId=eni)["AssociationId"]
    assert held(network)
    ec2.disassociate_address(AssociationId=made)
    assert not held(network)


def test_a_nat_gateway_holds_its_address_until_it_is_deleted(network: Json) -> None:
    ec2 = network["ec2"]
    address = ec2.allocate_address(Domain="vpc")["AllocationId"]
    nat = ec2.create_nat_gateway(SubnetId=network["subnet"], AllocationId=address)["NatGateway"]["NatGatewayId"]
    with pytest.raises(ClientError, match=r"InvalidIPAddress.InUse"):
        ec2.release_address(AllocationId=address)
    ec2.delete_nat_gateway(NatGatewayId=nat)
    ec2.release_address(AllocationId=address)
    assert ec2.describe_addresses()["Addresses"] == []


def test_the_routes_of_a_gateway_endpoint_follow_its_route_tables(network: Json) -> None:
    ec2 = network["ec2"]
    tables = [ec2.create_route_table(VpcId=network["vpc"])["RouteTable"]["RouteTableId"] for _ in range(2)]

    def led() -> list[bool]:
        found = {table["RouteTableId"]: table for table in ec2.describe_route_tables()["RouteTables"]}
        return [any("DestinationPrefixListId" in route for route in found[name]["Routes"]) for name in tables]

    service = {"ServiceName": "com.amazonaws.us-east-1.s3", "VpcEndpointType": "Gateway"}
    made = ec2.create_vpc_endpoint(VpcId=network["vpc"], RouteTableIds=tables[:1], **service)
    endpoint = made["VpcEndpoint"]["VpcEndpointId"]
    assert led() == [True, False]
    ec2.modify_vpc_endpoint(VpcEndpointId=endpoint, AddRouteTableIds=tables[1:], RemoveRouteTableIds=tables[:1])
    assert led() == [False, True]
    ec2.delete_vpc_endpoints(VpcEndpointIds=[endpoint])
    assert led() == [False, False]
    assert [each["State"] for each in ec2.describe_vpc_endpoints()["VpcEndpoints"]] == ["deleted"]
