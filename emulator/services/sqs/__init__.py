"""Amazon SQS, by ministack: what it publishes each minute, how long a message may be kept, what batches need.

https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html
"""

import json
import time
from typing import Any

from ministack.services import sqs

from emulator.core.deliveries import Delivery, denied, deny
from emulator.core.patch import patch, private
from emulator.core.service import IamRules, Service
from emulator.services.cloudwatch.patches import record_metric

_queues: Any = private(sqs, "_queues")
_refresh: Any = private(sqs, "_refresh_counts", "q")
_queue: Any = private(sqs, "_get_q", "url action")
_Error: Any = private(sqs, "_Err")
_by_arn: Any = private(sqs, "_queue_by_arn", "arn")

LONGEST_SECONDS = 43_200

# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-api-permissions-reference.html
_ACTIONS = {
    "sqs:ChangeMessageVisibilityBatch": "sqs:ChangeMessageVisibility",
    "sqs:DeleteMessageBatch": "sqs:DeleteMessage",
    "sqs:SendMessageBatch": "sqs:SendMessage",
}


@patch(sqs, "_collect_msgs", "q max_n vis_timeout")
def _received(original: Any, *arguments: Any) -> Any:
    """Remembers when each message was received last."""
    messages = original(*arguments)
    for message in messages:
        message["received_at"] = time.time()
    return messages


@patch(sqs, "_dlq_sweep", "q")
def _swept(original: Any, queue: dict[str, Any]) -> None:
    """Moves nothing to a dead-letter queue that does not let this queue in: RedriveAllowPolicy.

    "Only queues specified by the sourceQueueArns parameter can specify this queue as the dead-letter queue"
    (https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html); how SQS refuses
    it, the page does not say.
    """
    policy = json.loads(queue["attributes"].get("RedrivePolicy") or "{}")
    source, target = queue["attributes"].get("QueueArn", ""), policy.get("deadLetterTargetArn", "")
    if _lets_in(target, source):
        original(queue)
    elif any(message["receive_count"] >= int(policy["maxReceiveCount"]) for message in queue["messages"]):
        deny(source, target, f"RedriveAllowPolicy of {target} does not let {source} use it as its dead-letter queue")


def _lets_in(target: str, source: str) -> bool:
    found = _by_arn(target) if target else None
    policy = json.loads(((found or {}).get("attributes") or {}).get("RedriveAllowPolicy") or "{}")
    permission = policy.get("redrivePermission", "allowAll")
    return permission == "allowAll" or (permission == "byQueue" and source in policy.get("sourceQueueArns", []))


@patch(sqs, "_dispatch", "action data qurl")
def _asked(original: Any, action: str, data: dict[str, Any], url: str) -> Any:
    """Keeps a message from others for twelve hours since its receive at most, in sum.

    https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ChangeMessageVisibility.html, and the
    words of SQS in https://github.com/localstack/localstack/issues/3956.
    """
    if action == "ChangeMessageVisibility":
        seconds = int(data["VisibilityTimeout"])
        for message in _queue(data.get("QueueUrl", url))["messages"]:
            kept = time.time() + seconds - message.get("received_at", 0)
            if message["receipt_handle"] == data["ReceiptHandle"] and kept > LONGEST_SECONDS:
                raise _Error(
                    "InvalidParameterValue",
                    f"Value {seconds} for parameter VisibilityTimeout is invalid. "
                    f"Reason: Total VisibilityTimeout for the message is beyond the limit [{LONGEST_SECONDS} seconds]",
                )
    return original(action, data, url)


def _scopes() -> set[tuple[str, str]]:
    return {(account, region) for account, region, *_ in _queues._data}


def _publish() -> None:
    now = time.time()
    for queue in _queues.values():
        _refresh(queue)
        counts = queue["attributes"]
        oldest = min((message["sent_at"] for message in queue["messages"]), default=now)
        values = {
            "ApproximateNumberOfMessagesVisible": float(counts["ApproximateNumberOfMessages"]),
            "ApproximateNumberOfMessagesNotVisible": float(counts["ApproximateNumberOfMessagesNotVisible"]),
            "ApproximateAgeOfOldestMessage": now - oldest,
        }
        for name, value in values.items():
            record_metric("AWS/SQS", name, {"QueueName": queue["name"]}, value)


@patch(sqs, "queue_policy_allows", "queue_arn service source_arn source_account")
def _may_send(_original: Any, queue: str, service: str, source: str, account: str) -> bool:
    """Amazon SNS and S3 ask: https://docs.aws.amazon.com/AmazonS3/latest/userguide/grant-destinations-permissions-to-s3.html."""
    return denied(Delivery(service, source, queue, account=account)) is None


SERVICE = Service(
    "sqs",
    scopes=_scopes,
    measure=_publish,
    iam=IamRules(actions=_ACTIONS),
    modelled=(
        "metrics of queues each minute; what a service may send, by the queue's policy and key",
        "twelve hours of a message in flight; which queues a dead-letter queue lets in",
    ),
    not_judged=("twelve hours in ChangeMessageVisibilityBatch",),
)
