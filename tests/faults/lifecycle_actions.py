"""CompleteLifecycleAction, which moto lacks, over moto's own memory, which the copies of a world take along.

An action is completed once, and refused then as EC2 Auto Scaling does; what comes of it, the emulator's model says.
"""

from typing import Any

from moto.autoscaling.exceptions import AutoscalingClientError
from moto.autoscaling.responses import AutoScalingResponse
from moto.backends import get_backend
from moto.core.responses import EmptyResult

from emulator.models.lifecycle import LAUNCHING, TERMINATING, Wait

TRANSITIONS = {"Pending:Wait": LAUNCHING, "Terminating:Wait": TERMINATING}


def group(name: str) -> Any:
    """Moto's own memory of a group."""
    return get_backend("autoscaling")["123456789012"]["us-east-1"].autoscaling_groups[name]


def _complete(response: Any) -> EmptyResult:
    instance_id, result = response._get_param("InstanceId"), response._get_param("LifecycleActionResult")
    for member in group(response._get_param("AutoScalingGroupName")).instance_states:
        if member.instance_id == instance_id and member.lifecycle_state in TRANSITIONS:
            wait = Wait("", instance_id, TRANSITIONS[member.lifecycle_state])
            wait.complete(response._get_param("LifecycleHookName"), result)
            launched = "Terminating" if wait.abandoned else "InService"
            member.lifecycle_state = launched if wait.transition == LAUNCHING else "Terminating:Proceed"
            return EmptyResult()
    raise AutoscalingClientError("ValidationError", f"No active Lifecycle Action found with instance ID {instance_id}")


AutoScalingResponse.complete_lifecycle_action = _complete
