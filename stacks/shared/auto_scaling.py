"""An Auto Scaling group that takes over changes, and that never kills what is busy."""

from collections.abc import Sequence
from typing import cast

from aws_cdk import Acknowledgment, CfnElement, Duration, Token, Validations
from aws_cdk import aws_autoscaling as autoscaling
from aws_cdk import aws_iam as iam
from constructs import IDependable

from stacks.shared.grants import allow_on_pattern
from stacks.shared.network import Network
from stacks.shared.solution import SolutionStack

LifecycleHook = autoscaling.CfnAutoScalingGroup.LifecycleHookSpecificationProperty


class RollingGroup(autoscaling.AutoScalingGroup):
    """A mixed-instances group that replaces its instances one by one when their launch template changes.

    Its lifecycle hooks are part of the group resource: no instance can start, or end, before its hook exists.

    Args:
        hooks: lifecycle hooks of the group.
        outlived_by: what running instances need to the end, above all their rights: deleted after the group only.
    """

    def __init__(
        self,
        scope: SolutionStack,
        construct_id: str,
        *,
        network: Network,
        instances: autoscaling.MixedInstancesPolicy,
        minimum: int,
        maximum: int,
        warmup_seconds: int,
        hooks: Sequence[LifecycleHook],
        outlived_by: Sequence[IDependable],
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            vpc=network.vpc,
            vpc_subnets=network.subnets,
            mixed_instances_policy=instances,
            min_capacity=minimum,
            max_capacity=maximum,  # no desired capacity: a redeployment would reset what the policies have set
            capacity_rebalance=True,
            default_instance_warmup=Duration.seconds(warmup_seconds),
            group_metrics=[autoscaling.GroupMetrics.all()],
            update_policy=rolling_update(),
        )
        cast(autoscaling.CfnAutoScalingGroup, self.node.default_child).lifecycle_hook_specification_list = list(hooks)
        self.node.add_dependency(*outlived_by)
        acknowledge_group(self)


def rolling_update(min_in_service: int | None = None) -> autoscaling.UpdatePolicy:
    """One instance after the other, while nothing else changes the group.

    Args:
        min_in_service: so many stay in service meanwhile; None: one less than there are.
    """
    return autoscaling.UpdatePolicy.rolling_update(
        max_batch_size=1,
        min_instances_in_service=min_in_service,
        suspend_processes=[
            autoscaling.ScalingProcess.ALARM_NOTIFICATION,
            autoscaling.ScalingProcess.AZ_REBALANCE,
            autoscaling.ScalingProcess.HEALTH_CHECK,
            autoscaling.ScalingProcess.REPLACE_UNHEALTHY,
            autoscaling.ScalingProcess.SCHEDULED_ACTIONS,
        ],
    )


def acknowledge_group(group: autoscaling.AutoScalingGroup) -> None:
    """What cdk-nag finds in every group here, and why it stays."""
    Validations.of(group).acknowledge(
        Acknowledgment(
            id="AwsSolutions-AS3",
            reason="Scaling is what this group is for; metrics and alarms tell what needs a person, not each step.",
        ),
        Acknowledgment(
            id="AwsSolutions-EC26",
            reason="The rule cannot follow the reference to the launch template, whose volumes are encrypted.",
        ),
    )


def allow_on_own_groups(stack: SolutionStack, role: iam.IRole, *actions: str) -> None:
    """Lets the instances of a stack act on its own Auto Scaling groups.

    By the generated name, which begins with the stack's. The group's own ARN would close a circle: the group needs the
    launch template, that the role, and the role the policy.
    """
    groups = f"autoScalingGroup:*:autoScalingGroupName/{stack.stack_name}-*"
    allow_on_pattern(
        role,
        *actions,
        arn=f"arn:{stack.partition}:autoscaling:{stack.region}:{stack.account}:{groups}",
        shown=_shown(stack, groups),
        reason="The group is made after its instances' role; its generated name begins with the stack's.",
    )


def allow_on_group(stack: SolutionStack, role: iam.IRole, group: autoscaling.AutoScalingGroup, *actions: str) -> None:
    """Lets a role act on one group, whose ARN holds an id that only EC2 Auto Scaling knows."""
    logical_id = stack.get_logical_id(cast(CfnElement, group.node.default_child))
    allow_on_pattern(
        role,
        *actions,
        arn=group.auto_scaling_group_arn,
        shown=_shown(stack, f"autoScalingGroup:*:autoScalingGroupName/<{logical_id}>"),
        reason="The ARN of a group holds an id that CloudFormation does not tell; the name is this group's.",
    )


def _shown(stack: SolutionStack, resource: str) -> str:
    """An Auto Scaling ARN as cdk-nag shows it."""
    known = {"Partition": stack.partition, "Region": stack.region, "AccountId": stack.account}
    shown = {name: f"<AWS::{name}>" if Token.is_unresolved(value) else value for name, value in known.items()}
    return f"arn:{shown['Partition']}:autoscaling:{shown['Region']}:{shown['AccountId']}:{resource}"
