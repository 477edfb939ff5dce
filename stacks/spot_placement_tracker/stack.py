"""Spot placement scores over time, after the public tracker and beyond it.

Post: https://aws.amazon.com/blogs/compute/optimizing-amazon-ec2-spot-instances-with-spot-placement-scores/
"""

from aws_cdk import Annotations, Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from constructs import Construct

from config.models import CommonSettings
from spot_placement_tracker.collector.collecting import BELOW, PROBLEMS, PUBLISHED, REFUSED, TRACKER
from spot_placement_tracker.store import FILE, PLAN
from stacks.series import Solution
from stacks.shared.alarms import Alarms, errors_of, published
from stacks.shared.boto3_layer import Boto3Layer
from stacks.shared.grants import allow_describing, allow_metrics
from stacks.shared.python_function import PythonFunction
from stacks.shared.solution import SolutionStack
from stacks.spot_placement_tracker.rights import allow_dashboards
from stacks.spot_placement_tracker.settings import SpotPlacementTrackerSettings
from stacks.spot_placement_tracker.storage import Storage

LONGEST_SECONDS = 900
ROUNDS_OF_SILENCE = 6
ROUNDS_BEFORE_ALARM = 2  # a throttled round is fixed by the next one


class SpotPlacementTrackerStack(SolutionStack):
    """A collector on a schedule, dashboards that follow a stored file, and alarms."""

    def __init__(
        self, scope: Construct, solution: Solution, common: CommonSettings, settings: SpotPlacementTrackerSettings
    ) -> None:
        super().__init__(scope, solution, common)
        for number, warning in enumerate(settings.read().warnings):
            Annotations.of(self).add_warning_v2(f"{solution.slug}:file-{number}", f"{settings.file}:{warning}")
        storage = Storage(self, "Storage", settings, self.stack_name)
        collector = self._collector(settings, storage)
        dashboards = self._dashboards(settings, storage)
        self._alarms(settings, collector, dashboards)
        self.output("FileAddress", f"s3://{storage.bucket.bucket_name}/{FILE}", "Upload a file here to track it")
        for number, dashboard in enumerate(settings.read().dashboards, start=1):
            address = f"cloudwatch/home?region={self.region}#dashboards/dashboard/{dashboard.name}"
            self.output(f"DashboardUrl{number}", self.console_url(address), f"Dashboard {dashboard.name}"[:1_000])

    def _collector(self, settings: SpotPlacementTrackerSettings, storage: Storage) -> PythonFunction:
        # A round never outlasts the time to the next one.
        seconds = min(60 * settings.every_minutes, LONGEST_SECONDS)
        collector = PythonFunction(
            self,
            "Collector",
            handler="collector",
            description="Asks EC2 for the Spot placement scores, and publishes them",
            environment={
                "BUCKET": storage.bucket.bucket_name,
                "METRIC_NAMESPACE": settings.metric_namespace,
                "TRACKER": self.stack_name,
                # A question that begins at the last moment has two attempts of 13 seconds, and is published after them.
                "BUDGET_SECONDS": str(min(seconds * 3 // 4, seconds - 30)),
            },
            timeout_seconds=seconds,
        )
        # A runtime's boto3 may not know IncludeLocalZones, and would refuse the question.
        collector.add_layers(Boto3Layer(self, "Boto3", services=("cloudwatch", "ec2", "s3")))
        storage.allow(collector, "s3:GetObject", key=PLAN)
        storage.allow_listing(collector)
        allow_metrics(collector.own_role, settings.metric_namespace)
        allow_describing(collector.own_role, "ec2:GetSpotPlacementScores")
        self._run_alone(settings, collector)
        # A round that failed is not asked again: the next one comes within minutes, with newer scores.
        collector.configure_async_invoke(retry_attempts=0, max_event_age=Duration.minutes(settings.every_minutes))
        self._every("Rounds", Duration.minutes(settings.every_minutes), collector, storage)
        return collector

    def _dashboards(self, settings: SpotPlacementTrackerSettings, storage: Storage) -> PythonFunction:
        dashboards = PythonFunction(
            self,
            "Dashboards",
            handler="dashboards",
            description="Writes the dashboards of the stored file, with the best hours and sizes",
            environment={
                "BUCKET": storage.bucket.bucket_name,
                "METRIC_NAMESPACE": settings.metric_namespace,
                "TRACKER": self.stack_name,
                "REPORT_DAYS": str(settings.report_days),
                "EVERY_MINUTES": str(settings.every_minutes),
                "TAKE_OVER": str(settings.take_over_dashboards).lower(),
            },
            timeout_seconds=300,
            memory_mib=512,
        )
        dashboards.add_layers(storage.layer)
        storage.allow(dashboards, "s3:GetObject", key=FILE)
        storage.allow(dashboards, "s3:GetObject", "s3:PutObject", key=PLAN)
        storage.allow_listing(dashboards)
        allow_dashboards(self, dashboards)
        self._run_alone(settings, dashboards)
        storage.on_change("Changed", dashboards)
        self._every("Reports", Duration.hours(settings.report_every_hours), dashboards, storage)
        return dashboards

    def _alarms(
        self, settings: SpotPlacementTrackerSettings, collector: PythonFunction, dashboards: PythonFunction
    ) -> None:
        alarms = Alarms(self, "Alarms")
        round_ = Duration.minutes(settings.every_minutes)

        def own(name: str) -> cloudwatch.Metric:
            return published(settings.metric_namespace, name, by=(TRACKER, self.stack_name), period=round_)

        alarms.when_above(
            "RefusedConfigurations",
            own(REFUSED),
            0,
            minutes=ROUNDS_BEFORE_ALARM,
            says="EC2 returned no placement score for some configurations; the rest are tracked",
        )
        alarms.when_above(
            "FileProblems", own(PROBLEMS), 0, says="The stored file has problems; the last good one is tracked"
        )
        alarms.when_above(
            "BelowAlarmScore",
            own(BELOW),
            0,
            minutes=ROUNDS_BEFORE_ALARM,
            says="A configuration scores less than its AlarmBelowScore in every place",
        )
        alarms.when_silent(
            "NoScores", own(PUBLISHED), rounds=ROUNDS_OF_SILENCE, says="No score was published in several rounds"
        )
        for name, function in (("CollectorErrors", collector), ("DashboardsErrors", dashboards)):
            alarms.when_above(name, errors_of(function, 5), 0, says="A function has failed", about="FunctionErrors")

    def _run_alone(self, settings: SpotPlacementTrackerSettings, function: PythonFunction) -> None:
        resource = function.node.default_child
        if settings.reserve_concurrency:
            resource.reserved_concurrent_executions = 1  # type: ignore[union-attr]

    def _every(self, construct_id: str, period: Duration, function: PythonFunction, storage: Storage) -> None:
        rule = events.Rule(
            self, construct_id, schedule=events.Schedule.rate(period), targets=[targets.LambdaFunction(function)]
        )
        # At the end of the stack it is deleted first, so that nothing is written after the dashboards are deleted.
        rule.node.add_dependency(storage.stored)
