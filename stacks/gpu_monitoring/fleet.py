"""The function that counts utilisation and waste, its metrics, and the agent's."""

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from constructs import Construct

from stacks.gpu_monitoring.settings import GpuMonitoringSettings
from stacks.shared.alarms import runs_of
from stacks.shared.grants import allow_describing, allow_metrics
from stacks.shared.python_function import PythonFunction
from stacks.shared.solution import SolutionStack


class Fleet(Construct):
    """Schedule -> Fleet -> metrics of the fleet, of instance types and of instances.

    Attributes:
        function: the function.
        namespace: of the metrics: the stack's name, so that two copies do not mix.
        runs: how often the function has run between two looks.
    """

    def __init__(self, scope: SolutionStack, construct_id: str, settings: GpuMonitoringSettings) -> None:
        super().__init__(scope, construct_id)
        self.namespace = scope.stack_name
        self._period = Duration.minutes(settings.fleet_minutes)
        self.function = PythonFunction(
            scope,
            "Fleet",
            handler="fleet",
            description="Counts utilisation and waste of the tagged instances, and who is idle or silent",
            environment={
                "OPT_IN_KEY": settings.opt_in.key,
                "OPT_IN_VALUE": settings.opt_in.value,
                "IDLE_PERCENT": str(settings.idle_percent),
                "IDLE_HOURS": str(settings.idle_hours),
                "SILENT_MINUTES": str(settings.silent_minutes),
                "METRIC_NAMESPACE": self.namespace,
            },
            timeout_seconds=300,
            memory_mib=512,
        )
        self.runs = runs_of(self.function, self._period)
        allow_describing(
            self.function.own_role,
            "ec2:DescribeInstances",
            "ec2:DescribeInstanceTypes",
            "cloudwatch:GetMetricData",
        )
        allow_metrics(self.function.own_role, self.namespace)
        events.Rule(
            self,
            "Schedule",
            description="GPU utilisation and waste of the fleet",
            schedule=events.Schedule.rate(self._period),
            targets=[targets.LambdaFunction(self.function)],
        )

    def metric(self, name: str, label: str | None = None) -> cloudwatch.Metric:
        """A metric of the whole fleet."""
        return cloudwatch.Metric(
            namespace=self.namespace,
            metric_name=name,
            label=label,
            statistic=cloudwatch.Stats.MAXIMUM,
            period=self._period,
        )

    def search(self, name: str, dimension: str) -> cloudwatch.MathExpression:
        """A metric of each instance type or instance, whichever there are."""
        seconds = f"{self._period.to_seconds():.0f}"
        what = f'{{"{self.namespace}",{dimension}}} MetricName="{name}"'
        return cloudwatch.MathExpression(
            expression=f"SEARCH('{what}', 'Average', {seconds})",
            label=f"${{PROP('Dim.{dimension}')}}",
            using_metrics={},
            period=self._period,
        )
