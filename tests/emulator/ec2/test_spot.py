"""Spot notices and what a group makes of them, placement scores, and target groups that follow their group."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from emulator.client import EmbeddedAws, EmulatorError
from tests.embedded_aws import Stack, eventually
from tests.emulator.cloudformation.test_types import IMAGE, network
from tests.emulator.receivers import HEARS_RULES

TYPES = ["m5.large", "m5a.large", "m6i.large"]


class Group:
    """Two Spot Instances behind a target group, with a terminating hook, made by a stack."""

    def __init__(self, aws: EmbeddedAws, stack: Stack, *, rebalance: bool = True) -> None:
        self.aws = aws
        self.api, self.elb = aws.client("autoscaling"), aws.client("elbv2")
        stack.create(resources(rebalance=rebalance))
        (described,) = self.api.describe_auto_scaling_groups()["AutoScalingGroups"]
        self.name = described["AutoScalingGroupName"]
        (self.target_group,) = described["TargetGroupARNs"]

    def states(self) -> dict[str, str]:
        (described,) = self.api.describe_auto_scaling_groups()["AutoScalingGroups"]
        return {item["InstanceId"]: item["LifecycleState"] for item in described["Instances"]}

    def targets(self) -> set[str]:
        found = self.elb.describe_target_health(TargetGroupArn=self.target_group)["TargetHealthDescriptions"]
        return {item["Target"]["Id"] for item in found if item["TargetHealth"]["State"] == "healthy"}


def ref(name: str) -> dict[str, str]:
    return {"Ref": name}


def resources(*, rebalance: bool = True, hours: str = "0 20 * * *", stop: float = 1) -> dict[str, Any]:
    parts = network()
    kept = {name: parts[name] for name in ("Vpc", "Subnet", "Group")}
    missing = {
        "Id": "missing",
        "Expression": "desired - 1",
        "ReturnData": True,
    }
    data = {"ImageId": IMAGE, "SecurityGroupIds": [{"Fn::GetAtt": ["Group", "GroupId"]}]}
    made = {
        "Targets": (
            "AWS::ElasticLoadBalancingV2::TargetGroup",
            {
                "VpcId": ref("Vpc"),
                "Port": 8080,
                "Protocol": "HTTP",
                "TargetType": "instance",
                "TargetGroupAttributes": [{"Key": "deregistration_delay.timeout_seconds", "Value": "45"}],
            },
        ),
        "Balancer": (
            "AWS::ElasticLoadBalancingV2::LoadBalancer",
            {
                "Scheme": "internal",
                "Subnets": [ref("Subnet")],
                "LoadBalancerAttributes": [{"Key": "routing.http.drop_invalid_header_fields.enabled", "Value": "true"}],
            },
        ),
        "Listener": (
            "AWS::ElasticLoadBalancingV2::Listener",
            {
                "LoadBalancerArn": ref("Balancer"),
                "Port": 80,
                "Protocol": "HTTP",
                "DefaultActions": [{"Type": "forward", "TargetGroupArn": ref("Targets")}],
            },
        ),
        "Template": ("AWS::EC2::LaunchTemplate", {"LaunchTemplateData": data}),
        "Spot": (
            "AWS::AutoScaling::AutoScalingGroup",
            {
                "MinSize": "2",
                "MaxSize": "4",
                "VPCZoneIdentifier": [ref("Subnet")],
                "CapacityRebalance": rebalance,
                "TargetGroupARNs": [ref("Targets")],
                "MixedInstancesPolicy": {
                    "InstancesDistribution": {"OnDemandPercentageAboveBaseCapacity": 0},
                    "LaunchTemplate": {
                        "LaunchTemplateSpecification": {
                            "LaunchTemplateId": ref("Template"),
                            "Version": {"Fn::GetAtt": ["Template", "LatestVersionNumber"]},
                        },
                        "Overrides": [{"InstanceType": "m6g.large"}],
                    },
                },
                "LifecycleHookSpecificationList": [
                    {
                        "LifecycleHookName": "leave",
                        "LifecycleTransition": "autoscaling:EC2_INSTANCE_TERMINATING",
                        "HeartbeatTimeout": 600,
                    }
                ],
            },
        ),
        "Hours": (
            "AWS::AutoScaling::ScheduledAction",
            {"AutoScalingGroupName": ref("Spot"), "Recurrence": hours, "TimeZone": "Europe/Berlin", "MinSize": 3},
        ),
        "Stop": (
            "AWS::CloudWatch::Alarm",
            {
                "ComparisonOperator": "GreaterThanThreshold",
                "EvaluationPeriods": 1,
                "Threshold": stop,
                "Metrics": [missing],
            },
        ),
    }
    return kept | {name: {"Type": kind, "Properties": properties} for name, (kind, properties) in made.items()}


@pytest.fixture
def stack(aws: EmbeddedAws) -> Stack:
    return Stack(aws)


# Notices


def test_an_interrupted_instance_is_deregistered_replaced_and_waits_in_its_hook(aws: EmbeddedAws, stack: Stack) -> None:
    group = Group(aws, stack)
    assert group.targets() == set(group.states())
    victim, other = group.states()
    aws.spot_notice("interruption", victim, act=True)
    states = group.states()
    assert states.pop(victim) == "Terminating:Wait"
    assert other in states and set(states.values()) == {"InService"} and len(states) == 2
    assert group.targets() == set(states)


def test_an_instance_at_risk_serves_until_its_replacement_does(aws: EmbeddedAws, stack: Stack) -> None:
    group = Group(aws, stack)
    group.api.put_lifecycle_hook(
        AutoScalingGroupName=group.name,
        LifecycleHookName="boot",
        LifecycleTransition="autoscaling:EC2_INSTANCE_LAUNCHING",
        HeartbeatTimeout=600,
    )
    victim, _ = before = group.targets()
    aws.spot_notice("rebalance", victim, act=True)
    (new,) = group.states().keys() - before
    assert group.states()[new] == "Pending:Wait" and group.targets() == before
    group.api.complete_lifecycle_action(
        AutoScalingGroupName=group.name, LifecycleHookName="boot", InstanceId=new, LifecycleActionResult="CONTINUE"
    )
    assert group.states()[victim] == "Terminating:Wait" and group.targets() == before - {victim} | {new}


def test_without_capacity_rebalancing_a_group_waits_for_the_end(aws: EmbeddedAws, stack: Stack) -> None:
    group = Group(aws, stack, rebalance=False)
    victim, _ = group.states()
    aws.spot_notice("rebalance", victim, act=True)
    assert set(group.states().values()) == {"InService"}


@pytest.mark.parametrize(
    ("kind", "detail_type", "more"),
    [
        ("interruption", "EC2 Spot Instance Interruption Warning", {"instance-action": "terminate"}),
        ("rebalance", "EC2 Instance Rebalance Recommendation", {}),
    ],
)
def test_the_events_are_those_of_the_user_guide(
    aws: EmbeddedAws, kind: str, detail_type: str, more: dict[str, str]
) -> None:
    import json

    sqs, events = aws.client("sqs"), aws.client("events")
    url = sqs.create_queue(QueueName="heard", Attributes={"Policy": HEARS_RULES})["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    events.put_rule(Name="spot", EventPattern=json.dumps({"source": ["aws.ec2"], "detail-type": [detail_type]}))
    events.put_targets(Rule="spot", Targets=[{"Id": "1", "Arn": arn}])
    aws.spot_notice(kind, "i-1234567890abcdef0")
    (message,) = eventually(lambda: sqs.receive_message(QueueUrl=url).get("Messages"), "the event")
    event = json.loads(message["Body"])
    assert event["detail"] == {"instance-id": "i-1234567890abcdef0", **more}
    assert event["resources"] == [f"arn:aws:ec2:us-east-1:{aws.account}:instance/i-1234567890abcdef0"]


def test_another_kind_of_notice_is_refused(aws: EmbeddedAws) -> None:
    with pytest.raises(EmulatorError, match="kind is 'flood'"):
        aws.spot_notice("flood", "i-1")


# What the stack has made


def test_target_groups_schedules_and_math_alarms_are_made_changed_and_removed(aws: EmbeddedAws, stack: Stack) -> None:
    group = Group(aws, stack)
    attributes = group.elb.describe_target_group_attributes(TargetGroupArn=group.target_group)["Attributes"]
    assert {"Key": "deregistration_delay.timeout_seconds", "Value": "45"} in attributes
    stack.update(resources(hours="30 21 * * *", stop=2))
    (action,) = group.api.describe_scheduled_actions()["ScheduledUpdateGroupActions"]
    assert (action["Recurrence"], action["TimeZone"], action["MinSize"]) == ("30 21 * * *", "Europe/Berlin", 3)
    stack.delete()
    assert group.api.describe_scheduled_actions()["ScheduledUpdateGroupActions"] == []
    assert group.elb.describe_load_balancers()["LoadBalancers"] == []
    assert group.elb.describe_target_groups()["TargetGroups"] == []


# Scores


def scores(aws: EmbeddedAws, **question: Any) -> list[dict[str, Any]]:
    found = aws.client("ec2").get_spot_placement_scores(TargetCapacity=10, **question)["SpotPlacementScores"]
    return list(found)


def test_fewer_than_three_types_score_low(aws: EmbeddedAws) -> None:
    assert scores(aws, InstanceTypes=TYPES[:2])[0]["Score"] == 1 < scores(aws, InstanceTypes=TYPES)[0]["Score"]


def test_types_that_do_not_exist_and_more_than_the_account_may_ask_for_are_refused(aws: EmbeddedAws) -> None:
    """https://github.com/redhat-developer/mapt/issues/902."""
    with pytest.raises(ClientError, match="InvalidParameterValue"):
        scores(aws, InstanceTypes=["m5.larg", *TYPES])
    aws.control("spot-questions", most=None, capacity=9)
    with pytest.raises(ClientError, match="TargetCapacityLimitExceededException"):
        scores(aws, InstanceTypes=TYPES)
    aws.control("spot-questions", most=None)
    assert scores(aws, InstanceTypes=TYPES)


