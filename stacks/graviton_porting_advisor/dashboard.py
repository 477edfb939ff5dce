"""The trend of every source on one page."""

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from stacks.shared.solution import SolutionStack

PERIOD = Duration.days(1)


class TrendDashboard(Construct):
    """Issues of each source, kinds if they are measured, and the other totals; searches allow any number of sources.

    Attributes:
        name, url: those of the dashboard.
    """

    def __init__(self, scope: SolutionStack, construct_id: str, namespace: str, *, kinds: bool) -> None:
        super().__init__(scope, construct_id)
        self._namespace = namespace
        board = cloudwatch.Dashboard(self, "Board", default_interval=Duration.days(90))
        failed = cloudwatch.Metric(
            namespace=namespace,
            metric_name="FailedScans",
            statistic=cloudwatch.Stats.SUM,
            period=PERIOD,
            label="Scans that did not pass",
        )
        board.add_widgets(
            self._graph("Issues of each source", [self._search("Issues")], width=16),
            cloudwatch.GraphWidget(
                title="Scans that did not pass",
                left=[failed],
                left_y_axis=cloudwatch.YAxisProps(min=0, label="Scans a day", show_units=False),
                width=8,
                height=8,
            ),
        )
        if kinds:
            board.add_widgets(self._graph("Issues of each kind", [self._search("IssuesOfKind", "Kind")], width=24))
        board.add_widgets(
            self._graph("Accepted issues", [self._search("AcceptedIssues")], width=8),
            self._graph("Remarks, which are no issues", [self._search("Remarks")], width=8),
            self._graph("Files that the advisor has read", [self._search("Files")], width=8),
        )
        self.name = board.dashboard_name
        self.url = scope.console_url(f"cloudwatch/home?region={scope.region}#dashboards/dashboard/{self.name}")

    def _search(self, metric: str, *more: str) -> cloudwatch.MathExpression:
        """https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/search-expression-syntax.html."""
        names = ",".join([f'"{self._namespace}"', *more, "Source"])
        what = f'{{{names}}} MetricName="{metric}"'
        label = " ".join(f"${{PROP('Dim.{name}')}}" for name in ("Source", *more))
        return cloudwatch.MathExpression(
            expression=f"SEARCH('{what}', 'Maximum', {PERIOD.to_seconds():.0f})",
            label=label,
            using_metrics={},
            period=PERIOD,
        )

    def _graph(self, title: str, left: list[cloudwatch.IMetric], width: int) -> cloudwatch.GraphWidget:
        return cloudwatch.GraphWidget(
            title=title,
            left=left,
            left_y_axis=cloudwatch.YAxisProps(min=0, label="Count", show_units=False),
            period=PERIOD,
            width=width,
            height=8,
        )
