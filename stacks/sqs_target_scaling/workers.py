"""The workers: a group of Spot instances that run user_data/worker.py."""

from pathlib import Path

from aws_cdk import aws_autoscaling as autoscaling
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3_assets as assets
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from stacks.shared.auto_scaling import LifecycleHook, RollingGroup, allow_on_own_groups, instance_requirements
from stacks.shared.boto3_asset import Boto3Asset
from stacks.shared.filled import filled, shared_part
from stacks.shared.grants import allow_describing, allow_metrics, allow_reading_asset
from stacks.shared.launch_template import Al2023LaunchTemplate
from stacks.shared.network import Network, Reach
from stacks.shared.solution import SolutionStack
from stacks.shared.table import Table
from stacks.sqs_target_scaling.settings import SERVICES, SqsTargetScalingSettings

USER_DATA = Path(__file__).parent / "user_data"
DRAIN_HOOK = "drain"
# How long a worker may be silent before scale-in goes on without it. A busy one renews the hook (worker.py), up to a
# hundred of these, at most 48 hours: longer than SQS leaves a message with anybody.
# https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_RecordLifecycleActionHeartbeat.html
DRAIN_HOOK_SECONDS = 900
# SERVICES as interface endpoints; S3 and DynamoDB have gateways.
ENDPOINTS = ("autoscaling", "monitoring", "sqs")


class Workers(Construct):
    """Network, role, launch template and group.

    Attributes:
        group: the Auto Scaling group.
    """

    def __init__(
        self,
        scope: SolutionStack,
        construct_id: str,
        settings: SqsTargetScalingSettings,
        *,
        queue: sqs.Queue,
        results: Table,
    ) -> None:
        super().__init__(scope, construct_id)
        network = Network(scope, "Network", reach=Reach(settings.network), zones=settings.zones, endpoints=ENDPOINTS)
        worker = assets.Asset(self, "Worker", path=str(USER_DATA), exclude=["*", "!worker.py", "!sqs-worker.service"])
        libraries = Boto3Asset(self, "Libraries", services=SERVICES)
        role = iam.Role(
            self, "Role", assumed_by=iam.ServicePrincipal("ec2.amazonaws.com"), description="Workers behind the queue"
        )
        queue.grants.actions(
            role,
            ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility"],
            key_actions=["kms:Decrypt"],
        )
        results.allow(role, "dynamodb:GetItem", "dynamodb:PutItem")
        allow_metrics(role, settings.metric_namespace)
        allow_reading_asset(role, worker, libraries)
        allow_on_own_groups(
            scope, role, "autoscaling:CompleteLifecycleAction", "autoscaling:RecordLifecycleActionHeartbeat"
        )
        allow_describing(role, "autoscaling:DescribeAutoScalingInstances")
        template = Al2023LaunchTemplate(
            scope,
            "LaunchTemplate",
            architecture=settings.architecture,
            role=role,
            security_group=network.security_group,
            user_data=ec2.UserData.custom(
                filled(
                    USER_DATA / "bootstrap.sh",
                    WORKER_URI=worker.s3_object_url,
                    LIBRARIES_URI=libraries.s3_object_url,
                    QUEUE_URL=queue.queue_url,
                    QUEUE_NAME=queue.queue_name,
                    RESULTS_TABLE=results.table_name,
                    METRIC_NAMESPACE=settings.metric_namespace,
                    HOOK_NAME=DRAIN_HOOK,
                    HEARTBEAT_SECONDS=str(settings.heartbeat_seconds),
                    LONGEST_SECONDS=str(settings.longest_message_seconds),
                    REGION=scope.region,
                    GROUP_INSTANCE=shared_part("group_instance.sh"),
                )
            ),
        )
        self.group = RollingGroup(
            scope,
            "WorkerGroup",
            network=network,
            instances=autoscaling.MixedInstancesPolicy(
                launch_template=template,
                launch_template_overrides=[
                    autoscaling.LaunchTemplateOverrides(instance_requirements=instance_requirements(settings.instances))
                ],
                instances_distribution=autoscaling.InstancesDistribution(
                    on_demand_base_capacity=settings.on_demand_base,
                    on_demand_percentage_above_base_capacity=settings.on_demand_percentage,
                    on_demand_allocation_strategy=autoscaling.OnDemandAllocationStrategy.LOWEST_PRICE,
                    spot_allocation_strategy=autoscaling.SpotAllocationStrategy.PRICE_CAPACITY_OPTIMIZED,
                ),
            ),
            minimum=settings.minimum,
            maximum=settings.max_instances,
            warmup_seconds=settings.instance_warmup_seconds,
            hooks=[
                LifecycleHook(
                    lifecycle_hook_name=DRAIN_HOOK,
                    lifecycle_transition="autoscaling:EC2_INSTANCE_TERMINATING",
                    heartbeat_timeout=DRAIN_HOOK_SECONDS,
                    default_result="CONTINUE",
                )
            ],
            outlived_by=[role],
            capacity_rebalance=settings.capacity_rebalance,
        )
