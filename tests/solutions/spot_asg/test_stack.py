"""What the post on best practices for Spot Instances promises, read off the templates."""

import json
import re
from functools import partial

import pytest
from syrupy.assertion import SnapshotAssertion

from stacks.spot_asg.score import question
from stacks.spot_asg.settings import WATCH_SECONDS, SpotAsgSettings
from tests import variants
from tests.snapshots import TemplateSnapshot, readable
from tests.template import Match, Template, every_action, synthesized
from tests.variants import Json

SLUG = "spot_asg"
TARGET_GROUP = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup/web/0123456789abcdef"


template = partial(synthesized, SLUG)


@pytest.fixture(scope="module")
def listed() -> Template:
    """Listed types, lowest-price, isolated subnets, no experiment."""
    return template("math")


@pytest.fixture(scope="module")
def balanced() -> Template:
    """A load balancer, in private subnets behind a NAT gateway."""
    return template("nat")


def group(of: Template) -> Json:
    (found,) = of.find_resources("AWS::AutoScaling::AutoScalingGroup").values()
    properties: Json = found["Properties"]
    return properties


def policy(of: Template) -> Json:
    found: Json = group(of)["MixedInstancesPolicy"]
    return found


# Diversify, by attributes


def test_any_type_with_the_attributes_of_both_generations_may_run_in_three_zones(default: Template) -> None:
    (override,) = policy(default)["LaunchTemplate"]["Overrides"]
    assert override == {
        "InstanceRequirements": {
            "VCpuCount": {"Min": 2, "Max": 4},
            "MemoryMiB": {"Min": 2048},
            "BurstablePerformance": "included",
            "InstanceGenerations": ["current", "previous"],
        }
    }
    assert len(group(default)["VPCZoneIdentifier"]) == 3


def test_a_workload_that_needs_local_storage_gets_it_and_asks_the_score_for_it(enterprise: Template) -> None:
    settings = variants.configuration("enterprise").solutions[SLUG]
    assert isinstance(settings, SpotAsgSettings)
    (override,) = policy(enterprise)["LaunchTemplate"]["Overrides"]
    wanted = override["InstanceRequirements"]
    assert wanted["LocalStorage"] == "required" and wanted["LocalStorageTypes"] == ["ssd"]
    assert wanted["TotalLocalStorageGB"] == {"Min": 100}
    asked = question(settings, 6, (), single_zone=False)["InstanceRequirementsWithMetadata"]
    assert asked["InstanceRequirements"] == wanted


def test_listed_types_take_the_place_of_attributes(listed: Template) -> None:
    overrides = policy(listed)["LaunchTemplate"]["Overrides"]
    assert overrides == [{"InstanceType": name} for name in ("m7i.large", "m6a.large", "c7i.xlarge", "r6i.large")]


@pytest.mark.parametrize("variant", variants.variants_of(SLUG))
def test_every_variant_has_enough_pools(variant: str) -> None:
    found = group(template(variant))
    overrides = found["MixedInstancesPolicy"]["LaunchTemplate"]["Overrides"]
    assert "InstanceRequirements" in overrides[0] or len({item["InstanceType"] for item in overrides}) >= 3
    assert len(found["VPCZoneIdentifier"]) >= 2


# The allocation


def test_pools_are_chosen_by_price_and_capacity_with_spot_alone_and_no_maximum_price(default: Template) -> None:
    assert policy(default)["InstancesDistribution"] == {
        "OnDemandBaseCapacity": 0,
        "OnDemandPercentageAboveBaseCapacity": 0,
        "OnDemandAllocationStrategy": "lowest-price",
        "SpotAllocationStrategy": "price-capacity-optimized",
    }


@pytest.mark.parametrize("variant", variants.variants_of(SLUG))
def test_what_a_group_of_types_has_kept_is_said_anew_with_attributes(variant: str) -> None:
    """kubernetes/kops#15304, cattle-ops/terraform-aws-gitlab-runner#1381: prioritized stays, and EC2 refuses it."""
    found = policy(template(variant))
    by_attributes = "InstanceRequirements" in found["LaunchTemplate"]["Overrides"][0]
    wanted = "lowest-price" if by_attributes else "prioritized"
    assert found["InstancesDistribution"]["OnDemandAllocationStrategy"] == wanted


def test_pools_are_counted_with_lowest_price_only(listed: Template) -> None:
    distribution = policy(listed)["InstancesDistribution"]
    assert distribution["SpotAllocationStrategy"] == "lowest-price" and distribution["SpotInstancePools"] == 4


def test_on_demand_base_and_percentage_are_settings(enterprise: Template) -> None:
    distribution = policy(enterprise)["InstancesDistribution"]
    assert (distribution["OnDemandBaseCapacity"], distribution["OnDemandPercentageAboveBaseCapacity"]) == (1, 20)


