"""The rules by which pipelines build when their parent has a new AMI."""

from collections.abc import Sequence
from typing import Protocol

from aws_cdk import Stack
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_imagebuilder as imagebuilder
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from stacks.image_pipelines.cascade import MOST_FOLLOWERS
from stacks.image_pipelines.names import IMAGE_CHANGED


class Follower(Protocol):
    """A pipeline, with the names of itself and of its images."""

    name: str
    recipe_name: str
    pipeline: imagebuilder.CfnImagePipeline


def follow(
    scope: Construct, parent: Follower, children: Sequence[Follower], *, role: iam.IRole, undelivered: sqs.IQueue
) -> list[events.CfnRule]:
    """Starts builds when the parent has a new AMI, which its parameter holds by then.

    A schedule would see it a step later; and it compares base images and components only, of which the machine that
    builds a container is neither (https://docs.aws.amazon.com/imagebuilder/latest/APIReference/API_Schedule.html).

    Args:
        children: what is built, in the order of the settings: one that is added at the end moves no other.
        undelivered: where an event ends that could not start one.
    """
    images = Stack.of(scope).format_arn(service="imagebuilder", resource=f"image/{parent.recipe_name}/")
    rules = []
    for first in range(0, len(children), MOST_FOLLOWERS):
        some = children[first : first + MOST_FOLLOWERS]
        rule = events.CfnRule(
            scope,
            f"Follow{first // MOST_FOLLOWERS + 1}",
            description=f"A new AMI of {parent.name} starts builds of {', '.join(child.name for child in some)}",
            event_pattern={
                "source": ["aws.imagebuilder"],
                "detail-type": [IMAGE_CHANGED],
                "resources": [{"prefix": images}],
                "detail": {"state": {"status": ["AVAILABLE"]}},
            },
            targets=[
                {
                    "arn": child.pipeline.attr_arn,
                    "id": child.name,
                    "roleArn": role.role_arn,
                    "deadLetterConfig": {"arn": undelivered.queue_arn},
                    # Often: fifty builds that start at once are throttled.
                    "retryPolicy": {"maximumEventAgeInSeconds": 7200, "maximumRetryAttempts": 20},
                }
                for child in some
            ],
        )
        rule.node.add_dependency(role)
        rules.append(rule)
    return rules
