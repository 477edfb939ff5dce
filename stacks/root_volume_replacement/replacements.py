"""Replacements of one instance's root volume, and of a fleet's in waves."""

from aws_cdk import aws_iam as iam
from aws_cdk import aws_sns as sns
from constructs import Construct

from stacks.root_volume_replacement.machine import Machine
from stacks.root_volume_replacement.rights import (
    Parts,
    allow_on_every,
    allow_on_executions,
    allow_reports,
    allow_tagging_at_creation,
)
from stacks.shared.grants import allow_describing, allow_volumes_under
from stacks.shared.python_function import PythonFunction
from stacks.shared.solution import SolutionStack
from stacks.shared.table import Table


class Replacements(Construct):
    """Two state machines and their functions.

    Attributes:
        machine: replaces the root volume of one instance.
        fleet: starts that one for every instance of a wave, wave after wave.
    """

    def __init__(self, scope: SolutionStack, construct_id: str, parts: Parts) -> None:
        super().__init__(scope, construct_id)
        ledger, reports = parts.ledger, parts.reports
        self._stack = scope
        self._settings = settings = parts.settings
        self._opt_in = {"OPT_IN_KEY": settings.opt_in.key, "OPT_IN_VALUE": settings.opt_in.value}
        function = self._replacement(ledger, reports)
        self.machine = Machine(
            scope,
            "ReplacementMachine",
            definition="replacement",
            function=function,
            substitutions={"ReplacementFunctionArn": function.function_arn},
        )
        self._let_ask_for_executions(function)
        chooser = self._fleet(reports)
        self.fleet = Machine(
            scope,
            "FleetMachine",
            definition="fleet",
            function=chooser,
            substitutions={
                "FleetFunctionArn": chooser.function_arn,
                "ReplacementMachineArn": self.machine.machine.state_machine_arn,
                "StartExecution": f"arn:{scope.partition}:states:::states:startExecution.sync:2",
            },
        )
        self._let_start_replacements()

    def _replacement(self, ledger: Table, reports: sns.ITopic) -> PythonFunction:
        settings, stack = self._settings, self._stack
        function = PythonFunction(
            stack,
            "Replacement",
            handler="replacement",
            description="One step of a root volume replacement",
            environment={
                **self._opt_in,
                "TABLE_NAME": ledger.table_name,
                "REPORT_TOPIC_ARN": reports.topic_arn,
                "POLL_SECONDS": str(settings.poll_seconds),
                "TASK_SECONDS": str(60 * settings.task_minutes),
                "CHECKS_SECONDS": str(60 * settings.checks_minutes),
                "SETTLE_SECONDS": str(settings.settle_seconds),
                "OLD_VOLUME": "delete" if settings.deletes_old_volumes else "keep",
            },
            timeout_seconds=60,
        )
        describing = ("Instances", "InstanceStatus", "ReplaceRootVolumeTasks", "Snapshots", "Volumes")
        allow_describing(function.own_role, *(f"ec2:Describe{what}" for what in describing))
        allow_on_every(
            stack,
            function,
            "ec2:CreateReplaceRootVolumeTask",
            "instance",
            conditions={"StringEquals": {f"aws:ResourceTag/{settings.opt_in.key}": settings.opt_in.value}},
            reason="Instances opt in by a tag, to which a condition holds it.",
        )
        allow_on_every(
            stack,
            function,
            "ec2:CreateReplaceRootVolumeTask",
            *("image", "replace-root-volume-task", "snapshot", "volume"),
            reason="What a task makes has no name yet, and what it is made from its starter chooses.",
        )
        allow_tagging_at_creation(stack, function, "replace-root-volume-task", "CreateReplaceRootVolumeTask")
        allow_on_every(
            stack,
            function,
            "ec2:CreateTags",
            "volume",
            conditions={"ForAllValues:StringEquals": {"aws:TagKeys": ["replaced-volume", "root-volume-of"]}},
            reason="The volume is whatever the instance had; a condition holds it to our two tags.",
        )
        if settings.deletes_old_volumes:
            allow_on_every(
                stack,
                function,
                "ec2:DeleteVolume",
                "volume",
                conditions={"StringEquals": {"aws:ResourceTag/replaced-volume": "true"}},
                reason="The volume is whatever the instance had; a condition holds it to those with our tag.",
            )
        if stack.encryption_key:  # EC2 makes the new volume with the permissions of whoever starts the task
            allow_volumes_under(function.own_role, stack.encryption_key)
        ledger.allow(function.own_role, "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:DeleteItem")
        allow_reports(self._stack, function, reports)
        return function

    def _fleet(self, reports: sns.ITopic) -> PythonFunction:
        function = PythonFunction(
            self._stack,
            "Fleet",
            handler="fleet",
            description="Chooses the next wave of a fleet's replacements",
            environment={
                **self._opt_in,
                "REPORT_TOPIC_ARN": reports.topic_arn,
                "WAVE_SIZE": str(self._settings.wave_size),
                "MOST_INSTANCES": str(self._settings.most_instances),
            },
            timeout_seconds=60,
        )
        allow_describing(function.own_role, "ec2:DescribeInstances")
        allow_reports(self._stack, function, reports)
        return function

    def _let_ask_for_executions(self, function: PythonFunction) -> None:
        """A policy of its own: the function's would close a circle, since the machine needs the function."""
        policy = iam.Policy(self, "AskForExecutions")
        machine = self.machine.machine
        allow_on_executions(self._stack, function.own_role, machine, "states:DescribeExecution", to=policy)

    def _let_start_replacements(self) -> None:
        """https://docs.aws.amazon.com/step-functions/latest/dg/connect-stepfunctions.html#sync-async-iam-policies."""
        machine, stack = self.machine.machine, self._stack
        policy = iam.Policy(self, "StartReplacements")
        actions = ("states:DescribeExecution", "states:StopExecution")
        allow_on_executions(stack, self.fleet.role, machine, *actions, to=policy)
        ended = "StepFunctionsGetEventsForStepFunctionsExecutionRule"  # by it a fleet hears of the end of each
        policy.add_statements(
            iam.PolicyStatement(actions=["states:StartExecution"], resources=[machine.state_machine_arn]),
            iam.PolicyStatement(
                actions=["events:PutTargets", "events:PutRule", "events:DescribeRule"],
                resources=[stack.format_arn(service="events", resource="rule", resource_name=ended)],
            ),
        )
        self.fleet.machine.node.add_dependency(policy)
