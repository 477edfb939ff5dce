"""A network interface that was there before its instance: taken by one at a time, and free again after it."""

from datetime import datetime, timedelta

import pytest
from botocore.exceptions import ClientError

from emulator.client import EmbeddedAws


def test_an_interface_of_its_own_outlives_its_instance_and_serves_one_at_a_time(aws: EmbeddedAws) -> None:
    ec2 = aws.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.9.0.0/24")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.9.0.0/28")["Subnet"]["SubnetId"]
    made = ec2.create_network_interface(SubnetId=subnet)["NetworkInterface"]
    address = ec2.allocate_address(Domain="vpc")
    ec2.associate_address(AllocationId=address["AllocationId"], NetworkInterfaceId=made["NetworkInterfaceId"])
    launch = {
        "ImageId": "ami-12345678",
        "MinCount": 1,
        "MaxCount": 1,
        "NetworkInterfaces": [{"DeviceIndex": 0, "NetworkInterfaceId": made["NetworkInterfaceId"]}],
    }
    for _ in range(2):
        instance = ec2.run_instances(**launch)["Instances"][0]
        assert instance["PrivateIpAddress"] == made["PrivateIpAddress"]
        with pytest.raises(ClientError, match="InvalidNetworkInterface"):
            ec2.run_instances(**launch)
        ec2.terminate_instances(InstanceIds=[instance["InstanceId"]])
        found = ec2.describe_network_interfaces(NetworkInterfaceIds=[made["NetworkInterfaceId"]])["NetworkInterfaces"]
        assert found[0]["Status"] == "available"
        ended = ec2.describe_instances(InstanceIds=[instance["InstanceId"]])["Reservations"][0]["Instances"][0]
        assert ended["State"]["Name"] == "terminated"
    (left,) = ec2.describe_addresses(AllocationIds=[address["AllocationId"]])["Addresses"]
    assert left["NetworkInterfaceId"] == made["NetworkInterfaceId"]


def test_a_start_is_a_launch_and_the_primary_interface_stays_attached(aws: EmbeddedAws) -> None:
    """https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_Instance.html: LaunchTime."""
    ec2 = aws.client("ec2")

    def times(instance_id: str) -> tuple[datetime, datetime]:
        found = ec2.describe_instances(InstanceIds=[instance_id])["Reservations"][0]["Instances"][0]
        (interface,) = found["NetworkInterfaces"]
        assert interface["Attachment"]["DeviceIndex"] == 0
        return found["LaunchTime"], interface["Attachment"]["AttachTime"]

    name = ec2.run_instances(ImageId="ami-12345678", MinCount=1, MaxCount=1)["Instances"][0]["InstanceId"]
    launched, attached = times(name)
    assert abs(launched - attached) < timedelta(minutes=1)
    aws.control("age-launches", seconds=86_400)
    day = timedelta(days=1)
    assert times(name) == (launched - day, attached - day)
    ec2.stop_instances(InstanceIds=[name])
    assert times(name) == (launched - day, attached - day)
    ec2.start_instances(InstanceIds=[name])
    again, still = times(name)
    assert again >= launched and still == attached - day
