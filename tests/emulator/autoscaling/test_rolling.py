"""What the update of a stack makes of the instances of its group, in the words of CloudFormation's events."""

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from emulator.client import EmbeddedAws
from tests.embedded_aws import Stack, eventually

Json = dict[str, Any]
KIND = "AWS::AutoScaling::AutoScalingGroup"
HOOK = {
    "LifecycleHookName": "ready",
    "LifecycleTransition": "autoscaling:EC2_INSTANCE_LAUNCHING",
    "HeartbeatTimeout": 300,
    "DefaultResult": "ABANDON",
}


def resources(template: str, policy: Json, **properties: Any) -> Json:
    """A group of two in two subnets; *template* is what its launch template says."""
    ref = {"Ref": "Template"}
    subnets = {
        f"Subnet{number}": {
            "Type": "AWS::EC2::Subnet",
            "Properties": {"VpcId": {"Ref": "Vpc"}, "CidrBlock": f"10.0.{number}.0/24"},
        }
        for number in (1, 2)
    }
    return {
        "Vpc": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.0.0.0/16"}},
        **subnets,
        "Template": {
            "Type": "AWS::EC2::LaunchTemplate",
            "Properties": {"LaunchTemplateData": {"ImageId": "ami-12345678", "InstanceType": template}},
        },
        "Group": {
            "Type": KIND,
            "Properties": {
                "MinSize": "2",
                "MaxSize": "6",
                "VPCZoneIdentifier": [{"Ref": "Subnet1"}, {"Ref": "Subnet2"}],
                "LaunchTemplate": {
                    "LaunchTemplateId": ref,
                    "Version": {"Fn::GetAtt": ["Template", "LatestVersionNumber"]},
                },
                **properties,
            },
            "UpdatePolicy": policy,
        },
    }


def rolling(**policy: Any) -> Json:
    return {"AutoScalingRollingUpdate": policy}


class Group:
    def __init__(self, aws: EmbeddedAws, stack: Stack) -> None:
        self.aws, self.stack = aws, stack
        self.api, self.ec2 = aws.client("autoscaling"), aws.client("ec2")

    def described(self) -> Json:
        (found,) = self.api.describe_auto_scaling_groups()["AutoScalingGroups"]
        return dict(found)

    @property
    def members(self) -> dict[str, str]:
        return {each["InstanceId"]: each["LifecycleState"] for each in self.described()["Instances"]}

    @property
    def types(self) -> list[str]:
        found = self.ec2.describe_instances(InstanceIds=list(self.members))["Reservations"]
        return sorted(each["InstanceType"] for reservation in found for each in reservation["Instances"])

    @property
    def sizes(self) -> tuple[int, int]:
        found = self.described()
        return found["MinSize"], found["DesiredCapacity"]

    def told(self) -> list[str]:
        """What the events of the group say, from the last update on."""
        pages = self.aws.client("cloudformation").get_paginator("describe_stack_events")
        found = [each for page in pages.paginate(StackName=self.stack.name) for each in page["StackEvents"]]
        said = [each.get("ResourceStatusReason") or "" for each in found if each["ResourceType"] == KIND]
        return [each for each in reversed(said) if each]


@pytest.fixture
def group(aws: EmbeddedAws, stack: Stack) -> Group:
    return Group(aws, stack)


def test_one_after_the_other_while_as_many_stay_in_service(group: Group) -> None:
    policy = rolling(MinInstancesInService=2, SuspendProcesses=["AlarmNotification"])
    group.stack.create(resources("t3.micro", policy))
    old = set(group.members)
    group.stack.update(resources("t3.small", policy))
    assert (group.types, group.sizes) == (["t3.small"] * 2, (2, 2))
    assert not old & set(group.members)
    first, resized, one, *_, another, last = group.told()
    assert first.startswith("Rolling update initiated. Terminating 2 obsolete instance(s) in batches of 1, while")
    assert resized == "Temporarily setting autoscaling group MinSize and DesiredCapacity to 3."
    assert one.endswith("replacing with 1 new instance(s).")
    assert another.endswith("replacing with 0 new instance(s).")
    assert last.endswith("(Progress 100%).")
    assert group.described()["SuspendedProcesses"] == [], "they are resumed"


