"""What one service delivers to another: judged by what the receiver allows, or by the role that the user named.

A service acts under its own principal and says for whom: "the Amazon Resource Name (ARN) of the resource making the
service-to-service request" and its account (aws:SourceArn, aws:SourceAccount:
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html). The receiver's policy must
allow it, and so must the policy of the key of a topic or a queue; the keys that AWS manages allow no service:
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-key-management.html and
https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html, "compatibility with AWS services".

Where the user names a role, the role must trust the service, and its policies, boundary and the key decide.
"""

import json
import logging
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from ministack import app
from ministack.services import cloudwatch_logs, iam, kms, sns, sqs

from emulator.core.api import Json
from emulator.core.iam import policy_of, role_denies, service_may
from emulator.core.patch import private
from emulator.core.store import Store, account_id

log = logging.getLogger(__name__)

_topic: Any = private(sns, "_topic_by_arn_any_scope", "topic_arn")
_queue: Any = private(sqs, "_queue_by_arn", "arn")
_key: Any = private(kms, "_resolve_key", "key_id_or_arn")
_log_policies: Any = private(cloudwatch_logs, "_resource_policies")
_log_groups: Any = private(cloudwatch_logs, "_log_groups")
_roles: Any = private(iam, "_roles")

# What a delivery needs of its target, by the service in the target's ARN.
ACTIONS = {
    "codepipeline": ("codepipeline:StartPipelineExecution",),
    "events": ("events:PutEvents",),
    "lambda": ("lambda:InvokeFunction",),
    # https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-resource-based.html
    "logs": ("logs:CreateLogStream", "logs:PutLogEvents"),
    "sns": ("sns:Publish",),
    "sqs": ("sqs:SendMessage",),
    "ssm": ("ssm:StartAutomationExecution",),
    "states": ("states:StartExecution",),
}
_BY_POLICY = ("lambda", "logs", "sns", "sqs")
_USES_OF_A_KEY = ("kms:GenerateDataKey", "kms:Decrypt")


@dataclass(frozen=True)
class Delivery:
    """Something that a service delivers.

    Attributes:
        principal: the service's.
        source: ARN of what it delivers for: an alarm, a rule, a topic, a function.
        target: ARN of the receiver.
        role: ARN of the role that it acts by; None: under its own principal.
        account: of the source, where its ARN does not say it, as that of a bucket.
    """

    principal: str
    source: str
    target: str
    role: str | None = None
    account: str = ""

    @property
    def service(self) -> str:
        """Of the receiver."""
        return self.target.split(":")[2]

    @property
    def keys(self) -> dict[str, str]:
        """The condition keys of a call for another resource."""
        account = self.account or self.source.split(":")[4] or account_id()
        return {"aws:SourceArn": self.source, "aws:SourceAccount": account, "aws:SourceOwner": account}


@dataclass(frozen=True)
class Denial:
    """A delivery that did not happen, and why in the words of AWS."""

    source: str
    target: str
    why: str


denials: Store[list[Denial]] = Store(list)


def show(_request: Json) -> Json:
    """``denials {}``: every delivery that was denied, in their order (our model: AWS shows them in many places)."""
    return {"denials": [asdict(denial) for _, found in denials.everywhere() for denial in found]}


def denied(delivery: Delivery) -> str | None:
    """Why nothing is delivered, which is kept and logged; None: it is allowed."""
    why = next(_refusals(delivery), None) if app.AUTH else None
    if why:
        deny(delivery.source, delivery.target, why)
    return why


def deny(source: str, target: str, why: str) -> None:
    """Keeps and logs that something was not delivered."""
    log.warning("denied: %s -> %s: %s", source, target, why)
    denials.here().append(Denial(source, target, why))


def _refusals(delivery: Delivery) -> Iterator[str]:
    actions = ACTIONS.get(delivery.service, ())
    if delivery.role:
        yield from _of_role(delivery.role, delivery, actions)
        return
    if delivery.service not in _BY_POLICY:
        yield f"{delivery.principal} needs a role to deliver to {delivery.target}"
        return
    policy = _log_policy(delivery.target) if delivery.service == "logs" else policy_of(delivery.target)
    if policy is None:
        yield f"{delivery.target} does not exist"
        return
    # A log group is written to by its streams.
    resource = f"{delivery.target.removesuffix(':*')}:log-stream:*" if delivery.service == "logs" else delivery.target
    for action in actions:
        if not service_may(delivery.principal, policy, action, resource, delivery.keys):
            yield (
                f"{delivery.principal} is not authorized to perform: {action} on resource: {delivery.target} "
                f"because no resource-based policy allows the {action} action"
            )
    if key := encrypted_by(delivery.target):
        yield from _of_key(key, delivery)


def _of_role(role: str, delivery: Delivery, actions: tuple[str, ...]) -> Iterator[str]:
    found = _roles.get(role.rpartition("/")[2])
    if found is None:
        yield f"the role {role} does not exist"
        return
    trust = found.get("AssumeRolePolicyDocument")
    if not service_may(delivery.principal, trust, "sts:AssumeRole", role, delivery.keys):
        yield f"{delivery.principal} is not authorized to perform: sts:AssumeRole on resource: {role}"
    for action in actions:
        if role_denies(role, action, delivery.target):
            yield f"{role} is not authorized to perform: {action} on resource: {delivery.target}"
    if key := encrypted_by(delivery.target):
        record = _key(key)
        for action in _USES_OF_A_KEY if record else ():  # AWS's own keys let every role of the account through
            if role_denies(role, action, record["Arn"]):
                yield f"{role} is not authorized to perform: {action} on resource: {record['Arn']}"


def _of_key(key: str, delivery: Delivery) -> Iterator[str]:
    record = _key(key)
    if record is None or "alias/aws/" in key:
        yield f"{delivery.principal} may not use the key {key} of {delivery.target}"
        return
    for action in _USES_OF_A_KEY:
        if not service_may(delivery.principal, record.get("Policy") or "", action, record["Arn"], delivery.keys):
            yield (
                f"{delivery.principal} is not authorized to perform: {action} on resource: {record['Arn']} "
                f"because no resource-based policy allows the {action} action"
            )


def encrypted_by(target: str) -> str | None:
    """The key that a topic or a queue names."""
    held = {"sns": _topic, "sqs": _queue}.get(target.split(":")[2])
    found = held(target) if held else None
    return ((found or {}).get("attributes") or {}).get("KmsMasterKeyId") or None


def _log_policy(target: str) -> Json | None:
    """All resource policies of the account as one, which is what they are to a log group."""
    if target.split(":log-group:")[-1].removesuffix(":*") not in _log_groups:
        return None
    documents = [json.loads(policy["policyDocument"]) for policy in _log_policies.values()]
    statements = [
        statement
        for document in documents
        for statement in (document["Statement"] if isinstance(document["Statement"], list) else [document["Statement"]])
    ]
    return {"Version": "2012-10-17", "Statement": statements}
