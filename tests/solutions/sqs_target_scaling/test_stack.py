"""What the post on a dynamic SQS target promises, read off the templates."""

import json
import re
from functools import partial
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion

from stacks.sqs_target_scaling.settings import RETENTION_SECONDS, SqsTargetScalingSettings
from tests import variants
from tests.snapshots import TemplateSnapshot, readable
from tests.template import Match, Template, every_action, synthesized
from tests.variants import Json

SLUG = "sqs_target_scaling"


template = partial(synthesized, SLUG)


@pytest.fixture(scope="module")
def dynamic() -> Template:
    return template()


@pytest.fixture(scope="module")
def math() -> Template:
    return template("math")


@pytest.fixture(scope="module")
def demand() -> Template:
    return template("demand")


def policies(of: Template, kind: str) -> list[Json]:
    found = of.find_resources("AWS::AutoScaling::ScalingPolicy", {"Properties": {"PolicyType": kind}})
    return [resource["Properties"] for resource in found.values()]


# The queue


def test_a_message_hides_for_three_heartbeats_and_moves_to_the_dead_letters_after_five_receives(
    dynamic: Template,
) -> None:
    dynamic.has_resource_properties(
        "AWS::SQS::Queue",
        {"VisibilityTimeout": 90, "RedrivePolicy": {"maxReceiveCount": 5}, "SqsManagedSseEnabled": True},
    )


def test_the_settings_know_how_long_the_queue_keeps_a_message(dynamic: Template) -> None:
    dynamic.has_resource_properties(
        "AWS::SQS::Queue", {"RedrivePolicy": Match.any_value(), "MessageRetentionPeriod": RETENTION_SECONDS}
    )


def test_both_queues_refuse_anything_but_tls(dynamic: Template) -> None:
    refused = Match.object_like(
        {"Effect": "Deny", "Action": "sqs:*", "Condition": {"Bool": {"aws:SecureTransport": "false"}}}
    )
    dynamic.resource_count_is("AWS::SQS::Queue", 2)
    dynamic.resource_count_is("AWS::SQS::QueuePolicy", 2)
    dynamic.all_resources_properties("AWS::SQS::QueuePolicy", {"PolicyDocument": {"Statement": [refused]}})


# The workers


def test_replacing_workers_at_risk_can_be_switched_off(math: Template) -> None:
    math.has_resource_properties("AWS::AutoScaling::AutoScalingGroup", {"CapacityRebalance": False})


def test_workers_are_spot_from_many_pools_chosen_by_price_and_capacity(dynamic: Template) -> None:
    dynamic.has_resource_properties(
        "AWS::AutoScaling::AutoScalingGroup",
        {
            "CapacityRebalance": True,
            "MinSize": "0",
            "MaxSize": "10",
            "DesiredCapacity": Match.absent(),
            "MixedInstancesPolicy": {
                "InstancesDistribution": {
                    "OnDemandBaseCapacity": 0,
                    "OnDemandPercentageAboveBaseCapacity": 0,
                    "SpotAllocationStrategy": "price-capacity-optimized",
                    "SpotMaxPrice": Match.absent(),
                },
                "LaunchTemplate": {
                    "Overrides": [
                        {"InstanceRequirements": {"VCpuCount": {"Min": 2, "Max": 4}, "MemoryMiB": {"Min": 2048}}}
                    ]
                },
            },
        },
    )


def test_on_demand_base_and_share_are_settings(enterprise: Template) -> None:
    enterprise.has_resource_properties(
        "AWS::AutoScaling::AutoScalingGroup",
        {
            "MixedInstancesPolicy": {
                "InstancesDistribution": {"OnDemandBaseCapacity": 1, "OnDemandPercentageAboveBaseCapacity": 20}
            }
        },
    )


def test_scale_in_waits_for_a_busy_worker(dynamic: Template) -> None:
    dynamic.has_resource_properties(
        "AWS::AutoScaling::AutoScalingGroup",
        {
            "LifecycleHookSpecificationList": [
                {
                    "LifecycleHookName": "drain",
                    "LifecycleTransition": "autoscaling:EC2_INSTANCE_TERMINATING",
                    "HeartbeatTimeout": 900,
                    "DefaultResult": "CONTINUE",
                }
            ]
        },
    )


def test_workers_keep_their_rights_until_the_group_is_gone(dynamic: Template) -> None:
    (group,) = dynamic.find_resources("AWS::AutoScaling::AutoScalingGroup").values()
    assert [name for name in group["DependsOn"] if name.startswith("WorkersRoleDefaultPolicy")]


def test_a_changed_worker_reaches_running_instances(dynamic: Template) -> None:
    dynamic.has_resource(
        "AWS::AutoScaling::AutoScalingGroup", {"UpdatePolicy": {"AutoScalingRollingUpdate": {"MaxBatchSize": 1}}}
    )


