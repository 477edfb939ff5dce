"""Capacity reservations, pools of them, and groups that fill them first: the examples of the AWS pages."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from emulator.client import EmbeddedAws
from tests.embedded_aws import Stack

KIND = {"InstanceType": "t4g.nano", "InstancePlatform": "Linux/UNIX"}


class Account:
    """Reservations of t4g.nano in two zones, a pool of them, and a launch template."""

    def __init__(self, aws: EmbeddedAws) -> None:
        self.ec2, self.autoscaling = aws.client("ec2"), aws.client("autoscaling")
        self.pools = aws.client("resource-groups")
        made = self.ec2.create_launch_template(
            LaunchTemplateName="t", LaunchTemplateData={"ImageId": "ami-12345678", "InstanceType": "t4g.nano"}
        )
        self.template = made["LaunchTemplate"]["LaunchTemplateId"]
        subnets = self.ec2.describe_subnets()["Subnets"]
        self.subnets = {item["AvailabilityZone"][-1]: item["SubnetId"] for item in subnets}

    def reserve(self, zone: str, count: int, *, targeted: bool = True, **more: Any) -> str:
        criteria = "targeted" if targeted else "open"
        made = self.ec2.create_capacity_reservation(
            **{**KIND, **more},
            AvailabilityZone=f"us-east-1{zone}",
            InstanceCount=count,
            InstanceMatchCriteria=criteria,
        )["CapacityReservation"]
        return str(made["CapacityReservationId"])

    def pool(self, *reservations: str) -> str:
        arn = self.pools.create_group(Name="pool", Configuration=[{"Type": "AWS::EC2::CapacityReservationPool"}])
        name = str(arn["Group"]["GroupArn"])
        found = self.ec2.describe_capacity_reservations(CapacityReservationIds=list(reservations))
        arns = [item["CapacityReservationArn"] for item in found["CapacityReservations"]]
        self.pools.group_resources(Group="pool", ResourceArns=arns)
        return name

    def run(self, zone: str, **specification: Any) -> str:
        more = {"CapacityReservationSpecification": specification} if specification else {}
        started = self.ec2.run_instances(
            MinCount=1,
            MaxCount=1,
            SubnetId=self.subnets[zone],
            LaunchTemplate={"LaunchTemplateId": self.template},
            InstanceType="t4g.nano",
            **more,
        )
        return str(started["Instances"][0]["InstanceId"])

    def reservation_of(self, instance_id: str) -> str | None:
        (found,) = self.ec2.describe_instances(InstanceIds=[instance_id])["Reservations"][0]["Instances"]
        reservation: str | None = found.get("CapacityReservationId")
        return reservation

    def free(self) -> list[int]:
        found = self.ec2.describe_capacity_reservations()["CapacityReservations"]
        return [item["AvailableInstanceCount"] for item in found]

    def group(self, pool: str, zones: str, size: int, strategy: str = "reservations-then-balanced") -> None:
        self.autoscaling.create_auto_scaling_group(
            AutoScalingGroupName="g",
            MinSize=0,
            MaxSize=20,
            DesiredCapacity=size,
            VPCZoneIdentifier=",".join(self.subnets[zone] for zone in zones),
            LaunchTemplate={"LaunchTemplateId": self.template},
            AvailabilityZoneDistribution={"CapacityDistributionStrategy": strategy},
            CapacityReservationSpecification={
                "CapacityReservationPreference": "capacity-reservations-first",
                "CapacityReservationTarget": {"CapacityReservationResourceGroupArns": [pool]},
            },
        )

    def zones(self) -> Counter[str]:
        members = self.autoscaling.describe_auto_scaling_instances()["AutoScalingInstances"]
        return Counter(member["AvailabilityZone"][-1] for member in members)


@pytest.fixture
def account(aws: EmbeddedAws) -> Account:
    return Account(aws)


def target(pool: str) -> dict[str, Any]:
    return {"CapacityReservationTarget": {"CapacityReservationResourceGroupArn": pool}}


# Matching: capacity-reservations-using.html


def test_an_open_reservation_takes_every_instance_that_matches(account: Account) -> None:
    reservation = account.reserve("a", 1, targeted=False)
    assert account.reservation_of(account.run("b")) is None, "another zone"
    assert account.reservation_of(account.run("a", CapacityReservationPreference="none")) is None
    assert account.reservation_of(account.run("a")) == reservation
    assert account.reservation_of(account.run("a")) is None, "it is full"


def test_a_targeted_reservation_takes_only_who_names_it_or_its_pool(account: Account) -> None:
    reservation = account.reserve("a", 2)
    pool = account.pool(reservation)
    assert account.reservation_of(account.run("a", CapacityReservationPreference="open")) is None
    assert account.reservation_of(account.run("a", **target(pool))) == reservation
    named = {"CapacityReservationTarget": {"CapacityReservationId": reservation}}
    assert account.reservation_of(account.run("a", **named)) == reservation


@pytest.mark.parametrize(
    "other", [{"InstanceType": "t4g.micro"}, {"InstancePlatform": "Windows"}, {"Tenancy": "dedicated"}]
)
def test_type_platform_and_tenancy_must_be_the_same(account: Account, other: dict[str, str]) -> None:
    pool = account.pool(account.reserve("a", 1, **dict[str, Any](other)))
    assert account.reservation_of(account.run("a", **target(pool))) is None


def test_a_stopped_instance_gives_its_place_back_and_finds_it_again(account: Account) -> None:
    reservation = account.reserve("a", 1)
    instance = account.run("a", **target(account.pool(reservation)))
    account.ec2.stop_instances(InstanceIds=[instance])
    assert account.free() == [1]
    account.ec2.start_instances(InstanceIds=[instance])
    assert (account.free(), account.reservation_of(instance)) == ([0], reservation)
    account.ec2.terminate_instances(InstanceIds=[instance])
    assert account.free() == [1]


# Life cycle: cr-groups-lifecycle.html


def test_instances_of_a_cancelled_reservation_run_on_and_move_into_another_of_the_pool(account: Account) -> None:
    first, second = account.reserve("a", 1), account.reserve("a", 1)
    instance = account.run("a", **target(account.pool(first, second)))
    account.ec2.cancel_capacity_reservation(CapacityReservationId=first)
    assert account.reservation_of(instance) == second
    account.ec2.cancel_capacity_reservation(CapacityReservationId=second)
    assert account.reservation_of(instance) is None
    states = [item["State"] for item in account.ec2.describe_capacity_reservations()["CapacityReservations"]]
    assert states == ["cancelled", "cancelled"]


def test_a_reservation_that_grows_takes_those_who_wait_for_it(account: Account) -> None:
    reservation = account.reserve("a", 1)
    pool = account.pool(reservation)
    instances = [account.run("a", **target(pool)) for _ in range(2)]
    assert [account.reservation_of(name) for name in instances] == [reservation, None]
    account.ec2.modify_capacity_reservation(CapacityReservationId=reservation, InstanceCount=2)
    assert [account.reservation_of(name) for name in instances] == [reservation, reservation]
    account.ec2.modify_capacity_reservation(CapacityReservationId=reservation, InstanceCount=1)
    assert [account.reservation_of(name) for name in instances] == [reservation, None]


def test_an_end_date_needs_its_type_and_an_unknown_reservation_is_an_error(account: Account) -> None:
    with pytest.raises(ClientError, match="InvalidParameterCombination"):
        account.reserve("a", 1, EndDate="2027-01-31T18:00:00Z")
    ends = account.reserve("a", 1, EndDate="2027-01-31T18:00:00Z", EndDateType="limited")
    (found,) = account.ec2.describe_capacity_reservations(CapacityReservationIds=[ends])["CapacityReservations"]
    assert (found["EndDateType"], found["EndDate"].isoformat()) == ("limited", "2027-01-31T18:00:00+00:00")
    with pytest.raises(ClientError, match=r"InvalidCapacityReservationId\.NotFound"):
        account.ec2.describe_capacity_reservations(CapacityReservationIds=["cr-1"])


# Groups: ec2-auto-scaling-availability-zone-balanced.html


def test_a_group_fills_reservations_first_and_balances_the_rest(account: Account) -> None:
    account.group(account.pool(account.reserve("a", 3)), "abc", 3)
    assert account.zones() == {"a": 3}
    account.autoscaling.set_desired_capacity(AutoScalingGroupName="g", DesiredCapacity=7)
    assert account.zones() == {"a": 3, "b": 2, "c": 2}
    (described,) = account.autoscaling.describe_auto_scaling_groups()["AutoScalingGroups"]
    assert described["AvailabilityZoneDistribution"]["CapacityDistributionStrategy"] == "reservations-then-balanced"
    assert (
        described["CapacityReservationSpecification"]["CapacityReservationPreference"] == "capacity-reservations-first"
    )


def test_a_balanced_group_uses_the_reservations_that_it_meets(account: Account) -> None:
    account.group(account.pool(account.reserve("a", 3)), "abc", 3, "balanced-best-effort")
    assert account.zones() == {"a": 1, "b": 1, "c": 1}
    assert account.free() == [2]


def test_scale_in_removes_those_without_a_reservation_first(account: Account) -> None:
    account.group(account.pool(account.reserve("a", 1), account.reserve("b", 2)), "abc", 6)
    assert account.zones() == {"a": 2, "b": 2, "c": 2}
    account.autoscaling.set_desired_capacity(AutoScalingGroupName="g", DesiredCapacity=3)
    assert (account.zones(), account.free()) == ({"a": 1, "b": 2}, [0, 0])
    account.autoscaling.set_desired_capacity(AutoScalingGroupName="g", DesiredCapacity=2)
    assert account.zones() == {"a": 1, "b": 1}, "the zone with the most reserved instances"


def test_a_group_leaves_a_zone_that_it_may_no_longer_use(account: Account) -> None:
    account.group(account.pool(account.reserve("a", 2), account.reserve("b", 2)), "ab", 2)
    account.autoscaling.update_auto_scaling_group(AutoScalingGroupName="g", VPCZoneIdentifier=account.subnets["a"])
    assert (account.zones(), account.free()) == ({"a": 2}, [0, 2])
    (described,) = account.autoscaling.describe_auto_scaling_groups()["AutoScalingGroups"]
    assert described["LaunchTemplate"]["LaunchTemplateId"] == account.template, "an update keeps it"


# Metrics: capacity-reservation-cw-metrics.html


def test_each_minute_tells_how_many_instances_use_a_reservation(aws: EmbeddedAws, account: Account) -> None:
    reservation = account.reserve("a", 4)
    account.run("a", **target(account.pool(reservation)))
    account.group("none", "a", 0, "balanced-best-effort")
    aws.minutes_pass()
    cloudwatch = aws.client("cloudwatch")
    dimensions = [{"Name": "CapacityReservationId", "Value": reservation}]
    now = datetime.now(UTC)

    def value(name: str) -> float | None:
        found = cloudwatch.get_metric_statistics(
            Namespace="AWS/EC2CapacityReservations",
            MetricName=name,
            Dimensions=dimensions,
            StartTime=now - timedelta(minutes=2),
            EndTime=now + timedelta(minutes=1),
            Period=60,
            Statistics=["Minimum"],
        )["Datapoints"]
        return float(found[0]["Minimum"]) if found else None

    names = ("UsedInstanceCount", "AvailableInstanceCount", "TotalInstanceCount", "InstanceUtilization")
    assert [value(name) for name in names] == [1, 3, 4, 25]


# Types


def test_reservations_and_their_pool_are_made_changed_and_removed(aws: EmbeddedAws, stack: Stack) -> None:
    def resources(count: int, *members: str) -> dict[str, Any]:
        def reservation() -> dict[str, Any]:
            where = {"AvailabilityZone": "us-east-1a", "InstanceCount": count, "InstanceMatchCriteria": "targeted"}
            return {"Type": "AWS::EC2::CapacityReservation", "Properties": {**KIND, **where}}

        arns = [{"Fn::GetAtt": [name, "CapacityReservationArn"]} for name in members]
        pool = {"Name": "pool", "Configuration": [{"Type": "AWS::EC2::CapacityReservationPool"}], "Resources": arns}
        document = {"DocumentType": "Automation", "Content": {"schemaVersion": "0.3", "mainSteps": []}}
        return {
            "One": reservation(),
            "Two": reservation(),
            "Pool": {"Type": "AWS::ResourceGroups::Group", "Properties": pool},
            "Drill": {"Type": "AWS::SSM::Document", "Properties": document},
        }

    ec2, pools = aws.client("ec2"), aws.client("resource-groups")
    made = stack.create(resources(2, "One"), Outputs={"Arn": {"Value": {"Fn::GetAtt": ["Pool", "Arn"]}}})
    assert stack.outputs()["Arn"].endswith(":group/pool")
    assert stack.update(resources(3, "Two")) == made, "all in place"
    found = ec2.describe_capacity_reservations(CapacityReservationIds=[made["Two"]])["CapacityReservations"]
    assert found[0]["TotalInstanceCount"] == 3
    members = pools.list_group_resources(Group="pool")["ResourceIdentifiers"]
    assert [member["ResourceArn"] for member in members] == [found[0]["CapacityReservationArn"]]
    assert made["Drill"] in [item["Name"] for item in aws.client("ssm").list_documents()["DocumentIdentifiers"]]
    stack.delete()
    assert {item["State"] for item in ec2.describe_capacity_reservations()["CapacityReservations"]} == {"cancelled"}
    assert pools.list_groups()["GroupIdentifiers"] == []
