"""How long SQS keeps a message from others: twelve hours since its receive, in sum."""

import pytest
from botocore.exceptions import ClientError

from emulator.client import EmbeddedAws


def test_what_passes_twelve_hours_since_the_receive_is_refused(aws: EmbeddedAws) -> None:
    sqs = aws.client("sqs")
    queue = sqs.create_queue(QueueName="long-work")["QueueUrl"]
    sqs.send_message(QueueUrl=queue, MessageBody="work")
    (message,) = sqs.receive_message(QueueUrl=queue)["Messages"]
    receipt = message["ReceiptHandle"]
    sqs.change_message_visibility(QueueUrl=queue, ReceiptHandle=receipt, VisibilityTimeout=43_170)
    with pytest.raises(ClientError, match="beyond the limit") as refused:
        sqs.change_message_visibility(QueueUrl=queue, ReceiptHandle=receipt, VisibilityTimeout=43_200)
    assert refused.value.response["Error"]["Code"] == "InvalidParameterValue"
    sqs.change_message_visibility(QueueUrl=queue, ReceiptHandle=receipt, VisibilityTimeout=0)
    assert sqs.receive_message(QueueUrl=queue)["Messages"], "given back"
