"""The clean-up, and the schedules of it and of fleets."""

import json

from aws_cdk import Duration, TimeZone
from aws_cdk import aws_scheduler as scheduler
from aws_cdk import aws_scheduler_targets as targets
from aws_cdk import aws_sqs as sqs
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from stacks.root_volume_replacement.rights import (
    Parts,
    allow_on_every,
    allow_reports,
    scheduler_role,
)
from stacks.root_volume_replacement.settings import RootVolumeReplacementSettings
from stacks.shared.grants import allow_describing
from stacks.shared.python_function import PythonFunction
from stacks.shared.scheduler_role import SchedulerRole
from stacks.shared.solution import SolutionStack

OURS = "What is deleted is known at run time only; a condition holds it to what carries our tag."


class CleanUp(Construct):
    """A function that plans, and deletes only with both keys; without them it has no permission to.

    Attributes:
        function: the function.
    """

    def __init__(self, scope: SolutionStack, construct_id: str, parts: Parts) -> None:
        super().__init__(scope, construct_id)
        settings, ledger, reports = parts.settings, parts.ledger, parts.reports
        wanted = settings.clean_up
        self.function = PythonFunction(
            scope,
            "CleanUp",
            handler="clean_up",
            description="Plans what may be deleted, sends the plan, and acts if it may",
            environment={
                "OPT_IN_KEY": settings.opt_in.key,
                "OPT_IN_VALUE": settings.opt_in.value,
                "TABLE_NAME": ledger.table_name,
                "REPORT_TOPIC_ARN": reports.topic_arn,
                "MODE": wanted.mode,
                "ALLOW_DELETION": str(settings.allow_deletion).lower(),
                "KEEP": str(wanted.keep),
                "GRACE_SECONDS": str(3600 * wanted.grace_hours),
                "MOST_DELETIONS": str(wanted.most_deletions),
            },
            timeout_seconds=900,
            memory_mib=512,
        )
        describing = ("Images", "Instances", "Snapshots", "Volumes")
        allow_describing(self.function.own_role, *(f"ec2:Describe{what}" for what in describing))
        if settings.cleans_up:
            for action, kind, tag in (
                ("ec2:DeleteVolume", "volume", "replaced-volume"),
                ("ec2:DeleteSnapshot", "snapshot", "replace-snapshot"),
            ):
                condition = {"StringEquals": {f"aws:ResourceTag/{tag}": "true"}}
                allow_on_every(scope, self.function, action, kind, conditions=condition, reason=OURS)
        ledger.allow(self.function.own_role, "dynamodb:Scan", "dynamodb:PutItem", "dynamodb:DeleteItem")
        allow_reports(scope, self.function, reports)
        role = scheduler_role(scope, self, self.function)
        schedule = scheduler.Schedule(
            self,
            "Schedule",
            description="Root volume clean-up",
            schedule=scheduler.ScheduleExpression.expression(wanted.schedule, TimeZone.of(wanted.timezone)),
            target=targets.LambdaInvoke(
                self.function,
                role=role,
                dead_letter_queue=parts.undelivered,
                max_event_age=Duration.hours(1),
                retry_attempts=3,
            ),
        )
        schedule.node.add_dependency(role)  # its policy too: the first run may come at once


class FleetSchedules(Construct):
    """Replacements that start by themselves."""

    def __init__(
        self,
        scope: SolutionStack,
        construct_id: str,
        settings: RootVolumeReplacementSettings,
        *,
        fleet: sfn.IStateMachine,
        undelivered: sqs.IQueue,
    ) -> None:
        super().__init__(scope, construct_id)
        if not settings.schedules:
            return
        role = SchedulerRole(scope, self, "SchedulerRole")
        for number, wanted in enumerate(settings.schedules, start=1):
            request = wanted.model_dump(include={"to", "tag"}, exclude_none=True)
            schedule = scheduler.Schedule(
                self,
                f"Schedule{number}",
                description=f"Root volumes of a fleet, to {wanted.to}",
                schedule=scheduler.ScheduleExpression.expression(wanted.expression, TimeZone.of(wanted.timezone)),
                target=targets.StepFunctionsStartExecution(
                    fleet,
                    role=role,
                    input=scheduler.ScheduleTargetInput.from_text(json.dumps(request)),
                    dead_letter_queue=undelivered,
                    max_event_age=Duration.minutes(15),
                    retry_attempts=3,
                ),
            )
            schedule.node.add_dependency(role)
