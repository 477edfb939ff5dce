"""Amazon SQS, by ministack: what it publishes each minute, and the actions that batches need.

https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html
"""

import time
from typing import Any

from ministack.services import sqs

from emulator.core.deliveries import Delivery, denied
from emulator.core.patch import patch, private
from emulator.core.service import IamRules, Service
from emulator.services.cloudwatch.patches import record_metric

_queues: Any = private(sqs, "_queues")
_refresh: Any = private(sqs, "_refresh_counts", "q")

# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-api-permissions-reference.html
_ACTIONS = {
    "sqs:ChangeMessageVisibilityBatch": "sqs:ChangeMessageVisibility",
    "sqs:DeleteMessageBatch": "sqs:DeleteMessage",
    "sqs:SendMessageBatch": "sqs:SendMessage",
}


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
    modelled=("metrics of queues each minute; what a service may send, by the queue's policy and key",),
    not_judged=("which queues a dead-letter queue lets in",),
)
