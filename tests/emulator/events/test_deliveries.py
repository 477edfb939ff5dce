"""A rule delivers what its target allows: nothing arrives elsewhere, FailedInvocations counts it, a queue keeps it."""

import json
from typing import Any

import pytest

from emulator.client import EmbeddedAws
from tests.embedded_aws import Stack
from tests.emulator.conftest import eventually
from tests.emulator.receivers import Json, Queue, denials, function, key, metric, policy, role, statement, topic

EVENTS, SEND = "events.amazonaws.com", "sqs:SendMessage"


def rule(aws: EmbeddedAws, target: str, **more: Any) -> str:
    events = aws.client("events")
    arn: str = events.put_rule(Name="tried", EventPattern=json.dumps({"source": ["ours"]}))["RuleArn"]
    failed = events.put_targets(Rule="tried", Targets=[{"Id": "one", "Arn": target, **more}])["FailedEntryCount"]
    assert failed == 0
    return arn


def happen(aws: EmbeddedAws) -> None:
    entry = {"Source": "ours", "DetailType": "Happened", "Detail": '{"what": "it"}'}
    assert aws.client("events").put_events(Entries=[entry])["FailedEntryCount"] == 0


def of_rule(aws: EmbeddedAws, name: str = "tried") -> str:
    return f"arn:aws:events:{aws.region}:{aws.account}:rule/{name}"


def failed(aws: EmbeddedAws, name: str = "FailedInvocations") -> float:
    return metric(aws, "AWS/Events", name, "RuleName", "tried")


@pytest.mark.parametrize("named", ["tried", "other", None])
def test_a_queue_lets_in_the_rule_that_its_policy_names(aws: EmbeddedAws, named: str | None) -> None:
    statements = [statement(EVENTS, SEND, aws_SourceArn=of_rule(aws, named))] if named else []
    queue = Queue(aws, "target", *statements)
    rule(aws, queue.arn)
    happen(aws)
    if named == "tried":
        (body,) = eventually(queue.bodies, "the event")
        assert json.loads(body)["detail"] == {"what": "it"}
        assert (denials(aws), failed(aws)) == ([], 0)
    else:
        assert "no resource-based policy allows the sqs:SendMessage action" in denials(aws)[0]
        assert (queue.bodies(), failed(aws)) == ([], 1)


@pytest.mark.parametrize("open_to", [EVENTS, "sns.amazonaws.com"])
def test_the_key_of_a_queue_must_let_the_rule_in_too(aws: EmbeddedAws, open_to: str) -> None:
    use = {**statement(open_to, "kms:Decrypt"), "Action": ["kms:GenerateDataKey", "kms:Decrypt"]}
    queue = Queue(aws, "target", statement(EVENTS, SEND), key_id=key(aws, use))
    rule(aws, queue.arn)
    happen(aws)
    if open_to == EVENTS:
        assert eventually(queue.bodies, "the event")
    else:
        assert denials(aws)[0].startswith(f"{EVENTS} is not authorized to perform: kms:GenerateDataKey")


@pytest.mark.parametrize("lets_in", [True, False])
def test_what_is_denied_is_left_in_the_dead_letter_queue_that_lets_the_rule_in(aws: EmbeddedAws, lets_in: bool) -> None:
    letters = Queue(aws, "letters", *([statement(EVENTS, SEND, aws_SourceArn=of_rule(aws))] if lets_in else []))
    rule(aws, Queue(aws, "target").arn, DeadLetterConfig={"Arn": letters.arn})
    happen(aws)
    if lets_in:
        (body,) = eventually(letters.bodies, "the dead letter")
        assert json.loads(body)["detail-type"] == "Happened"
        assert failed(aws, "InvocationsSentToDlq") == 1
    else:
        assert len(denials(aws)) == 2 and letters.bodies() == []
        assert failed(aws, "InvocationsFailedToBeSentToDlq") == 1


def test_a_topic_that_allows_others_only_hears_no_rule(aws: EmbeddedAws) -> None:
    arn, ears = topic(aws, "target", statement("cloudwatch.amazonaws.com", "sns:Publish"))
    rule(aws, arn)
    happen(aws)
    assert denials(aws) and ears.bodies() == []
    aws.client("sns").set_topic_attributes(
        TopicArn=arn, AttributeName="Policy", AttributeValue=policy(statement(EVENTS, "sns:Publish"))
    )
    happen(aws)
    assert eventually(ears.bodies, "the event")


