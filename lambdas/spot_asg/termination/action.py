"""A lifecycle action of a terminating instance, and what its refusal means. No AWS in here."""

import json
from dataclasses import dataclass
from typing import Any

TERMINATING = "autoscaling:EC2_INSTANCE_TERMINATING"


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


def is_over(code: str, message: str) -> bool:
    """Whether the refusal of a completion says that the action is not open any more: completed, timed out, or moot.

    The group, or the instance, may be gone altogether; each is answered as a ValidationError.
    """
    return code == "ValidationError" and any(
        sign in message for sign in ("No active Lifecycle Action", "AutoScalingGroup name not found")
    )
