"""The record of the newest image of each pipeline and Region, and the rules on images that were built or failed."""

from collections.abc import Mapping, Sequence
from typing import Any

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from stacks.image_pipelines.names import IMAGE_CHANGED
from stacks.image_pipelines.pipeline import ImagePipeline
from stacks.shared.grants import allow_on_pattern, shown_arn
from stacks.shared.python_function import PythonFunction
from stacks.shared.solution import SolutionStack
from stacks.shared.table import Table

DISABLED = "EC2 Image Builder Image Pipeline Automatically Disabled"


class Tracking(Construct):
    """A table, the function that keeps it, and rules on the events of this stack's pipelines.

    Attributes:
        table: one record for each pipeline and Region.
        function: the tracker.
        failed, disabled: rules that match a build that has failed, and a pipeline that was disabled for it.
    """

    def __init__(
        self,
        scope: SolutionStack,
        construct_id: str,
        pipelines: Sequence[ImagePipeline],
        *,
        topic: sns.Topic,
        undelivered: sqs.Queue,
    ) -> None:
        super().__init__(scope, construct_id)
        self._stack, self._pipelines = scope, pipelines
        self.table = Table(scope, self, "Newest", key="id")
        self.function = self._tracker()
        late = {"dead_letter_queue": undelivered, "max_event_age": Duration.hours(2), "retry_attempts": 3}
        target = targets.LambdaFunction(self.function, **late)  # type: ignore[arg-type]
        self._rule("Available", IMAGE_CHANGED, self._all("image"), {"state": {"status": ["AVAILABLE"]}}).add_target(
            target
        )
        events.Rule(
            self,
            "Daily",
            description="Looks at all images, because an event may be lost",
            schedule=events.Schedule.rate(Duration.days(1)),
            targets=[target],
        )
        # A rule is counted only if it has a target. The tracker ignores failed images; Image Builder reports them.
        self.failed = self._rule("Failed", IMAGE_CHANGED, self._all("image"), {"state": {"status": ["FAILED"]}})
        self.failed.add_target(target)
        self.disabled = self._rule("Disabled", DISABLED, self._all("image-pipeline"), None)
        self.disabled.add_target(targets.SnsTopic(topic))

    def _tracker(self) -> PythonFunction:
        stack = self._stack
        function = PythonFunction(
            stack,
            "Tracker",
            handler="tracker",
            description="Records the newest image of each pipeline in each Region",
            environment={
                "TABLE_NAME": self.table.table_name,
                "ACCOUNT": stack.account,
                # Each name once: the environment of a function has 4 KB, and fifty names may have 40 letters each
                # (https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html).
                "AMIS": ",".join(pipeline.name for pipeline in self._pipelines if not pipeline.is_container),
                "CONTAINERS": ",".join(pipeline.name for pipeline in self._pipelines if pipeline.is_container),
                "PIPELINE_ARNS": stack.format_arn(
                    service="imagebuilder", resource=f"image-pipeline/{stack.stack_name}-"
                ),
                "STACK_NAME": stack.stack_name,
            },
            timeout_seconds=120,
        )
        self.table.allow(function.own_role, "dynamodb:PutItem")
        function.own_role.add_to_policy(
            iam.PolicyStatement(
                actions=["imagebuilder:ListImagePipelineImages"],
                resources=[pipeline.pipeline.attr_arn for pipeline in self._pipelines],
            )
        )
        names = f"image/{stack.stack_name}-*"
        allow_on_pattern(
            function.own_role,
            "imagebuilder:GetImage",
            arn=stack.format_arn(service="imagebuilder", resource=names),
            shown=shown_arn(stack, "imagebuilder", names),
            reason="Images come with each build; these are of this stack's names.",
        )
        return function

    def _all(self, kind: str) -> list[str]:
        """Matches what has a name of this stack, by one beginning: a pattern has 2,048 characters.

        https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html. The tracker knows the names.
        """
        beginning = self._stack.format_arn(service="imagebuilder", resource=f"{kind}/{self._stack.stack_name}-")
        return events.Match.prefix(beginning)

    def _rule(
        self, construct_id: str, detail_type: str, resources: list[str], detail: Mapping[str, Any] | None
    ) -> events.Rule:
        return events.Rule(
            self,
            construct_id,
            description=f"{construct_id}: images of this stack",
            event_pattern=events.EventPattern(
                source=["aws.imagebuilder"], detail_type=[detail_type], resources=resources, detail=detail
            ),
        )


def runs(rule: events.Rule) -> cloudwatch.Metric:
    """How often a rule has run in a minute.

    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-monitoring.html
    """
    return cloudwatch.Metric(
        namespace="AWS/Events",
        metric_name="TriggeredRules",
        dimensions_map={"RuleName": rule.rule_name},
        statistic=cloudwatch.Stats.SUM,
        period=Duration.minutes(1),
    )