def test_the_group_tells_cloudwatch_how_many_instances_are_in_service(dynamic: Template) -> None:
    dynamic.has_resource_properties(
        "AWS::AutoScaling::AutoScalingGroup", {"MetricsCollection": [{"Granularity": "1Minute"}]}
    )


def test_instances_need_imdsv2_and_encrypt_their_volume(dynamic: Template) -> None:
    dynamic.has_resource_properties(
        "AWS::EC2::LaunchTemplate",
        {
            "LaunchTemplateData": {
                "MetadataOptions": {"HttpTokens": "required", "HttpPutResponseHopLimit": 1},
                "BlockDeviceMappings": [{"Ebs": {"Encrypted": True, "VolumeType": "gp3"}}],
            }
        },
    )


def test_the_image_has_the_architecture_of_the_settings(dynamic: Template, math: Template) -> None:
    for stack, suffix in ((dynamic, "arm64"), (math, "x86_64")):
        (image,) = [
            parameter["Default"]
            for parameter in stack.to_json()["Parameters"].values()
            if parameter["Type"] == "AWS::SSM::Parameter::Value<AWS::EC2::Image::Id>"
        ]
        assert "al2023" in image and image.endswith(suffix)


def test_the_user_data_has_no_placeholder_left_and_installs_nothing_from_a_package_index(dynamic: Template) -> None:
    (launch_template,) = dynamic.find_resources("AWS::EC2::LaunchTemplate").values()
    script = json.dumps(launch_template["Properties"]["LaunchTemplateData"]["UserData"])
    assert re.findall(r"@[A-Z_]+@", script) == []
    assert "pip install" not in script and "pypi" not in script


def test_a_worker_may_do_what_the_worker_does_and_no_more(dynamic: Template) -> None:
    assert every_action(dynamic, "WorkersRole") == {
        "sqs:ReceiveMessage",
        "sqs:DeleteMessage",
        "sqs:ChangeMessageVisibility",
        "dynamodb:GetItem",
        "dynamodb:PutItem",
        "cloudwatch:PutMetricData",
        "s3:GetObject",
        "autoscaling:CompleteLifecycleAction",
        "autoscaling:RecordLifecycleActionHeartbeat",
        "autoscaling:DescribeAutoScalingInstances",
    }


# The network


def test_the_public_network_lets_nothing_in_and_bills_nothing_while_idle(dynamic: Template) -> None:
    dynamic.resource_count_is("AWS::EC2::NatGateway", 0)
    dynamic.resource_count_is("AWS::EC2::VPCEndpoint", 0)
    dynamic.resource_count_is("AWS::EC2::SecurityGroupIngress", 0)
    dynamic.all_resources_properties(
        "AWS::EC2::SecurityGroup",
        {
            "SecurityGroupIngress": Match.absent(),
            "SecurityGroupEgress": [Match.object_like({"CidrIp": "0.0.0.0/0", "FromPort": 443, "ToPort": 443})],
        },
    )


def test_the_nat_network_has_one_gateway_and_a_private_subnet_in_each_zone() -> None:
    nat = template("nat")
    nat.resource_count_is("AWS::EC2::NatGateway", 1)
    (group,) = nat.find_resources("AWS::AutoScaling::AutoScalingGroup").values()
    assert len(group["Properties"]["VPCZoneIdentifier"]) == 3


def test_isolated_workers_reach_every_service_that_they_call(math: Template) -> None:
    endpoints = math.find_resources("AWS::EC2::VPCEndpoint").values()
    names = [json.dumps(endpoint["Properties"]["ServiceName"]) for endpoint in endpoints]
    for service in ("s3", "dynamodb", "sqs", "monitoring", "autoscaling"):
        assert [name for name in names if f".{service}" in name], service
    math.resource_count_is("AWS::EC2::InternetGateway", 0)


