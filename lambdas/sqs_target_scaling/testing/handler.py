"""On demand: event -> SQS. The post's Testing Lambda.

A message carries an id made of the run and its number. Lambda repeats a failed asynchronous invocation under the same
request id (https://docs.aws.amazon.com/lambda/latest/dg/invocation-retries.html), hence with the same ids, and the
worker does nothing twice that has the same id.
"""

import logging
import os
import time
from collections.abc import Callable
from typing import Any

from shared.aws import client
from sqs_target_scaling.testing.messages import Entry, Load, batches, requested

logger = logging.getLogger(__name__)

PAUSES = (0.2, 0.4, 0.8)
"""Seconds before each further attempt at the entries that SQS did not take."""


class NotSentError(RuntimeError):
    """Some messages of the load did not reach the queue."""


def lambda_handler(event: Any, context: Any) -> dict[str, Any]:
    """Sends the load that the event asks for: {"messages", "duration_seconds", "run"}, each optional."""
    defaults = {
        "messages": int(os.environ["MESSAGE_COUNT"]),
        "duration_seconds": float(os.environ["DURATION_SECONDS"]),
        "run": context.aws_request_id,
    }
    return send(client("sqs"), requested(event, defaults), queue_url=os.environ["QUEUE_URL"], pause=time.sleep)


def send(sqs: Any, load: Load, *, queue_url: str, pause: Callable[[float], None]) -> dict[str, Any]:
    """Sends every message of the load; what one batch could not place does not stop the next one.

    Args:
        sqs: the client.
        load: what to send.
        queue_url: where to.
        pause: waits for so many seconds.

    Raises:
        NotSentError: saying how many messages SQS did not take.
        botocore.exceptions.ClientError: when a whole call is refused, or has failed five times.
    """
    left = [entry for batch in batches(load) for entry in send_batch(sqs, batch, queue_url=queue_url, pause=pause)]
    sent = load.messages - len(left)
    logger.info("sent a load", extra={"run": load.run, "sent": sent, "seconds_each": load.duration_seconds})
    if left:
        raise NotSentError(f"{len(left)} of {load.messages} messages of run {load.run!r} were not sent")
    return {"sent": sent, "run": load.run}


def send_batch(sqs: Any, batch: list[Entry], *, queue_url: str, pause: Callable[[float], None]) -> list[Entry]:
    """Sends one batch, again what SQS failed to take, and returns the entries it did not take in the end.

    SendMessageBatch succeeds as a whole while it fails for some entries
    (https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessageBatch.html).
    """
    refused: list[Entry] = []
    for seconds in (*PAUSES, None):
        failed = {
            item["Id"]: item for item in sqs.send_message_batch(QueueUrl=queue_url, Entries=batch).get("Failed", [])
        }
        # An entry that is the sender's own fault fails the same way every time.
        refused += [entry for entry in batch if entry["Id"] in failed and failed[entry["Id"]]["SenderFault"]]
        batch = [entry for entry in batch if entry["Id"] in failed and not failed[entry["Id"]]["SenderFault"]]
        if not batch or seconds is None:
            break
        pause(seconds)
    return refused + batch
