"""Rights on the volumes, snapshots and instances of others: each held to our tags or to those who have opted in."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from aws_cdk import Acknowledgment, ArnFormat, CfnElement, Token, Validations
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sns as sns
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from stacks.root_volume_replacement.settings import RootVolumeReplacementSettings
from stacks.shared.grants import allow_on_pattern, shown_arn
from stacks.shared.python_function import PythonFunction
from stacks.shared.queue import UnreadQueue
from stacks.shared.scheduler_role import SchedulerRole
from stacks.shared.solution import SolutionStack
from stacks.shared.table import Table

# What belongs to no account in an ARN: https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonec2.html
WITHOUT_ACCOUNT = ("image", "snapshot")


@dataclass(frozen=True)
class Parts:
    """What every part of the stack is made with.

    Attributes:
        ledger: what was noted, replaced and taken.
        reports: where people hear of it.
        undelivered: where events end that could not start their target.
    """

    settings: RootVolumeReplacementSettings
    ledger: Table
    reports: sns.ITopic
    undelivered: UnreadQueue


def allow_on_every(
    stack: SolutionStack,
    function: PythonFunction,
    action: str,
    *kinds: str,
    reason: str,
    conditions: Mapping[str, Any] | None = None,
) -> None:
    """Allows an action on every resource of some kinds of EC2, under conditions.

    Args:
        kinds: such as ``volume``.
        reason: why the resource cannot be named.
    """
    for kind in kinds:
        shown = shown_arn(stack, "ec2", f"{kind}/*")
        if kind in WITHOUT_ACCOUNT:
            account = "<AWS::AccountId>" if Token.is_unresolved(stack.account) else stack.account
            shown = shown.replace(f":{account}:{kind}", f"::{kind}")
        allow_on_pattern(
            function.own_role,
            action,
            arn=stack.format_arn(
                service="ec2",
                account="" if kind in WITHOUT_ACCOUNT else stack.account,
                resource=kind,
                resource_name="*",
            ),
            shown=shown,
            reason=reason,
            conditions=conditions,
        )


def allow_tagging_at_creation(stack: SolutionStack, function: PythonFunction, kind: str, creator: str) -> None:
    """Allows tags on what the action *creator* makes, while it makes it."""
    allow_on_every(
        stack,
        function,
        "ec2:CreateTags",
        kind,
        conditions={"StringEquals": {"ec2:CreateAction": creator}},
        reason="What is made has no name before; a condition allows tags at its creation only.",
    )


def allow_reports(stack: SolutionStack, function: PythonFunction, topic: sns.ITopic) -> None:
    """Allows publishing to the topic. Not grant_publish: with a key it would allow ``kms:GenerateDataKey*``."""
    function.own_role.add_to_principal_policy(iam.PolicyStatement(actions=["sns:Publish"], resources=[topic.topic_arn]))
    if stack.encryption_key:
        stack.encryption_key.grant(function.own_role, "kms:Decrypt", "kms:GenerateDataKey")


def allow_on_executions(
    stack: SolutionStack, role: iam.IRole, machine: sfn.StateMachine, *actions: str, to: iam.Policy
) -> None:
    """Adds actions on the executions of a state machine to a policy of a role."""
    pattern = stack.format_arn(
        service="states",
        resource="execution",
        resource_name=f"{machine.state_machine_name}:*",
        arn_format=ArnFormat.COLON_RESOURCE_NAME,
    )
    to.attach_to_role(role)
    to.add_statements(iam.PolicyStatement(actions=list(actions), resources=[pattern]))
    shown = shown_arn(stack, "states", f"execution:<{_logical_id(stack, machine)}.Name>:*")
    Validations.of(to).acknowledge(
        Acknowledgment(
            id=f"AwsSolutions-IAM5[Resource::{shown}]",
            reason="Executions are named when they start; these are of one state machine.",
        )
    )


def scheduler_role(stack: SolutionStack, scope: Construct, function: PythonFunction) -> iam.Role:
    """The role by which EventBridge Scheduler invokes a function."""
    role = SchedulerRole(stack, scope, "SchedulerRole")
    Validations.of(role).acknowledge(
        Acknowledgment(
            id=f"AwsSolutions-IAM5[Resource::<{_logical_id(stack, function)}.Arn>:*]",
            reason="The CDK's own right to invoke: the function, and its versions, of which there are none.",
        )
    )
    return role


def _logical_id(stack: SolutionStack, construct: Construct) -> str:
    return stack.get_logical_id(cast(CfnElement, construct.node.default_child))
