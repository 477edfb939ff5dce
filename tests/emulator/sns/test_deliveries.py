"""A topic delivers to queues and functions that let it in."""

import pytest

from emulator.client import EmbeddedAws
from tests.emulator.conftest import eventually
from tests.emulator.receivers import Queue, denials, function, key, role, statement

SNS, SEND = "sns.amazonaws.com", "sqs:SendMessage"


@pytest.mark.parametrize("case", ["allowed", "other topic", "no policy", "key open", "key closed"])
def test_a_queue_lets_in_the_topic_that_its_policy_and_its_key_name(aws: EmbeddedAws, case: str) -> None:
    sns = aws.client("sns")
    topic = sns.create_topic(Name="ours")["TopicArn"]
    source = topic if case != "other topic" else f"{topic}-other"
    statements = [] if case == "no policy" else [statement(SNS, SEND, aws_SourceArn=source)]
    use = {**statement(SNS, ""), "Action": ["kms:Decrypt", "kms:GenerateDataKey"]}
    key_id = key(aws, *([use] if case == "key open" else [])) if case.startswith("key") else ""
    queue = Queue(aws, "subscribed", *statements, key_id=key_id)
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue.arn)
    sns.publish(TopicArn=topic, Message="hello")
    if case in ("allowed", "key open"):
        assert eventually(queue.bodies, "the message") and denials(aws) == []
    else:
        assert denials(aws)[0].startswith(f"{SNS} is not authorized") and queue.bodies() == []


@pytest.mark.parametrize("permitted", [True, False])
def test_a_function_needs_a_permission(aws: EmbeddedAws, permitted: bool) -> None:
    called = Queue(aws, "called")
    code = (
        "import boto3\n"
        "def handler(event, context):\n"
        f"    boto3.client('sqs').send_message(QueueUrl='{called.url}', MessageBody='called')\n"
    )
    arn = function(aws, "subscribed", role(aws, "by", "lambda.amazonaws.com", {"Action": SEND}), code)
    sns = aws.client("sns")
    topic = sns.create_topic(Name="ours")["TopicArn"]
    if permitted:
        aws.client("lambda").add_permission(
            FunctionName="subscribed",
            StatementId="topic",
            Action="lambda:InvokeFunction",
            Principal=SNS,
            SourceArn=topic,
        )
    sns.subscribe(TopicArn=topic, Protocol="lambda", Endpoint=arn)
    sns.publish(TopicArn=topic, Message="hello")
    if permitted:
        assert eventually(called.bodies, "the call")
    else:
        assert "lambda:InvokeFunction" in eventually(lambda: denials(aws), "the denial")[0]
