"""``refresh: function``: events into a queue, a function behind it, dashboards within seconds."""

from math import ceil
from typing import cast

from aws_cdk import CfnResource, CustomResource, Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_scheduler as scheduler
from aws_cdk import aws_scheduler_targets as scheduler_targets
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from stacks.outposts_dashboard.lifecycle import lifecycle
from stacks.outposts_dashboard.rights import allow_deleting, allow_discovery, allow_writing
from stacks.outposts_dashboard.settings import OutpostsDashboardSettings
from stacks.outposts_dashboard.triggers import Triggers
from stacks.shared.alarms import Alarms, errors_of, runs_of, waiting_in
from stacks.shared.grants import allow_describing, allow_metrics
from stacks.shared.python_function import PythonFunction
from stacks.shared.queue import QueueWithDeadLetters, read_by
from stacks.shared.scheduler_role import SchedulerRole
from stacks.shared.solution import SolutionStack
from stacks.shared.table import Table

NAMESPACE = "ComputeBlog/OutpostsDashboard"
TIMEOUT_SECONDS = 300
RECEIVES = 3
MINUTES_OF_A_DAY = 1_440
DAYS_OF_AN_ALARM = 7
"""That an alarm can look back, by periods of a day at most
(https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html)."""
# A batch ends with its window or its size, whichever comes first; there are never more than two at a time.
BATCH = 1_000
ITEMS = tuple(f"dynamodb:{action}" for action in ("DeleteItem", "GetItem", "PutItem", "Scan", "UpdateItem"))


class ByFunction(Construct):
    """The queue, the ledger, the function, and what a deployment and a deletion do beside CloudFormation.

    Attributes:
        queue: any message in it is a refresh.
        function: writes the dashboards.
    """

    def __init__(
        self, scope: SolutionStack, construct_id: str, settings: OutpostsDashboardSettings, *, name: str, wanted: str
    ) -> None:
        super().__init__(scope, construct_id)
        waiting = QueueWithDeadLetters(
            scope, "Waiting", visibility_seconds=6 * TIMEOUT_SECONDS, max_receives=RECEIVES
        )  # six times the function's, as Lambda advises
        self.queue = waiting.queue
        self.ledger = Table(scope, scope, "Ledger", key="id")
        self.function = self._function(scope, name)
        self.function.add_environment("QUEUE_URL", waiting.queue.queue_url)
        begun = self._lifecycle(scope, wanted)
        reading = read_by(
            self.function,
            waiting.queue,
            batch_size=BATCH,
            max_batching_window=Duration.seconds(settings.debounce_seconds),
            max_concurrency=2,
        )
        # The function has a batch that failed tried again sooner than the queue would bring it.
        self.function.own_role.add_to_principal_policy(
            iam.PolicyStatement(actions=["sqs:ChangeMessageVisibility"], resources=[waiting.queue.queue_arn])
        )
        reading.node.add_dependency(begun)  # deleted before it: nobody starts a refresh any more
        role = SchedulerRole(scope, self, "SchedulerRole")
        Triggers(
            self,
            "Triggers",
            settings,
            target=targets.SqsQueue(waiting.queue, dead_letter_queue=waiting.dead_letters),
            scheduled=scheduler_targets.SqsSendMessage(
                # By its ARN alone: the CDK's own grant on the key would allow ``kms:GenerateDataKey*``.
                sqs.Queue.from_queue_arn(self, "ToSend", waiting.queue.queue_arn),
                role=role,
                input=scheduler.ScheduleTargetInput.from_text("scheduled"),
                dead_letter_queue=waiting.dead_letters,
                max_event_age=Duration.minutes(15),
                retry_attempts=3,
            ),
            tags_only=False,
            role=role,
            after=begun,
        )
        self._alarms(scope, name, waiting, settings.refresh_minutes)

    def _function(self, scope: SolutionStack, name: str) -> PythonFunction:
        function = PythonFunction(
            scope,
            "Refresh",
            handler="refresh",
            description="Looks at the account and writes the dashboards",
            environment={
                "TABLE_NAME": self.ledger.table_name,
                "ACCOUNT_ID": scope.account,
                "METRIC_NAMESPACE": NAMESPACE,
                # Whoever holds the pen for longer has been ended by Lambda.
                "LONGEST_SECONDS": str(TIMEOUT_SECONDS + 10),
            },
            timeout_seconds=TIMEOUT_SECONDS,
            memory_mib=512,
        )
        role = function.own_role
        allow_discovery(role)
        allow_writing(scope, role, name)
        allow_deleting(scope, role)
        allow_describing(role, "cloudwatch:ListDashboards")
        allow_metrics(role, NAMESPACE)
        self.ledger.allow(function.own_role, *ITEMS)
        return function

    def _lifecycle(self, scope: SolutionStack, wanted: str) -> CustomResource:
        properties = {
            "TableName": self.ledger.table_name,
            "QueueUrl": self.queue.queue_url,
            "Wanted": wanted,  # goes into the table; changed settings are shown at once
        }
        function, begun = lifecycle(scope, self, properties)
        # A refresh under way at the deletion, for which it waits, writes and lets go by this role.
        begun.node.add_dependency(self.function.own_role, cast(CfnResource, self.function.node.default_child))
        self.ledger.allow(function.own_role, *ITEMS)
        allow_deleting(scope, function.own_role)
        self.queue.grants.actions(
            function.own_role, ["sqs:SendMessage"], key_actions=["kms:Decrypt", "kms:GenerateDataKey"]
        )
        return begun

    def _alarms(self, scope: SolutionStack, name: str, waiting: QueueWithDeadLetters, refresh_minutes: int) -> None:
        alarms = Alarms(scope, "Alarms")
        alarms.when_above("Refresh", errors_of(self.function), 0, says="The dashboards could not be written")
        for construct_id, metric, says in (
            ("Sections", "FailedSections", "A section of the dashboards could not be read"),
            ("Messages", "ValidationMessages", "CloudWatch finds fault with a dashboard that it has taken"),
        ):
            counted = cloudwatch.Metric(
                namespace=NAMESPACE,
                metric_name=metric,
                dimensions_map={"DashboardName": name},
                statistic=cloudwatch.Stats.MAXIMUM,
                period=Duration.minutes(5),
            )
            alarms.when_above(construct_id, counted, 0, says=says)
        minutes = min(refresh_minutes, MINUTES_OF_A_DAY)
        rounds = min(ceil(refresh_minutes / minutes) + 2, DAYS_OF_AN_ALARM)
        runs = runs_of(self.function, Duration.minutes(minutes))
        alarms.when_silent("RefreshSilent", runs, rounds=rounds, says="Nobody refreshes the dashboards any more")
        lost = waiting_in(waiting.dead_letters)
        alarms.when_above("DeadLetters", lost, 0, says="An event or the schedule has led to no refresh")
