"""The post's dashboard: what waits, who works, how long it takes, and whether that is soon enough."""

from collections.abc import Sequence

from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from stacks.shared.solution import SolutionStack
from stacks.sqs_target_scaling.metrics import DUPLICATES, MESSAGE_DURATION, QueueMetrics


class QueueDashboard(Construct):
    """Six graphs.

    Args:
        latency_seconds: the acceptable latency.
        scaling: the graph of what the strategy scales by, against its target.

    Attributes:
        url: address of the dashboard in the console.
    """

    def __init__(
        self,
        scope: SolutionStack,
        construct_id: str,
        metrics: QueueMetrics,
        *,
        latency_seconds: int,
        scaling: cloudwatch.GraphWidget,
    ) -> None:
        super().__init__(scope, construct_id)
        board = cloudwatch.Dashboard(self, "Board")
        board.add_widgets(
            graph("Messages visible", [metrics.visible]),
            graph("Instances in service", [metrics.in_service]),
            scaling,
        )
        board.add_widgets(
            graph("Age of the oldest message (s)", [metrics.oldest_message], limit=latency_seconds),
            graph("Processing duration (s)", [metrics.own(MESSAGE_DURATION)]),
            graph("Duplicates", [metrics.own(DUPLICATES, cloudwatch.Stats.SUM)]),
        )
        self.url = scope.console_url(
            f"cloudwatch/home?region={scope.region}#dashboards/dashboard/{board.dashboard_name}"
        )


def graph(title: str, left: Sequence[cloudwatch.IMetric], limit: float | None = None) -> cloudwatch.GraphWidget:
    """One graph of the dashboard, with a red line at the acceptable limit."""
    lines = (
        []
        if limit is None
        else [cloudwatch.HorizontalAnnotation(value=limit, label="acceptable", color=cloudwatch.Color.RED)]
    )
    return cloudwatch.GraphWidget(
        title=title,
        left=left,
        left_annotations=lines,
        left_y_axis=cloudwatch.YAxisProps(min=0, show_units=False),
        width=8,
        height=6,
    )