def test_no_variant_sets_a_maximum_price_or_no_spot_at_all() -> None:
    for variant in variants.variants_of(SLUG):
        distribution = policy(template(variant))["InstancesDistribution"]
        assert "SpotMaxPrice" not in distribution
        assert distribution["OnDemandPercentageAboveBaseCapacity"] < 100


def test_an_idle_group_is_empty_and_an_instance_at_risk_is_replaced(default: Template) -> None:
    assert (group(default)["MinSize"], group(default)["MaxSize"]) == ("0", "6")
    assert group(default)["CapacityRebalance"] is True


def test_replacing_instances_at_risk_can_be_switched_off(listed: Template) -> None:
    """aws/aws-node-termination-handler#141, kubernetes/kops#12082: endless replacement where capacity is short."""
    assert group(listed)["CapacityRebalance"] is False


# Off-peak hours


def test_off_peak_hours_are_scheduled_in_their_time_zone(enterprise: Template) -> None:
    found = [item["Properties"] for item in enterprise.find_resources("AWS::AutoScaling::ScheduledAction").values()]
    assert {(item["Recurrence"], item["MinSize"], item["DesiredCapacity"]) for item in found} == {
        ("0 20 * * *", 4, 4),
        ("30 6 * * *", 2, 2),
    }
    assert {item["TimeZone"] for item in found} == {"Europe/Berlin"}


def test_no_hours_no_schedule(default: Template) -> None:
    default.resource_count_is("AWS::AutoScaling::ScheduledAction", 0)


# Leaving


@pytest.mark.parametrize(("variant", "seconds"), [(variants.DEFAULT, 35), ("nat", 80), ("enterprise", 95)])
def test_a_termination_is_handled_when_the_instance_has_had_its_time_and_before_its_hook_ends(
    variant: str, seconds: int
) -> None:
    of = template(variant)
    (hook,) = group(of)["LifecycleHookSpecificationList"]
    assert hook["LifecycleTransition"] == "autoscaling:EC2_INSTANCE_TERMINATING"
    assert hook["DefaultResult"] == "CONTINUE"
    of.has_resource_properties("AWS::SQS::Queue", {"DelaySeconds": seconds, "VisibilityTimeout": 180})
    assert hook["HeartbeatTimeout"] == seconds + 120


def test_the_instance_has_the_same_times(balanced: Template) -> None:
    (launch_template,) = balanced.find_resources("AWS::EC2::LaunchTemplate").values()
    script = json.dumps(launch_template["Properties"]["LaunchTemplateData"]["UserData"])
    assert re.findall(r"@[A-Z_]+@", script) == []
    assert "serve_seconds='45'" in script and "stop_seconds='30'" in script
    assert WATCH_SECONDS + 45 + 30 == 80


def test_both_notices_of_every_instance_reach_the_function(default: Template) -> None:
    (function,) = [name for name in default.find_resources("AWS::Lambda::Function") if name.startswith("Notices")]
    default.has_resource_properties(
        "AWS::Events::Rule",
        {
            "EventPattern": {
                "source": ["aws.ec2"],
                "detail-type": ["EC2 Spot Instance Interruption Warning", "EC2 Instance Rebalance Recommendation"],
            },
            "Targets": [
                Match.object_like({"Arn": {"Fn::GetAtt": [function, "Arn"]}, "DeadLetterConfig": Match.any_value()})
            ],
        },
    )


def test_what_no_function_could_take_is_kept_and_rings(default: Template) -> None:
    default.has_resource_properties(
        "AWS::Lambda::EventInvokeConfig",
        {"MaximumRetryAttempts": 2, "DestinationConfig": {"OnFailure": {"Destination": Match.any_value()}}},
    )
    default.has_resource_properties(
        "AWS::Lambda::EventSourceMapping", {"FunctionResponseTypes": ["ReportBatchItemFailures"]}
    )
    (name,) = [name for name in default.find_resources("AWS::CloudWatch::Alarm") if name.startswith("AlarmsLostEvents")]
    assert name


def test_only_this_group_s_terminations_reach_the_queue(default: Template) -> None:
    (name,) = default.find_resources("AWS::AutoScaling::AutoScalingGroup")
    default.has_resource_properties(
        "AWS::Events::Rule",
        {
            "EventPattern": {
                "source": ["aws.autoscaling"],
                "detail-type": ["EC2 Instance-terminate Lifecycle Action"],
                "detail": {"AutoScalingGroupName": [{"Ref": name}], "LifecycleHookName": ["leave"]},
            },
            "Targets": [Match.object_like({"DeadLetterConfig": Match.any_value()})],
        },
    )


