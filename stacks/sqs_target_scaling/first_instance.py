"""What starts the first worker of a group of size zero."""

from aws_cdk import Duration
from aws_cdk import aws_autoscaling as autoscaling
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from constructs import Construct

from stacks.sqs_target_scaling.metrics import BACKLOG_WITHOUT_INSTANCES, QueueMetrics
from stacks.sqs_target_scaling.settings import SqsTargetScalingSettings


def leave_zero(
    scope: Construct,
    settings: SqsTargetScalingSettings,
    metrics: QueueMetrics,
    group: autoscaling.AutoScalingGroup,
) -> None:
    """Starts the first instance: no document says that target tracking leaves a group of size zero.

    A step policy counts instances that warm up, so that an alarm which stays on adds one instance and no more:
    https://docs.aws.amazon.com/autoscaling/ec2/userguide/as-scaling-simple-step.html
    """
    first_instance = autoscaling.StepScalingAction(
        scope,
        "FirstInstance",
        auto_scaling_group=group,
        adjustment_type=autoscaling.AdjustmentType.CHANGE_IN_CAPACITY,
        estimated_instance_warmup=Duration.seconds(settings.instance_warmup_seconds),
    )
    first_instance.add_adjustment(adjustment=1, lower_bound=0)
    waiting = cloudwatch.Alarm(
        scope,
        "WorkWithoutWorkers",
        metric=metrics.own(BACKLOG_WITHOUT_INSTANCES),
        threshold=0,
        comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
        evaluation_periods=1,
        treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        alarm_description="Starts the first worker: messages wait and no instance is in service. "
        "See stacks/sqs_target_scaling/README.md#leaving-zero",
    )
    waiting.add_alarm_action(actions.AutoScalingAction(first_instance))
