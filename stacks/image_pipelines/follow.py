"""The rule by which a pipeline builds when its parent has a new AMI."""

from typing import Protocol

from aws_cdk import Stack
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_imagebuilder as imagebuilder
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from stacks.image_pipelines.names import IMAGE_CHANGED


class Parent(Protocol):
    """A pipeline that others build on."""

    name: str
    recipe_name: str


def follow(
    scope: Construct,
    name: str,
    pipeline: imagebuilder.CfnImagePipeline,
    parent: Parent,
    *,
    role: iam.IRole,
    undelivered: sqs.IQueue,
) -> events.CfnRule:
    """Starts a build when the parent has a new AMI, which its parameter holds by then.

    A schedule would see it a step later; and it compares base images and components only, of which the machine that
    builds a container is neither (https://docs.aws.amazon.com/imagebuilder/latest/APIReference/API_Schedule.html).

    Args:
        name: of the pipeline in the settings.
        undelivered: where an event ends that could not start it.
    """
    images = Stack.of(scope).format_arn(service="imagebuilder", resource=f"image/{parent.recipe_name}/")
    rule = events.CfnRule(
        scope,
        "Follow",
        description=f"{name} is built when {parent.name} has a new AMI",
        event_pattern={
            "source": ["aws.imagebuilder"],
            "detail-type": [IMAGE_CHANGED],
            "resources": [{"prefix": images}],
            "detail": {"state": {"status": ["AVAILABLE"]}},
        },
        targets=[
            {
                "arn": pipeline.attr_arn,
                "id": "Pipeline",
                "roleArn": role.role_arn,
                "deadLetterConfig": {"arn": undelivered.queue_arn},
                "retryPolicy": {"maximumEventAgeInSeconds": 7200, "maximumRetryAttempts": 3},
            }
        ],
    )
    rule.node.add_dependency(role)
    return rule
