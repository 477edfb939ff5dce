"""Which queues a dead-letter queue lets in."""

import json

import pytest

from emulator.client import EmbeddedAws


@pytest.mark.parametrize(
    ("allowed", "moved"),
    [
        (None, True),
        ({"redrivePermission": "allowAll"}, True),
        ({"redrivePermission": "denyAll"}, False),
        ({"redrivePermission": "byQueue", "sourceQueueArns": ["arn:aws:sqs:us-east-1:123456789012:work"]}, True),
        ({"redrivePermission": "byQueue", "sourceQueueArns": ["arn:aws:sqs:us-east-1:123456789012:other"]}, False),
    ],
)
def test_a_message_goes_to_a_dead_letter_queue_that_lets_its_queue_in(
    aws: EmbeddedAws, allowed: dict[str, object] | None, moved: bool
) -> None:
    sqs = aws.client("sqs")
    attributes = {"RedriveAllowPolicy": json.dumps(allowed)} if allowed else {}
    dead = sqs.create_queue(QueueName="dead", Attributes=attributes)["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    redrive = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 1})
    work = sqs.create_queue(QueueName="work", Attributes={"RedrivePolicy": redrive, "VisibilityTimeout": "0"})
    sqs.send_message(QueueUrl=work["QueueUrl"], MessageBody="poison")
    assert sqs.receive_message(QueueUrl=work["QueueUrl"])["Messages"]
    again = sqs.receive_message(QueueUrl=work["QueueUrl"]).get("Messages", [])
    found = sqs.receive_message(QueueUrl=dead).get("Messages", [])
    assert ([each["Body"] for each in found], bool(again)) == ((["poison"], False) if moved else ([], True))
    denied = aws.control("denials")["denials"]
    assert moved or all("does not let" in each["why"] for each in denied)
    assert bool(denied) != moved
