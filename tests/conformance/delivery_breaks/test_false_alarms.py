"""What the rules on deliveries and policies must not cry wolf about: a rule that does is soon switched off."""

from typing import Any

import pytest

from tests.conformance.authorization.reference import knows_key
from tests.conformance.authorization.rule import authorization
from tests.conformance.deliveries.judge import Delivery, Judge
from tests.conformance.deliveries.rule import deliveries, look
from tests.conformance.delivery_breaks.looks import looks, templates
from tests.conformance.delivery_breaks.small import (
    arn,
    document,
    function,
    permission,
    ref,
    resource,
    role,
    small,
    statement,
    topic,
)
from tests.conformance.policies.references import PLACES, places_of
from tests.conformance.templates import Json, Template


def kinds(template: Template, kind: str, place: Any = PLACES[0]) -> list[Delivery]:
    return [one for one in deliveries(Judge(template, place)) if one.kind == kind]


def verdicts(resources: dict[str, Json], kind: str) -> set[str]:
    """Of a small template, in all partitions."""
    template = small(resources)
    return {one.outcome.verdict for place in places_of(template) for one in kinds(template, kind, place)}


def of(kind: str) -> list[Delivery]:
    """In the templates of the variants."""
    return [one for every in looks() for one in every.deliveries if one.kind == kind]


def test_a_joined_name_is_resolved_before_it_is_compared() -> None:
    named = of("Image Builder → log group (ImageLogGroupName)")
    assert named and {one.outcome.verdict for one in named} == {"ok"}
    assert all(one.target.startswith("/aws/imagebuilder/") for one in named)


def test_keys_that_only_the_guide_has_are_known() -> None:
    for key in ("remotePort", "privateIpAddress", "maxTunnelDuration"):
        assert knows_key("ec2-instance-connect:OpenTunnel", f"ec2-instance-connect:{key}")


def test_a_type_whose_keys_the_action_does_not_list_has_those_of_the_type() -> None:
    assert knows_key("iam:PassRole", "aws:ResourceTag/team")


def test_put_parameter_needs_no_right_on_tags() -> None:
    own = resource("AWS::IAM::Policy", Roles=[ref("Role")], PolicyDocument=document(statement("ssm:PutParameter", "*")))
    assert list(authorization(small({"Role": role("imagebuilder"), "Own": own}))) == []


def test_what_only_a_deployment_knows_is_no_mismatch() -> None:
    source = {
        "Fn::Join": ["", ["arn:", ref("AWS::Partition"), ":cloudwatch:", ref("AWS::Region"), ":", ref("Parameter")]]
    }
    resources = {
        "Alarm": resource("AWS::CloudWatch::Alarm", AlarmActions=[arn("Function")]),
        **function(),
        "May": permission("lambda.alarms.cloudwatch", source),
    }
    assert verdicts(resources, "alarm → Lambda function") == {"unsure"}


@pytest.mark.parametrize("region", ["cn-north-1", "us-gov-west-1", "ap-southeast-2"])
def test_literal_arns_of_the_stack_s_own_region_are_no_strangers(region: str) -> None:
    partition = {"cn": "aws-cn", "us": "aws-us-gov"}.get(region[:2], "aws")
    named = f"arn:{partition}:cloudwatch:{region}:111122223333:alarm:*"
    own = statement("sns:Publish", ref("Topic"), "cloudwatch", ArnLike={"aws:SourceArn": named})
    alarm = resource("AWS::CloudWatch::Alarm", AlarmActions=[ref("Topic")])
    template = small({"Alarm": alarm, **topic(own)}, region)
    (place,) = places_of(template)
    assert place.partition == partition
    assert [one.outcome.verdict for one in kinds(template, "alarm → SNS topic", place)] == ["ok"]
    assert [one.outcome.verdict for one in kinds(template, "SNS policy: principal and condition", place)] == ["ok"]


def test_a_topic_without_any_policy_lets_the_account_s_services_publish() -> None:
    alarm = resource("AWS::CloudWatch::Alarm", AlarmActions=[ref("Topic")])
    assert verdicts({"Alarm": alarm, "Topic": resource("AWS::SNS::Topic")}, "alarm → SNS topic") == {"ok"}


def test_a_topic_to_which_no_alarm_publishes_need_not_allow_cloudwatch() -> None:
    (template,) = [one for one in templates() if str(one) == "default/image_pipelines"]
    policies = [one for one in template.resources.values() if one["Type"] == "AWS::SNS::TopicPolicy"]
    assert any("cloudwatch.amazonaws.com" not in str(one) for one in policies)
    assert not [one for every in look(template) for one in every.findings()]


