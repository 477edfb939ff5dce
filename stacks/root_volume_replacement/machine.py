"""A state machine whose definition is a file of state_machines/."""

from collections.abc import Mapping

from aws_cdk import Acknowledgment, Duration, Validations
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from stacks.root_volume_replacement.settings import DEFINITIONS
from stacks.shared.grants import of_this_account
from stacks.shared.solution import SolutionStack


class Machine(Construct):
    """A standard workflow with its role, its logs and its traces.

    Args:
        definition: name of the file, without ``.asl.json``.
        function: what its tasks call.
        substitutions: values for the ``${names}`` of the file.

    Attributes:
        machine: the state machine.
        role: its role.
    """

    def __init__(
        self,
        scope: SolutionStack,
        construct_id: str,
        *,
        definition: str,
        function: lambda_.IFunction,
        substitutions: Mapping[str, str],
    ) -> None:
        super().__init__(scope, construct_id)
        self.role = iam.Role(
            self,
            "Role",
            assumed_by=of_this_account(scope, "states.amazonaws.com"),
            description=f"State machine {definition} ({scope.solution.slug})",
        )
        # Not grant_invoke: it would allow every version too.
        self.role.add_to_policy(
            iam.PolicyStatement(actions=["lambda:InvokeFunction"], resources=[function.function_arn])
        )
        # A group with another beginning takes room in the account's one resource policy of 5,120 characters:
        # https://docs.aws.amazon.com/step-functions/latest/dg/bp-cwl.html
        group = scope.log_group(self, "Logs", below="/aws/vendedlogs/states/", name=definition)
        self.machine = sfn.StateMachine(
            self,
            "Machine",
            definition_body=sfn.DefinitionBody.from_string(
                (DEFINITIONS / f"{definition}.asl.json").read_text(encoding="utf-8")
            ),
            definition_substitutions=dict(substitutions),
            role=self.role,
            tracing_enabled=True,
            logs=sfn.LogOptions(destination=group, level=sfn.LogLevel.ALL, include_execution_data=True),
        )
        Validations.of(self.role).acknowledge(
            Acknowledgment(
                id="AwsSolutions-IAM5[Resource::*]",
                reason="Log delivery and X-Ray know no resource; the CDK's own permissions.",
            )
        )

    @property
    def failures(self) -> cloudwatch.IMetric:
        """Executions that have failed, by the minute."""
        return self.machine.metric_failed(period=Duration.minutes(1), statistic=cloudwatch.Stats.SUM)