SENDS = """
import boto3, os
def handler(event, context):
    boto3.client("sqs").send_message(QueueUrl=os.environ.get("URL") or event["detail"]["url"], MessageBody="called")
    raise ValueError("fails on purpose")
"""


@pytest.mark.parametrize("permitted", [True, False])
def test_a_function_needs_a_permission_and_is_tried_thrice(aws: EmbeddedAws, permitted: bool) -> None:
    called = Queue(aws, "called")
    by = role(aws, "function", "lambda.amazonaws.com", {"Action": "sqs:SendMessage"})
    arn = function(aws, "target", by, SENDS)
    if permitted:
        aws.client("lambda").add_permission(
            FunctionName="target",
            StatementId="rule",
            Action="lambda:InvokeFunction",
            Principal=EVENTS,
            SourceArn=of_rule(aws),
        )
    rule(aws, arn)
    entry = {"Source": "ours", "DetailType": "Happened", "Detail": json.dumps({"url": called.url})}
    aws.client("events").put_events(Entries=[entry])
    if permitted:
        found: list[str] = []
        assert eventually(lambda: len(found.extend(called.bodies()) or found) == 3, "two more tries")  # type: ignore[func-returns-value]
    else:
        assert "lambda:InvokeFunction" in denials(aws)[0] and failed(aws) == 1


@pytest.mark.parametrize("may", [["logs:CreateLogStream", "logs:PutLogEvents"], ["logs:PutLogEvents"]])
def test_a_log_group_needs_a_resource_policy(aws: EmbeddedAws, may: list[str]) -> None:
    logs = aws.client("logs")
    logs.create_log_group(logGroupName="/aws/events/target")
    arn = f"arn:aws:logs:{aws.region}:{aws.account}:log-group:/aws/events/target"
    document = {**statement(EVENTS, ""), "Action": may, "Resource": f"{arn}:*"}
    logs.put_resource_policy(policyName="rules", policyDocument=policy(document))
    rule(aws, arn)
    happen(aws)
    if len(may) == 2:
        assert logs.filter_log_events(logGroupName="/aws/events/target")["events"]
    else:
        assert "logs:CreateLogStream" in denials(aws)[0]


MACHINE: Json = {"StartAt": "Done", "States": {"Done": {"Type": "Succeed"}}}


@pytest.mark.parametrize("allowed", ["states:StartExecution", "states:StopExecution", None])
def test_a_state_machine_is_started_by_a_role(aws: EmbeddedAws, allowed: str | None) -> None:
    by = role(aws, "machine", "states.amazonaws.com")
    states = aws.client("stepfunctions")
    arn = states.create_state_machine(name="target", definition=json.dumps(MACHINE), roleArn=by)["stateMachineArn"]
    rule(aws, arn, **({"RoleArn": role(aws, "rule", EVENTS, {"Action": allowed})} if allowed else {}))
    happen(aws)
    if allowed == "states:StartExecution":
        assert eventually(lambda: states.list_executions(stateMachineArn=arn)["executions"], "the execution")
    else:
        assert denials(aws) and states.list_executions(stateMachineArn=arn)["executions"] == []


def test_a_role_must_trust_rules(aws: EmbeddedAws) -> None:
    queue = Queue(aws, "target")
    rule(aws, queue.arn, RoleArn=role(aws, "rule", "scheduler.amazonaws.com", {"Action": SEND}))
    happen(aws)
    assert "sts:AssumeRole" in denials(aws)[0] and queue.bodies() == []


@pytest.mark.parametrize("number", [5, 6])
def test_a_rule_of_a_template_has_five_targets_at_most(aws: EmbeddedAws, number: int) -> None:
    targets = [{"Id": f"t{n}", "Arn": f"arn:aws:sqs:{aws.region}:{aws.account}:t{n}"} for n in range(number)]
    rule = {"Type": "AWS::Events::Rule", "Properties": {"EventPattern": {"source": ["ours"]}, "Targets": targets}}
    if number == 5:
        assert Stack(aws).create({"Rule": rule})
        return
    with pytest.raises(AssertionError, match="exceeds the maximum number allowed"):
        Stack(aws).create({"Rule": rule})