def test_instances_that_start_and_fail_ring_although_the_group_replaces_them_at_once(default: Template) -> None:
    (name,) = default.find_resources("AWS::AutoScaling::AutoScalingGroup")
    ended = {"detail-type": ["EC2 Instance Terminate Successful"], "detail": {"AutoScalingGroupName": [{"Ref": name}]}}
    default.has_resource_properties("AWS::Events::Rule", {"EventPattern": {"source": ["aws.autoscaling"], **ended}})
    default.has_resource_properties(
        "AWS::CloudWatch::Alarm",
        {
            "MetricName": "ShortLivedInstances",
            "Statistic": "Sum",
            "Period": 1800,
            "Threshold": 3,
            "EvaluationPeriods": 1,
        },
    )
    assert {"ec2:DescribeInstances", "cloudwatch:PutMetricData"} <= every_action(default, "Termination")


# Rights


def test_an_instance_may_read_its_files_and_nothing_else(default: Template) -> None:
    assert every_action(default, "SpotRole") == {"s3:GetObject"}


def test_notices_may_deregister_from_the_configured_target_groups_only(enterprise: Template) -> None:
    assert every_action(template(), "Notices") == {
        "logs:CreateLogStream",
        "logs:PutLogEvents",
        "autoscaling:DescribeAutoScalingGroups",
        "cloudwatch:PutMetricData",
        "dynamodb:GetItem",
        "dynamodb:PutItem",
        "sqs:SendMessage",
    }
    (statement,) = [
        s for s in enterprise.statements("Notices") if s["Action"] == "elasticloadbalancing:DeregisterTargets"
    ]
    assert statement["Resource"] == TARGET_GROUP


def test_termination_may_complete_actions_of_this_group_only(default: Template) -> None:
    (statement,) = [
        s for s in default.statements("Termination") if s["Action"] == "autoscaling:CompleteLifecycleAction"
    ]
    (name,) = default.find_resources("AWS::AutoScaling::AutoScalingGroup")
    assert statement["Resource"]["Fn::Join"][1][-1] == {"Ref": name}


# The load balancer


def test_an_idle_default_has_no_load_balancer(default: Template) -> None:
    default.resource_count_is("AWS::ElasticLoadBalancingV2::LoadBalancer", 0)
    assert "TargetGroupARNs" not in group(default)


def test_the_load_balancer_is_internal_and_lets_only_named_clients_in(balanced: Template) -> None:
    balanced.has_resource_properties("AWS::ElasticLoadBalancingV2::LoadBalancer", {"Scheme": "internal"})
    for rule in balanced.find_resources("AWS::EC2::SecurityGroupIngress").values():
        assert "SourceSecurityGroupId" in rule["Properties"] and "CidrIp" not in rule["Properties"]


def test_requests_in_flight_have_the_time_to_drain(balanced: Template) -> None:
    delay = {"Key": "deregistration_delay.timeout_seconds", "Value": "45"}
    balanced.has_resource_properties(
        "AWS::ElasticLoadBalancingV2::TargetGroup",
        {"TargetType": "instance", "TargetGroupAttributes": Match.array_with([delay])},
    )
    assert len(group(balanced)["TargetGroupARNs"]) == 1
    assert group(balanced)["HealthCheckType"] == "ELB"


def test_an_application_that_takes_long_to_start_is_not_ended_before(balanced: Template, enterprise: Template) -> None:
    """code-dot-org/code-dot-org#25578: health checks of the target group begin when the warm-up is over."""
    assert group(balanced)["DefaultInstanceWarmup"] == group(balanced)["HealthCheckGracePeriod"] == 600
    assert group(enterprise)["HealthCheckGracePeriod"] == 120


def test_a_change_waits_until_each_new_instance_serves(balanced: Template) -> None:
    """Without a pause an update ends the next one when EC2 has started its successor, ten minutes before it answers."""
    (found,) = balanced.find_resources("AWS::AutoScaling::AutoScalingGroup").values()
    rolling = found["UpdatePolicy"]["AutoScalingRollingUpdate"]
    assert (rolling["MaxBatchSize"], rolling["PauseTime"]) == (1, "PT10M")
    assert "WaitOnResourceSignals" not in rolling, "nobody sends signals"


def test_existing_target_groups_are_registered_with(enterprise: Template) -> None:
    assert group(enterprise)["TargetGroupARNs"] == [TARGET_GROUP]
    enterprise.resource_count_is("AWS::ElasticLoadBalancingV2::TargetGroup", 0)
    assert "InstanceSecurityGroup" in enterprise.to_json()["Outputs"]


# The experiment


