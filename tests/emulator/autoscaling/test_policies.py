"""Minutes that pass: metrics of queues and groups, and policies that scale by them."""

import datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from emulator.client import EmbeddedAws, EmulatorError
from emulator.core.clock import Clock
from emulator.models.target_tracking import SCALE_IN_DATAPOINTS, SCALE_OUT_DATAPOINTS


class Tracked:
    """A group of one with a target tracking policy."""

    def __init__(self, aws: EmbeddedAws, specification: dict[str, Any], target: float, **policy: Any) -> None:
        self.aws = aws
        self.api, self.cloudwatch = aws.client("autoscaling"), aws.client("cloudwatch")
        data = {"ImageId": "ami-12345678", "InstanceType": "t4g.micro"}
        template = aws.client("ec2").create_launch_template(LaunchTemplateName="worker", LaunchTemplateData=data)
        self.api.create_auto_scaling_group(
            AutoScalingGroupName="workers",
            MinSize=1,
            MaxSize=6,
            DefaultInstanceWarmup=0,
            AvailabilityZones=["us-east-1a"],
            LaunchTemplate={"LaunchTemplateId": template["LaunchTemplate"]["LaunchTemplateId"]},
        )
        self.api.enable_metrics_collection(AutoScalingGroupName="workers", Granularity="1Minute")
        configuration = {"TargetValue": target, "CustomizedMetricSpecification": specification}
        self.api.put_scaling_policy(
            AutoScalingGroupName="workers",
            PolicyName="track",
            PolicyType="TargetTrackingScaling",
            TargetTrackingConfiguration=configuration,
            **policy,
        )

    def desired(self) -> int:
        (group,) = self.api.describe_auto_scaling_groups(AutoScalingGroupNames=["workers"])["AutoScalingGroups"]
        return int(group["DesiredCapacity"])

    def publish(self, value: float) -> None:
        self.cloudwatch.put_metric_data(Namespace="Tried", MetricData=[{"MetricName": "Load", "Value": value}])

    def minutes_at(self, value: float, count: int = 1) -> int:
        """What the group is to have after so many minutes in which its metric has that value."""
        for _ in range(count):
            self.publish(value)
            self.aws.minutes_pass()
        return self.desired()


LOAD = {"Namespace": "Tried", "MetricName": "Load", "Statistic": "Average"}


def test_the_group_grows_in_proportion_to_its_metric_and_shrinks_again(aws: EmbeddedAws) -> None:
    group = Tracked(aws, LOAD, target=12)
    assert group.minutes_at(41, SCALE_OUT_DATAPOINTS - 1) == 1
    assert group.minutes_at(41) == 4, "41 / 12 instances, rounded up"
    assert group.minutes_at(3, SCALE_IN_DATAPOINTS - 1) == 4
    assert [group.minutes_at(3) for _ in range(4)] == [3, 2, 1, 1], "4 * 3 / 12 instances, one after the other"


def test_without_datapoints_nothing_scales(aws: EmbeddedAws) -> None:
    group = Tracked(aws, LOAD, target=12)
    aws.minutes_pass(20)
    assert group.desired() == 1


def test_a_group_whose_alarm_notifications_are_suspended_stays(aws: EmbeddedAws) -> None:
    group = Tracked(aws, LOAD, target=12)
    group.api.suspend_processes(AutoScalingGroupName="workers", ScalingProcesses=["AlarmNotification"])
    assert group.minutes_at(41, 5) == 1
    group.api.resume_processes(AutoScalingGroupName="workers", ScalingProcesses=["AlarmNotification"])
    assert group.minutes_at(41) == 4, "the policy runs again"


def test_instances_that_warm_up_hold_the_group_where_it_is(aws: EmbeddedAws) -> None:
    group = Tracked(aws, LOAD, target=12, EstimatedInstanceWarmup=60)
    assert group.minutes_at(41, 5) == 1, "its first instance warms up, too: there is nothing to multiply"


