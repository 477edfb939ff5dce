"""What a role has just made, each API does not know once; the account's root, and the server itself, do."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from emulator.client import EmbeddedAws
from tests.emulator.iam.test_authorization import Role

EC2 = {"Action": ["ec2:*", "elasticloadbalancing:*"], "Resource": "*"}


@pytest.fixture
def role(aws: EmbeddedAws) -> Role:
    """Where what it makes is not known at once."""
    aws.made_is_known_at_once(False)
    return Role(aws, EC2)


@pytest.fixture
def ec2(role: Role) -> Any:
    return role.client("ec2")


def refused(call: Any, code: str) -> None:
    with pytest.raises(ClientError) as caught:
        call()
    assert caught.value.response["Error"]["Code"] == code


def test_each_api_refuses_a_new_id_once(ec2: Any) -> None:
    volume = ec2.create_volume(AvailabilityZone="us-east-1a", Size=1)["VolumeId"]
    refused(lambda: ec2.describe_volumes(VolumeIds=[volume]), "InvalidVolume.NotFound")
    assert ec2.describe_volumes(VolumeIds=[volume])["Volumes"]
    tags = [{"Key": "k", "Value": "v"}]
    refused(lambda: ec2.create_tags(Resources=[volume], Tags=tags), "InvalidVolume.NotFound")
    ec2.create_tags(Resources=[volume], Tags=tags)
    refused(lambda: ec2.create_snapshot(VolumeId=volume), "InvalidVolume.NotFound")
    snapshot = ec2.create_snapshot(VolumeId=volume)["SnapshotId"]
    assert ec2.describe_snapshots(OwnerIds=["self"])["Snapshots"], "complete at once here, so that it is listed"
    refused(lambda: ec2.delete_snapshot(SnapshotId=snapshot), "InvalidSnapshot.NotFound")


def test_a_list_and_a_filter_lack_it_once(ec2: Any) -> None:
    (instance,) = ec2.run_instances(ImageId="ami-12345678", MinCount=1, MaxCount=1)["Instances"]
    by_id = [{"Name": "instance-id", "Values": [instance["InstanceId"]]}]

    def found() -> list[str]:
        pages = ec2.describe_instances(Filters=by_id)["Reservations"]
        return [each["InstanceId"] for page in pages for each in page["Instances"]]

    assert found() == []
    assert found() == [instance["InstanceId"]]


def test_so_do_load_balancing_and_what_is_ours(aws: EmbeddedAws, role: Role, ec2: Any) -> None:
    groups = role.client("elbv2")
    vpc = aws.client("ec2").describe_vpcs()["Vpcs"][0]["VpcId"]
    (group,) = groups.create_target_group(Name="made", Protocol="HTTP", Port=80, VpcId=vpc)["TargetGroups"]
    arn = group["TargetGroupArn"]
    refused(lambda: groups.describe_target_groups(TargetGroupArns=[arn]), "TargetGroupNotFound")
    assert groups.describe_target_groups(TargetGroupArns=[arn])["TargetGroups"]
    made = ec2.create_capacity_reservation(
        InstanceType="m5.large", InstancePlatform="Linux/UNIX", AvailabilityZone="us-east-1a", InstanceCount=1
    )["CapacityReservation"]["CapacityReservationId"]
    refused(
        lambda: ec2.cancel_capacity_reservation(CapacityReservationId=made), "InvalidCapacityReservationId.NotFound"
    )


def test_the_root_of_the_account_knows_it_and_so_does_everybody_unless_it_is_asked_for(
    aws: EmbeddedAws, ec2: Any
) -> None:
    root = aws.client("ec2")
    made = ec2.create_volume(AvailabilityZone="us-east-1a", Size=1)["VolumeId"]
    assert root.describe_volumes(VolumeIds=[made])["Volumes"]
    own = root.create_volume(AvailabilityZone="us-east-1a", Size=1)["VolumeId"]
    assert ec2.describe_volumes(VolumeIds=[own])["Volumes"]
    aws.made_is_known_at_once(True)
    made = ec2.create_volume(AvailabilityZone="us-east-1a", Size=1)["VolumeId"]
    assert ec2.describe_volumes(VolumeIds=[made])["Volumes"]