def test_an_existing_network_gets_a_security_group_and_nothing_else(enterprise: Template) -> None:
    for kind in ("VPC", "Subnet", "RouteTable", "InternetGateway", "NatGateway", "VPCEndpoint"):
        enterprise.resource_count_is(f"AWS::EC2::{kind}", 0)
    enterprise.has_resource_properties("AWS::EC2::SecurityGroup", {"VpcId": "vpc-0123456789abcdef0"})
    enterprise.has_resource_properties(
        "AWS::AutoScaling::AutoScalingGroup",
        {"VPCZoneIdentifier": ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"]},
    )


# The strategies


def test_the_dynamic_target_starts_at_latency_over_estimated_duration(dynamic: Template) -> None:
    (policy,) = policies(dynamic, "TargetTrackingScaling")
    target = policy["TargetTrackingConfiguration"]
    assert target["TargetValue"] == 300 / 25
    assert target["CustomizedMetricSpecification"]["MetricName"] == "BPI"
    assert "Metrics" not in target["CustomizedMetricSpecification"]


def test_backlog_is_published_every_minute_and_the_target_set_every_thirty(dynamic: Template) -> None:
    rules = dynamic.find_resources("AWS::Events::Rule").values()
    assert sorted(rule["Properties"]["ScheduleExpression"] for rule in rules) == ["rate(1 minute)", "rate(30 minutes)"]


def test_a_step_policy_leaves_zero(dynamic: Template) -> None:
    (policy,) = policies(dynamic, "StepScaling")
    assert policy["AdjustmentType"] == "ChangeInCapacity"
    assert policy["StepAdjustments"] == [{"MetricIntervalLowerBound": 0, "ScalingAdjustment": 1}]
    dynamic.has_resource_properties(
        "AWS::CloudWatch::Alarm", {"MetricName": "BacklogWithoutInstances", "Threshold": 0, "EvaluationPeriods": 1}
    )


def test_a_group_that_never_is_empty_needs_no_step_policy(enterprise: Template) -> None:
    assert policies(enterprise, "StepScaling") == []


def test_metric_math_has_one_policy_and_no_function_but_the_testing_one(math: Template) -> None:
    math.resource_count_is("AWS::AutoScaling::ScalingPolicy", 1)
    math.resource_count_is("AWS::Lambda::Function", 1)
    math.resource_count_is("AWS::Events::Rule", 0)
    math.has_resource_properties("AWS::AutoScaling::AutoScalingGroup", {"MinSize": "1"})


def test_the_metric_math_target_is_the_acceptable_latency_and_one_query_returns_data(math: Template) -> None:
    (policy,) = policies(math, "TargetTrackingScaling")
    target = policy["TargetTrackingConfiguration"]
    queries = target["CustomizedMetricSpecification"]["Metrics"]
    assert target["TargetValue"] == 300
    assert [query["Id"] for query in queries if query["ReturnData"]] == ["wait"]
    assert {query["Id"] for query in queries} == {"visible", "instances", "duration", "wait"}


@pytest.mark.parametrize(
    ("visible", "duration", "instances", "wait"),
    [(50, 25, 4, 312.5), (50, 25, 0, 1250), (None, None, None, 0), (50, None, 1, 1250), (0, 25, 3, 0)],
)
def test_the_expected_wait_is_finite_whatever_is_missing(
    math: Template, visible: float | None, duration: float | None, instances: float | None, wait: float
) -> None:
    (policy,) = policies(math, "TargetTrackingScaling")
    queries = policy["TargetTrackingConfiguration"]["CustomizedMetricSpecification"]["Metrics"]
    (expression,) = [query["Expression"] for query in queries if "Expression" in query]

    def fill(value: float | None, otherwise: float) -> float:
        return otherwise if value is None else value

    def if_(condition: bool, then: float, otherwise: float) -> float:
        return then if condition else otherwise

    names: dict[str, Any] = {"FILL": fill, "IF": if_, "visible": visible, "duration": duration, "instances": instances}
    assert eval(expression, {"__builtins__": {}}, names) == wait  # noqa: S307 (our own expression)


def test_the_target_setter_may_change_the_policies_of_this_group_only(dynamic: Template) -> None:
    (statement,) = [s for s in dynamic.statements("TargetSetter") if s["Action"] == "autoscaling:PutScalingPolicy"]
    (group,) = dynamic.find_resources("AWS::AutoScaling::AutoScalingGroup")
    assert statement["Resource"]["Fn::Join"][1][-1] == {"Ref": group}


def test_the_demand_has_one_policy_held_at_one_and_one_function_besides_the_testing_one(demand: Template) -> None:
    (policy,) = policies(demand, "TargetTrackingScaling")
    target = policy["TargetTrackingConfiguration"]
    assert target["TargetValue"] == 1
    assert target["CustomizedMetricSpecification"]["MetricName"] == "Demand"
    demand.resource_count_is("AWS::Lambda::Function", 2)
    demand.has_resource_properties("AWS::Events::Rule", {"ScheduleExpression": "rate(1 minute)"})


def test_the_demand_publisher_knows_latency_estimate_and_window_and_changes_no_policy(demand: Template) -> None:
    demand.has_resource_properties(
        "AWS::Lambda::Function",
        {
            "Environment": {
                "Variables": Match.object_like(
                    {
                        "ACCEPTABLE_LATENCY_SECONDS": "300",
                        "ESTIMATED_MESSAGE_SECONDS": "25",
                        "WINDOW_MINUTES": "10",
                    }
                )
            }
        },
    )
    assert every_action(demand, "DemandPublisher") == {
        "sqs:GetQueueAttributes",
        "autoscaling:DescribeAutoScalingGroups",
        "cloudwatch:GetMetricData",
        "cloudwatch:PutMetricData",
        "logs:CreateLogStream",
        "logs:PutLogEvents",
    }


def test_the_demand_leaves_zero_as_the_dynamic_target_does(demand: Template) -> None:
    (policy,) = policies(demand, "StepScaling")
    assert policy["StepAdjustments"] == [{"MetricIntervalLowerBound": 0, "ScalingAdjustment": 1}]


# What people see


def test_the_dashboard_shows_what_the_post_shows(dynamic: Template) -> None:
    (dashboard,) = dynamic.find_resources("AWS::CloudWatch::Dashboard").values()
    body = json.dumps(dashboard)
    for metric in (
        "ApproximateNumberOfMessagesVisible",
        "GroupInServiceInstances",
        "MsgProcessingDuration",
        "BPI",
        "AcceptableBPI",
        "ApproximateAgeOfOldestMessage",
        "DuplicateMessages",
    ):
        assert metric in body


def test_a_function_that_stops_is_missed_after_ten_of_its_rounds(dynamic: Template) -> None:
    """Without its metric the policy does nothing, and nothing fails."""
    alarms = {n: a["Properties"] for n, a in dynamic.find_resources("AWS::CloudWatch::Alarm").items() if "Silent" in n}
    periods = {re.sub(r"[0-9A-F]{8}$", "", name): alarm["Metrics"] for name, alarm in alarms.items()}
    assert set(periods) == {"AlarmsMetricPublisherSilent", "AlarmsTargetSetterSilent"}
    for name, metrics in periods.items():
        (run,) = [each["MetricStat"] for each in metrics if "MetricStat" in each]
        minutes = 1 if "Publisher" in name else SqsTargetScalingSettings().target_update_minutes
        assert (run["Metric"]["MetricName"], run["Period"]) == ("Invocations", 60 * minutes)
    assert {alarm["EvaluationPeriods"] for alarm in alarms.values()} == {10}
    assert all("#alarm-function-silent" in alarm["AlarmDescription"] for alarm in alarms.values())


@pytest.mark.parametrize(
    ("metric", "threshold"),
    [("ApproximateNumberOfMessagesVisible", 0), ("ApproximateAgeOfOldestMessage", 300), ("Errors", 0)],
)
def test_an_alarm_tells_of_dead_letters_lateness_and_errors(dynamic: Template, metric: str, threshold: int) -> None:
    dynamic.has_resource_properties(
        "AWS::CloudWatch::Alarm",
        {"MetricName": metric, "Threshold": threshold, "AlarmActions": [Match.any_value()]},
    )


def test_the_outputs_name_what_a_user_does_next(dynamic: Template) -> None:
    outputs = dynamic.to_json()["Outputs"]
    assert {"QueueUrl", "GroupName", "TestingFunction", "DashboardUrl", "StartTest"} <= set(outputs)
    assert "aws lambda invoke" in json.dumps(outputs["StartTest"])


# What an enterprise prescribes


def test_the_enterprise_settings_reach_every_resource_that_they_are_about(enterprise: Template) -> None:
    key = "arn:aws:kms:eu-central-1:123456789012:key/11111111-2222-3333-4444-555555555555"
    enterprise.all_resources_properties("AWS::SQS::Queue", {"KmsMasterKeyId": key})
    enterprise.all_resources_properties("AWS::Logs::LogGroup", {"KmsKeyId": key, "RetentionInDays": 365})
    enterprise.all_resources_properties("AWS::Lambda::Function", {"KmsKeyArn": key})
    enterprise.all_resources_properties(
        "AWS::EC2::LaunchTemplate", {"LaunchTemplateData": {"BlockDeviceMappings": [{"Ebs": {"KmsKeyId": key}}]}}
    )
    for role in enterprise.find_resources("AWS::IAM::Role").values():
        assert "policy/developers" in json.dumps(role["Properties"]["PermissionsBoundary"])
    enterprise.resource_count_is("AWS::SNS::Topic", 0)
    for alarm in enterprise.find_resources("AWS::CloudWatch::Alarm").values():
        assert alarm["Properties"]["AlarmActions"] == ["arn:aws:sns:eu-central-1:123456789012:alarms"]


def test_kept_data_outlives_the_stack(enterprise: Template) -> None:
    for kind in ("AWS::SQS::Queue", "AWS::DynamoDB::GlobalTable"):
        for resource in enterprise.find_resources(kind).values():
            assert resource["DeletionPolicy"] == "Retain"


@pytest.mark.parametrize("variant", [variants.DEFAULT, "demand", "math"])
def test_template(variant: str, snapshot: SnapshotAssertion) -> None:
    assert readable(variants.template(variant, SLUG)) == snapshot(extension_class=TemplateSnapshot)
