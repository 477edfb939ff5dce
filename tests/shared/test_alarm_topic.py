"""Alarms may publish to the topic that their stack makes, and nothing else of CloudWatch may."""

from fnmatch import fnmatchcase
from typing import Any

import pytest

from config.models import CommonSettings
from stacks.series import SOLUTIONS
from tests.template import Template
from tests.variants import Json

SOLUTION = max(SOLUTIONS, key=lambda solution: len(solution.slug))
ACCOUNT = {"region": "eu-central-1", "account": "123456789012"}
LONGEST_NAME = 255  # of an alarm: AlarmName of PutMetricAlarm


def template(**common: Any) -> tuple[str, Json]:
    from aws_cdk import App  # here: every worker collects the module, and one needs the kernel that this starts
    from aws_cdk import aws_cloudwatch as cloudwatch

    from stacks.shared.alarms import Alarms
    from stacks.shared.solution import SolutionStack

    stack = SolutionStack(App(builtin_cloud_formation_validation=False), SOLUTION, CommonSettings(**common))
    metric = cloudwatch.Metric(namespace="Test", metric_name="Errors")
    Alarms(stack, "Alarms").when_above("Failed", metric, 0, says="It has failed")
    return stack.stack_name, dict(Template.from_stack(stack).to_json())


def statements(found: Json) -> list[Json]:
    (policy,) = [r for r in found["Resources"].values() if r["Type"] == "AWS::SNS::TopicPolicy"]
    document: Json = policy["Properties"]["PolicyDocument"]
    return list(document["Statement"])


def pattern_of(found: Json) -> str:
    """The names of alarms that may publish, where account and Region are known."""
    (allowed,) = [s for s in statements(found) if s["Effect"] == "Allow"]
    (arn,) = allowed["Condition"]["ArnLike"].values()
    partition, *rest = arn["Fn::Join"][1][1:]
    assert partition == {"Ref": "AWS::Partition"}
    return "".join(rest).removeprefix(":cloudwatch:eu-central-1:123456789012:alarm:")


def generated(stack_name: str, logical_id: str, limit: int) -> str:
    """A name as CloudFormation makes it: both parts have an equal share where there is too little room for them.

    https://github.com/aws-cloudformation/cloudformation-cli-python-plugin, identifier_utils.py
    """
    stack_name = stack_name.replace("--", "-")
    room = limit - len("--") - 12
    shared = room // 2
    of_stack = min(len(stack_name), max(shared, room - len(logical_id)))
    return f"{stack_name[:of_stack]}-{logical_id[: room - of_stack]}-{'x' * 12}"


def test_the_alarms_of_the_stack_may_publish_and_nobody_may_without_tls() -> None:
    _, found = template()
    denied, allowed = sorted(statements(found), key=lambda statement: statement["Effect"], reverse=True)
    assert denied["Effect"] == "Deny" and denied["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    assert allowed["Principal"] == {"Service": "cloudwatch.amazonaws.com"}
    assert allowed["Action"] == "sns:Publish"
    assert allowed["Resource"] == {
        "Ref": next(k for k, r in found["Resources"].items() if r["Type"] == "AWS::SNS::Topic")
    }
    assert set(allowed["Condition"]) == {"StringEquals", "ArnLike"}
    assert allowed["Condition"]["StringEquals"] == {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}


@pytest.mark.parametrize("prefix", [None, "acme", "acme-", "a--b", "a---b", "a" * 31])
@pytest.mark.parametrize("logical_id", ["AlarmsFailed12345678", "A" * 255])
def test_an_alarm_is_known_by_the_name_that_cloudformation_gives_it_however_long(
    prefix: str | None, logical_id: str
) -> None:
    stack_name, found = template(prefix=prefix, **ACCOUNT)
    name = generated(stack_name, logical_id, LONGEST_NAME)
    assert len(name) <= LONGEST_NAME
    assert fnmatchcase(name, pattern_of(found))


def test_an_alarm_of_another_stack_may_not_publish() -> None:
    _, found = template(prefix="acme", **ACCOUNT)
    assert not fnmatchcase(generated("other-stack", "AlarmsFailed12345678", LONGEST_NAME), pattern_of(found))


def test_the_policy_of_your_own_topic_is_yours() -> None:
    _, found = template(alarm_topic_arn="arn:aws:sns:eu-central-1:123456789012:alarms")
    assert not [r for r in found["Resources"].values() if r["Type"].startswith("AWS::SNS")]
