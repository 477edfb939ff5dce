"""Limits the bill: the instance stops when nobody plays, or by schedule, which ends running games."""

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_scheduler as scheduler
from constructs import Construct

from stacks.game_streaming.host import GameHost
from stacks.game_streaming.settings import GameStreamingSettings
from stacks.game_streaming.settings.sections import Hours
from stacks.shared.alarms import Alarms, runs_of, waiting_in
from stacks.shared.grants import allow_describing, allow_metrics
from stacks.shared.python_function import PythonFunction
from stacks.shared.queue import UnreadQueue
from stacks.shared.scheduler_role import SchedulerRole
from stacks.shared.solution import SolutionStack

LOOK_MINUTES = 5
UNREADABLE_LOOKS = 3
ASKED_LOOKS = 4
SILENT_LOOKS = 6
RETRY_HOURS = 1


class CostGuards(Construct):
    """A function that stops an idle instance, schedules that stop and start it, and the instance's alarms.

    Args:
        last_look: name of the document with which the instance checks again and stops itself; with idle_minutes.
    """

    def __init__(
        self,
        scope: SolutionStack,
        construct_id: str,
        settings: GameStreamingSettings,
        host: GameHost,
        alarms: Alarms,
        *,
        last_look: str | None,
    ) -> None:
        super().__init__(scope, construct_id)
        self._instance = scope.format_arn(service="ec2", resource="instance", resource_name=host.instance.ref)
        if settings.idle_minutes and last_look:
            self._stop_idle(scope, settings.idle_minutes, last_look, host, alarms)
        if settings.hours:
            self._by_the_clock(scope, settings.hours, host, alarms)
        alarms.when_above("StatusChecks", host.failed_checks(), 0, says="EC2 finds the instance impaired", minutes=5)
        alarms.when_above(
            "BootErrors",
            _metric(scope, "BootErrors", minutes=1),
            0,
            says="The instance has started but cannot run games",
        )

    def _stop_idle(self, stack: SolutionStack, minutes: int, document: str, host: GameHost, alarms: Alarms) -> None:
        function = PythonFunction(
            stack,
            "Idle",
            handler="idle",
            description="Stops the instance when no game has run for a while",
            environment={
                "DOCUMENT": document,
                "INSTANCE_ID": host.instance.ref,
                "IDLE_MINUTES": str(minutes),
                "METRIC_NAMESPACE": stack.stack_name,
            },
            timeout_seconds=60,
        )
        allow_describing(function.own_role, "ec2:DescribeInstances", "cloudwatch:GetMetricData")
        allow_metrics(function.own_role, stack.stack_name)
        # https://docs.aws.amazon.com/service-authorization/latest/reference/list_awssystemsmanager.html: on both.
        documents = stack.format_arn(service="ssm", resource="document", resource_name=document)
        function.own_role.add_to_policy(
            iam.PolicyStatement(actions=["ssm:SendCommand"], resources=[documents, self._instance])
        )
        events.Rule(
            self,
            "Look",
            description="Starts Idle, which checks whether anybody plays",
            schedule=events.Schedule.rate(Duration.minutes(LOOK_MINUTES)),
            targets=[targets.LambdaFunction(function)],
        )
        alarms.on_errors(function)
        alarms.when_silent(
            "IdleSilent",
            runs_of(function, Duration.minutes(LOOK_MINUTES)),
            rounds=SILENT_LOOKS,
            says="Idle does not run, so an idle instance is not stopped",
        )
        alarms.when_above(
            "UnreadableGames",
            _metric(stack, "UnreadableGames", minutes=LOOK_MINUTES),
            0,
            says="The games cannot be read, so an idle instance is not stopped",
            minutes=UNREADABLE_LOOKS,
        )
        alarms.when_above(
            "NotStopping",
            _metric(stack, "AskedToStop", minutes=LOOK_MINUTES),
            0,
            says="The instance was asked several times to stop but is still running",
            minutes=ASKED_LOOKS,
        )
        stack.output("IdleFunction", function.function_name, "Function that stops the instance when nobody plays")

    def _by_the_clock(self, stack: SolutionStack, hours: Hours, host: GameHost, alarms: Alarms) -> None:
        """Universal targets: https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-targets-universal.html."""
        unread = UnreadQueue(stack, self, "Missed")
        role = SchedulerRole(stack, self, "SchedulerRole")
        wanted = {"Stop": hours.stop, **({"Start": hours.start} if hours.start else {})}
        role.add_to_policy(
            iam.PolicyStatement(actions=[f"ec2:{name}Instances" for name in wanted], resources=[self._instance])
        )
        # The role has the key already; a grant on the queue would add all of its actions.
        role.add_to_policy(iam.PolicyStatement(actions=["sqs:SendMessage"], resources=[unread.queue_arn]))
        if stack.encryption_key and hours.start:
            # The caller of StartInstances must let EC2 use the volumes' key; otherwise the call succeeds, but
            # the instance stops at once: https://repost.aws/knowledge-center/kms-iam-ec2-permission
            role.add_to_policy(
                iam.PolicyStatement(
                    actions=["kms:CreateGrant"],
                    resources=[stack.encryption_key.key_arn],
                    conditions={"Bool": {"kms:GrantIsForAWSResource": "true"}},
                )
            )
        alarms.when_above(
            "Missed", waiting_in(unread), 0, says="A schedule failed to stop or start the instance and gave up"
        )
        for name, expression in wanted.items():
            schedule = scheduler.CfnSchedule(
                self,
                name,
                description=f"Android games: {name.lower()} the instance",
                schedule_expression=expression,
                schedule_expression_timezone=hours.time_zone,
                flexible_time_window=scheduler.CfnSchedule.FlexibleTimeWindowProperty(mode="OFF"),
                target=scheduler.CfnSchedule.TargetProperty(
                    arn=f"arn:{stack.partition}:scheduler:::aws-sdk:ec2:{name.lower()}Instances",
                    input=stack.to_json_string({"InstanceIds": [host.instance.ref]}),
                    role_arn=role.role_arn,
                    dead_letter_config=scheduler.CfnSchedule.DeadLetterConfigProperty(arn=unread.queue_arn),
                    retry_policy=scheduler.CfnSchedule.RetryPolicyProperty(
                        maximum_event_age_in_seconds=3600 * RETRY_HOURS, maximum_retry_attempts=10
                    ),
                ),
            )
            schedule.node.add_dependency(role)


def _metric(stack: SolutionStack, name: str, *, minutes: int) -> cloudwatch.Metric:
    return cloudwatch.Metric(
        namespace=stack.stack_name,
        metric_name=name,
        statistic=cloudwatch.Stats.MAXIMUM,
        period=Duration.minutes(minutes),
    )
