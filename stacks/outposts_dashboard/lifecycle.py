"""What a deployment starts and a deletion removes: a custom resource, and the function behind it."""

from collections.abc import Mapping

from aws_cdk import CustomResource, Duration
from constructs import Construct

from stacks.shared.lifecycle import LifecycleResource
from stacks.shared.python_function import PythonFunction
from stacks.shared.solution import SolutionStack

TIMEOUT_SECONDS = 900


def lifecycle(
    stack: SolutionStack, scope: Construct, properties: Mapping[str, str]
) -> tuple[PythonFunction, CustomResource]:
    """Returns the function, still without permissions, and the resource; what starts a refresh must depend on it.

    Each way of refreshing has a function of its own: where ``refresh`` changes, the old one takes away what it has made
    after the new one has begun, and needs its rights until then.
    """
    function = PythonFunction(
        stack,
        f"{scope.node.id}Lifecycle",
        handler="lifecycle",
        description="Starts a refresh after a deployment, and removes the dashboards when the stack is deleted",
        environment={},
        timeout_seconds=TIMEOUT_SECONDS,
    )
    begun = LifecycleResource(
        scope,
        "Begun",
        kind="Dashboards",
        function=function,
        properties=properties,
        timeout=Duration.seconds(TIMEOUT_SECONDS + 100),
    )
    return function, begun
