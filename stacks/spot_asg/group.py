"""The group: Spot Instances from as many pools as fit, that leave gracefully."""

from pathlib import Path
from typing import cast

from aws_cdk import aws_autoscaling as autoscaling
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3_assets as assets
from constructs import Construct

from stacks.shared.auto_scaling import LifecycleHook, RollingGroup, instance_requirements
from stacks.shared.filled import filled, shared_part
from stacks.shared.grants import allow_reading_asset
from stacks.shared.launch_template import Al2023LaunchTemplate
from stacks.shared.network import Network
from stacks.shared.solution import SolutionStack
from stacks.spot_asg.settings import SpotAsgSettings

USER_DATA = Path(__file__).parent / "user_data"
FILES = ("app.py", "shutdown.py", "spot-app.service", "spot-shutdown.service")
LEAVE_HOOK = "leave"
APP_PORT = 8080
LEAST_GRACE_SECONDS = 120  # in which a new instance may fail the health checks of its target groups
HOOK_MARGIN_SECONDS = 120  # beyond what an instance needs: for the queue and the function that complete the hook


class SpotGroup(Construct):
    """Role, launch template, group and its schedule.

    Attributes:
        group: the Auto Scaling group.
    """

    def __init__(self, scope: SolutionStack, construct_id: str, settings: SpotAsgSettings, network: Network) -> None:
        super().__init__(scope, construct_id)
        files = assets.Asset(self, "Files", path=str(USER_DATA), exclude=["*", *(f"!{name}" for name in FILES)])
        role = iam.Role(
            self,
            "Role",
            assumed_by=iam.ServicePrincipal("ec2.amazonaws.com"),
            description="Spot Instances: they read their files, and nothing else",
        )
        allow_reading_asset(role, files)
        template = Al2023LaunchTemplate(
            scope,
            "LaunchTemplate",
            architecture=settings.architecture,
            role=role,
            security_group=network.security_group,
            user_data=ec2.UserData.custom(
                filled(
                    USER_DATA / "bootstrap.sh",
                    FILES_URI=files.s3_object_url,
                    PORT=str(APP_PORT),
                    SERVE_SECONDS=str(settings.serve_seconds),
                    STOP_SECONDS=str(settings.stop_seconds),
                    REGION=scope.region,
                    GROUP_INSTANCE=shared_part("group_instance.sh"),
                )
            ),
        )
        self._warmup_seconds = settings.instance_warmup_seconds
        self.group = RollingGroup(
            scope,
            "Group",
            network=network,
            instances=autoscaling.MixedInstancesPolicy(
                launch_template=template,
                launch_template_overrides=_overrides(settings),
                instances_distribution=autoscaling.InstancesDistribution(
                    on_demand_base_capacity=settings.on_demand_base,
                    on_demand_percentage_above_base_capacity=settings.on_demand_percentage,
                    on_demand_allocation_strategy=_on_demand_strategy(settings),
                    spot_allocation_strategy=_STRATEGIES[settings.allocation_strategy],
                    spot_instance_pools=settings.lowest_price_pools,
                    # No spot_max_price: it only adds interruptions.
                ),
            ),
            minimum=settings.min_instances,
            maximum=settings.max_instances,
            warmup_seconds=settings.instance_warmup_seconds,
            hooks=[
                LifecycleHook(
                    lifecycle_hook_name=LEAVE_HOOK,
                    lifecycle_transition="autoscaling:EC2_INSTANCE_TERMINATING",
                    heartbeat_timeout=settings.leave_seconds + HOOK_MARGIN_SECONDS,
                    default_result="CONTINUE",
                )
            ],
            outlived_by=[role],
            capacity_rebalance=settings.capacity_rebalance,
        )
        if settings.off_peak:
            self._schedule("OffPeak", settings, settings.off_peak.begins, settings.off_peak.instances)
            self._schedule("Peak", settings, settings.off_peak.ends, settings.min_instances)

    def _schedule(self, construct_id: str, settings: SpotAsgSettings, time_of_day: str, instances: int) -> None:
        """Sets the smallest size, and the size, every day at a time.

        https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-scheduled-scaling.html
        """
        assert settings.off_peak
        autoscaling.CfnScheduledAction(
            self,
            construct_id,
            auto_scaling_group_name=self.group.auto_scaling_group_name,
            recurrence=settings.off_peak.recurrence(time_of_day),
            time_zone=settings.off_peak.time_zone,
            min_size=instances,
            desired_capacity=instances,
        )

    def register_with(self, *target_group_arns: str, port_open_to: ec2.ISecurityGroup | None = None) -> None:
        """Lets the instances register with target groups, whose health checks then count for the group."""
        resource = cast(autoscaling.CfnAutoScalingGroup, self.group.node.default_child)
        resource.target_group_arns = list(target_group_arns)
        resource.health_check_type = "ELB"
        # The default alone would end, again and again, an application that takes longer to start.
        resource.health_check_grace_period = max(LEAST_GRACE_SECONDS, self._warmup_seconds)
        if port_open_to:
            self.group.connections.allow_from(port_open_to, ec2.Port.tcp(APP_PORT), "From the load balancer")


def _on_demand_strategy(settings: SpotAsgSettings) -> autoscaling.OnDemandAllocationStrategy:
    """What EC2 takes by itself for a new group, and said: a group that changes from types to attributes keeps the old.

    With attributes EC2 takes "lowest-price" only:
    https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_InstancesDistribution.html
    """
    strategies = autoscaling.OnDemandAllocationStrategy
    return strategies.PRIORITIZED if settings.types else strategies.LOWEST_PRICE


def _overrides(settings: SpotAsgSettings) -> list[autoscaling.LaunchTemplateOverrides]:
    if settings.types:
        return [autoscaling.LaunchTemplateOverrides(instance_type=ec2.InstanceType(name)) for name in settings.types]
    wanted = instance_requirements(settings.attributes, settings.generations)
    return [autoscaling.LaunchTemplateOverrides(instance_requirements=wanted)]


_STRATEGIES = {
    "price-capacity-optimized": autoscaling.SpotAllocationStrategy.PRICE_CAPACITY_OPTIMIZED,
    "capacity-optimized": autoscaling.SpotAllocationStrategy.CAPACITY_OPTIMIZED,
    "capacity-optimized-prioritized": autoscaling.SpotAllocationStrategy.CAPACITY_OPTIMIZED_PRIORITIZED,
    "lowest-price": autoscaling.SpotAllocationStrategy.LOWEST_PRICE,
}
