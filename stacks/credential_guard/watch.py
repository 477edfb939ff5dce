"""The function that turns Compliance into metrics and counts silent hosts."""

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from stacks.credential_guard.settings import CredentialGuardSettings
from stacks.credential_guard.table import COMPLIANCE_TYPE
from stacks.shared.alarms import Alarms, runs_of
from stacks.shared.grants import allow_metrics, allow_on_any_resource
from stacks.shared.python_function import PythonFunction
from stacks.shared.solution import SolutionStack

MINUTES = 15
LOOKS = 2
"""Number of periods in a row before an alarm goes off."""
ROUNDS_OF_SILENCE = 4


class Watch(Construct):
    """Schedule -> Watch -> metrics -> alarms.

    It runs on a schedule: events of Compliance are documented only for associations and patches
    (https://docs.aws.amazon.com/systems-manager/latest/userguide/monitoring-systems-manager-event-examples.html).

    Attributes:
        function: the function.
        namespace: namespace of the metrics, the stack's name, so that two copies do not mix.
    """

    def __init__(self, scope: SolutionStack, construct_id: str, settings: CredentialGuardSettings) -> None:
        super().__init__(scope, construct_id)
        self.namespace = scope.stack_name
        self.function = self._watching(scope, settings)
        alarms = Alarms(scope, "Alarms")
        for name, metric, says in (
            ("NotRunning", "NotRunningHosts", "Credential Guard does not run on a host, or not as configured"),
            ("Silent", "SilentHosts", f"A running host has not been audited for {2 * settings.audit_hours} h"),
        ):
            alarms.when_above(name, self._metric(metric), 0, says=says, minutes=LOOKS)
        alarms.when_above(
            "WatchErrors",
            self.function.metric_errors(period=Duration.minutes(1), statistic=cloudwatch.Stats.SUM),
            0,
            says="The function Watch failed",
        )
        alarms.when_silent(
            "WatchSilent",
            runs_of(self.function, Duration.minutes(MINUTES)),
            rounds=ROUNDS_OF_SILENCE,
            says="The function Watch no longer runs, so that hosts are not counted",
        )

    def _watching(self, stack: SolutionStack, settings: CredentialGuardSettings) -> lambda_.Function:
        function = PythonFunction(
            stack,
            "Watch",
            handler="watch",
            description="Counts the hosts on which Credential Guard does not run, and those that are silent",
            environment={
                "TAG_KEY": settings.tag.key,
                "TAG_VALUE": settings.tag.value,
                "COMPLIANCE_TYPE": COMPLIANCE_TYPE,
                "SILENT_HOURS": str(2 * settings.audit_hours),
                "METRIC_NAMESPACE": self.namespace,
            },
            timeout_seconds=300,
        )
        allow_on_any_resource(
            function.own_role,
            "ec2:DescribeInstances",
            "ssm:ListComplianceItems",
            "ssm:ListResourceComplianceSummaries",
            reason="EC2's describe calls and Compliance's lists have no resource in IAM.",
        )
        allow_metrics(function.own_role, self.namespace)
        events.Rule(
            self,
            "Schedule",
            description="Starts the count of hosts that run Credential Guard, do not, or are silent",
            schedule=events.Schedule.rate(Duration.minutes(MINUTES)),
            targets=[targets.LambdaFunction(function)],
        )
        return function

    def _metric(self, name: str) -> cloudwatch.Metric:
        return cloudwatch.Metric(
            namespace=self.namespace,
            metric_name=name,
            statistic=cloudwatch.Stats.MAXIMUM,
            period=Duration.minutes(MINUTES),
        )
