"""The strategy without functions: one policy whose metric is the expected waiting time, in metric math."""

from aws_cdk import aws_autoscaling as autoscaling
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from stacks.sqs_target_scaling.dashboard import graph
from stacks.sqs_target_scaling.expressions import expected_wait
from stacks.sqs_target_scaling.metrics import MESSAGE_DURATION, QueueMetrics
from stacks.sqs_target_scaling.settings import SqsTargetScalingSettings


class MetricMath(Construct):
    """Target tracking on visible messages * processing duration / instances, in seconds.

    Its target is the acceptable latency, which never changes: what the functions of the other strategy compute is in
    the metric. Every input is filled, since SQS stops its metrics six hours after a queue fell idle and durations come
    only while messages are processed. L1, because the L2 refuses math here (aws-cdk issue 20659).
    https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-target-tracking-metric-math.html

    Attributes:
        functions: none.
        graph: the expected wait against the acceptable latency.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        settings: SqsTargetScalingSettings,
        metrics: QueueMetrics,
        *,
        group: autoscaling.AutoScalingGroup,
    ) -> None:
        super().__init__(scope, construct_id)
        self.functions: dict[lambda_.Function, int] = {}
        self.graph = graph(
            "Expected wait (s)",
            [
                cloudwatch.MathExpression(
                    expression=expected_wait(settings.estimated_message_seconds),
                    label="Expected wait",
                    using_metrics={
                        "visible": metrics.visible,
                        "instances": metrics.in_service,
                        "duration": metrics.own(MESSAGE_DURATION),
                    },
                    period=metrics.period,
                )
            ],
            limit=settings.acceptable_latency_seconds,
        )
        properties = autoscaling.CfnScalingPolicy
        properties(
            self,
            "ExpectedWait",
            auto_scaling_group_name=group.auto_scaling_group_name,
            policy_type="TargetTrackingScaling",
            target_tracking_configuration=properties.TargetTrackingConfigurationProperty(
                target_value=settings.acceptable_latency_seconds,
                customized_metric_specification=properties.CustomizedMetricSpecificationProperty(
                    metrics=[
                        _input("visible", metrics.visible),
                        _input("instances", metrics.in_service),
                        _input("duration", metrics.own(MESSAGE_DURATION)),
                        properties.TargetTrackingMetricDataQueryProperty(
                            id="wait",
                            label="Expected wait in seconds",
                            expression=expected_wait(settings.estimated_message_seconds),
                            return_data=True,
                        ),
                    ]
                ),
            ),
        )


def _input(
    query_id: str, metric: cloudwatch.Metric
) -> autoscaling.CfnScalingPolicy.TargetTrackingMetricDataQueryProperty:
    properties = autoscaling.CfnScalingPolicy
    return properties.TargetTrackingMetricDataQueryProperty(
        id=query_id,
        return_data=False,
        metric_stat=properties.TargetTrackingMetricStatProperty(
            stat=metric.statistic,
            metric=properties.MetricProperty(
                namespace=metric.namespace,
                metric_name=metric.metric_name,
                dimensions=[
                    properties.MetricDimensionProperty(name=name, value=str(value))
                    for name, value in (metric.dimensions or {}).items()
                ],
            ),
        ),
    )
