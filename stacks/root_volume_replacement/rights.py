"""Rights on the volumes, snapshots and instances of others: each held to our tags or to those who have opted in."""

from collections.abc import Mapping
from typing import Any, cast

from aws_cdk import Acknowledgment, ArnFormat, CfnElement, Validations
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from stacks.shared.grants import allow_on_any_resource
from stacks.shared.python_function import PythonFunction
from stacks.shared.solution import SolutionStack

# What belongs to no account in an ARN: https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonec2.html
WITHOUT_ACCOUNT = ("image", "snapshot")


def allow_describing(function: PythonFunction, *actions: str) -> None:
    """Allows Describe calls of EC2."""
    allow_on_any_resource(function.own_role, *actions, reason="Describing EC2 knows no resource.")


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
    arns = []
    for kind in kinds:
        account = "" if kind in WITHOUT_ACCOUNT else stack.account
        arns.append(stack.format_arn(service="ec2", account=account, resource=kind, resource_name="*"))
        shown = f"arn:<AWS::Partition>:ec2:{_shown(stack.region)}:{_shown(account)}:{kind}/*"
        Validations.of(function.own_role).acknowledge(
            Acknowledgment(id=f"AwsSolutions-IAM5[Resource::{shown}]", reason=reason)
        )
    function.own_role.add_to_principal_policy(
        iam.PolicyStatement(actions=[action], resources=arns, conditions=dict(conditions or {}))
    )


def allow_ledger(stack: SolutionStack, function: PythonFunction, ledger: dynamodb.ITableV2, *actions: str) -> None:
    """Allows actions on the table, and its key if it is a customer's: DynamoDB uses it in the name of its caller."""
    ledger.grants.actions(function, *actions)
    if stack.encryption_key:
        stack.encryption_key.grant(
            function.own_role, "kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey"
        )


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
    where = f"{_shown(stack.region)}:{_shown(stack.account)}:execution:<{_logical_id(stack, machine)}.Name>:*"
    Validations.of(to).acknowledge(
        Acknowledgment(
            id=f"AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:states:{where}]",
            reason="Executions are named when they start; these are of one state machine.",
        )
    )


def scheduler_role(stack: SolutionStack, scope: Construct, function: PythonFunction) -> iam.Role:
    """The role by which EventBridge Scheduler invokes a function."""
    role = iam.Role(scope, "SchedulerRole", assumed_by=iam.ServicePrincipal("scheduler.amazonaws.com"))
    Validations.of(role).acknowledge(
        Acknowledgment(
            id=f"AwsSolutions-IAM5[Resource::<{_logical_id(stack, function)}.Arn>:*]",
            reason="The CDK's own right to invoke: the function, and its versions, of which there are none.",
        )
    )
    return role


def _logical_id(stack: SolutionStack, construct: Construct) -> str:
    return stack.get_logical_id(cast(CfnElement, construct.node.default_child))


def _shown(value: str) -> str:
    """A region or account as cdk-nag shows it: the pseudo parameter if it is not known yet."""
    names = {"AWS.Region": "<AWS::Region>", "AWS.AccountId": "<AWS::AccountId>"}
    return next((shown for name, shown in names.items() if name in value), value)