@pytest.mark.parametrize(
    ("policy", "sizes", "batches"),
    [
        ({"MaxBatchSize": 9, "MinInstancesInService": 3}, ("3", "9", 9), [(6, 6), (3, 3)]),
        ({"MaxBatchSize": 9, "MinInstancesInService": 3}, ("3", "9", 6), [(6, 3)]),
        ({"MaxBatchSize": 5, "MinInstancesInService": 5}, ("5", "10", 5), [(5, 0)]),
        ({}, ("2", "6", 2), [(1, 1), (1, 1)]),
    ],
    ids=["fully scaled", "partially scaled", "healthy", "nothing is said"],
)
def test_batches_are_as_large_as_people_have_seen_them(
    group: Group, policy: Json, sizes: tuple[str, str, int], batches: list[tuple[int, int]]
) -> None:
    """https://github.com/guardian/testing-asg-rolling-update/tree/main/observations."""
    smallest, largest, desired = sizes
    group.stack.create(resources("t3.micro", rolling(**policy), MinSize=smallest, MaxSize=largest))
    group.api.set_desired_capacity(
        AutoScalingGroupName=group.described()["AutoScalingGroupName"], DesiredCapacity=desired
    )
    group.stack.update(resources("t3.small", rolling(**policy), MinSize=smallest, MaxSize=largest))
    said = [each for each in group.told() if each.startswith("Terminating")]
    assert [(each.count("i-"), int(each.rsplit("with ")[-1].split()[0])) for each in said] == batches
    assert (group.types, group.sizes) == (["t3.small"] * desired, (int(smallest), desired))


def test_what_concerns_no_instance_replaces_none_and_no_policy_replaces_none(group: Group) -> None:
    group.stack.create(resources("t3.micro", rolling(MinInstancesInService=1)))
    old = group.members
    group.stack.update(resources("t3.micro", rolling(MinInstancesInService=1), MaxSize="7", Cooldown="60"))
    assert group.members == old
    group.stack.update(resources("t3.small", {}, MaxSize="7"))
    assert group.members == old


def test_a_subnet_that_the_group_has_no_more_is_left_in_batches(group: Group) -> None:
    policy = rolling(MinInstancesInService=1, SuspendProcesses=["AZRebalance"])
    group.stack.create(resources("t3.micro", policy))
    old = set(group.members)
    group.stack.update(resources("t3.micro", policy, VPCZoneIdentifier=[{"Ref": "Subnet1"}]))
    assert len(old & set(group.members)) == 1, "one was where the group still is"
    assert [each for each in group.told() if "Terminating 1 obsolete" in each]


def test_protected_instances_and_a_minimum_that_leaves_no_room_fail_the_update(group: Group) -> None:
    """https://github.com/aws-cloudformation/cloudformation-coverage-roadmap/issues/692."""
    policy = rolling(MinInstancesInService=1)
    protected = {"NewInstancesProtectedFromScaleIn": True}
    group.stack.create(resources("t3.micro", policy, **protected))
    old = group.members
    with pytest.raises(AssertionError, match=r"UPDATE_ROLLBACK_COMPLETE.*protected from scale in"):
        group.stack.update(resources("t3.small", policy, **protected))
    assert group.members == old
    with pytest.raises(AssertionError, match="must be less than the autoscaling group's MaxSize"):
        group.stack.update(resources("t3.small", rolling(MinInstancesInService=6), **protected))


def test_a_new_image_makes_any_deployment_replace_the_instances(aws: EmbeddedAws, group: Group) -> None:
    """https://github.com/aws/aws-cdk/issues/12484."""

    def with_image(**properties: Any) -> Json:
        found = resources("t4g.small", rolling(MinInstancesInService=1), **properties)
        image = "{{resolve:ssm:/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-arm64}}"
        found["Template"]["Properties"]["LaunchTemplateData"]["ImageId"] = image
        return found

    group.stack.create(with_image())
    old = set(group.members)
    aws.control("release-images")
    group.stack.update(with_image(Cooldown="60"))
    assert not old & set(group.members)
    assert group.types == ["t4g.small"] * 2


def test_sizes_that_the_template_does_not_change_stay_as_a_schedule_has_set_them(group: Group) -> None:
    ignored = {"AutoScalingScheduledAction": {"IgnoreUnmodifiedGroupSizeProperties": True}}
    for policy, smallest in (({}, 2), (ignored, 1)):
        if policy:
            group.stack.delete()
        group.stack.create(resources("t3.micro", policy))
        name = group.described()["AutoScalingGroupName"]
        group.api.update_auto_scaling_group(AutoScalingGroupName=name, MinSize=1, DesiredCapacity=1)
        group.stack.update(resources("t3.micro", policy, Cooldown="60"))
        assert group.sizes[0] == smallest
    group.stack.update(resources("t3.micro", ignored, Cooldown="60", MinSize="3"))
    assert group.sizes == (3, 3)


