"""The function that starts the builds, and its schedule."""

from collections.abc import Sequence

from aws_cdk import Acknowledgment, CfnElement, Duration, TimeZone, Validations
from aws_cdk import aws_iam as iam
from aws_cdk import aws_scheduler as scheduler
from aws_cdk import aws_scheduler_targets as targets
from aws_cdk import aws_sqs as sqs
from constructs import Construct, IDependable

from stacks.graviton_porting_advisor.builds import OVERRIDES
from stacks.graviton_porting_advisor.projects import Project
from stacks.graviton_porting_advisor.settings import GravitonPortingAdvisorSettings
from stacks.shared.python_function import PythonFunction
from stacks.shared.scheduler_role import SchedulerRole
from stacks.shared.solution import SolutionStack
from stacks.shared.table import Table


def start_function(
    stack: SolutionStack, projects: Sequence[Project], queue: sqs.IQueue, line: Table, *, at_once: int
) -> PythonFunction:
    """Makes the function; it may start the projects only unchanged, with no other buildspec, role, image or source.

    Args:
        line: the table of waiting sources.
        at_once: number of builds at a time.
    """
    function = PythonFunction(
        stack,
        "Start",
        handler="start",
        description="Starts a build for each source, a limited number at a time",
        environment={"BUILDS_AT_ONCE": str(at_once), "QUEUE_URL": queue.queue_url, "TABLE_NAME": line.table_name},
        timeout_seconds=300,
        # While any source waits, the end of a build or a message after 15 minutes calls it again.
        asks_itself=True,
    )
    line.allow(function.own_role, "dynamodb:GetItem", "dynamodb:UpdateItem")
    # One statement, because fifty ARNs twice are too long for a policy. Read calls have no overrides, so they pass.
    calls = [f"codebuild:{call}" for call in ("BatchGetBuilds", "ListBuildsForProject", "StartBuild")]
    function.own_role.add_to_policy(
        iam.PolicyStatement(
            actions=calls,
            resources=[project.arn for project in projects],
            conditions={"Null": dict.fromkeys(OVERRIDES, "true")},
        )
    )
    function.own_role.add_to_policy(iam.PolicyStatement(actions=["sqs:SendMessage"], resources=[queue.queue_arn]))
    if stack.encryption_key:
        stack.encryption_key.grant(function.own_role, "kms:Decrypt", "kms:GenerateDataKey")
    return function


class ScanSchedule(Construct):
    """The schedule of all sources.

    Args:
        after: must exist before a build starts, and is deleted only when none can start any more.
    """

    def __init__(
        self,
        scope: SolutionStack,
        construct_id: str,
        settings: GravitonPortingAdvisorSettings,
        *,
        function: PythonFunction,
        projects: Sequence[Project],
        undelivered: sqs.IQueue,
        after: IDependable,
    ) -> None:
        super().__init__(scope, construct_id)
        assert settings.schedule
        role = SchedulerRole(scope, self, "Role")
        own = function.node.default_child
        assert isinstance(own, CfnElement)
        Validations.of(role).acknowledge(
            Acknowledgment(
                id=f"AwsSolutions-IAM5[Resource::<{scope.get_logical_id(own)}.Arn>:*]",
                reason="The CDK's permission to invoke covers the function and its versions, of which there are none.",
            )
        )
        schedule = scheduler.Schedule(
            self,
            "Schedule",
            description="Starts a scan of every source",
            schedule=scheduler.ScheduleExpression.expression(settings.schedule, TimeZone.of(settings.timezone)),
            target=targets.LambdaInvoke(
                function,
                role=role,
                input=scheduler.ScheduleTargetInput.from_object(
                    {
                        "projects": [project.name for project in projects],
                        "run": scheduler.ContextAttribute.scheduled_time,
                    }
                ),
                dead_letter_queue=undelivered,
                max_event_age=Duration.hours(1),
                retry_attempts=3,
            ),
        )
        schedule.node.add_dependency(role, after)  # and the role's policy: the first run may come at once