def test_regions_are_scored_as_a_whole_and_zones_by_their_id(aws: EmbeddedAws) -> None:
    regions = scores(aws, InstanceTypes=TYPES, RegionNames=["eu-west-1", "us-east-1"])
    assert [score["Region"] for score in regions] == ["eu-west-1", "us-east-1"]
    assert not any("AvailabilityZoneId" in score for score in regions)
    zones = scores(aws, InstanceTypes=TYPES, RegionNames=["eu-west-1"], SingleAvailabilityZone=True)
    assert {score["AvailabilityZoneId"][:5] for score in zones} == {"euw1-"}


def test_new_questions_are_refused_at_the_limit_and_known_ones_answered(aws: EmbeddedAws) -> None:
    known = {"InstanceTypes": TYPES, "RegionNames": ["eu-west-1"]}
    aws.control("spot-questions", most=1)
    assert scores(aws, **known) == scores(aws, **known)
    with pytest.raises(ClientError, match="MaxConfigLimitExceeded"):
        scores(aws, **{**known, "RegionNames": ["eu-west-2"]})
    assert scores(aws, **known)
    aws.control("spot-questions", most=None)
    assert scores(aws, **{**known, "RegionNames": ["eu-west-2"]})


def test_a_dry_run_counts_as_no_question(aws: EmbeddedAws) -> None:
    aws.control("spot-questions", most=0)
    with pytest.raises(ClientError, match="DryRunOperation"):
        scores(aws, InstanceTypes=TYPES, DryRun=True)
    with pytest.raises(ClientError, match="MaxConfigLimitExceeded"):
        scores(aws, InstanceTypes=TYPES)
    aws.reset()
    assert scores(aws, InstanceTypes=TYPES)


def test_at_most_ten_are_named_and_each_is_from_1_to_10(aws: EmbeddedAws) -> None:
    requirements = {
        "ArchitectureTypes": ["x86_64"],
        "InstanceRequirements": {"VCpuCount": {"Min": 2}, "MemoryMiB": {"Min": 0}},
    }
    found = scores(
        aws,
        InstanceRequirementsWithMetadata=requirements,
        RegionNames=["us-east-1", "us-west-2", "eu-west-1", "eu-central-1"],
        SingleAvailabilityZone=True,
    )
    assert len(found) == 10
    assert all(1 <= score["Score"] <= 10 for score in found)


def test_types_or_requirements_and_not_both(aws: EmbeddedAws) -> None:
    with pytest.raises(ClientError, match="InvalidParameterCombination"):
        scores(aws)
