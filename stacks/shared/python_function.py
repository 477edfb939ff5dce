"""The one way this app makes a Lambda function."""

from collections.abc import Mapping
from pathlib import Path

from aws_cdk import Duration, IgnoreMode
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_

from stacks.shared.solution import SolutionStack

LAMBDAS = Path(__file__).parents[2] / "lambdas"


class PythonFunction(lambda_.Function):
    """A Python function on arm64 that carries lambdas/shared and its solution's folder, and nothing else.

    Its role may write to its own log group; every other right is granted by the stack.

    Args:
        handler: folder of the handler below the solution's, for example ``metric_publisher``.
        shared: whether that folder is below lambdas/shared instead; the function then carries nothing else.
        timeout_seconds: at most 900.
        memory_mib: 128 to 10,240 MiB.
        asks_itself: whether it sends messages to the queue that it reads, and sees to their end: Lambda takes that for
            an endless loop and drops the seventeenth
            (https://docs.aws.amazon.com/lambda/latest/dg/invocation-recursion.html).

    Attributes:
        own_role: the function's role.
    """

    def __init__(
        self,
        scope: SolutionStack,
        construct_id: str,
        *,
        handler: str,
        description: str,
        environment: Mapping[str, str],
        timeout_seconds: int = 30,
        memory_mib: int = 256,
        shared: bool = False,
        asks_itself: bool = False,
    ) -> None:
        slug = scope.solution.slug
        package = "shared" if shared else slug
        log_group = scope.log_group(scope, f"{construct_id}Logs")
        own_role = iam.Role(
            scope,
            f"{construct_id}Role",
            assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
            description=f"{description} ({slug})",
        )
        log_group.grant_write(own_role)
        if scope.encryption_key:  # for the environment
            scope.encryption_key.grant_decrypt(own_role)
        super().__init__(
            scope,
            construct_id,
            runtime=lambda_.Runtime.PYTHON_3_14,
            architecture=lambda_.Architecture.ARM_64,
            code=lambda_.Code.from_asset(
                str(LAMBDAS),
                exclude=["/*", "!/shared", f"!/{package}", "__pycache__", "*.pyc"],
                ignore_mode=IgnoreMode.GIT,
            ),
            handler=f"{package}.{handler}.handler.lambda_handler",
            description=description,
            environment=dict(environment),
            environment_encryption=scope.encryption_key,
            timeout=Duration.seconds(timeout_seconds),
            memory_size=memory_mib,
            recursive_loop=lambda_.RecursiveLoop.ALLOW if asks_itself else None,
            role=own_role,
            log_group=log_group,
            logging_format=lambda_.LoggingFormat.JSON,
            application_log_level_v2=lambda_.ApplicationLogLevel.INFO,
        )
        self.own_role = own_role
