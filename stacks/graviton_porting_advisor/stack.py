"""AWS's Porting Advisor for many sources, on a schedule and on demand, with correct counts.

Post: https://aws.amazon.com/blogs/compute/using-porting-advisor-for-graviton/
"""

from collections.abc import Sequence

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from constructs import Construct

from config.models import CommonSettings
from stacks.graviton_porting_advisor.dashboard import TrendDashboard
from stacks.graviton_porting_advisor.projects import Project, Scripts
from stacks.graviton_porting_advisor.reporting import RECEIVES, TIMEOUT_SECONDS, Reporting
from stacks.graviton_porting_advisor.settings import GravitonPortingAdvisorSettings
from stacks.graviton_porting_advisor.starting import ScanSchedule, start_function
from stacks.series import Solution
from stacks.shared.alarms import Alarms, waiting_in
from stacks.shared.emptied_bucket import EmptiedBucket
from stacks.shared.lifecycle import LifecycleResource
from stacks.shared.private_bucket import PrivateBucket
from stacks.shared.python_function import PythonFunction
from stacks.shared.queue import QueueWithDeadLetters
from stacks.shared.solution import SolutionStack
from stacks.shared.table import Table

STOP_SECONDS = 900


class GravitonPortingAdvisorStack(SolutionStack):
    """Schedule -> Start -> a build for each source -> reports in a bucket -> Report -> metrics and notifications."""

    def __init__(
        self, scope: Construct, solution: Solution, common: CommonSettings, settings: GravitonPortingAdvisorSettings
    ) -> None:
        super().__init__(scope, solution, common)
        reports = self._bucket(settings)
        waiting = QueueWithDeadLetters(
            self, "Ended", visibility_seconds=6 * TIMEOUT_SECONDS, max_receives=RECEIVES
        )  # six times the function's, as Lambda recommends
        reporting = Reporting(self, "Reporting", settings, waiting=waiting, reports=reports)
        scripts, log_group = Scripts(self, "Scripts"), self.log_group(self, "Builds")
        projects = [
            Project(
                self,
                f"Source-{source.place.slug}",
                settings,
                source,
                scripts=scripts,
                reports=reports,
                queue=waiting.queue,
                log_group=log_group,
            )
            for source in settings.sources
        ]
        reporting.hear(projects)
        line = Table(self, self, "Line", key="line", recovery=False)
        start = start_function(self, projects, waiting.queue, line, at_once=settings.builds_at_once)
        reporting.go_on_with(start)
        stopped = self._stopped_when_deleted(projects, line)
        if settings.schedule:
            ScanSchedule(
                self,
                "Scanning",
                settings,
                function=start,
                projects=projects,
                undelivered=waiting.dead_letters,
                after=stopped,
            )
        trends = TrendDashboard(self, "Trends", reporting.namespace, kinds=settings.type_metrics)
        self._alarms(reporting, start)
        self.output("ReportsBucket", reports.bucket_name, "Bucket with the reports, under reports/SOURCE/BUILD/")
        self.output(
            "StartFunction", start.function_name, "Starts scans; use: python -m stacks graviton_porting_advisor scan"
        )
        self.output("ReportFunction", reporting.function.function_name, "Sends notifications of scans")
        self.output("ReaderRoleArn", reporting.reader.role_arn, "Role to assume for reading reports")
        self.output("ScansTopicArn", reporting.topic.topic_arn, "Subscribe to receive a notification of each scan")
        self.output("MetricNamespace", reporting.namespace, "Namespace of the metrics")
        self.output("DashboardUrl", trends.url, "Dashboard with the trends")
        self.output("DashboardName", trends.name, "Name of the dashboard")

    def _bucket(self, settings: GravitonPortingAdvisorSettings) -> s3.Bucket:
        reports = PrivateBucket(
            self,
            self,
            "Reports",
            unlogged="Builds write the reports; reading one needs a link or the reader's role.",
            lifecycle_rules=[s3.LifecycleRule(expiration=Duration.days(settings.report_days))],
        )
        self._emptied = None
        if not self.common.keep_data_on_destroy:
            self._emptied = EmptiedBucket(self, self, "Emptied", bucket=reports)
        return reports

    def _stopped_when_deleted(self, projects: Sequence[Project], line: Table) -> LifecycleResource:
        """Closes the line and stops builds before the bucket is emptied: later uploads would keep the bucket."""
        function = PythonFunction(
            self,
            "Lifecycle",
            handler="lifecycle",
            description="Stops running builds when the stack is deleted",
            environment={"TABLE_NAME": line.table_name},
            timeout_seconds=STOP_SECONDS,
        )
        line.allow(function.own_role, "dynamodb:UpdateItem")
        # Each is authorized on the project: https://docs.aws.amazon.com/codebuild/latest/userguide/auth-and-access-control-permissions-reference.html
        calls = [f"codebuild:{call}" for call in ("BatchGetBuilds", "ListBuildsForProject", "StopBuild")]
        arns = [project.arn for project in projects]
        function.own_role.add_to_policy(iam.PolicyStatement(actions=calls, resources=arns))
        stopped = LifecycleResource(
            self,
            "Stopped",
            kind="StoppedBuilds",
            function=function,
            properties={"Projects": [project.name for project in projects]},
            timeout=Duration.seconds(STOP_SECONDS + 100),
        )
        stopped.node.add_dependency(*(project.own_role for project in projects))
        if self._emptied:
            stopped.node.add_dependency(self._emptied)
        return stopped

    def _alarms(self, reporting: Reporting, start: PythonFunction) -> None:
        alarms = Alarms(self, "Alarms")
        failed = cloudwatch.Metric(
            namespace=reporting.namespace,
            metric_name="FailedScans",
            statistic=cloudwatch.Stats.MAXIMUM,
            period=Duration.minutes(5),
        )
        alarms.when_above("Scans", failed, 0, says="A scan found more issues than allowed, or produced no report")
        alarms.on_errors(start, reporting.function)
        lost = waiting_in(reporting.queue.dead_letters)
        # No alarm on silence: your schedule may run once a month, and an alarm looks back a week at most.
        alarms.when_above(
            "DeadLetters", lost, 0, says="The end of a scan was not reported, or the schedule started no scan"
        )
