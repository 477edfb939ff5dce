"""The post's four widgets, each GPU by itself, and what is wasted."""

from collections.abc import Sequence

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from stacks.gpu_monitoring.fleet import Fleet
from stacks.shared.solution import SolutionStack

PERIOD = Duration.minutes(5)
ALL = 'SELECT AVG(nvidia_smi_utilization_gpu) FROM SCHEMA("CWAgent", InstanceId)'
# Of the post.
TEAL = "#17becf"


def by_instance(statistic: str = "AVG", order: str = "") -> str:
    """A Metrics Insights query on the utilisation of each instance.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch-metrics-insights-querylanguage.html
    """
    query = f"{ALL.replace('AVG', statistic)} GROUP BY InstanceId"
    return f"{query} ORDER BY {statistic}() {order}" if order else query


class GpuDashboard(Construct):
    """Five rows, made by the CDK one below the other.

    Attributes:
        name, url: of the dashboard.
    """

    def __init__(self, scope: SolutionStack, construct_id: str, fleet: Fleet) -> None:
        super().__init__(scope, construct_id)
        board = cloudwatch.Dashboard(self, "Board", default_interval=Duration.hours(3))
        used, total = (_search(f"nvidia_smi_memory_{which}") for which in ("used", "total"))
        memory = f"100*AVG({used})/AVG({total})"
        board.add_widgets(
            _gauge("Average GPU Core Utilization", ALL),
            _gauge("GPU Memory Utilization", memory),
            cloudwatch.SingleValueWidget(
                title="Fleet now",
                metrics=[
                    fleet.metric("Gpus", "GPUs"),
                    fleet.metric("WastedGpus", "Wasted GPUs"),
                    fleet.metric("UnmeasuredGpus", "Unmeasured GPUs"),
                    fleet.metric("IdleInstances", "Idle instances"),
                    fleet.metric("SilentInstances", "Silent instances"),
                ],
                width=8,
                height=7,
            ),
        )
        board.add_widgets(
            _percent(
                "Average Memory Utilization",
                [
                    _expression(memory, "GPU", TEAL),
                    _expression(f"AVG({_search('mem_used_percent')})", "RAM (Linux)"),
                    _expression(f"AVG({_search('Memory % Committed Bytes In Use')})", "RAM (Windows)"),
                ],
                height=9,
            )
        )
        board.add_widgets(_percent("GPU Core Utilization", [_expression(by_instance(), "")], height=10))
        board.add_widgets(
            *(
                _graph(title, [_per_gpu(metric)], unit, width=8)
                for title, metric, unit in (
                    ("Temperature of each GPU", "nvidia_smi_temperature_gpu", "Degrees Celsius"),
                    ("Power of each GPU", "nvidia_smi_power_draw", "Watt"),
                    ("Memory used on each GPU", "nvidia_smi_memory_used", "MiB"),
                )
            )
        )
        board.add_widgets(
            _graph("Wasted GPUs by instance type", [fleet.search("WastedGpus", "InstanceType")], "GPUs", width=6),
            _graph("Utilization by instance type", [fleet.search("Utilization", "InstanceType")], "Percent", width=6),
            _graph("Wasted GPUs by group", [fleet.search("WastedGpus", "AutoScalingGroupName")], "GPUs", width=6),
            _graph("Idle hours of each instance", [fleet.search("IdleHours", "InstanceId")], "Hours", width=6),
        )
        self.name = board.dashboard_name
        self.url = scope.console_url(f"cloudwatch/home?region={scope.region}#dashboards/dashboard/{self.name}")


def _search(metric: str) -> str:
    return f"SEARCH('{{CWAgent,InstanceId}} MetricName=\"{metric}\"', 'Average', {PERIOD.to_seconds():.0f})"


def _per_gpu(metric: str) -> cloudwatch.MathExpression:
    """The series that the configuration aggregates by instance and index: one for each GPU, whatever its other names.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/search-expression-syntax.html
    """
    what = f'{{CWAgent,InstanceId,index}} MetricName="{metric}"'
    label = "${PROP('Dim.InstanceId')} GPU ${PROP('Dim.index')}"
    return _expression(f"SEARCH('{what}', 'Average', {PERIOD.to_seconds():.0f})", label)


def _expression(expression: str, label: str, color: str | None = None) -> cloudwatch.MathExpression:
    return cloudwatch.MathExpression(expression=expression, label=label, color=color, using_metrics={}, period=PERIOD)


def _gauge(title: str, expression: str) -> cloudwatch.GaugeWidget:
    return cloudwatch.GaugeWidget(
        title=title,
        metrics=[_expression(expression, "Utilization")],
        left_y_axis=cloudwatch.YAxisProps(min=0, max=100),
        period=PERIOD,
        live_data=False,
        width=8,
        height=7,
    )


def _percent(title: str, left: Sequence[cloudwatch.IMetric], height: int) -> cloudwatch.GraphWidget:
    return cloudwatch.GraphWidget(
        title=title,
        left=left,
        left_y_axis=cloudwatch.YAxisProps(min=0, max=100, label="Percent", show_units=False),
        period=PERIOD,
        width=24,
        height=height,
    )


def _graph(title: str, left: Sequence[cloudwatch.IMetric], unit: str, width: int) -> cloudwatch.GraphWidget:
    return cloudwatch.GraphWidget(
        title=title,
        left=left,
        left_y_axis=cloudwatch.YAxisProps(min=0, label=unit, show_units=False),
        width=width,
        height=7,
    )
