"""The EC2 and Auto Scaling APIs that moto lacks or answers too simply, each as much as its callers need."""

import time
from typing import Any

from emulator import scaling, seams
from emulator.instancetypes import matching
from emulator.minutes import DESIRED, GROUP_METRICS


def get_instance_types_from_instance_requirements(parameters: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_GetInstanceTypesFromInstanceRequirements.html."""
    found = matching(
        parameters["InstanceRequirements"],
        parameters.get("ArchitectureTypes") or [],
        parameters.get("VirtualizationTypes") or [],
    )
    return {"InstanceTypes": [{"InstanceType": name} for name in found]}


def set_desired_capacity(parameters: dict[str, Any]) -> None:
    """https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_SetDesiredCapacity.html."""
    group = scaling.group_named(parameters["AutoScalingGroupName"])
    desired = int(parameters["DesiredCapacity"])
    if not int(group.min_size) <= desired <= int(group.max_size):
        side, limit = ("above max", group.max_size) if desired > int(group.max_size) else ("below min", group.min_size)
        message = f"New SetDesiredCapacity value {desired} is {side} value {limit} for the AutoScalingGroup."
        raise seams.client_error("ValidationError", message)
    scaling.set_capacity(group, desired)


def terminate_instance_in_auto_scaling_group(parameters: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_TerminateInstanceInAutoScalingGroup.html.

    The instance passes its hooks; unless the capacity shrinks with it, another takes its place at once.
    """
    instance_id = parameters["InstanceId"]
    for group in seams.groups().autoscaling_groups.values():
        for member in group.instance_states:
            if member.instance_id == instance_id:
                shrink = str(parameters.get("ShouldDecrementDesiredCapacity", False)).lower() == "true"
                if shrink and int(group.desired_capacity) <= int(group.min_size):
                    message = "Terminating instance without replacement will violate group's min size constraint."
                    raise seams.client_error("ValidationError", message)
                if not member.lifecycle_state.startswith("Terminating"):
                    scaling.retire(group, member)
                    scaling.set_capacity(group, int(group.desired_capacity) - shrink)
                return {"Activity": {"AutoScalingGroupName": group.name, "StatusCode": "InProgress"}}
    raise seams.client_error(
        "ValidationError", f"Instance Id not found - No managed instance found for instance ID {instance_id}"
    )


def complete_lifecycle_action(parameters: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_CompleteLifecycleAction.html."""
    wait, action = _open_action(parameters)
    wait.complete(action.hook.name, parameters["LifecycleActionResult"])
    scaling.settle()
    return {}


def record_lifecycle_action_heartbeat(parameters: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_RecordLifecycleActionHeartbeat.html."""
    _open_action(parameters)[1].heartbeat(time.time())
    return {}


def _open_action(parameters: dict[str, Any]) -> Any:
    scaling.settle()
    try:
        return scaling.waits().action(
            parameters["AutoScalingGroupName"],
            parameters["LifecycleHookName"],
            parameters.get("InstanceId"),
            parameters.get("LifecycleActionToken"),
        )
    except LookupError as error:
        raise seams.client_error("ValidationError", str(error)) from error


def delete_auto_scaling_group(parameters: dict[str, Any]) -> None:
    """https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_DeleteAutoScalingGroup.html.

    "If the group has instances or scaling activities in progress, you must specify the option to force the deletion in
    order for it to succeed." A forced deletion here terminates the instances without their hooks.
    """
    group = scaling.group_named(parameters["AutoScalingGroupName"])
    if group.instance_states and str(parameters.get("ForceDelete", False)).lower() != "true":
        message = "You cannot delete an AutoScalingGroup while there are instances still in the group."
        raise seams.client_error("ResourceInUse", message)
    for member in list(group.instance_states):
        scaling.terminate(group, member.instance_id)
    backend = seams.groups()
    for hook in backend.describe_lifecycle_hooks(group.name):
        backend.delete_lifecycle_hook(group.name, hook.name)
    for policy in backend.describe_policies(group.name):
        backend.delete_policy(policy.name)
    del backend.autoscaling_groups[group.name]


def enable_metrics_collection(parameters: dict[str, Any]) -> None:
    """https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_EnableMetricsCollection.html.

    "If you specify Granularity and don't specify any metrics, all metrics are enabled." Here all that are published.
    """
    group = scaling.group_named(parameters["AutoScalingGroupName"])
    group.metrics = sorted({*group.metrics, *(parameters.get("Metrics") or (DESIRED, *GROUP_METRICS))})


def execute_policy(parameters: dict[str, Any]) -> None:
    """https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_ExecutePolicy.html."""
    name = parameters["PolicyName"].rsplit("policyName/", 1)[-1]
    threshold = float(parameters.get("BreachThreshold") or 0)
    scaling.execute_policy(name, float(parameters.get("MetricValue") or threshold), threshold)


def install() -> None:
    """Puts them into moto."""
    seams.serve_action(
        "ec2", "get_instance_types_from_instance_requirements", get_instance_types_from_instance_requirements
    )
    for action in (
        set_desired_capacity,
        terminate_instance_in_auto_scaling_group,
        complete_lifecycle_action,
        record_lifecycle_action_heartbeat,
        delete_auto_scaling_group,
        enable_metrics_collection,
        execute_policy,
    ):
        seams.serve_action("autoscaling", action.__name__, action)
    seams.answer_policy_arns()
