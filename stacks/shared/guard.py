"""A change that would destroy or replace what must stay is stopped, and told the way that works.

Synth cannot: it does not know what is deployed.
"""

from collections.abc import Mapping
from typing import Any

from aws_cdk import Duration
from aws_cdk import aws_iam as iam
from constructs import IConstruct

from stacks.shared.lifecycle import LifecycleResource
from stacks.shared.python_function import PythonFunction
from stacks.shared.solution import SolutionStack

FUNCTION = "GuardFunction"
TIMEOUT_SECONDS = 60


class Guard(LifecycleResource):
    """Fails an update that changes a guarded property, before CloudFormation touches anything that depends on it.

    Guard the properties whose change replaces the resource, with the very values that the resource has. Rollbacks
    pass. One function serves all guards of a stack.

    Args:
        of: what is guarded. It depends on the guard, so that the guard is asked first.
        subject: what it is in words, for the message.
        guarded: property name to value; references are compared as what they are at deployment.
        way: what to do instead, a sentence or two for the message.
        accepted: whether the change is to pass all the same; a key ``accept_...`` of the settings.
    """

    def __init__(
        self,
        scope: SolutionStack,
        construct_id: str,
        *,
        of: IConstruct,
        subject: str,
        guarded: Mapping[str, Any],
        way: str,
        accepted: bool,
    ) -> None:
        function = _function(scope)
        super().__init__(
            scope,
            construct_id,
            kind="Guard",
            function=function,
            timeout=Duration.seconds(3 * TIMEOUT_SECONDS),
            properties={"Subject": subject, "Guarded": guarded, "Way": way, "Accepted": accepted},
        )
        of.node.add_dependency(self)


def _function(stack: SolutionStack) -> PythonFunction:
    found = stack.node.try_find_child(FUNCTION)
    if isinstance(found, PythonFunction):
        return found
    function = PythonFunction(
        stack,
        FUNCTION,
        handler="guard",
        shared=True,
        description="Stops an update that would replace what must stay",
        environment={},
        timeout_seconds=TIMEOUT_SECONDS,
    )
    function.own_role.add_to_policy(
        iam.PolicyStatement(actions=["cloudformation:DescribeStacks"], resources=[stack.stack_id])
    )
    return function
