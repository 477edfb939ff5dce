"""The post's strategy: a policy on the backlog per instance, and two functions that feed it."""

from aws_cdk import Duration
from aws_cdk import aws_autoscaling as autoscaling
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from stacks.shared.auto_scaling import allow_on_group
from stacks.shared.grants import allow_describing, allow_metrics
from stacks.shared.python_function import PythonFunction
from stacks.shared.solution import SolutionStack
from stacks.sqs_target_scaling.dashboard import graph
from stacks.sqs_target_scaling.first_instance import leave_zero
from stacks.sqs_target_scaling.metrics import ACCEPTABLE_BPI, BPI, QueueMetrics
from stacks.sqs_target_scaling.settings import SqsTargetScalingSettings


class DynamicTarget(Construct):
    """Target tracking on BPI, whose target follows the measured processing duration.

    Attributes:
        functions: Metric-Publisher and Target-Setter, with the minutes between two runs of each.
        graph: BPI against the acceptable BPI.
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
        self._settings = settings
        self._group = group
        self._names = {
            "GROUP_NAME": group.auto_scaling_group_name,
            "QUEUE_NAME": queue.queue_name,
            "METRIC_NAMESPACE": settings.metric_namespace,
        }
        policy = self._policy(metrics)
        self.functions: dict[lambda_.Function, int] = {
            self._metric_publisher(scope, queue): 1,
            self._target_setter(scope, policy): settings.target_update_minutes,
        }
        if settings.minimum == 0:
            leave_zero(self, settings, metrics, group)
        # The target is published when it is set; in between it stays.
        target = cloudwatch.MathExpression(
            expression="FILL(target, REPEAT)",
            label="Acceptable BPI",
            using_metrics={"target": metrics.own(ACCEPTABLE_BPI)},
            period=metrics.period,
        )
        self.graph = graph("Backlog per instance", [metrics.own(BPI), target])

    def _policy(self, metrics: QueueMetrics) -> autoscaling.CfnScalingPolicy:
        """Target tracking with the target that is right as long as nothing has been measured.

        CloudFormation leaves the live target alone as long as this resource does not change.
        """
        metric = metrics.own(BPI)
        properties = autoscaling.CfnScalingPolicy
        return properties(
            self,
            "BacklogPerInstance",
            auto_scaling_group_name=self._group.auto_scaling_group_name,
            policy_type="TargetTrackingScaling",
            target_tracking_configuration=properties.TargetTrackingConfigurationProperty(
                target_value=self._settings.acceptable_backlog,
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

    def _metric_publisher(self, stack: SolutionStack, queue: sqs.Queue) -> PythonFunction:
        publisher = PythonFunction(
            stack,
            "MetricPublisher",
            handler="metric_publisher",
            description="Publishes the backlog per instance every minute",
            environment={**self._names, "QUEUE_URL": queue.queue_url},
            timeout_seconds=60,
        )
        queue.grants.actions(publisher, ["sqs:GetQueueAttributes"])
        allow_metrics(publisher.own_role, self._settings.metric_namespace)
        allow_describing(publisher.own_role, "autoscaling:DescribeAutoScalingGroups")
        self._every(1, publisher)
        return publisher

    def _target_setter(self, stack: SolutionStack, policy: autoscaling.CfnScalingPolicy) -> PythonFunction:
        setter = PythonFunction(
            stack,
            "TargetSetter",
            handler="target_setter",
            description="Sets the policy's target from the measured processing duration",
            environment={
                **self._names,
                "POLICY_NAME": policy.attr_policy_name,
                "ACCEPTABLE_LATENCY_SECONDS": str(self._settings.acceptable_latency_seconds),
                "WINDOW_MINUTES": str(self._settings.duration_window_minutes),
            },
            timeout_seconds=120,
        )
        allow_metrics(setter.own_role, self._settings.metric_namespace)
        allow_describing(setter.own_role, "autoscaling:DescribePolicies")
        allow_describing(setter.own_role, "cloudwatch:GetMetricData")
        # Alone, as the role of the post's sample has it, which moved its target: the policy's alarms are made by the
        # service-linked role (https://github.com/awslabs/ec2-spot-labs, ec2-asg-dynamic-target-tracking).
        allow_on_group(stack, setter.own_role, self._group, "autoscaling:PutScalingPolicy")
        self._every(self._settings.target_update_minutes, setter)
        return setter

    def _every(self, minutes: int, function: lambda_.IFunction) -> None:
        events.Rule(
            self,
            f"Every{function.node.id}",
            description=f"Runs {function.node.id}",
            schedule=events.Schedule.rate(Duration.minutes(minutes)),
            targets=[targets.LambdaFunction(function)],
        )
