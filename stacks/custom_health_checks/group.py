"""The group: its launching hook, its propagated tags, its protection and its warm pool."""

from aws_cdk import Tags
from aws_cdk import aws_autoscaling as autoscaling
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from constructs import Construct

from stacks.custom_health_checks.settings import CustomHealthChecksSettings
from stacks.custom_health_checks.user_data import LAUNCH_HOOK, user_data
from stacks.shared.auto_scaling import LifecycleHook, RollingGroup, generated_name_prefix
from stacks.shared.launch_template import Al2023LaunchTemplate
from stacks.shared.network import Network, Reach
from stacks.shared.solution import SolutionStack

# Interface endpoints of isolated subnets. Mode event: the instance itself calls nothing, unless it runs documents.
SCRIPT_ENDPOINTS = ("autoscaling", "ec2")
# The agent takes commands by ssmmessages since 3.3.40.0, and Regions since 2024 have no ec2messages to make one for:
# https://docs.aws.amazon.com/systems-manager/latest/userguide/systems-manager-setting-up-messageAPIs.html
AGENT_ENDPOINTS = ("ssm", "ssmmessages")


class CheckedGroup(Construct):
    """Network, role, launch template and group; the hook is part of the group, so that no instance can slip past it.

    Attributes:
        group: the Auto Scaling group.
        template: its launch template.
        role: the role of its instances.
        network: where they are.
        name_prefix: what the group's generated name begins with, for what must be there before the group.
    """

    def __init__(self, scope: SolutionStack, construct_id: str, settings: CustomHealthChecksSettings) -> None:
        super().__init__(scope, construct_id)
        self.network = Network(
            scope, "Network", reach=Reach(settings.network), zones=settings.zones, endpoints=endpoints(settings)
        )
        self.role = iam.Role(
            self, "Role", assumed_by=iam.ServicePrincipal("ec2.amazonaws.com"), description="Checked instances"
        )
        instance_type = ec2.InstanceType(settings.instance_type)
        arm = instance_type.architecture == ec2.InstanceArchitecture.ARM_64
        self.template = Al2023LaunchTemplate(
            scope,
            "LaunchTemplate",
            architecture="arm64" if arm else "x86_64",
            instance_type=settings.instance_type,
            role=self.role,
            security_group=self.network.security_group,
            user_data=ec2.UserData.custom(user_data(settings)),
        )
        self.group = RollingGroup(
            scope,
            "CheckedInstances",
            network=self.network,
            instances=self.template,
            minimum=settings.min_instances,
            maximum=settings.max_instances,
            warmup_seconds=0,  # what has passed its checks is warm
            held_seconds=settings.longest_wait,
            hooks=[
                LifecycleHook(
                    lifecycle_hook_name=LAUNCH_HOOK,
                    lifecycle_transition="autoscaling:EC2_INSTANCE_LAUNCHING",
                    heartbeat_timeout=settings.heartbeat_seconds,
                    default_result="ABANDON",
                )
            ],
            outlived_by=[self.role],
            protected=settings.scale_in_protection,
        )
        self.name_prefix = generated_name_prefix(scope, self.group)
        for check in settings.checks:
            if check.kind == "tag":
                Tags.of(self.group).add(check.key, check.initial)  # a group passes its tags on to its instances
        if settings.warm_pool:
            self.group.add_warm_pool(
                min_size=settings.warm_pool.min_size,
                max_group_prepared_capacity=settings.warm_pool.max_prepared,
                pool_state=autoscaling.PoolState.STOPPED,
                reuse_on_scale_in=settings.warm_pool.reuse_on_scale_in,
            )


def endpoints(settings: CustomHealthChecksSettings) -> list[str]:
    """The services that the instances call, where they need interface endpoints to do so."""
    wanted = list(SCRIPT_ENDPOINTS if settings.mode == "instance" else ())
    return wanted + list(AGENT_ENDPOINTS if settings.checks_of("ssm-document") else ())