def test_metric_math_reads_queues_and_groups(aws: EmbeddedAws) -> None:
    sqs = aws.client("sqs")
    url = sqs.create_queue(QueueName="work")["QueueUrl"]
    for number in range(10):
        sqs.send_message(QueueUrl=url, MessageBody=str(number))
    visible = {
        "Namespace": "AWS/SQS",
        "MetricName": "ApproximateNumberOfMessagesVisible",
        "Dimensions": [{"Name": "QueueName", "Value": "work"}],
    }
    instances = {
        "Namespace": "AWS/AutoScaling",
        "MetricName": "GroupInServiceInstances",
        "Dimensions": [{"Name": "AutoScalingGroupName", "Value": "workers"}],
    }
    duration = {"Namespace": "Tried", "MetricName": "Duration"}
    queries = [
        {"Id": "visible", "ReturnData": False, "MetricStat": {"Metric": visible, "Stat": "Average"}},
        {"Id": "instances", "ReturnData": False, "MetricStat": {"Metric": instances, "Stat": "Average"}},
        {"Id": "duration", "ReturnData": False, "MetricStat": {"Metric": duration, "Stat": "Average"}},
        {
            "Id": "wait",
            "Expression": "FILL(visible, 0) * FILL(duration, 25) / IF(instances > 0, instances, 1)",
            "ReturnData": True,
        },
    ]
    group = Tracked(aws, {"Metrics": queries}, target=100)
    aws.minutes_pass(SCALE_OUT_DATAPOINTS)
    assert group.desired() == 3, "10 messages of 25 s / 100 s, rounded up"


def _datapoints(aws: EmbeddedAws, namespace: str, name: str, dimension: dict[str, str]) -> list[float]:
    now = datetime.datetime.now(datetime.UTC)
    metric = {"Namespace": namespace, "MetricName": name, "Dimensions": [dimension]}
    found = aws.client("cloudwatch").get_metric_data(
        MetricDataQueries=[{"Id": "m", "MetricStat": {"Metric": metric, "Period": 1, "Stat": "Average"}}],
        StartTime=now - datetime.timedelta(minutes=5),
        EndTime=now + datetime.timedelta(minutes=1),
    )
    return list(found["MetricDataResults"][0]["Values"])


def test_a_group_publishes_what_it_is_to_have(aws: EmbeddedAws) -> None:
    group = Tracked(aws, LOAD, target=12)
    group.api.suspend_processes(AutoScalingGroupName="workers", ScalingProcesses=["AlarmNotification"])
    group.api.set_desired_capacity(AutoScalingGroupName="workers", DesiredCapacity=3)
    dimension = {"Name": "AutoScalingGroupName", "Value": "workers"}
    aws.minutes_pass(2)
    assert _datapoints(aws, "AWS/AutoScaling", "GroupDesiredCapacity", dimension) == [3, 3]


@pytest.mark.parametrize("seconds", [0, 61, -1])
def test_a_minute_is_never_longer_than_one(aws: EmbeddedAws, seconds: float) -> None:
    with pytest.raises(EmulatorError, match="a minute lasts"):
        aws.minute_lasts(seconds)


def test_a_clock_counts_a_late_look_as_one_minute() -> None:
    clock = Clock()
    assert [clock.is_over(now) for now in (0, 59, 60, 61, 119, 120, 300, 301, 359, 360)] == [
        False, False, True, False, False, True, True, False, False, True,  # the one at 240 s is left out
    ]  # fmt: skip


def test_a_group_keeps_its_warm_up(aws: EmbeddedAws) -> None:
    group = Tracked(aws, LOAD, target=12)
    group.api.update_auto_scaling_group(AutoScalingGroupName="workers", DefaultInstanceWarmup=90)
    (found,) = group.api.describe_auto_scaling_groups()["AutoScalingGroups"]
    assert found["DefaultInstanceWarmup"] == 90
    with pytest.raises(ClientError):
        group.api.update_auto_scaling_group(AutoScalingGroupName="none", DefaultInstanceWarmup=90)