def test_a_replacing_update_makes_another_group_before_it_deletes_the_first(group: Group) -> None:
    policy = {**rolling(MinInstancesInService=1), "AutoScalingReplacingUpdate": {"WillReplace": True}}
    before = group.stack.create(resources("t3.micro", policy))["Group"]
    assert group.stack.update(resources("t3.micro", policy, MaxSize="7"))["Group"] == before
    after = group.stack.update(resources("t3.small", policy, MaxSize="7"))["Group"]
    assert after != before
    assert group.described()["AutoScalingGroupName"] == after
    assert group.types == ["t3.small"] * 2


class Played(Group):
    """A group whose new instances somebody plays, while an update is under way."""

    def __init__(self, aws: EmbeddedAws, stack: Stack) -> None:
        super().__init__(aws, stack)
        aws.rolling_updates_wait(True)
        self.known: set[str] = set()

    def next_one(self, state: str) -> str:
        """The next instance that nobody has played yet, once it is in that state."""

        def found() -> str | None:
            new = (name for name, now in self.members.items() if name not in self.known and now == state)
            return next(new, None)

        instance_id: str = eventually(found, f"another instance {state}")
        self.known.add(instance_id)
        return instance_id

    def signal(self, instance_id: str, status: str) -> None:
        self.aws.client("cloudformation").signal_resource(
            StackName=self.stack.name, LogicalResourceId="Group", UniqueId=instance_id, Status=status
        )


@pytest.fixture
def played(aws: EmbeddedAws, stack: Stack) -> Played:
    return Played(aws, stack)


SIGNALS = rolling(MinInstancesInService=1, WaitOnResourceSignals=True, PauseTime="PT10M")


def test_each_batch_waits_for_the_signals_of_the_one_before(played: Played) -> None:
    played.stack.create(resources("t3.micro", SIGNALS))
    played.known = set(played.members)
    with ThreadPoolExecutor(1) as executor:
        updated = executor.submit(played.stack.update, resources("t3.small", SIGNALS))
        for _ in range(2):
            new = played.next_one("InService")
            assert not updated.done()
            played.signal(new, "SUCCESS")
        updated.result()
    assert played.types == ["t3.small"] * 2
    assert len([each for each in played.told() if each.startswith("Received SUCCESS signal")]) == 2


def test_a_failure_or_a_silence_fails_the_update_and_what_was_there_comes_back(played: Played) -> None:
    played.stack.create(resources("t3.micro", SIGNALS))
    played.known = set(played.members)
    with ThreadPoolExecutor(1) as executor:
        updated = executor.submit(played.stack.update, resources("t3.small", SIGNALS))
        played.signal(played.next_one("InService"), "FAILURE")
        back = played.next_one("InService")  # of the way back
        played.signal(back, "SUCCESS")
        with pytest.raises(AssertionError, match="Received 0 SUCCESS signal"):
            updated.result()
    assert played.types == ["t3.micro"] * 2
    played.aws.minute_lasts(0.1)
    silent = rolling(MinInstancesInService=1, WaitOnResourceSignals=True, PauseTime="PT1M")
    with pytest.raises(AssertionError, match="Failed to receive 1 resource signal"):
        played.stack.update(resources("t3.small", silent))


def test_without_signals_new_instances_are_waited_for_until_their_hooks_are_over(played: Played) -> None:
    policy, hooks = rolling(MinInstancesInService=1, PauseTime="PT1M"), {"LifecycleHookSpecificationList": [HOOK]}
    played.stack.create(resources("t3.micro", policy, **hooks))
    name = played.described()["AutoScalingGroupName"]

    def complete(instance_id: str) -> None:
        played.api.complete_lifecycle_action(
            AutoScalingGroupName=name,
            LifecycleHookName="ready",
            InstanceId=instance_id,
            LifecycleActionResult="CONTINUE",
        )

    for each in played.members:
        complete(each)
    played.known = set(played.members)
    played.aws.minute_lasts(0.2)
    began = time.monotonic()
    with ThreadPoolExecutor(1) as executor:
        updated = executor.submit(played.stack.update, resources("t3.small", policy, **hooks))
        for _ in range(2):
            new = played.next_one("Pending:Wait")
            assert list(played.members.values()).count("InService") == 1, "the other one serves meanwhile"
            complete(new)
        updated.result()
    assert played.types == ["t3.small"] * 2
    assert time.monotonic() - began > 0.4, "PauseTime, twice"
