"""Our strategy: one policy on what the queue needs for each instance, and the function that measures it."""

from aws_cdk import Duration
from aws_cdk import aws_autoscaling as autoscaling
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from stacks.shared.grants import allow_describing, allow_metrics
from stacks.shared.python_function import PythonFunction
from stacks.shared.solution import SolutionStack
from stacks.sqs_target_scaling.dashboard import graph
from stacks.sqs_target_scaling.first_instance import leave_zero
from stacks.sqs_target_scaling.metrics import DEMAND, QueueMetrics
from stacks.sqs_target_scaling.settings import SqsTargetScalingSettings

TARGET = 1


class Demand(Construct):
    """Target tracking on instances needed for each in service, held at 1.

    Such a metric is what target tracking asks for: it says how busy an instance is, and goes up and down with the
    number of instances, https://docs.aws.amazon.com/autoscaling/ec2/userguide/as-scaling-target-tracking.html.

    Attributes:
        functions: Demand-Publisher, with the minutes between two runs.
        graph: the demand against 1.
    """

    def __init__(
        self,
        scope: SolutionStack,
        construct_id: str,
        settings: SqsTargetScalingSettings,
        metrics: QueueMetrics,
        *,
        queue: sqs.Queue,
        group: autoscaling.AutoScalingGroup,
    ) -> None:
        super().__init__(scope, construct_id)
        self.functions: dict[lambda_.Function, int] = {self._publisher(scope, settings, queue, group): 1}
        self.graph = graph("Instances needed for each in service", [metrics.own(DEMAND)], limit=TARGET)
        self._policy(metrics, group)
        if settings.minimum == 0:
            leave_zero(self, settings, metrics, group)

    def _publisher(
        self,
        stack: SolutionStack,
        settings: SqsTargetScalingSettings,
        queue: sqs.Queue,
        group: autoscaling.AutoScalingGroup,
    ) -> PythonFunction:
        publisher = PythonFunction(
            stack,
            "DemandPublisher",
            handler="demand_publisher",
            description="Publishes every minute how much of its instances the queue needs",
            environment={
                "GROUP_NAME": group.auto_scaling_group_name,
                "QUEUE_NAME": queue.queue_name,
                "QUEUE_URL": queue.queue_url,
                "METRIC_NAMESPACE": settings.metric_namespace,
                "ACCEPTABLE_LATENCY_SECONDS": str(settings.acceptable_latency_seconds),
                "ESTIMATED_MESSAGE_SECONDS": str(settings.estimated_message_seconds),
                "WINDOW_MINUTES": str(settings.demand_window_minutes),
            },
            timeout_seconds=60,
        )
        queue.grants.actions(publisher, ["sqs:GetQueueAttributes"])
        allow_metrics(publisher.own_role, settings.metric_namespace)
        allow_describing(publisher.own_role, "autoscaling:DescribeAutoScalingGroups")
        allow_describing(publisher.own_role, "cloudwatch:GetMetricData")
        events.Rule(
            self,
            "EveryMinute",
            description=f"Runs {publisher.node.id}",
            schedule=events.Schedule.rate(Duration.minutes(1)),
            targets=[targets.LambdaFunction(publisher)],
        )
        return publisher

    def _policy(self, metrics: QueueMetrics, group: autoscaling.AutoScalingGroup) -> None:
        metric = metrics.own(DEMAND)
        properties = autoscaling.CfnScalingPolicy
        properties(
            self,
            "InstancesNeeded",
            auto_scaling_group_name=group.auto_scaling_group_name,
            policy_type="TargetTrackingScaling",
            target_tracking_configuration=properties.TargetTrackingConfigurationProperty(
                target_value=TARGET,
                customized_metric_specification=properties.CustomizedMetricSpecificationProperty(
                    namespace=metric.namespace,
                    metric_name=metric.metric_name,
                    statistic="Average",
                    dimensions=[
                        properties.MetricDimensionProperty(name=name, value=str(value))
                        for name, value in (metric.dimensions or {}).items()
                    ],
                ),
            ),
        )
