"""Reports the end of scans: a queue, the function Report, a topic, and the reader's role."""

from collections.abc import Sequence
from typing import cast

from aws_cdk import CfnElement, Duration
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns
from constructs import Construct

from stacks.graviton_porting_advisor.projects import Project
from stacks.graviton_porting_advisor.settings import GravitonPortingAdvisorSettings
from stacks.shared.grants import allow_metrics, allow_on_pattern
from stacks.shared.python_function import PythonFunction
from stacks.shared.queue import QueueWithDeadLetters, read_by
from stacks.shared.solution import SolutionStack
from stacks.shared.table import Table

TIMEOUT_SECONDS = 60
RECEIVES = 5
BATCH = 5
PROJECTS_IN_A_RULE = 15
"""Projects in one event pattern, which has at most 2,048 characters; a generated name has up to 100."""


class Reporting(Construct):
    """The function and its resources; ``hear`` adds the projects' events.

    Attributes:
        queue: the function's queue, with its dead-letter queue.
        topic: gets a message for each scan.
        reader: role that may read reports and signs links.
        function: the function Report.
        namespace: namespace of the metrics, the stack's name, so that two copies do not mix.
    """

    def __init__(
        self,
        scope: SolutionStack,
        construct_id: str,
        settings: GravitonPortingAdvisorSettings,
        *,
        waiting: QueueWithDeadLetters,
        reports: s3.Bucket,
    ) -> None:
        super().__init__(scope, construct_id)
        self._stack, self._reports = scope, reports
        self.queue = waiting
        self.namespace = scope.stack_name
        self.topic = sns.Topic(scope, "Scans", enforce_ssl=True, master_key=scope.encryption_key)
        self.reader = self._reader()
        ledger = Table(scope, scope, "Ledger", key="build", expires="expires", recovery=False)
        self.function = PythonFunction(
            scope,
            "Report",
            handler="report",
            description="Sends one notification for each scan, and publishes its metrics",
            environment={
                "BUCKET": reports.bucket_name,
                "KIND_METRICS": str(settings.type_metrics).lower(),
                "LINK_MINUTES": str(settings.link_minutes),
                # A run that holds a build for longer has been ended by Lambda.
                "LONGEST_SECONDS": str(TIMEOUT_SECONDS + 10),
                "METRIC_NAMESPACE": self.namespace,
                "NOTIFY": settings.notify,
                "QUEUE_URL": waiting.queue.queue_url,
                "READER_ROLE_ARN": self.reader.role_arn,
                "TABLE_NAME": ledger.table_name,
                "TOPIC_ARN": self.topic.topic_arn,
            },
            timeout_seconds=TIMEOUT_SECONDS,
            # A build may wait and run for sixteen hours, and is checked every 15 minutes until it ends.
            asks_itself=True,
        )
        role = self.function.own_role
        ledger.allow(role, "dynamodb:UpdateItem")
        allow_metrics(role, self.namespace)
        self._allow_reading(role, "/*/*/result.json")
        # Without it S3 answers AccessDenied for an object that does not exist:
        # https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html
        role.add_to_policy(iam.PolicyStatement(actions=["s3:ListBucket"], resources=[reports.bucket_arn]))
        role.add_to_policy(iam.PolicyStatement(actions=["sns:Publish"], resources=[self.topic.topic_arn]))
        role.add_to_policy(iam.PolicyStatement(actions=["sts:AssumeRole"], resources=[self.reader.role_arn]))
        role.add_to_policy(iam.PolicyStatement(actions=["sqs:SendMessage"], resources=[waiting.queue.queue_arn]))
        if scope.encryption_key:
            scope.encryption_key.grant(role, "kms:Decrypt", "kms:GenerateDataKey")
        read_by(self.function, waiting.queue, batch_size=BATCH, max_concurrency=2, report_batch_item_failures=True)

    def _reader(self) -> iam.Role:
        """A separate role: a link ends with the credentials that signed it, and a function's may be hours old.

        https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-presigned-url.html
        """
        reader = iam.Role(
            self,
            "Reader",
            assumed_by=iam.AccountRootPrincipal(),  # anybody in the account with permission to assume it
            description="Reads reports and signs links to them",
            max_session_duration=Duration.hours(1),
        )
        self._allow_reading(reader, "/*/*/report.html", "/*/*/report.json")
        if self._stack.encryption_key:
            self._stack.encryption_key.grant(reader, "kms:Decrypt")
        return reader

    def _allow_reading(self, role: iam.Role, *files: str) -> None:
        bucket = self._stack.get_logical_id(cast(CfnElement, self._reports.node.default_child))
        for file in files:
            allow_on_pattern(
                role,
                "s3:GetObject",
                arn=self._reports.arn_for_objects(f"reports{file}"),
                shown=f"<{bucket}.Arn>/reports{file}",
                reason="Each build has its own folder in that of its source.",
            )

    def go_on_with(self, start: PythonFunction) -> None:
        """Lets the function ask Start to start the next builds when a build has ended."""
        self.function.add_environment("START_FUNCTION", start.function_name)
        self.function.own_role.add_to_policy(
            iam.PolicyStatement(actions=["lambda:InvokeFunction"], resources=[start.function_arn])
        )

    def hear(self, projects: Sequence[Project]) -> None:
        """Sends the end of every build to the queue, and lets the function read the builds.

        TIMED_OUT and FAULT are not documented for events, so any status but IN_PROGRESS counts as an end.
        https://docs.aws.amazon.com/codebuild/latest/userguide/sample-build-notifications-ref.html
        """
        self.function.own_role.add_to_policy(
            iam.PolicyStatement(actions=["codebuild:BatchGetBuilds"], resources=[project.arn for project in projects])
        )
        for start in range(0, len(projects), PROJECTS_IN_A_RULE):
            events.Rule(
                self,
                f"Ended{start // PROJECTS_IN_A_RULE or ''}",
                description="Sends the end of every build to Report",
                event_pattern=events.EventPattern(
                    source=["aws.codebuild"],
                    detail_type=["CodeBuild Build State Change"],
                    detail={
                        "build-status": events.Match.anything_but("IN_PROGRESS"),
                        "project-name": [each.name for each in projects[start : start + PROJECTS_IN_A_RULE]],
                    },
                ),
                targets=[targets.SqsQueue(self.queue.queue, dead_letter_queue=self.queue.dead_letters)],
            )
