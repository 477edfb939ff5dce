"""The diversified server group of this stack: an Auto Scaling group behind an Application Load Balancer."""

from typing import cast

from aws_cdk import Duration
from aws_cdk import aws_autoscaling as autoscaling
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_elasticloadbalancingv2 as elbv2
from aws_cdk import aws_iam as iam
from constructs import Construct

from stacks.shared.auto_scaling import RollingGroup
from stacks.shared.launch_template import Al2023LaunchTemplate
from stacks.shared.load_balancer import http_load_balancer
from stacks.shared.solution import SolutionStack
from stacks.spinnaker_server_groups import health
from stacks.spinnaker_server_groups.demo_page import user_data
from stacks.spinnaker_server_groups.network import SpinnakerNetwork
from stacks.spinnaker_server_groups.settings import SpinnakerServerGroupsSettings

# Boot, the installation of httpd, and the health checks until a target is healthy.
WARMUP_SECONDS = 120 + health.HEALTHY_TIMES * health.HEALTH_INTERVAL_SECONDS


class NativeServerGroup(Construct):
    """Load balancer, target group, launch template and group.

    Attributes:
        group: the Auto Scaling group.
        target_group: the target group of its instances.
        balancer: its load balancer.
    """

    def __init__(
        self,
        scope: SolutionStack,
        construct_id: str,
        settings: SpinnakerServerGroupsSettings,
        network: SpinnakerNetwork,
        *,
        base_role: iam.Role,
    ) -> None:
        super().__init__(scope, construct_id)
        self.target_group = self._target_group(settings, network)
        self.balancer, listener = self._balancer(scope, settings, network)
        template = Al2023LaunchTemplate(
            scope,
            "LaunchTemplate",
            architecture=settings.architecture,
            role=base_role,
            security_group=network.instance_group,
            user_data=ec2.UserData.custom(user_data()),
            volume_gib=health.ROOT_GIB,
        )
        if settings.cpu_credits:
            cast(ec2.CfnLaunchTemplate, template.node.default_child).add_property_override(
                "LaunchTemplateData.CreditSpecification.CpuCredits", settings.cpu_credits
            )
        self.group = RollingGroup(
            scope,
            "Group",
            network=network,
            instances=autoscaling.MixedInstancesPolicy(
                launch_template=template,
                launch_template_overrides=[
                    autoscaling.LaunchTemplateOverrides(instance_type=ec2.InstanceType(name)) for name in settings.types
                ],
                instances_distribution=autoscaling.InstancesDistribution(
                    on_demand_base_capacity=settings.on_demand_base,
                    on_demand_percentage_above_base_capacity=settings.on_demand_percentage,
                    on_demand_allocation_strategy=autoscaling.OnDemandAllocationStrategy.PRIORITIZED,
                    spot_allocation_strategy=_STRATEGIES[settings.allocation_strategy],
                    spot_instance_pools=settings.lowest_price_pools,
                    # No spot_max_price: it only adds interruptions.
                ),
            ),
            minimum=settings.min_instances,
            maximum=settings.max_instances,
            warmup_seconds=WARMUP_SECONDS,
            hooks=[],
            outlived_by=[base_role, listener],
            capacity_rebalance=True,
        )
        resource = cast(autoscaling.CfnAutoScalingGroup, self.group.node.default_child)
        resource.desired_capacity = str(settings.desired_instances)
        resource.target_group_arns = [self.target_group.target_group_arn]
        resource.health_check_type = "ELB"
        resource.health_check_grace_period = settings.grace_seconds

    def _target_group(
        self, settings: SpinnakerServerGroupsSettings, network: SpinnakerNetwork
    ) -> elbv2.ApplicationTargetGroup:
        return elbv2.ApplicationTargetGroup(
            self,
            "Targets",
            vpc=network.vpc,
            target_type=elbv2.TargetType.INSTANCE,
            protocol=elbv2.ApplicationProtocol.HTTP,
            port=health.PORT,
            deregistration_delay=Duration.seconds(settings.deregistration_seconds),
            health_check=elbv2.HealthCheck(
                protocol=elbv2.Protocol.HTTP,
                port="traffic-port",
                path=health.HEALTH_PATH,
                healthy_http_codes=health.HEALTH_CODES,
                interval=Duration.seconds(health.HEALTH_INTERVAL_SECONDS),
                timeout=Duration.seconds(health.HEALTH_TIMEOUT_SECONDS),
                healthy_threshold_count=health.HEALTHY_TIMES,
                unhealthy_threshold_count=health.UNHEALTHY_TIMES,
            ),
        )

    def _balancer(
        self, stack: SolutionStack, settings: SpinnakerServerGroupsSettings, network: SpinnakerNetwork
    ) -> tuple[elbv2.ApplicationLoadBalancer, elbv2.ApplicationListener]:
        return http_load_balancer(
            self,
            stack,
            vpc=network.vpc,
            subnets=network.public.selection,
            security_group=network.load_balancer_group,
            target_group=self.target_group,
            internet_facing=not settings.is_internal(stack.common),
            idle_timeout=Duration.seconds(health.IDLE_SECONDS),
            without_access_logs="It serves a public demo page; access logs would need a bucket of their own.",
        )


_STRATEGIES = {
    "price-capacity-optimized": autoscaling.SpotAllocationStrategy.PRICE_CAPACITY_OPTIMIZED,
    "capacity-optimized": autoscaling.SpotAllocationStrategy.CAPACITY_OPTIMIZED,
    "capacity-optimized-prioritized": autoscaling.SpotAllocationStrategy.CAPACITY_OPTIMIZED_PRIORITIZED,
    "lowest-price": autoscaling.SpotAllocationStrategy.LOWEST_PRICE,
}