def test_the_experiment_interrupts_some_spot_instances_of_the_group_and_can_be_stopped(default: Template) -> None:
    (name,) = default.find_resources("AWS::AutoScaling::AutoScalingGroup")
    (stop,) = [name for name in default.find_resources("AWS::CloudWatch::Alarm") if name.startswith("Experiment")]
    default.has_resource_properties(
        "AWS::FIS::ExperimentTemplate",
        {
            "Actions": {
                "interrupt": {
                    "ActionId": "aws:ec2:send-spot-instance-interruptions",
                    "Parameters": {"durationBeforeInterruption": "PT2M"},
                    "Targets": {"SpotInstances": "SpotInstances"},
                }
            },
            "Targets": {
                "SpotInstances": {
                    "ResourceType": "aws:ec2:spot-instance",
                    "ResourceTags": {"aws:autoscaling:groupName": {"Ref": name}},
                    "SelectionMode": "COUNT(1)",
                }
            },
            "StopConditions": [{"Source": "aws:cloudwatch:alarm", "Value": {"Fn::GetAtt": [stop, "Arn"]}}],
        },
    )


def test_the_experiment_may_interrupt_instances_of_this_group_only(default: Template) -> None:
    assert every_action(default, "ExperimentRole") == {"ec2:SendSpotInstanceInterruptions", "ec2:DescribeInstances"}
    (statement,) = [
        s for s in default.statements("ExperimentRole") if s["Action"] == "ec2:SendSpotInstanceInterruptions"
    ]
    (name,) = default.find_resources("AWS::AutoScaling::AutoScalingGroup")
    assert statement["Condition"] == {"StringEquals": {"aws:ResourceTag/aws:autoscaling:groupName": {"Ref": name}}}


def test_where_fis_is_not_offered_there_is_no_experiment(listed: Template) -> None:
    listed.resource_count_is("AWS::FIS::ExperimentTemplate", 0)
    assert "StartExperiment" not in listed.to_json()["Outputs"]


# What people see


def test_the_dashboard_finds_every_pool_by_itself(default: Template) -> None:
    (dashboard,) = default.find_resources("AWS::CloudWatch::Dashboard").values()
    body = json.dumps(dashboard)
    assert body.count("SEARCH(") == 2
    assert body.count("AutoScalingGroupName,InstanceType,AvailabilityZone") == 2
    assert "Interruptions" in body and "RebalanceRecommendations" in body
    assert "GroupInServiceInstances" in body


def test_the_functions_publish_to_the_namespace_that_everybody_reads(default: Template) -> None:
    from spot_asg.notices.notice import METRICS
    from spot_asg.termination.action import SHORT_LIVED as PUBLISHED
    from stacks.spot_asg.dashboard import INTERRUPTIONS, REBALANCES, SHORT_LIVED

    assert set(METRICS.values()) == {INTERRUPTIONS, REBALANCES}
    assert SHORT_LIVED == PUBLISHED
    default.has_resource_properties(
        "AWS::Lambda::Function", {"Environment": {"Variables": {"METRIC_NAMESPACE": "ComputeBlog/SpotAsg"}}}
    )
    default.has_resource_properties(
        "AWS::CloudWatch::Alarm", {"Namespace": "ComputeBlog/SpotAsg", "MetricName": "Interruptions", "Threshold": 3}
    )


# What an enterprise prescribes


def test_the_enterprise_settings_reach_every_resource_that_they_are_about(enterprise: Template) -> None:
    key = "arn:aws:kms:eu-central-1:123456789012:key/11111111-2222-3333-4444-555555555555"
    enterprise.all_resources_properties("AWS::SQS::Queue", {"KmsMasterKeyId": key})
    enterprise.all_resources_properties("AWS::Logs::LogGroup", {"KmsKeyId": key, "RetentionInDays": 365})
    enterprise.all_resources_properties("AWS::Lambda::Function", {"KmsKeyArn": key})
    for role in enterprise.find_resources("AWS::IAM::Role").values():
        assert "policy/developers" in json.dumps(role["Properties"]["PermissionsBoundary"])
    for kind in ("VPC", "Subnet", "NatGateway"):
        enterprise.resource_count_is(f"AWS::EC2::{kind}", 0)


@pytest.mark.parametrize("variant", [variants.DEFAULT, "nat"])
def test_template(variant: str, snapshot: SnapshotAssertion) -> None:
    assert readable(variants.template(variant, SLUG)) == snapshot(extension_class=TemplateSnapshot)


@pytest.mark.parametrize("variant", ["default", "enterprise"])
def test_lambda_reads_the_queue_with_what_its_page_names(variant: str) -> None:
    """https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html."""
    of_queue = {action for action in every_action(template(variant), "TerminationRole") if action.startswith("sqs:")}
    assert of_queue == {"sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"}
    assert ("kms:Decrypt" in every_action(template(variant), "TerminationRole")) == (variant == "enterprise")
