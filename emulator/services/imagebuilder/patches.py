"""Private names of ministack's SNS."""

from typing import Any

from ministack.services import sns

from emulator.core.patch import private

_publish: Any = private(
    sns,
    "publish_internal",
    "topic_arn message subject message_structure message_attributes message_group_id message_deduplication_id",
)


def publish(topic_arn: str, message: str) -> None:
    """Publishes to a topic."""
    _publish(topic_arn, message)
