"""An Auto Scaling group that takes over changes, and that never kills what is busy."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, cast

from aws_cdk import Acknowledgment, CfnElement, Duration, Validations
from aws_cdk import aws_autoscaling as autoscaling
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from constructs import IDependable, Node

from stacks.shared.batches import batch_size
from stacks.shared.grants import allow_on_pattern, shown_arn
from stacks.shared.instance_attributes import InstanceSettings
from stacks.shared.solution import SolutionStack

# What would change a group besides, while an update replaces its instances:
# https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-attribute-updatepolicy.html
SUSPENDED = (
    autoscaling.ScalingProcess.ALARM_NOTIFICATION,
    autoscaling.ScalingProcess.AZ_REBALANCE,
    autoscaling.ScalingProcess.HEALTH_CHECK,
    autoscaling.ScalingProcess.REPLACE_UNHEALTHY,
    autoscaling.ScalingProcess.SCHEDULED_ACTIONS,
)
# By the same page: the longest pause between two batches, and how long an instance may take to be in service.
LONGEST_PAUSE_SECONDS = 3_600
START_SECONDS = 60  # from the launch of an instance until EC2 Auto Scaling calls it in service
LifecycleHook = autoscaling.CfnAutoScalingGroup.LifecycleHookSpecificationProperty


class GroupNetwork(Protocol):
    """Where the instances of a group go: ``Network``, or a solution's own construct."""

    @property
    def vpc(self) -> ec2.IVpc:
        """The VPC."""

    @property
    def subnets(self) -> ec2.SubnetSelection:
        """The subnets of the instances."""

    @property
    def node(self) -> Node:
        """The construct's."""


class RollingGroup(autoscaling.AutoScalingGroup):
    """A group that replaces its instances when their launch template changes: one by one, or in small batches.

    Its lifecycle hooks are part of the group resource: no instance can start, or end, before its hook exists.

    Args:
        instances: a mixed instances policy, or the launch template of On-Demand instances of one type.
        hooks: lifecycle hooks of the group.
        outlived_by: what running instances need to the end, above all their rights: deleted after the group only.
        warmup_seconds: how long an instance takes from its start until it serves.
        held_seconds: how long the launching hooks may hold an instance, which an update waits for.
        protected: whether scale-in leaves new instances alone. CloudFormation cannot delete such a group by itself.
        capacity_rebalance: of Spot Instances: whether those at risk are replaced before EC2 interrupts them. False is
            said, or an update would leave what there was.
    """

    def __init__(
        self,
        scope: SolutionStack,
        construct_id: str,
        *,
        network: GroupNetwork,
        instances: autoscaling.MixedInstancesPolicy | ec2.ILaunchTemplate,
        minimum: int,
        maximum: int,
        warmup_seconds: int,
        hooks: Sequence[LifecycleHook],
        outlived_by: Sequence[IDependable],
        held_seconds: int = 0,
        protected: bool | None = None,
        capacity_rebalance: bool | None = None,
    ) -> None:
        mixed = instances if isinstance(instances, autoscaling.MixedInstancesPolicy) else None
        super().__init__(
            scope,
            construct_id,
            vpc=network.vpc,
            vpc_subnets=network.subnets,
            mixed_instances_policy=mixed,
            launch_template=None if mixed else cast(ec2.ILaunchTemplate, instances),
            min_capacity=minimum,
            max_capacity=maximum,  # no desired capacity: a redeployment would reset what the policies have set
            capacity_rebalance=capacity_rebalance,
            new_instances_protected_from_scale_in=protected,
            default_instance_warmup=Duration.seconds(warmup_seconds),
            group_metrics=[autoscaling.GroupMetrics.all()],
            update_policy=rolling_update(
                minimum,
                maximum,
                pause_seconds=warmup_seconds,
                batch=batch_size(maximum, START_SECONDS + min(held_seconds, LONGEST_PAUSE_SECONDS) + warmup_seconds),
            ),
        )
        cast(autoscaling.CfnAutoScalingGroup, self.node.default_child).lifecycle_hook_specification_list = list(hooks)
        # Routes, gateways and endpoints too: an instance boots by them, and drains by them when the stack is destroyed.
        self.node.add_dependency(cast(IDependable, network), *outlived_by)
        acknowledge_group(self, mixed=mixed is not None)


