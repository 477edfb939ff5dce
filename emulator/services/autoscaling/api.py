"""The Auto Scaling APIs that moto lacks or answers too simply, each as much as its callers need."""

import time
from typing import Any

from emulator.core.api import Operation, client_error
from emulator.services.autoscaling import model, policies, warm_pools
from emulator.services.autoscaling.patches import groups, settings
from emulator.services.autoscaling.policies import DESIRED, GROUP_METRICS


def set_desired_capacity(parameters: dict[str, Any]) -> None:
    """https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_SetDesiredCapacity.html."""
    group = model.group_named(parameters["AutoScalingGroupName"])
    desired = int(parameters["DesiredCapacity"])
    if not int(group.min_size) <= desired <= int(group.max_size):
        side, limit = ("above max", group.max_size) if desired > int(group.max_size) else ("below min", group.min_size)
        message = f"New SetDesiredCapacity value {desired} is {side} value {limit} for the AutoScalingGroup."
        raise client_error("ValidationError", message)
    model.set_capacity(group, desired)


def terminate_instance_in_auto_scaling_group(parameters: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_TerminateInstanceInAutoScalingGroup.html.

    The instance passes its hooks; unless the capacity shrinks with it, another takes its place at once.
    """
    instance_id = parameters["InstanceId"]
    for group in groups().autoscaling_groups.values():
        for member in group.instance_states:
            if member.instance_id == instance_id:
                shrink = str(parameters.get("ShouldDecrementDesiredCapacity", False)).lower() == "true"
                if shrink and int(group.desired_capacity) <= int(group.min_size):
                    message = "Terminating instance without replacement will violate group's min size constraint."
                    raise client_error("ValidationError", message)
                if not member.lifecycle_state.startswith("Terminating"):
                    model.retire(group, member)
                    model.set_capacity(group, int(group.desired_capacity) - shrink)
                return {"Activity": {"AutoScalingGroupName": group.name, "StatusCode": "InProgress"}}
    raise client_error(
        "ValidationError", f"Instance Id not found - No managed instance found for instance ID {instance_id}"
    )


def complete_lifecycle_action(parameters: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_CompleteLifecycleAction.html."""
    wait, action = _open_action(parameters)
    wait.complete(action.hook.name, parameters["LifecycleActionResult"])
    model.settle()
    return {}


def record_lifecycle_action_heartbeat(parameters: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_RecordLifecycleActionHeartbeat.html."""
    _open_action(parameters)[1].heartbeat(time.time())
    return {}


def _open_action(parameters: dict[str, Any]) -> Any:
    model.settle()
    try:
        return model.waits.here().action(
            parameters["AutoScalingGroupName"],
            parameters["LifecycleHookName"],
            parameters.get("InstanceId"),
            parameters.get("LifecycleActionToken"),
        )
    except LookupError as error:
        raise client_error("ValidationError", str(error)) from error


def delete_auto_scaling_group(parameters: dict[str, Any]) -> None:
    """https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_DeleteAutoScalingGroup.html.

    "If the group has instances or scaling activities in progress, you must specify the option to force the deletion in
    order for it to succeed." A forced deletion here terminates the instances without their hooks.
    """
    group = model.group_named(parameters["AutoScalingGroupName"])
    if group.instance_states and str(parameters.get("ForceDelete", False)).lower() != "true":
        message = "You cannot delete an AutoScalingGroup while there are instances still in the group."
        raise client_error("ResourceInUse", message)
    for member in list(group.instance_states):
        model.terminate(group, member.instance_id)
    backend = groups()
    for hook in backend.describe_lifecycle_hooks(group.name):
        backend.delete_lifecycle_hook(group.name, hook.name)
    for policy in backend.describe_policies(group.name):
        backend.delete_policy(policy.name)
    del backend.autoscaling_groups[group.name]
    settings.here().pop(group.name, None)


def enable_metrics_collection(parameters: dict[str, Any]) -> None:
    """https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_EnableMetricsCollection.html.

    "If you specify Granularity and don't specify any metrics, all metrics are enabled." Here all that are published.
    """
    group = model.group_named(parameters["AutoScalingGroupName"])
    group.metrics = sorted({*group.metrics, *(parameters.get("Metrics") or (DESIRED, *GROUP_METRICS))})


def execute_policy(parameters: dict[str, Any]) -> None:
    """https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_ExecutePolicy.html."""
    name = parameters["PolicyName"].rsplit("policyName/", 1)[-1]
    threshold = float(parameters.get("BreachThreshold") or 0)
    policies.execute_policy(name, float(parameters.get("MetricValue") or threshold), threshold)


OPERATIONS: dict[str, Operation] = {
    operation.__name__: operation
    for operation in (
        set_desired_capacity,
        terminate_instance_in_auto_scaling_group,
        complete_lifecycle_action,
        record_lifecycle_action_heartbeat,
        delete_auto_scaling_group,
        enable_metrics_collection,
        execute_policy,
        warm_pools.put_warm_pool,
        warm_pools.describe_warm_pool,
        warm_pools.delete_warm_pool,
    )
}
