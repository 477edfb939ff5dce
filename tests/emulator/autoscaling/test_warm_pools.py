"""Warm pools: https://docs.aws.amazon.com/autoscaling/ec2/userguide/warm-pool-instance-lifecycle.html."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from emulator.client import EmbeddedAws
from tests.embedded_aws import Stack, eventually
from tests.emulator.receivers import HEARS_RULES


class Group:
    """An empty group of at most four, with a launching hook or without one."""

    def __init__(self, aws: EmbeddedAws, *, hook: bool) -> None:
        self.api, self.ec2 = aws.client("autoscaling"), aws.client("ec2")
        data = {"ImageId": "ami-12345678", "InstanceType": "t4g.micro"}
        made = self.ec2.create_launch_template(LaunchTemplateName="checked", LaunchTemplateData=data)
        self.api.create_auto_scaling_group(
            AutoScalingGroupName="checked",
            MinSize=0,
            MaxSize=4,
            AvailabilityZones=["us-east-1a"],
            LaunchTemplate={"LaunchTemplateId": made["LaunchTemplate"]["LaunchTemplateId"], "Version": "$Latest"},
        )
        if hook:
            self.api.put_lifecycle_hook(
                AutoScalingGroupName="checked",
                LifecycleHookName="launch",
                LifecycleTransition="autoscaling:EC2_INSTANCE_LAUNCHING",
                HeartbeatTimeout=300,
                DefaultResult="ABANDON",
            )

    def warm(self, **settings: Any) -> None:
        self.api.put_warm_pool(AutoScalingGroupName="checked", **settings)

    def pool(self) -> dict[str, str]:
        found = self.api.describe_warm_pool(AutoScalingGroupName="checked")["Instances"]
        return {item["InstanceId"]: item["LifecycleState"] for item in found}

    def members(self) -> dict[str, str]:
        (found,) = self.api.describe_auto_scaling_groups()["AutoScalingGroups"]
        return {item["InstanceId"]: item["LifecycleState"] for item in found["Instances"]}

    def scale(self, desired: int) -> None:
        self.api.set_desired_capacity(AutoScalingGroupName="checked", DesiredCapacity=desired)

    def answer(self, instance_id: str, result: str = "CONTINUE") -> None:
        self.api.complete_lifecycle_action(
            AutoScalingGroupName="checked",
            LifecycleHookName="launch",
            InstanceId=instance_id,
            LifecycleActionResult=result,
        )

    def power(self, instance_id: str) -> str:
        (reservation,) = self.ec2.describe_instances(InstanceIds=[instance_id])["Reservations"]
        return str(reservation["Instances"][0]["State"]["Name"])


def test_an_instance_waits_on_its_way_in_rests_stopped_and_waits_again_on_its_way_out(aws: EmbeddedAws) -> None:
    group = Group(aws, hook=True)
    group.warm(MinSize=1, MaxGroupPreparedCapacity=1)
    (warm,) = group.pool()
    assert group.pool() == {warm: "Warmed:Pending:Wait"} and group.members() == {}
    group.answer(warm)
    assert (group.pool()[warm], group.power(warm)) == ("Warmed:Stopped", "stopped")
    group.scale(1)
    assert (group.members()[warm], group.power(warm)) == ("Pending:Wait", "running")
    group.answer(warm)
    assert group.members()[warm] == "InService"


def test_both_waits_are_announced_with_where_the_instance_comes_from_and_goes_to(aws: EmbeddedAws) -> None:
    queue_url = aws.client("sqs").create_queue(QueueName="heard", Attributes={"Policy": HEARS_RULES})["QueueUrl"]
    arn = "arn:aws:sqs:us-east-1:123456789012:heard"
    aws.client("events").put_rule(Name="launches", EventPattern=json.dumps({"source": ["aws.autoscaling"]}))
    aws.client("events").put_targets(Rule="launches", Targets=[{"Id": "1", "Arn": arn}])

    def heard() -> tuple[str, str, str]:
        message = eventually(lambda: aws.client("sqs").receive_message(QueueUrl=queue_url).get("Messages"), "an event")[
            0
        ]
        aws.client("sqs").delete_message(QueueUrl=queue_url, ReceiptHandle=message["ReceiptHandle"])
        event = json.loads(message["Body"])
        return event["detail-type"], event["detail"]["Origin"], event["detail"]["Destination"]

    group = Group(aws, hook=True)
    group.warm(MinSize=1, MaxGroupPreparedCapacity=1)
    assert heard() == ("EC2 Instance-launch Lifecycle Action", "EC2", "WarmPool")
    (warm,) = group.pool()
    group.answer(warm)
    group.scale(1)
    assert heard() == ("EC2 Instance-launch Lifecycle Action", "WarmPool", "AutoScalingGroup")


def test_an_abandoned_instance_of_the_pool_is_replaced(aws: EmbeddedAws) -> None:
    group = Group(aws, hook=True)
    group.warm(MinSize=1, MaxGroupPreparedCapacity=1)
    (bad,) = group.pool()
    group.answer(bad, "ABANDON")
    assert group.power(bad) == "terminated"
    assert list(group.pool().values()) == ["Warmed:Pending:Wait"] and bad not in group.pool()


@pytest.mark.parametrize(
    ("settings", "size"),
    [({}, 3), ({"MaxGroupPreparedCapacity": 2}, 1), ({"MinSize": 2, "MaxGroupPreparedCapacity": 1}, 2)],
)
def test_the_pool_has_what_the_desired_capacity_leaves_and_at_least_its_minimum(
    aws: EmbeddedAws, settings: dict[str, int], size: int
) -> None:
    group = Group(aws, hook=False)
    group.scale(1)
    group.warm(**settings)
    assert list(group.pool().values()) == ["Warmed:Stopped"] * size


def test_instances_of_the_pool_are_shown_beside_those_of_the_group(aws: EmbeddedAws) -> None:
    group = Group(aws, hook=False)
    group.scale(1)
    group.warm(MinSize=1, MaxGroupPreparedCapacity=2)
    (warm,) = group.pool()
    found = group.api.describe_auto_scaling_instances()["AutoScalingInstances"]
    assert sorted(item["LifecycleState"] for item in found) == ["InService", "Warmed:Stopped"]
    (one,) = group.api.describe_auto_scaling_instances(InstanceIds=[warm])["AutoScalingInstances"]
    assert (one["AutoScalingGroupName"], one["LifecycleState"]) == ("checked", "Warmed:Stopped")


def test_the_pool_goes_with_its_instances(aws: EmbeddedAws) -> None:
    group = Group(aws, hook=False)
    group.warm(MinSize=1)
    instances = list(group.pool())
    group.api.delete_warm_pool(AutoScalingGroupName="checked", ForceDelete=True)
    assert group.pool() == {} and {group.power(name) for name in instances} == {"terminated"}


def test_a_pool_needs_its_group(aws: EmbeddedAws) -> None:
    with pytest.raises(ClientError, match="not found"):
        aws.client("autoscaling").put_warm_pool(AutoScalingGroupName="none")


def test_a_stack_has_a_warm_pool_and_takes_it_away(aws: EmbeddedAws, stack: Stack) -> None:
    template = {"ImageId": "ami-12345678", "InstanceType": "t4g.micro"}
    version = {"LaunchTemplateId": {"Ref": "Template"}, "Version": {"Fn::GetAtt": ["Template", "LatestVersionNumber"]}}
    group = {"MinSize": "0", "MaxSize": "2", "AvailabilityZones": ["us-east-1a"], "LaunchTemplate": version}
    pool = {"AutoScalingGroupName": {"Ref": "Group"}, "MinSize": 1, "PoolState": "Stopped"}
    resources = {
        "Template": {"Type": "AWS::EC2::LaunchTemplate", "Properties": {"LaunchTemplateData": template}},
        "Group": {"Type": "AWS::AutoScaling::AutoScalingGroup", "Properties": group},
        "Pool": {"Type": "AWS::AutoScaling::WarmPool", "Properties": pool},
    }
    name = stack.create(resources)["Group"]
    autoscaling = aws.client("autoscaling")
    assert len(autoscaling.describe_warm_pool(AutoScalingGroupName=name)["Instances"]) == 2
    stack.delete()
    assert autoscaling.describe_auto_scaling_instances()["AutoScalingInstances"] == []
