"""Groups of instances: capacity, hooks, policies and what their events say."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from emulator.client import EmbeddedAws
from tests.embedded_aws import eventually
from tests.emulator.receivers import HEARS_RULES


@pytest.fixture
def template(aws: EmbeddedAws) -> str:
    data = {"ImageId": "ami-12345678", "InstanceType": "t4g.micro"}
    made = aws.client("ec2").create_launch_template(LaunchTemplateName="worker", LaunchTemplateData=data)
    return str(made["LaunchTemplate"]["LaunchTemplateId"])


class Group:
    """A group of three in two zones, with or without a terminating hook."""

    def __init__(self, aws: EmbeddedAws, template: str, *, hook: bool, **more: Any) -> None:
        self.api = aws.client("autoscaling")
        source = {"LaunchTemplate": {"LaunchTemplateId": template, "Version": "$Latest"}}
        self.api.create_auto_scaling_group(
            AutoScalingGroupName="workers",
            MinSize=0,
            MaxSize=40,
            AvailabilityZones=["us-east-1a", "us-east-1b"],
            **(more or source),
        )
        if hook:
            self.api.put_lifecycle_hook(
                AutoScalingGroupName="workers",
                LifecycleHookName="drain",
                LifecycleTransition="autoscaling:EC2_INSTANCE_TERMINATING",
                HeartbeatTimeout=300,
                DefaultResult="CONTINUE",
            )
        self.scale(3)

    def scale(self, desired: int) -> None:
        self.api.set_desired_capacity(AutoScalingGroupName="workers", DesiredCapacity=desired)

    def states(self) -> dict[str, str]:
        members = self.api.describe_auto_scaling_instances()["AutoScalingInstances"]
        return {member["InstanceId"]: member["LifecycleState"] for member in members}

    def waiting(self) -> list[str]:
        return [name for name, state in self.states().items() if state == "Terminating:Wait"]

    def desired(self) -> int:
        (found,) = self.api.describe_auto_scaling_groups()["AutoScalingGroups"]
        return int(found["DesiredCapacity"])

    def complete(self, instance_id: str, result: str = "CONTINUE") -> None:
        self.api.complete_lifecycle_action(
            AutoScalingGroupName="workers",
            LifecycleHookName="drain",
            InstanceId=instance_id,
            LifecycleActionResult=result,
        )


@pytest.fixture
def hooked(aws: EmbeddedAws, template: str) -> Group:
    return Group(aws, template, hook=True)


@pytest.fixture
def plain(aws: EmbeddedAws, template: str) -> Group:
    return Group(aws, template, hook=False)


def _ec2_states(aws: EmbeddedAws) -> list[str]:
    found = aws.client("ec2").describe_instances()["Reservations"]
    return sorted(item["State"]["Name"] for reservation in found for item in reservation["Instances"])


def test_scale_in_without_hooks_terminates_at_once(aws: EmbeddedAws, plain: Group) -> None:
    plain.scale(1)
    assert list(plain.states().values()) == ["InService"]
    assert _ec2_states(aws) == ["running", "terminated", "terminated"]


def test_scale_in_waits_for_the_hook_and_goes_on_when_it_is_completed(aws: EmbeddedAws, hooked: Group) -> None:
    hooked.scale(2)
    (leaving,) = hooked.waiting()
    assert _ec2_states(aws) == ["running"] * 3, "it drains"
    hooked.api.record_lifecycle_action_heartbeat(
        AutoScalingGroupName="workers", LifecycleHookName="drain", InstanceId=leaving
    )
    hooked.complete(leaving)
    assert sorted(hooked.states().values()) == ["InService", "InService"]
    assert _ec2_states(aws) == ["running", "running", "terminated"]


def test_completing_an_action_twice_is_an_error(hooked: Group) -> None:
    hooked.scale(2)
    (leaving,) = hooked.waiting()
    hooked.complete(leaving)
    with pytest.raises(ClientError, match="No active Lifecycle Action found"):
        hooked.complete(leaving)


def test_a_scale_out_does_not_count_the_leaving_instances(hooked: Group) -> None:
    hooked.scale(1)
    hooked.scale(3)
    assert sorted(hooked.states().values()) == ["InService"] * 3 + ["Terminating:Wait"] * 2


def test_every_instance_of_a_launch_has_the_profile(aws: EmbeddedAws) -> None:
    aws.client("iam").create_instance_profile(InstanceProfileName="worker")
    api = aws.client("ec2")
    api.run_instances(ImageId="ami-12345678", MinCount=3, MaxCount=3, IamInstanceProfile={"Name": "worker"})
    (found,) = api.describe_instances()["Reservations"]
    profiles = [instance["IamInstanceProfile"]["Arn"].rsplit("/", 1)[-1] for instance in found["Instances"]]
    assert profiles == ["worker"] * 3


class LaunchHooked(Group):
    """A group of three whose new instances wait for the hook ``check``."""

    def __init__(self, aws: EmbeddedAws, template: str, *, heartbeat: int = 300, default: str = "ABANDON") -> None:
        super().__init__(aws, template, hook=False)
        self.api.put_lifecycle_hook(
            AutoScalingGroupName="workers",
            LifecycleHookName="check",
            LifecycleTransition="autoscaling:EC2_INSTANCE_LAUNCHING",
            HeartbeatTimeout=heartbeat,
            DefaultResult=default,
        )

    def pending(self) -> list[str]:
        return [name for name, state in self.states().items() if state == "Pending:Wait"]

    def answer(self, instance_id: str, result: str) -> None:
        self.api.complete_lifecycle_action(
            AutoScalingGroupName="workers",
            LifecycleHookName="check",
            InstanceId=instance_id,
            LifecycleActionResult=result,
        )


def test_a_launched_instance_waits_for_its_hook_and_enters_service_when_it_is_completed(
    aws: EmbeddedAws, template: str
) -> None:
    group = LaunchHooked(aws, template)
    group.scale(4)
    (launched,) = group.pending()
    group.answer(launched, "CONTINUE")
    assert group.states()[launched] == "InService"
    with pytest.raises(ClientError, match="No active Lifecycle Action found"):
        group.answer(launched, "CONTINUE")


def test_an_abandoned_launch_is_terminated_and_another_instance_is_launched(aws: EmbeddedAws, template: str) -> None:
    group = LaunchHooked(aws, template)
    group.scale(4)
    (launched,) = group.pending()
    group.answer(launched, "ABANDON")
    assert group.pending() == [] and launched not in group.states(), "between two launches there is a pause"
    aws.minutes_pass()
    assert len(group.pending()) == 1 and group.pending() != [launched]
    assert group.desired() == 4


@pytest.mark.parametrize(("default", "enters"), [("CONTINUE", True), ("ABANDON", False)])
def test_a_launch_that_nobody_answers_ends_with_the_default_of_the_hook(
    aws: EmbeddedAws, template: str, default: str, enters: bool
) -> None:
    group = LaunchHooked(aws, template, heartbeat=120, default=default)
    group.scale(4)
    (launched,) = group.pending()
    aws.minutes_pass()
    assert group.pending() == [launched]
    aws.minutes_pass()
    assert launched not in group.pending(), "the hook timed out"
    assert (group.states().get(launched) == "InService") is enters


def test_a_waiting_instance_counts_towards_the_capacity_and_may_leave_again(aws: EmbeddedAws, template: str) -> None:
    group = LaunchHooked(aws, template)
    group.scale(4)
    group.scale(4)
    assert len(group.pending()) == 1
    group.scale(0)
    assert group.states() == {}


def test_the_time_out_of_a_hook_ends_the_wait(aws: EmbeddedAws, hooked: Group) -> None:
    hooked.api.put_lifecycle_hook(
        AutoScalingGroupName="workers",
        LifecycleHookName="drain",
        LifecycleTransition="autoscaling:EC2_INSTANCE_TERMINATING",
        HeartbeatTimeout=60,
    )
    hooked.scale(2)
    assert hooked.waiting()
    aws.minutes_pass()
    assert not hooked.waiting(), "the hook timed out"
    assert _ec2_states(aws) == ["running", "running", "terminated"]


@pytest.mark.parametrize(("shrink", "left"), [(True, 2), (False, 3)])
def test_terminating_one_instance_passes_the_hook_and_replaces_it_or_not(
    hooked: Group, shrink: bool, left: int
) -> None:
    chosen = next(iter(hooked.states()))
    hooked.api.terminate_instance_in_auto_scaling_group(InstanceId=chosen, ShouldDecrementDesiredCapacity=shrink)
    assert hooked.waiting() == [chosen]
    assert hooked.desired() == left
    assert list(hooked.states().values()).count("InService") == left


def test_an_instance_that_ec2_terminates_is_replaced_without_a_hook(aws: EmbeddedAws, hooked: Group) -> None:
    gone = next(iter(hooked.states()))
    aws.client("ec2").terminate_instances(InstanceIds=[gone])
    states = hooked.states()
    assert gone not in states
    assert list(states.values()) == ["InService"] * 3


def test_only_a_forced_deletion_takes_the_instances_too(aws: EmbeddedAws, hooked: Group) -> None:
    with pytest.raises(ClientError, match="ResourceInUse"):
        hooked.api.delete_auto_scaling_group(AutoScalingGroupName="workers")
    hooked.api.delete_auto_scaling_group(AutoScalingGroupName="workers", ForceDelete=True)
    assert _ec2_states(aws) == ["terminated"] * 3


@pytest.mark.parametrize("desired", [-1, 41])
def test_a_capacity_outside_the_limits_is_refused(plain: Group, desired: int) -> None:
    with pytest.raises(ClientError, match=r"above max|below min|valid range|minimum"):
        plain.scale(desired)


def test_instances_are_spread_over_the_subnets(aws: EmbeddedAws, template: str) -> None:
    subnets = [subnet["SubnetId"] for subnet in aws.client("ec2").describe_subnets()["Subnets"]][:2]
    api = aws.client("autoscaling")
    api.create_auto_scaling_group(
        AutoScalingGroupName="spread",
        MinSize=4,
        MaxSize=4,
        VPCZoneIdentifier=",".join(subnets),
        LaunchTemplate={"LaunchTemplateId": template},
    )
    zones = [item["AvailabilityZone"] for item in api.describe_auto_scaling_instances()["AutoScalingInstances"]]
    assert sorted(zones.count(zone) for zone in set(zones)) == [2, 2]


def test_purchase_options_follow_the_example_of_the_user_guide(aws: EmbeddedAws, template: str) -> None:
    """A base of 10 and 50 percent above it (mixed-instances-groups-set-up-overview.html, scaling behavior)."""
    specification = {"LaunchTemplateSpecification": {"LaunchTemplateId": template}}
    distribution = {"OnDemandBaseCapacity": 10, "OnDemandPercentageAboveBaseCapacity": 50}
    policy = {"LaunchTemplate": specification, "InstancesDistribution": distribution}
    group = Group(aws, template, hook=False, MixedInstancesPolicy=policy)
    on_demand = {}
    for size in (10, 20, 30, 40):
        group.scale(size)
        found = aws.client("ec2").describe_instances()["Reservations"]
        spot = [item for reservation in found for item in reservation["Instances"] if "InstanceLifecycle" in item]
        on_demand[size] = size - len(spot)
    assert on_demand == {10: 10, 20: 15, 30: 20, 40: 25}


def test_a_policy_never_goes_outside_of_the_limits(aws: EmbeddedAws, plain: Group) -> None:
    """The example of as-scale-based-on-demand.html: maximum 3, now 2, three more are asked for, one is added."""
    plain.api.update_auto_scaling_group(AutoScalingGroupName="workers", MaxSize=3, DesiredCapacity=2)
    arn = plain.api.put_scaling_policy(
        AutoScalingGroupName="workers",
        PolicyName="three-more",
        PolicyType="SimpleScaling",
        AdjustmentType="ChangeInCapacity",
        ScalingAdjustment=3,
    )["PolicyARN"]
    plain.api.execute_policy(PolicyName=arn)
    assert plain.desired() == 3


def test_a_step_policy_is_run_by_its_alarm(aws: EmbeddedAws, plain: Group) -> None:
    steps = [
        {"MetricIntervalLowerBound": 0.0, "MetricIntervalUpperBound": 10.0, "ScalingAdjustment": 1},
        {"MetricIntervalLowerBound": 10.0, "ScalingAdjustment": 3},
    ]
    arn = plain.api.put_scaling_policy(
        AutoScalingGroupName="workers",
        PolicyName="more",
        PolicyType="StepScaling",
        AdjustmentType="ChangeInCapacity",
        StepAdjustments=steps,
    )["PolicyARN"]
    cloudwatch = aws.client("cloudwatch")
    cloudwatch.put_metric_alarm(
        AlarmName="backlog",
        Namespace="Tried",
        MetricName="Backlog",
        Statistic="Maximum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=50,
        ComparisonOperator="GreaterThanOrEqualToThreshold",
        AlarmActions=[arn],
    )
    cloudwatch.put_metric_data(Namespace="Tried", MetricData=[{"MetricName": "Backlog", "Value": 55}])
    assert plain.desired() == 4, "the first step"
    cloudwatch.set_alarm_state(AlarmName="backlog", StateValue="OK", StateReason="by hand")
    cloudwatch.put_metric_data(Namespace="Tried", MetricData=[{"MetricName": "Backlog", "Value": 75}])
    assert plain.desired() == 7, "the second"


def test_state_changes_and_waiting_instances_are_announced(aws: EmbeddedAws, hooked: Group) -> None:
    sqs, events = aws.client("sqs"), aws.client("events")
    url = sqs.create_queue(QueueName="heard", Attributes={"Policy": HEARS_RULES})["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    events.put_rule(Name="all", EventPattern=json.dumps({"source": ["aws.ec2", "aws.autoscaling"]}))
    events.put_targets(Rule="all", Targets=[{"Id": "1", "Arn": arn}])
    hooked.scale(2)
    (leaving,) = hooked.waiting()
    heard = eventually(lambda: sqs.receive_message(QueueUrl=url).get("Messages"), "the wait is announced")
    event = json.loads(heard[0]["Body"])
    assert event["detail-type"] == "EC2 Instance-terminate Lifecycle Action"
    token = event["detail"]["LifecycleActionToken"]
    assert event["detail"] == {
        "LifecycleActionToken": token,
        "AutoScalingGroupName": "workers",
        "LifecycleHookName": "drain",
        "EC2InstanceId": leaving,
        "LifecycleTransition": "autoscaling:EC2_INSTANCE_TERMINATING",
        "Origin": "AutoScalingGroup",
        "Destination": "EC2",
    }
    hooked.api.complete_lifecycle_action(
        AutoScalingGroupName="workers",
        LifecycleHookName="drain",
        LifecycleActionToken=token,
        LifecycleActionResult="CONTINUE",
    )
    heard = eventually(lambda: sqs.receive_message(QueueUrl=url).get("Messages"), "the end is announced")
    event = json.loads(heard[0]["Body"])
    assert event["detail"] == {"instance-id": leaving, "state": "terminated"}


def test_a_launch_that_waits_is_announced(aws: EmbeddedAws, template: str) -> None:
    sqs, events = aws.client("sqs"), aws.client("events")
    url = sqs.create_queue(QueueName="heard", Attributes={"Policy": HEARS_RULES})["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    group = LaunchHooked(aws, template)
    events.put_rule(Name="launches", EventPattern=json.dumps({"source": ["aws.autoscaling"]}))
    events.put_targets(Rule="launches", Targets=[{"Id": "1", "Arn": arn}])
    group.scale(4)
    heard = eventually(lambda: sqs.receive_message(QueueUrl=url).get("Messages"), "the wait is announced")
    event = json.loads(heard[0]["Body"])
    assert event["detail-type"] == "EC2 Instance-launch Lifecycle Action"
    assert [event["detail"]["EC2InstanceId"]] == group.pending()
    assert (event["detail"]["Origin"], event["detail"]["Destination"]) == ("EC2", "AutoScalingGroup")


def test_types_for_requirements_come_from_the_catalogue(aws: EmbeddedAws) -> None:
    def found(**requirements: Any) -> list[str]:
        answer = aws.client("ec2").get_instance_types_from_instance_requirements(
            ArchitectureTypes=["arm64"],
            VirtualizationTypes=["hvm"],
            InstanceRequirements={"VCpuCount": {"Min": 2, "Max": 2}, "MemoryMiB": {"Min": 4096}, **requirements},
        )
        return [item["InstanceType"] for item in answer["InstanceTypes"]]

    assert "c7g.large" in found()
    assert "t4g.medium" not in found(), "burstable types only if asked for"
    assert "t4g.medium" in found(BurstablePerformance="included")
    assert "c7i.large" not in found(), "another architecture"
    assert set(found(AllowedInstanceTypes=["c7g*"])) == {"c7g.large", "c7gd.large", "c7gn.large"}
    assert not [name for name in found(ExcludedInstanceTypes=["c*", "a1*"]) if name[0] in "ac"]
    assert found(MemoryMiB={"Min": 10_000_000}) == []
    assert "c7gd.large" in found(LocalStorage="required") and "c7g.large" not in found(LocalStorage="required")
    assert "c7gd.large" not in found(LocalStorage="excluded") and "c7g.large" in found(LocalStorage="excluded")
    assert "c7gd.large" in found(TotalLocalStorageGB={"Min": 100}) and "c7g.large" not in found(
        TotalLocalStorageGB={"Min": 100}
    )
    assert "c7gd.large" not in found(LocalStorageTypes=["hdd"], LocalStorage="required")


@pytest.mark.parametrize(("spoken", "accepted"), [({}, False), ({"OnDemandAllocationStrategy": "lowest-price"}, True)])
def test_a_strategy_that_types_brought_stays_and_does_not_go_with_attributes(
    aws: EmbeddedAws, template: str, spoken: dict[str, str], accepted: bool
) -> None:
    """https://github.com/kubernetes/kops/issues/15304."""

    def policy(override: dict[str, Any], **distribution: str) -> dict[str, Any]:
        source = {"LaunchTemplateId": template, "Version": "$Latest"}
        launch = {"LaunchTemplateSpecification": source, "Overrides": [override]}
        return {"MixedInstancesPolicy": {"LaunchTemplate": launch, "InstancesDistribution": distribution}}

    attributes = {"InstanceRequirements": {"VCpuCount": {"Min": 2}, "MemoryMiB": {"Min": 2048}}}
    group = Group(aws, template, hook=False, **policy({"InstanceType": "m7g.large"}))
    changed = {"AutoScalingGroupName": "workers", **policy(attributes, **spoken)}
    if accepted:
        group.api.update_auto_scaling_group(**changed)
    else:
        with pytest.raises(ClientError, match="prioritized"):
            group.api.update_auto_scaling_group(**changed)


def test_an_end_is_announced(aws: EmbeddedAws, plain: Group) -> None:
    sqs, events = aws.client("sqs"), aws.client("events")
    url = sqs.create_queue(QueueName="heard", Attributes={"Policy": HEARS_RULES})["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    events.put_rule(Name="ends", EventPattern=json.dumps({"detail-type": ["EC2 Instance Terminate Successful"]}))
    events.put_targets(Rule="ends", Targets=[{"Id": "1", "Arn": arn}])
    before = set(plain.states())
    plain.scale(2)
    heard = eventually(lambda: sqs.receive_message(QueueUrl=url).get("Messages"), "the end is announced")
    detail = json.loads(heard[0]["Body"])["detail"]
    assert {detail["EC2InstanceId"]} == before - set(plain.states()) and detail["AutoScalingGroupName"] == "workers"
