"""An alarm notifies only a topic whose policy and key let CloudWatch publish; its history tells of the others."""

import pytest

from emulator.client import EmbeddedAws
from tests.emulator.conftest import eventually
from tests.emulator.receivers import Json, denials, function, insists_on_tls, key, policy, role, statement, topic

CLOUDWATCH, PUBLISH = "cloudwatch.amazonaws.com", "sns:Publish"
KEY_USE = [{**statement(CLOUDWATCH, "kms:Decrypt"), "Action": ["kms:Decrypt", "kms:GenerateDataKey*"]}]


def ring(aws: EmbeddedAws, *actions: str) -> None:
    cloudwatch = aws.client("cloudwatch")
    cloudwatch.put_metric_alarm(
        AlarmName="tried-High",
        AlarmActions=list(actions),
        Namespace="Ours",
        MetricName="Load",
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanThreshold",
    )
    cloudwatch.set_alarm_state(AlarmName="tried-High", StateValue="ALARM", StateReason="tried")


def allowed(alarms: str) -> Json:
    return statement(CLOUDWATCH, PUBLISH, aws_SourceArn=f"arn:aws:cloudwatch:us-east-1:*:alarm:{alarms}")


@pytest.mark.parametrize(
    ("statements", "key_statements", "arrives"),
    [
        ([], None, True),  # the default policy of a topic
        ([insists_on_tls(PUBLISH)], None, False),
        ([insists_on_tls(PUBLISH), allowed("tried-*")], None, True),
        ([insists_on_tls(PUBLISH), allowed("other-*")], None, False),
        ([insists_on_tls(PUBLISH), statement("events.amazonaws.com", PUBLISH)], None, False),
        ([allowed("tried-*")], [], False),
        ([allowed("tried-*")], KEY_USE, True),
    ],
    ids=["default", "tls-only", "its-alarms", "other-alarms", "other-service", "key-closed", "key-open"],
)
def test_a_topic_hears_an_alarm_that_its_policy_and_its_key_let_in(
    aws: EmbeddedAws, statements: list[Json], key_statements: list[Json] | None, arrives: bool
) -> None:
    key_id = "" if key_statements is None else key(aws, *key_statements)
    arn, ears = topic(aws, "alarms", *statements, key_id=key_id)
    ring(aws, arn)
    if arrives:
        assert eventually(ears.bodies, "the notification")
        assert denials(aws) == []
        return
    (why,) = denials(aws)
    assert why.startswith(f"{CLOUDWATCH} is not authorized to perform: {'kms:' if key_id else PUBLISH}")
    history = aws.client("cloudwatch").describe_alarm_history(AlarmName="tried-High", HistoryItemType="Action")
    (item,) = history["AlarmHistoryItems"]
    assert item["HistorySummary"] == f"Failed to execute action {arn}" and why in item["HistoryData"]
    assert ears.bodies() == []


def test_the_key_that_sns_manages_lets_no_alarm_in(aws: EmbeddedAws) -> None:
    arn, _ = topic(aws, "alarms", key_id="alias/aws/sns")
    ring(aws, arn)
    assert "may not use the key alias/aws/sns" in denials(aws)[0]


def test_a_topic_that_is_gone_is_told(aws: EmbeddedAws) -> None:
    arn, _ = topic(aws, "alarms")
    aws.client("sns").delete_topic(TopicArn=arn)
    ring(aws, arn)
    assert denials(aws) == [f"{arn} does not exist"]


def test_a_function_needs_the_permission_of_alarms(aws: EmbeddedAws) -> None:
    arn = function(aws, "told", role(aws, "told", "lambda.amazonaws.com"), "def handler(event, context): return 1")
    ring(aws, arn)
    assert denials(aws)[0].startswith("lambda.alarms.cloudwatch.amazonaws.com is not authorized")


def test_policies_are_read_anew_each_time(aws: EmbeddedAws) -> None:
    arn, ears = topic(aws, "alarms", insists_on_tls(PUBLISH))
    ring(aws, arn)
    aws.client("sns").set_topic_attributes(
        TopicArn=arn, AttributeName="Policy", AttributeValue=policy(allowed("tried-*"))
    )
    aws.client("cloudwatch").set_alarm_state(AlarmName="tried-High", StateValue="OK", StateReason="tried")
    aws.client("cloudwatch").set_alarm_state(AlarmName="tried-High", StateValue="ALARM", StateReason="tried")
    assert eventually(ears.bodies, "the notification")
