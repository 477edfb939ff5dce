"""``refresh: function``: events into a queue, a function behind it, dashboards within seconds."""

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
from stacks.outposts_dashboard.triggers import Triggers, silence
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

# A batch ends with its window or its size, whichever comes first; there are never more than two at a time.
BATCH = 1_000
ITEMS = tuple(f"dynamodb:{action}" for action in ("DeleteItem", "GetItem", "PutItem", "Scan", "UpdateItem"))


class ByFunction(Construct):
    """The queue, the ledger, the function, and the custom resource of deployment and deletion.

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
        # And it sends a message for what was requested when it had no time left.
        self.queue.grants.actions(
            self.function.own_role, ["sqs:SendMessage"], key_actions=["kms:Decrypt", "kms:GenerateDataKey"]
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
            description="Reads the account and writes the dashboards",
            environment={
                "TABLE_NAME": self.ledger.table_name,
                "ACCOUNT_ID": scope.account,
                "METRIC_NAMESPACE": NAMESPACE,
                # Lambda has ended whoever holds the lock for longer.
                "LONGEST_SECONDS": str(TIMEOUT_SECONDS + 10),
            },
            timeout_seconds=TIMEOUT_SECONDS,
            asks_itself=True,  # for what was requested when it had no time left
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
        # The deletion waits for a refresh in progress, which needs this role until it has released the lock.
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
            ("Messages", "ValidationMessages", "CloudWatch has accepted a dashboard with warnings"),
        ):
            counted = cloudwatch.Metric(
                namespace=NAMESPACE,
                metric_name=metric,
                dimensions_map={"DashboardName": name},
                statistic=cloudwatch.Stats.MAXIMUM,
                period=Duration.minutes(5),
            )
            alarms.when_above(construct_id, counted, 0, says=says)
        period, rounds = silence(refresh_minutes)
        alarms.when_silent(
            "RefreshSilent",
            runs_of(self.function, period),
            rounds=rounds,
            says="The dashboards are not refreshed any more",
        )
        lost = waiting_in(waiting.dead_letters)
        alarms.when_above("DeadLetters", lost, 0, says="An event or the schedule has led to no refresh")
