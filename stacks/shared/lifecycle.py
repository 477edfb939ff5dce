"""A custom resource of ours: CloudFormation calls a function when it creates, updates or deletes it."""

from collections.abc import Mapping
from typing import Any

from aws_cdk import CustomResource, Duration
from constructs import Construct

from stacks.shared.python_function import PythonFunction


class LifecycleResource(CustomResource):
    """A custom resource whose function has its rights before it, and keeps them until after its end.

    Args:
        kind: of the type ``Custom::<kind>``.
        timeout: how long CloudFormation waits for an answer: an hour, unless it is told otherwise.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        kind: str,
        function: PythonFunction,
        properties: Mapping[str, Any],
        timeout: Duration | None = None,
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            resource_type=f"Custom::{kind}",
            service_token=function.function_arn,
            service_timeout=timeout,
            properties=dict(properties),
        )
        self.node.add_dependency(function.own_role)
