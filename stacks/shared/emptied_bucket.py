"""A bucket that `cdk destroy` can delete although something was put into it at run time."""

from typing import cast

from aws_cdk import CfnElement
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from constructs import Construct

from stacks.shared.grants import allow_on_pattern
from stacks.shared.lifecycle import LifecycleResource
from stacks.shared.python_function import PythonFunction
from stacks.shared.solution import SolutionStack

FUNCTION = "BucketEmptier"


class EmptiedBucket(LifecycleResource):
    """Empties a bucket when the stack, or this resource, is deleted. One function serves all of a stack.

    Whoever writes into the bucket must depend on this, so that it is gone by then: CloudFormation deletes in the
    opposite order. A bucket with versions is not emptied of the old ones.
    """

    def __init__(self, stack: SolutionStack, scope: Construct, construct_id: str, *, bucket: s3.Bucket) -> None:
        function = _function(stack)
        function.own_role.add_to_policy(iam.PolicyStatement(actions=["s3:ListBucket"], resources=[bucket.bucket_arn]))
        allow_on_pattern(
            function.own_role,
            "s3:DeleteObject",
            arn=bucket.arn_for_objects("*"),
            shown=f"<{stack.get_logical_id(cast(CfnElement, bucket.node.default_child))}.Arn>/*",
            reason="Emptying takes every object of this one bucket.",
        )
        super().__init__(
            scope,
            construct_id,
            kind="EmptiedBucket",
            function=function,
            properties={"BucketName": bucket.bucket_name},
        )


def _function(stack: SolutionStack) -> PythonFunction:
    found = stack.node.try_find_child(FUNCTION)
    if isinstance(found, PythonFunction):
        return found
    return PythonFunction(
        stack,
        FUNCTION,
        handler="emptier",
        shared=True,
        description="Empties a bucket when the stack is destroyed",
        environment={},
        timeout_seconds=900,
    )
