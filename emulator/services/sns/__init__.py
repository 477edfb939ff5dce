"""Amazon SNS, by ministack: subscriptions that the receiver must allow."""

from emulator.core.service import Service
from emulator.services.sns import patches
from emulator.services.sns.types import encrypted

__all__ = ["SERVICE", "patches"]

SERVICE = Service(
    "sns",
    wraps={"AWS::SNS::Topic": encrypted},
    modelled=("deliveries to queues and functions as their policies and keys allow",),
    not_judged=("dead-letter queues of subscriptions, delivery status logs",),
)
