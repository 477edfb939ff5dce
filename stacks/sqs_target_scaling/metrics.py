"""The metrics that policies, alarms and dashboard share: one definition each."""

from aws_cdk import Duration
from aws_cdk import aws_autoscaling as autoscaling
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_sqs as sqs

# Names as the post has them, and ours; the functions and the worker publish them under the same names.
BPI = "BPI"
ACCEPTABLE_BPI = "AcceptableBPI"
DEMAND = "Demand"
BACKLOG_WITHOUT_INSTANCES = "BacklogWithoutInstances"
MESSAGE_DURATION = "MsgProcessingDuration"
DUPLICATES = "DuplicateMessages"


class QueueMetrics:
    """Metrics of one queue and its group, in one-minute periods.

    Args:
        namespace: CloudWatch namespace of our own metrics; their one dimension is the queue's name.
    """

    period = Duration.minutes(1)

    def __init__(self, namespace: str, *, queue: sqs.IQueue, group: autoscaling.AutoScalingGroup) -> None:
        self.namespace = namespace
        self._queue = queue
        self._group = group

    def own(self, name: str, statistic: str = cloudwatch.Stats.AVERAGE) -> cloudwatch.Metric:
        """A metric that this solution publishes."""
        return cloudwatch.Metric(
            namespace=self.namespace,
            metric_name=name,
            dimensions_map={"QueueName": self._queue.queue_name},
            statistic=statistic,
            period=self.period,
        )

    @property
    def visible(self) -> cloudwatch.Metric:
        """Messages that wait."""
        return self._queue.metric_approximate_number_of_messages_visible(
            period=self.period, statistic=cloudwatch.Stats.AVERAGE
        )

    @property
    def oldest_message(self) -> cloudwatch.Metric:
        """Age of the oldest message in seconds."""
        return self._queue.metric_approximate_age_of_oldest_message(
            period=self.period, statistic=cloudwatch.Stats.MAXIMUM
        )

    @property
    def in_service(self) -> cloudwatch.Metric:
        """Instances in service."""
        return cloudwatch.Metric(
            namespace="AWS/AutoScaling",
            metric_name="GroupInServiceInstances",
            dimensions_map={"AutoScalingGroupName": self._group.auto_scaling_group_name},
            statistic=cloudwatch.Stats.AVERAGE,
            period=self.period,
        )

    def dead_letters(self, queue: sqs.IQueue) -> cloudwatch.Metric:
        """Messages in the dead-letter queue."""
        return queue.metric_approximate_number_of_messages_visible(
            period=self.period, statistic=cloudwatch.Stats.MAXIMUM
        )
