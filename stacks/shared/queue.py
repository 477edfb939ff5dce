"""A queue that loses nothing."""

from aws_cdk import Duration
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from stacks.shared.solution import SolutionStack


class QueueWithDeadLetters(Construct):
    """A standard queue and the one that takes what cannot be processed: encrypted at rest, TLS only.

    Args:
        visibility_seconds: how long a received message stays hidden, 0 to 43,200.
        max_receives: receives after which a message moves to the dead letters, 1 to 1,000.
        delay_seconds: how long a message that was sent stays hidden at first, 0 to 900.

    Attributes:
        queue: where work is sent.
        dead_letters: where a message ends that nobody could process; kept for 14 days, the most SQS allows.
    """

    def __init__(
        self,
        scope: SolutionStack,
        construct_id: str,
        *,
        visibility_seconds: int,
        max_receives: int,
        delay_seconds: int = 0,
    ) -> None:
        super().__init__(scope, construct_id)
        key = scope.encryption_key
        encryption = sqs.QueueEncryption.KMS if key else sqs.QueueEncryption.SQS_MANAGED
        self.dead_letters = sqs.Queue(
            self,
            "DeadLetters",
            encryption=encryption,
            encryption_master_key=key,
            enforce_ssl=True,
            retention_period=Duration.days(14),
        )
        self.queue = sqs.Queue(
            self,
            "Queue",
            encryption=encryption,
            encryption_master_key=key,
            enforce_ssl=True,
            visibility_timeout=Duration.seconds(visibility_seconds),
            delivery_delay=Duration.seconds(delay_seconds) if delay_seconds else None,
            # Shorter than the dead letters': there a message keeps the age that it had here.
            retention_period=Duration.days(4),
            dead_letter_queue=sqs.DeadLetterQueue(queue=self.dead_letters, max_receive_count=max_receives),
        )
