"""Local Zones as the API pages have them: told with AllAvailabilityZones, good for subnets only after opting in."""

from typing import Any

import pytest
from botocore.exceptions import ClientError
from moto.ec2.models.instance_types import INSTANCE_TYPE_OFFERINGS

from emulator.client import EmbeddedAws

ZONE = "us-east-1-atl-2a"


def zone(aws: EmbeddedAws, **more: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = aws.client("ec2").describe_availability_zones(
        Filters=[{"Name": "zone-type", "Values": ["local-zone"]}], **more
    )["AvailabilityZones"]
    return found


def test_a_zone_is_used_only_after_opting_in_to_its_group(aws: EmbeddedAws) -> None:
    ec2 = aws.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    wanted = {"VpcId": vpc, "CidrBlock": "10.9.1.0/24", "AvailabilityZone": ZONE}
    assert zone(aws) == []
    assert {found["OptInStatus"] for found in zone(aws, AllAvailabilityZones=True)} == {"not-opted-in"}
    with pytest.raises(ClientError, match="availabilityZone"):
        ec2.create_subnet(**wanted)
    for _ in range(2):  # opting in twice is no error
        ec2.modify_availability_zone_group(GroupName="us-east-1-atl-2", OptInStatus="opted-in")
    assert [(found["ZoneName"], found["NetworkBorderGroup"]) for found in zone(aws)] == [(ZONE, "us-east-1-atl-2")]
    assert ec2.create_subnet(**wanted)["Subnet"]["AvailabilityZone"] == ZONE


def test_only_the_default_vpc_has_default_subnets(aws: EmbeddedAws) -> None:
    """Also in a zone that has no subnet yet, and so Fn::GetAZs returns no Local Zone.

    https://docs.aws.amazon.com/vpc/latest/userguide/work-with-default-vpc.html; that templates cannot ask for Local
    Zones: https://github.com/aws-cloudformation/cloudformation-coverage-roadmap/issues/603.
    """
    ec2 = aws.client("ec2")
    ec2.modify_availability_zone_group(GroupName="us-east-1-atl-2", OptInStatus="opted-in")
    vpc = ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    made = ec2.create_subnet(VpcId=vpc, CidrBlock="10.9.1.0/24", AvailabilityZone=ZONE)["Subnet"]
    assert (made["DefaultForAz"], made["MapPublicIpOnLaunch"]) == (False, False)
    default = ec2.describe_subnets(Filters=[{"Name": "default-for-az", "Values": ["true"]}])["Subnets"]
    assert default and {found["VpcId"] for found in default} == {
        each["VpcId"] for each in ec2.describe_vpcs()["Vpcs"] if each["IsDefault"]
    }
    assert all(found["MapPublicIpOnLaunch"] for found in default)


@pytest.mark.parametrize(("group", "status"), [("us-east-1-xyz-1", "opted-in"), ("us-east-1-atl-2", "not-opted-in")])
def test_opting_out_and_unknown_groups_are_refused(aws: EmbeddedAws, group: str, status: str) -> None:
    with pytest.raises(ClientError, match="InvalidParameterValue"):
        aws.client("ec2").modify_availability_zone_group(GroupName=group, OptInStatus=status)


def offered(aws: EmbeddedAws) -> set[str]:
    pages = (
        aws.client("ec2")
        .get_paginator("describe_instance_type_offerings")
        .paginate(LocationType="availability-zone", Filters=[{"Name": "location", "Values": [ZONE]}])
    )
    return {item["InstanceType"] for page in pages for item in page["InstanceTypeOfferings"]}


def test_a_zone_offers_types_of_its_own_once_it_is_opted_in_to(aws: EmbeddedAws) -> None:
    """https://github.com/openshift/installer/issues/7137."""
    assert offered(aws) == set()
    aws.client("ec2").modify_availability_zone_group(GroupName="us-east-1-atl-2", OptInStatus="opted-in")
    assert "t3.medium" in offered(aws) and "t3.nano" not in offered(aws)
    aws.reset()
    assert offered(aws) == set()


def test_what_an_ended_instance_held_is_free_again(aws: EmbeddedAws) -> None:
    """https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/how-ec2-instance-termination-works.html."""
    ec2 = aws.client("ec2")
    image = "ami-0123456789abcdef0"
    instance = ec2.run_instances(ImageId=image, InstanceType="t3.medium", MinCount=1, MaxCount=1)["Instances"][0]
    volume = ec2.create_volume(AvailabilityZone=instance["Placement"]["AvailabilityZone"], Size=1)["VolumeId"]
    interface = ec2.create_network_interface(SubnetId=instance["SubnetId"])["NetworkInterface"]["NetworkInterfaceId"]
    held = {"InstanceId": instance["InstanceId"]}
    ec2.attach_volume(VolumeId=volume, Device="xvdf", **held)
    ec2.attach_network_interface(NetworkInterfaceId=interface, DeviceIndex=1, **held)
    ec2.terminate_instances(InstanceIds=[instance["InstanceId"]])
    assert ec2.describe_volumes(VolumeIds=[volume])["Volumes"][0]["State"] == "available"
    (found,) = ec2.describe_network_interfaces(NetworkInterfaceIds=[interface])["NetworkInterfaces"]
    assert found["Status"] == "available"


@pytest.mark.parametrize(
    ("kind", "location"),
    [("region", "eu-central-1"), ("availability-zone", "eu-central-1a"), ("availability-zone-id", "euc1-az2")],
)
def test_each_kind_of_location_says_what_it_offers(aws: EmbeddedAws, kind: Any, location: str) -> None:
    found = aws.client("ec2", region_name="eu-central-1").describe_instance_type_offerings(
        LocationType=kind, Filters=[{"Name": "instance-type", "Values": ["m7g.large"]}]
    )["InstanceTypeOfferings"]
    assert {"InstanceType": "m7g.large", "LocationType": kind, "Location": location} in found


def test_a_region_that_is_not_known_offers_nothing() -> None:
    offered: Any = INSTANCE_TYPE_OFFERINGS["region"]
    assert offered.get("xx-none-1", []) == []
    with pytest.raises(KeyError, match="xx-none-1"):
        offered["xx-none-1"]
