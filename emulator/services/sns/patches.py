"""Private names of ministack's SNS: what a topic delivers to a function, and who may publish to it.

Of a queue ministack asks its SQS (``emulator.services.sqs``).
"""

from typing import Any

from ministack.services import sns

from emulator.core.deliveries import Delivery, denied
from emulator.core.patch import patch


@patch(sns, "_deliver_to_lambda", "endpoint envelope topic_arn sub_arn msg_id raw_message message_attributes")
def _to_function(original: Any, endpoint: str, envelope: str, topic_arn: str, *more: Any) -> None:
    """https://docs.aws.amazon.com/lambda/latest/dg/with-sns.html: the function's policy."""
    if denied(Delivery("sns.amazonaws.com", topic_arn, endpoint)) is None:
        original(endpoint, envelope, topic_arn, *more)


@patch(sns, "topic_policy_allows", "topic_arn service source_arn source_account")
def _may_publish(_original: Any, topic: str, service: str, source: str, account: str) -> bool:
    """Amazon S3 asks; https://docs.aws.amazon.com/AmazonS3/latest/userguide/grant-destinations-permissions-to-s3.html."""
    return denied(Delivery(service, source, topic, account=account)) is None
