"""CompleteLifecycleAction, which moto lacks: an action is completed once, and refused then as EC2 Auto Scaling does."""

from typing import Any

from moto.autoscaling.exceptions import AutoscalingClientError
from moto.autoscaling.responses import AutoScalingResponse
from moto.backends import get_backend
from moto.core.responses import EmptyResult

AFTER = {
    ("Pending:Wait", "CONTINUE"): "InService",
    ("Pending:Wait", "ABANDON"): "Terminating",
    ("Terminating:Wait", "CONTINUE"): "Terminating:Proceed",
    ("Terminating:Wait", "ABANDON"): "Terminating:Proceed",
}
"""Where a waiting instance goes: https://docs.aws.amazon.com/autoscaling/ec2/userguide/lifecycle-hooks-overview.html"""


def group(name: str) -> Any:
    """Moto's own memory of a group."""
    return get_backend("autoscaling")["123456789012"]["us-east-1"].autoscaling_groups[name]


def _complete(response: Any) -> EmptyResult:
    instance_id, result = response._get_param("InstanceId"), response._get_param("LifecycleActionResult")
    for member in group(response._get_param("AutoScalingGroupName")).instance_states:
        if member.instance_id == instance_id and (member.lifecycle_state, result) in AFTER:
            member.lifecycle_state = AFTER[member.lifecycle_state, result]
            return EmptyResult()
    raise AutoscalingClientError("ValidationError", f"No active Lifecycle Action found with instance ID {instance_id}")


AutoScalingResponse.complete_lifecycle_action = _complete
