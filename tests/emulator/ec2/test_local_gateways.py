"""The model of local gateways: what the pages say, on the APIs, and CloudFormation's types of them."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from emulator.client import EmbeddedAws
from emulator.services.ec2.resources import LOOKS
from tests.embedded_aws import Stack

POOL = "172.16.0.0/28"
OUTPOST, GATEWAY, GROUP = (f"{kind}-0123456789abcdef0" for kind in ("op", "lgw", "lgw-vif-grp"))


@pytest.fixture
def aws(started_aws: EmbeddedAws) -> EmbeddedAws:
    """With one rack."""
    started_aws.reset()
    started_aws.control("outposts", outposts=[{"id": OUTPOST}])
    return started_aws


def table(ec2: Any, **more: str) -> str:
    made = ec2.create_local_gateway_route_table(LocalGatewayId=GATEWAY, **more)["LocalGatewayRouteTable"]
    return str(made["LocalGatewayRouteTableId"])


def new_vpc(ec2: Any) -> str:
    return str(ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"])


def states(ec2: Any) -> list[str]:
    found = ec2.describe_local_gateway_route_table_vpc_associations()["LocalGatewayRouteTableVpcAssociations"]
    return [item["State"] for item in found]


def associate(ec2: Any, table_id: str, vpc: str) -> str:
    made = ec2.create_local_gateway_route_table_vpc_association(LocalGatewayRouteTableId=table_id, VpcId=vpc)
    assert made["LocalGatewayRouteTableVpcAssociation"]["State"] == "associating"
    assert [states(ec2)[-1] for _ in range(LOOKS + 1)] == [*["associating"] * LOOKS, "associated"]
    return str(made["LocalGatewayRouteTableVpcAssociation"]["LocalGatewayRouteTableVpcAssociationId"])


def test_the_outposts_api_and_ec2_speak_of_the_same_rack(aws: EmbeddedAws) -> None:
    (gateway,) = aws.client("ec2").describe_local_gateways()["LocalGateways"]
    (listed,) = aws.client("outposts").list_outposts()["Outposts"]
    outpost = aws.client("outposts").get_outpost(OutpostId=OUTPOST)["Outpost"]
    assert gateway["OutpostArn"] == outpost["OutpostArn"] == listed["OutpostArn"]
    assert aws.client("outposts").get_outpost(OutpostId=gateway["OutpostArn"])["Outpost"] == outpost
    assert (gateway["LocalGatewayId"], outpost["AvailabilityZone"]) == (GATEWAY, f"{aws.region}a")
    aws.reset()
    assert aws.client("ec2").describe_local_gateways()["LocalGateways"] == []
    with pytest.raises(ClientError, match="NotFound"):
        table(aws.client("ec2"))


def test_direct_vpc_routing_is_the_default_mode(aws: EmbeddedAws) -> None:
    ec2 = aws.client("ec2")
    table(ec2)
    assert ec2.describe_local_gateway_route_tables()["LocalGatewayRouteTables"][0]["Mode"] == "direct-vpc-routing"


def test_a_vpc_and_a_group_are_with_one_table_and_a_table_in_use_stays(aws: EmbeddedAws) -> None:
    ec2 = aws.client("ec2")
    one, other, vpc = table(ec2), table(ec2), new_vpc(ec2)
    association = associate(ec2, one, vpc)
    ec2.create_local_gateway_route_table_virtual_interface_group_association(
        LocalGatewayRouteTableId=one, LocalGatewayVirtualInterfaceGroupId=GROUP
    )
    with pytest.raises(ClientError, match="is associated with"):
        associate(ec2, other, vpc)
    with pytest.raises(ClientError, match="is associated with a route table"):
        ec2.create_local_gateway_route_table_virtual_interface_group_association(
            LocalGatewayRouteTableId=other, LocalGatewayVirtualInterfaceGroupId=GROUP
        )
    with pytest.raises(ClientError, match="in use by"):
        ec2.delete_local_gateway_route_table(LocalGatewayRouteTableId=one)
    ec2.delete_local_gateway_route_table_vpc_association(LocalGatewayRouteTableVpcAssociationId=association)
    with pytest.raises(ClientError, match="is associated with"):  # still on its way out
        associate(ec2, other, vpc)
    assert [states(ec2) for _ in range(LOOKS + 1)] == [*[["disassociating"]] * LOOKS, []]
    associate(ec2, other, vpc)


def test_only_outpost_subnets_that_lead_to_the_gateway_are_advertised(aws: EmbeddedAws) -> None:
    ec2 = aws.client("ec2")
    name, vpc = table(ec2), new_vpc(ec2)
    routes = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    to_gateway = {"RouteTableId": routes, "DestinationCidrBlock": "192.168.0.0/16", "LocalGatewayId": GATEWAY}
    with pytest.raises(ClientError, match="is not associated with the local gateway"):
        ec2.create_route(**to_gateway)
    associate(ec2, name, vpc)
    arn = ec2.describe_local_gateways()["LocalGateways"][0]["OutpostArn"]
    zone = {"OutpostArn": arn, "AvailabilityZone": f"{aws.region}a"}
    here = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=cidr, **more)["Subnet"]["SubnetId"]
        for cidr, more in (("10.0.0.0/24", zone), ("10.0.1.0/24", zone), ("10.0.2.0/24", {}))
    ]
    for subnet in (here[0], here[2]):
        ec2.associate_route_table(RouteTableId=routes, SubnetId=subnet)
    ec2.create_route(**to_gateway)
    found = ec2.search_local_gateway_routes(LocalGatewayRouteTableId=name)["Routes"]
    assert [(route["DestinationCidrBlock"], route["Type"]) for route in found] == [("10.0.0.0/24", "propagated")]
    with pytest.raises(ClientError, match="not the zone of the Outpost"):
        ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.3.0/24", **{**zone, "AvailabilityZone": f"{aws.region}b"})


def test_a_pool_belongs_to_mode_coip_and_gives_its_addresses_once(aws: EmbeddedAws) -> None:
    ec2 = aws.client("ec2")
    with pytest.raises(ClientError, match="not in mode coip"):
        ec2.create_coip_pool(LocalGatewayRouteTableId=table(ec2))
    pool = ec2.create_coip_pool(LocalGatewayRouteTableId=table(ec2, Mode="coip"))["CoipPool"]["PoolId"]
    ec2.create_coip_cidr(CoipPoolId=pool, Cidr=POOL)
    made = [ec2.allocate_address(Domain="vpc", CustomerOwnedIpv4Pool=pool) for _ in range(16)]
    assert len({address["CustomerOwnedIp"] for address in made}) == 16
    with pytest.raises(ClientError, match="no free address"):
        ec2.allocate_address(Domain="vpc", CustomerOwnedIpv4Pool=pool)
    assert len(ec2.get_coip_pool_usage(PoolId=pool)["CoipAddressUsages"]) == 16
    with pytest.raises(ClientError, match="in use"):
        ec2.delete_coip_cidr(CoipPoolId=pool, Cidr=POOL)
    with pytest.raises(ClientError, match="has ranges"):
        ec2.delete_coip_pool(CoipPoolId=pool)
    for address in made:
        ec2.release_address(AllocationId=address["AllocationId"])
    ec2.delete_coip_cidr(CoipPoolId=pool, Cidr=POOL)
    ec2.delete_coip_pool(CoipPoolId=pool)


def test_cloudformation_makes_the_new_table_beside_the_old_and_deletes_that_at_the_end(
    aws: EmbeddedAws, stack: Stack
) -> None:
    def resources(mode: str) -> dict[str, Any]:
        tags = [{"Key": "tried", "Value": "yes"}]
        properties = {"LocalGatewayId": GATEWAY, "Mode": mode, "Tags": tags}
        return {"Table": {"Type": "AWS::EC2::LocalGatewayRouteTable", "Properties": properties}}

    before = stack.create(resources("direct-vpc-routing"))["Table"]
    after = stack.update(resources("coip"))["Table"]
    (found,) = aws.client("ec2").describe_local_gateway_route_tables()["LocalGatewayRouteTables"]
    assert before != after == found["LocalGatewayRouteTableId"]
    assert {"Key": "tried", "Value": "yes"} in found["Tags"] and found["Mode"] == "coip"
    stack.delete()
    assert aws.client("ec2").describe_local_gateway_route_tables()["LocalGatewayRouteTables"] == []


def test_cloudformation_looks_an_association_up_before_it_changes_its_tags(aws: EmbeddedAws, stack: Stack) -> None:
    """What Handover gives back after a rollback has another id: README of outposts_routing, Limits."""
    ec2 = aws.client("ec2")
    vpc = new_vpc(ec2)

    def resources(tag: str) -> dict[str, Any]:
        properties = {"LocalGatewayRouteTableId": {"Ref": "Table"}, "VpcId": vpc, "Tags": [{"Key": "a", "Value": tag}]}
        table = {"Type": "AWS::EC2::LocalGatewayRouteTable", "Properties": {"LocalGatewayId": GATEWAY}}
        return {
            "Table": table,
            "Association": {"Type": "AWS::EC2::LocalGatewayRouteTableVPCAssociation", "Properties": properties},
        }

    made = stack.create(resources("one"))
    assert stack.update(resources("two"))["Association"] == made["Association"] and states(ec2) == ["associated"]
    ec2.delete_local_gateway_route_table_vpc_association(LocalGatewayRouteTableVpcAssociationId=made["Association"])
    while states(ec2):
        pass
    associate(ec2, made["Table"], vpc)
    with pytest.raises(AssertionError, match="does not exist"):
        stack.update(resources("three"))
