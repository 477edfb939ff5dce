"""An Auto Scaling group in the zone whose instances signal to CloudFormation how their boot has ended."""

from collections.abc import Sequence
from typing import cast

from aws_cdk import Duration
from aws_cdk import aws_autoscaling as autoscaling
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from constructs import Construct, IDependable

from stacks.local_zone_wordpress.edge import BOOT_MINUTES, instance_role, launch_template
from stacks.local_zone_wordpress.zone_network import Place
from stacks.shared.auto_scaling import SUSPENDED, acknowledge_group
from stacks.shared.grants import allow_on_pattern, shown_arn


class ReadyGroup(Construct):
    """Role, launch template and group. A rolling update goes on only when the new instance has signalled success.

    Args:
        logical_id: of the group, under which its user data signals.
        minimum, maximum: sizes.
        minimum_during_update: number of instances that stay in service while another is replaced.
        after: what a boot needs.

    Attributes:
        group: the Auto Scaling group.
        role: the role of its instances.
        name_prefix: what the group's generated name begins with.
    """

    def __init__(
        self,
        place: Place,
        construct_id: str,
        *,
        security_group: ec2.ISecurityGroup,
        instance_type: str,
        user_data: str,
        logical_id: str,
        minimum: int,
        maximum: int,
        minimum_during_update: int,
        description: str,
        after: Sequence[IDependable],
    ) -> None:
        scope, settings, network = place.stack, place.settings, place.network
        super().__init__(place.stack, construct_id)
        self.role: iam.Role = instance_role(scope, self, description)
        self.group = autoscaling.AutoScalingGroup(
            self,
            "Group",
            vpc=network.vpc,
            vpc_subnets=ec2.SubnetSelection(subnets=network.private),
            launch_template=launch_template(
                scope,
                self,
                settings,
                instance_type=instance_type,
                role=self.role,
                security_group=security_group,
                user_data=user_data,
            ),
            min_capacity=minimum,
            max_capacity=maximum,
            default_instance_warmup=Duration.seconds(0),  # no policy scales it
            group_metrics=[autoscaling.GroupMetrics.all()],
            signals=autoscaling.Signals.wait_for_min_capacity(timeout=Duration.minutes(BOOT_MINUTES)),
            update_policy=autoscaling.UpdatePolicy.rolling_update(
                max_batch_size=1,
                min_instances_in_service=minimum_during_update,
                wait_on_resource_signals=True,
                pause_time=Duration.minutes(BOOT_MINUTES),
                suspend_processes=list(SUSPENDED),
            ),
        )
        self.resource.override_logical_id(logical_id)
        self.resource.health_check_grace_period = BOOT_MINUTES * 60
        self.group.node.add_dependency(self.role, *after)
        acknowledge_group(self.group, mixed=False)
        # Not by the group's ARN: the group needs the role first.
        self.name_prefix = f"{scope.stack_name}-{logical_id}-"
        groups = f"autoScalingGroup:*:autoScalingGroupName/{self.name_prefix}*"
        allow_on_pattern(
            self.role,
            "autoscaling:SetInstanceHealth",
            arn=f"arn:{scope.partition}:autoscaling:{scope.region}:{scope.account}:{groups}",
            shown=shown_arn(scope, "autoscaling", groups),
            reason="The group is made after its instances' role; its name begins with the stack's and its own.",
        )

    @property
    def resource(self) -> autoscaling.CfnAutoScalingGroup:
        """The group as CloudFormation knows it."""
        return cast(autoscaling.CfnAutoScalingGroup, self.group.node.default_child)

    def missing(self) -> cloudwatch.MathExpression:
        """Number of instances that the group wants and does not have in service."""
        minute = Duration.minutes(1)

        def metric(name: str) -> cloudwatch.Metric:
            return cloudwatch.Metric(
                namespace="AWS/AutoScaling",
                metric_name=name,
                dimensions_map={"AutoScalingGroupName": self.group.auto_scaling_group_name},
                statistic=cloudwatch.Stats.MAXIMUM,
                period=minute,
            )

        return cloudwatch.MathExpression(
            expression="desired - in_service",
            using_metrics={
                "desired": metric("GroupDesiredCapacity"),
                "in_service": metric("GroupInServiceInstances"),
            },
            period=minute,
            label="missing",
        )
