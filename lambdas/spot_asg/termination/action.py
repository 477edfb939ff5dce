"""A lifecycle action of a terminating instance, what its refusal means, and the end that follows. No AWS in here."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

TERMINATING = "autoscaling:EC2_INSTANCE_TERMINATING"
ENDED = "EC2 Instance Terminate Successful"
SHORT_LIVED, SHORT_LIFE_SECONDS = "ShortLivedInstances", 900


@dataclass(frozen=True)
class LifecycleAction:
    """What an instance in ``Terminating:Wait`` waits for."""

    group: str
    hook: str
    instance_id: str
    token: str

    @classmethod
    def of(cls, body: str) -> "LifecycleAction | None":
        """Returns the action that an event of EventBridge, as JSON, is about; None when it is about something else.

        https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-event-reference.html

        Raises:
            KeyError, TypeError, ValueError: it is no event, or lacks what belongs to one.
        """
        event: Any = json.loads(body)
        detail = event["detail"]
        if event["source"] != "aws.autoscaling" or detail["LifecycleTransition"] != TERMINATING:
            return None
        return cls(
            detail["AutoScalingGroupName"],
            detail["LifecycleHookName"],
            detail["EC2InstanceId"],
            detail["LifecycleActionToken"],
        )


@dataclass(frozen=True)
class Ending:
    """An instance that its group has terminated."""

    group: str
    instance_id: str
    time: datetime

    @classmethod
    def of(cls, body: str) -> "Ending | None":
        """Returns the end that an event of EventBridge, as JSON, is about; None when it is about something else.

        The page is the same.

        Raises:
            KeyError, TypeError, ValueError: it is no event, or lacks what belongs to one.
        """
        event: Any = json.loads(body)
        if event["source"] != "aws.autoscaling" or event.get("detail-type") != ENDED:
            return None
        detail = event["detail"]
        return cls(detail["AutoScalingGroupName"], detail["EC2InstanceId"], datetime.fromisoformat(event["time"]))

    def is_early(self, launched: datetime) -> bool:
        """Whether the instance lived so shortly that it hardly served: its bootstrap has failed, for example."""
        return (self.time - launched).total_seconds() < SHORT_LIFE_SECONDS


def is_over(code: str, message: str) -> bool:
    """Whether the refusal of a completion says that the action is not open any more: completed, timed out, or moot.

    The group, or the instance, may be gone altogether; each is answered as a ValidationError. The words for an action
    that is over are those of https://github.com/spacelift-io/terraform-aws-spacelift-workerpool-on-ec2/pull/197.
    """
    return code == "ValidationError" and any(
        sign in message for sign in ("No active Lifecycle Action", "AutoScalingGroup name not found")
    )
