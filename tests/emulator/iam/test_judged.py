"""What IAM was asked of roles is kept: calls, and not simulations; and it can be asked again."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from emulator.client import EmbeddedAws
from tests.emulator.iam.test_authorization import Role
from tests.mutation.replay import allows
from tryout.judged.calls import Judged, role_of

TABLES = {"Action": "dynamodb:ListTables"}


def calls(aws: EmbeddedAws) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = aws.control("judged")["calls"]
    return found


def test_calls_of_a_role_are_kept_once_and_told_once(aws: EmbeddedAws) -> None:
    dynamodb = Role(aws, TABLES).client("dynamodb")
    for _ in range(2):
        dynamodb.list_tables()
    with pytest.raises(ClientError):
        dynamodb.describe_limits()
    aws.client("dynamodb").list_tables()  # the administrator is no role
    found = calls(aws)
    assert [(role_of(one), one["action"]) for one in found] == [
        ("tried", "dynamodb:ListTables"),
        ("tried", "dynamodb:DescribeLimits"),
    ]
    assert calls(aws) == []


def test_a_simulation_is_no_call(aws: EmbeddedAws) -> None:
    Role(aws, TABLES)
    arn = aws.client("iam").get_role(RoleName="tried")["Role"]["Arn"]
    aws.client("iam").simulate_principal_policy(PolicySourceArn=arn, ActionNames=["dynamodb:ListTables"])
    assert calls(aws) == []


def test_a_kept_call_is_judged_again_as_it_was(aws: EmbeddedAws) -> None:
    condition = {"StringEquals": {"cloudwatch:namespace": "Ours"}}
    statement = {"Effect": "Allow", "Resource": "*", "Action": "cloudwatch:PutMetricData", "Condition": condition}
    cloudwatch = Role(aws, statement).client("cloudwatch")
    cloudwatch.put_metric_data(Namespace="Ours", MetricData=[{"MetricName": "Any", "Value": 1}])
    (call,) = calls(aws)
    assert allows([{"Statement": [statement]}], call)
    assert not allows([{"Statement": [{**statement, "Action": "cloudwatch:GetMetricData"}]}], call)
    other = {"StringEquals": {"cloudwatch:namespace": "Theirs"}}
    assert not allows([{"Statement": [{**statement, "Condition": other}]}], call)


def test_what_a_queue_lets_in_by_itself_needs_no_permission_of_the_role(aws: EmbeddedAws) -> None:
    role = Role(aws, {"Action": "sqs:*"})
    arn = aws.client("iam").get_role(RoleName="tried")["Role"]["Arn"]
    for name, statements in (("open", [{"Effect": "Allow", "Principal": {"AWS": arn}, "Action": "*"}]), ("shut", [])):
        url = aws.client("sqs").create_queue(QueueName=name)["QueueUrl"]
        policy = json.dumps({"Version": "2012-10-17", "Statement": [{**one, "Resource": "*"} for one in statements]})
        if statements:
            aws.client("sqs").set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
        role.client("sqs").send_message(QueueUrl=url, MessageBody="text")
    assert {one["resource_arn"].rpartition(":")[2]: one["allowed_by_resource"] for one in calls(aws)} == {
        "open": True,
        "shut": False,
    }


def test_the_roles_of_a_stack_are_told_with_their_policies(aws: EmbeddedAws) -> None:
    trust = {
        "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "ec2.amazonaws.com"}}]
    }
    document = {"Statement": [{"Effect": "Allow", "Resource": "*", **TABLES}]}
    managed = "arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore"
    role = {"AssumeRolePolicyDocument": trust, "ManagedPolicyArns": [managed, {"Ref": "Own"}]}
    resources = {
        "Role": {"Type": "AWS::IAM::Role", "Properties": role},
        "Own": {"Type": "AWS::IAM::ManagedPolicy", "Properties": {"PolicyDocument": document}},
        "Inline": {
            "Type": "AWS::IAM::Policy",
            "Properties": {"PolicyName": "Inline", "PolicyDocument": document, "Roles": [{"Ref": "Role"}]},
        },
    }
    formation = aws.client("cloudformation")
    formation.create_stack(
        StackName="s", TemplateBody=json.dumps({"Resources": resources}), Capabilities=["CAPABILITY_IAM"]
    )
    formation.get_waiter("stack_create_complete").wait(StackName="s", WaiterConfig={"Delay": 1})
    judged = Judged(aws)
    judged.look("s")
    (found,) = judged.states[0]
    assert (found.logical_id, set(found.own)) == ("Role", {"Inline", "Own"})
    assert found.own["Own"]["Statement"] == found.own["Inline"]["Statement"] == document["Statement"]
    assert len(found.others) == 1