def rolling_update(minimum: int, maximum: int, *, pause_seconds: int, batch: int = 1) -> autoscaling.UpdatePolicy:
    """One batch of instances after the other, while nothing else changes the group.

    CloudFormation waits until EC2 Auto Scaling calls new instances in service, for launching hooks too, and fails when
    one is not after an hour. Without such a hook that is long before an instance serves: with no pause, all of them
    would boot at the same time.
    https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-attribute-updatepolicy.html

    Args:
        minimum: so many instances stay in service meanwhile, where the group has room to replace a batch.
        maximum: largest size of the group.
        pause_seconds: between a batch and the next; CloudFormation takes an hour at most.
    """
    return autoscaling.UpdatePolicy.rolling_update(
        max_batch_size=batch,
        min_instances_in_service=min(minimum, maximum - batch),
        pause_time=Duration.seconds(min(pause_seconds, LONGEST_PAUSE_SECONDS)),
        wait_on_resource_signals=False,
        suspend_processes=list(SUSPENDED),
    )


def acknowledge_group(group: autoscaling.AutoScalingGroup, *, mixed: bool = True) -> None:
    """What cdk-nag finds in every group here, and why it stays."""
    Validations.of(group).acknowledge(
        Acknowledgment(
            id="AwsSolutions-AS3",
            reason="Scaling is what this group is for; metrics and alarms tell what needs a person, not each step.",
        ),
    )
    if mixed:
        Validations.of(group).acknowledge(
            Acknowledgment(
                id="AwsSolutions-EC26",
                reason="The rule cannot follow the reference to the launch template, whose volumes are encrypted.",
            ),
        )


def instance_requirements(
    wanted: InstanceSettings, generations: Sequence[str] = ("current",)
) -> autoscaling.CfnAutoScalingGroup.InstanceRequirementsProperty:
    """Attribute-based instance type selection as a group takes it."""
    group = autoscaling.CfnAutoScalingGroup
    storage = wanted.total_local_storage_gb
    return group.InstanceRequirementsProperty(
        v_cpu_count=group.VCpuCountRequestProperty(min=wanted.vcpu.min, max=wanted.vcpu.max),
        memory_mib=group.MemoryMiBRequestProperty(min=wanted.memory_mib.min, max=wanted.memory_mib.max),
        burstable_performance=wanted.burstable,
        instance_generations=list(generations),
        # Without a word EC2 includes them; the placement score is asked in the same words, and counts new questions.
        local_storage=None if wanted.local_storage == "included" else wanted.local_storage,
        local_storage_types=list(wanted.local_storage_types) or None,
        total_local_storage_gb=group.TotalLocalStorageGBRequestProperty(min=storage.min, max=storage.max)
        if storage
        else None,
        allowed_instance_types=list(wanted.allowed_types) or None,
        excluded_instance_types=list(wanted.excluded_types) or None,
        spot_max_price_percentage_over_lowest_price=wanted.spot_max_percent_over_lowest_price,
        max_spot_price_as_percentage_of_optimal_on_demand_price=wanted.spot_max_percent_of_on_demand_price,
    )


def allow_on_own_groups(
    stack: SolutionStack, role: iam.IRole, *actions: str, only: autoscaling.AutoScalingGroup | None = None
) -> None:
    """Lets the instances of a stack act on its own Auto Scaling groups.

    By the generated name, which begins with the stack's. The group's own ARN would close a circle: the group needs the
    launch template, that the role, and the role the policy.

    Args:
        only: the one group that is meant, for what must be there before it.
    """
    prefix = generated_name_prefix(stack, only) if only else f"{stack.stack_name}-"
    groups = f"autoScalingGroup:*:autoScalingGroupName/{prefix}*"
    allow_on_pattern(
        role,
        *actions,
        arn=f"arn:{stack.partition}:autoscaling:{stack.region}:{stack.account}:{groups}",
        shown=shown_arn(stack, "autoscaling", groups),
        reason="The group is made after its instances' role; its generated name begins with the stack's.",
    )


def allow_on_group(
    stack: SolutionStack,
    role: iam.IRole,
    group: autoscaling.AutoScalingGroup,
    *actions: str,
    conditions: Mapping[str, Mapping[str, Any]] | None = None,
) -> None:
    """Lets a role act on one group, whose ARN holds an id that only EC2 Auto Scaling knows."""
    logical_id = stack.get_logical_id(cast(CfnElement, group.node.default_child))
    allow_on_pattern(
        role,
        *actions,
        arn=group.auto_scaling_group_arn,
        shown=shown_arn(stack, "autoscaling", f"autoScalingGroup:*:autoScalingGroupName/<{logical_id}>"),
        reason="The ARN of a group holds an id that CloudFormation does not tell; the name is this group's.",
        conditions=conditions,
    )


def generated_name_prefix(stack: SolutionStack, group: autoscaling.AutoScalingGroup) -> str:
    """What CloudFormation lets the generated name of a group begin with: known before the group is there."""
    return f"{stack.stack_name}-{stack.get_logical_id(cast(CfnElement, group.node.default_child))}-"