def test_a_service_linked_role_is_a_role_of_the_account() -> None:
    named = [one for one in of("Image Builder → SNS topic") if one.outcome.verdict != "outside"]
    assert named and {one.outcome.verdict for one in named} == {"ok"}


def test_aws_s_own_key_is_right_for_a_role_and_a_denial_for_a_service() -> None:
    encrypted = resource("AWS::SNS::Topic", KmsMasterKeyId="alias/aws/sns")
    alarm = resource("AWS::CloudWatch::Alarm", AlarmActions=[ref("Topic")])
    publisher = role("lambda", statement("sns:Publish", ref("Topic")))
    resources = {"Topic": encrypted, "Alarm": alarm, "Publisher": publisher}
    assert verdicts(resources, "alarm → SNS topic") == {"fails"}
    assert verdicts(resources, "role → encrypted resource (AWS's own key)") == {"ok"}


@pytest.mark.parametrize("named, verdict", [("schedule-group/default", "ok"), ("schedule/default/one", "fails")])
def test_scheduler_sends_the_arn_of_the_group(named: str, verdict: str) -> None:
    group = {"Fn::Sub": f"arn:${{AWS::Partition}}:scheduler:${{AWS::Region}}:${{AWS::AccountId}}:{named}"}
    trusting = role("scheduler", statement("sns:Publish", ref("Topic")))
    trust = trusting["Properties"]["AssumeRolePolicyDocument"]["Statement"][0]
    trust["Condition"] = {"StringEquals": {"aws:SourceAccount": ref("AWS::AccountId"), "aws:SourceArn": group}}
    schedule = resource("AWS::Scheduler::Schedule", Target={"Arn": ref("Topic"), "RoleArn": arn("Role")})
    resources = {"Schedule": schedule, "Role": trusting, "Topic": resource("AWS::SNS::Topic")}
    assert verdicts(resources, "schedule: confused deputy") == {verdict}


@pytest.mark.parametrize(
    "kind",
    [
        "lifecycle hook → EventBridge only",
        "load balancer → no access log",
        "SSM document that is not an Automation",
        "SSM step without permissions",
    ],
)
def test_where_nothing_is_delivered_nothing_is_needed(kind: str) -> None:
    found = of(kind)
    assert found and {one.outcome.verdict for one in found} == {"ok"}


def test_a_reference_without_dependent_actions_is_no_error() -> None:
    lists = role("lambda")
    own = resource("AWS::IAM::Policy", Roles=[ref("Role")], PolicyDocument=document(statement("ec2:DescribeVpcs", "*")))
    assert list(authorization(small({"Role": lists, "Own": own}))) == []


def test_roles_that_something_in_the_template_uses_are_not_told() -> None:
    assert {one.outcome.verdict for one in of("role: does anything that it trusts use it?")} == {"ok"}


@pytest.mark.parametrize(
    ("allowed", "verdict"), [("sts:AssumeRole", {"ok"}), ("sts:GetCallerIdentity", {"ok", "unsure"})]
)
def test_a_role_that_another_one_may_assume_is_used(allowed: str, verdict: set[str]) -> None:
    trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": arn("Host")}}
    resources = {
        "Profile": resource("AWS::IAM::InstanceProfile", Roles=[ref("Host")]),
        "Host": role("ec2"),
        "May": resource(
            "AWS::IAM::Policy", Roles=[ref("Host")], PolicyDocument=document(statement(allowed, arn("Managed")))
        ),
        "Managed": resource("AWS::IAM::Role", AssumeRolePolicyDocument=document(trust)),
    }
    assert verdicts(resources, "role: does anything that it trusts use it?") == verdict


@pytest.mark.parametrize(
    "condition",
    [
        {"StringEqualsIfExists": {"aws:SourceOrgID": "o-1"}},
        {"ForAllValues:StringEquals": {"aws:SourceOrgID": "o-1"}},
        {"Null": {"aws:SourceOrgID": "true"}},
    ],
)
def test_conditions_on_a_key_that_is_not_sent_hold_if_they_say_so(condition: Json) -> None:
    own = {**statement("sns:Publish", ref("Topic"), "cloudwatch"), "Condition": condition}
    alarm = resource("AWS::CloudWatch::Alarm", AlarmActions=[ref("Topic")])
    assert verdicts({"Alarm": alarm, **topic(own)}, "alarm → SNS topic") == {"ok"}


def test_a_user_s_template_may_be_small() -> None:
    assert list(look(small({}))) and list(authorization(small({}))) == []
