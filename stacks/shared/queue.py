"""A queue that loses nothing, and one for what nobody could deliver."""

from collections.abc import Sequence
from typing import Any

from aws_cdk import Acknowledgment, Duration, Names, Validations
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from stacks.shared.python_function import PythonFunction
from stacks.shared.solution import SolutionStack

KEPT = Duration.days(14)  # the most SQS allows


class UnreadQueue(sqs.Queue):
    """A queue that people alone read, above all for events that could start nothing: kept for 14 days.

    A target of the CDK lets its own rule send to a dead-letter queue; where no target does, ``let_rules_send`` does.
    """

    def __init__(self, stack: SolutionStack, scope: Construct, construct_id: str) -> None:
        super().__init__(scope, construct_id, retention_period=KEPT, **_encryption(stack))
        Validations.of(self).acknowledge(
            Acknowledgment(id="AwsSolutions-SQS3", reason="Nothing reads it but people; there is nothing to fail.")
        )

    def let_rules_send(self, rule_arns: str | Sequence[str], operator: str = "ArnEquals") -> None:
        """Lets rules of EventBridge send to the queue; the rule's role plays no part.

        https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-dlq.html

        Args:
            operator: ``ArnLike`` where the ARNs are patterns.
        """
        self.add_to_resource_policy(
            iam.PolicyStatement(
                principals=[iam.ServicePrincipal("events.amazonaws.com")],
                actions=["sqs:SendMessage"],
                resources=[self.queue_arn],
                conditions={operator: {"aws:SourceArn": rule_arns}},
            )
        )


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
        self.dead_letters = sqs.Queue(self, "DeadLetters", retention_period=KEPT, **_encryption(scope))
        self.queue = sqs.Queue(
            self,
            "Queue",
            **_encryption(scope),
            visibility_timeout=Duration.seconds(visibility_seconds),
            delivery_delay=Duration.seconds(delay_seconds) if delay_seconds else None,
            # Shorter than the dead letters': there a message keeps the age that it had here.
            retention_period=Duration.days(4),
            dead_letter_queue=sqs.DeadLetterQueue(queue=self.dead_letters, max_receive_count=max_receives),
        )


def read_by(
    function: PythonFunction, queue: sqs.Queue, *, batch_size: int, **mapping: Any
) -> lambda_.EventSourceMapping:
    """Lets Lambda read a queue for a function, as the function's role, with what that takes and no more.

    https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html; ``SqsEventSource`` of the CDK also allows
    ``sqs:ChangeMessageVisibility`` and ``sqs:GetQueueUrl``, which Lambda does not call.

    Args:
        batch_size: messages in one invocation at most.
        mapping: more arguments of ``aws_cdk.aws_lambda.EventSourceMappingOptions``.
    """
    actions = ["sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"]
    function.own_role.add_to_principal_policy(iam.PolicyStatement(actions=actions, resources=[queue.queue_arn]))
    if queue.encryption_master_key:
        queue.encryption_master_key.grant_decrypt(function.own_role)
    # The id that SqsEventSource gave it: a second mapping of one queue to one function would be refused.
    name = f"SqsEventSource:{Names.node_unique_id(queue.node)}"
    return function.add_event_source_mapping(name, event_source_arn=queue.queue_arn, batch_size=batch_size, **mapping)


def _encryption(stack: SolutionStack) -> dict[str, Any]:
    key = stack.encryption_key
    encryption = sqs.QueueEncryption.KMS if key else sqs.QueueEncryption.SQS_MANAGED
    return {"encryption": encryption, "encryption_master_key": key, "enforce_ssl": True}
