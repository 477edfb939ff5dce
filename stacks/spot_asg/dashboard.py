"""The metrics that alarms, experiment and dashboard share, and the dashboard."""

from collections.abc import Sequence

from aws_cdk import Duration
from aws_cdk import aws_autoscaling as autoscaling
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from stacks.shared.solution import SolutionStack

# The function that takes notices publishes them under the same names.
INTERRUPTIONS, REBALANCES = "Interruptions", "RebalanceRecommendations"
SHORT_LIVED = "ShortLivedInstances"  # published by the function that hears of their end
POOL = ("AutoScalingGroupName", "InstanceType", "AvailabilityZone")


class SpotMetrics:
    """Metrics of one group.

    A pool is an instance type in a zone: there are as many series as pools in which an instance was ever noticed, and
    never one for an instance.
    """

    minute = Duration.minutes(1)
    window = Duration.minutes(5)

    def __init__(self, namespace: str, group: autoscaling.AutoScalingGroup) -> None:
        self._namespace = namespace
        self._group = group.auto_scaling_group_name

    def notices(self, name: str, window: Duration | None = None) -> cloudwatch.Metric:
        """What the functions count for the whole group in five minutes, or in another window."""
        return cloudwatch.Metric(
            namespace=self._namespace,
            metric_name=name,
            dimensions_map={POOL[0]: self._group},
            statistic=cloudwatch.Stats.SUM,
            period=window or self.window,
        )

    def notices_by_pool(self, name: str) -> cloudwatch.MathExpression:
        """The same, a series for each pool, whichever pools there are.

        https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/search-expression-syntax.html
        """
        schema = ",".join([f'"{self._namespace}"', *POOL])
        what = f'{{{schema}}} MetricName="{name}" {POOL[0]}="{self._group}"'
        return cloudwatch.MathExpression(
            expression=f"SEARCH('{what}', 'Sum', {self.window.to_seconds():.0f})",
            label="",
            using_metrics={},
            period=self.window,
        )

    def of_group(self, name: str) -> cloudwatch.Metric:
        """A metric that EC2 Auto Scaling publishes for the group."""
        return cloudwatch.Metric(
            namespace="AWS/AutoScaling",
            metric_name=name,
            dimensions_map={POOL[0]: self._group},
            statistic=cloudwatch.Stats.AVERAGE,
            period=self.minute,
        )

    @property
    def missing(self) -> cloudwatch.MathExpression:
        """Instances that are desired and not in service."""
        return cloudwatch.MathExpression(
            expression="desired - serving",
            label="Missing instances",
            using_metrics={
                "desired": self.of_group("GroupDesiredCapacity"),
                "serving": self.of_group("GroupInServiceInstances"),
            },
            period=self.minute,
        )


class SpotDashboard(Construct):
    """Four graphs.

    Attributes:
        url: address of the dashboard in the console.
    """

    def __init__(self, scope: SolutionStack, construct_id: str, metrics: SpotMetrics, *, lost: sqs.IQueue) -> None:
        super().__init__(scope, construct_id)
        board = cloudwatch.Dashboard(self, "Board")
        sizes = ("GroupDesiredCapacity", "GroupInServiceInstances", "GroupTerminatingInstances")
        board.add_widgets(
            _graph("Interruptions by pool", [metrics.notices_by_pool(INTERRUPTIONS)]),
            _graph("Rebalance recommendations by pool", [metrics.notices_by_pool(REBALANCES)]),
        )
        board.add_widgets(
            _graph("Instances", [metrics.of_group(name) for name in sizes]),
            _graph(
                "Events that were lost",
                [lost.metric_approximate_number_of_messages_visible(period=metrics.minute, statistic="Maximum")],
            ),
        )
        self.url = scope.console_url(
            f"cloudwatch/home?region={scope.region}#dashboards/dashboard/{board.dashboard_name}"
        )


def _graph(title: str, left: Sequence[cloudwatch.IMetric]) -> cloudwatch.GraphWidget:
    return cloudwatch.GraphWidget(
        title=title, left=left, left_y_axis=cloudwatch.YAxisProps(min=0, show_units=False), width=12, height=6
    )
