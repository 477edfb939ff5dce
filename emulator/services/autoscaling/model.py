"""Auto Scaling groups whose instances exist, wait for hooks and follow policies (our model over moto's groups).

Follows https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-lifecycle.html. Launches and
terminations take no time.
"""

import time
from collections.abc import Callable
from typing import Any

from moto.autoscaling.models import FakeAutoScalingGroup
from moto.autoscaling.responses import AutoScalingResponse

from emulator.core.api import call, client_error
from emulator.core.events import put_event
from emulator.core.patch import patch
from emulator.core.store import Store, request_scope
from emulator.models.lifecycle import LAUNCHING, TERMINATING, Action, Hook, Wait, Waits
from emulator.services.autoscaling import zones
from emulator.services.autoscaling.launches import run
from emulator.services.autoscaling.patches import (
    allocation,
    groups,
    leave_target_groups,
    settings,
    settings_of,
    shown,
)
from emulator.services.autoscaling.patches import enter_service as register

# What warm pools add (warm_pools.py): instances that are ready (group, count -> how many it supplied), and instances
# that have waited for a launching hook without being meant for service yet (group, wait -> whether it was one of them).
suppliers: list[Callable[[Any, int], int]] = []
keepers: list[Callable[[Any, Wait], bool]] = []
# What follows when an instance is in service (group, member).
arrivals: list[Callable[[Any, Any], None]] = []

# Waiting instances.
waits: Store[Waits] = Store(Waits)


def group_named(name: str) -> Any:
    """moto's group of that name. Raises a ValidationError as the API answers it."""
    found = groups().autoscaling_groups.get(name)
    if found is None:
        raise client_error("ValidationError", f"AutoScalingGroup name not found - {name}")
    return found


def suspended(group: Any) -> set[str]:
    """The processes of a group that were suspended."""
    # moto keeps names, and makes mappings of them when the group is shown.
    return {process if isinstance(process, str) else process["ProcessName"] for process in group.suspended_processes}


# --- capacity ---------------------------------------------------------------------------------------------------------


def set_capacity(group: Any, desired: int | None) -> None:
    """Launches or retires instances until as many are on their way or in service as are desired.

    Instances that wait to be terminated do not count: "the instance is detached from the group and enters the
    Terminating state" (ec2-auto-scaling-lifecycle.html). Those on standby neither.
    """
    group.desired_capacity = group.min_size if desired is None else desired
    members = _counted(group)
    missing = (group.desired_capacity or 0) - len(members)
    if missing > 0:
        launch(group, missing)
    elif missing < 0:
        unprotected = [member for member in members if not member.protected_from_scale_in]
        for member in zones.scale_in_order(group, unprotected)[:-missing]:
            retire(group, member)


def _counted(group: Any) -> list[Any]:
    return [item for item in group.instance_states if not item.lifecycle_state.startswith(("Standby", "Terminating"))]


def relaunch() -> None:
    """Launches what groups lack after launches that were given up, and that are not replaced at once.

    EC2 Auto Scaling "limits the rate at which it allows instances to launch if the lifecycle hooks are failing
    consistently" (https://docs.aws.amazon.com/autoscaling/ec2/userguide/lifecycle-hooks.html). Here the next one comes
    at the end of the minute.
    """
    for group in list(groups().autoscaling_groups.values()):
        missing = (group.desired_capacity or 0) - len(_counted(group))
        if missing > 0 and "Launch" not in suspended(group):
            launch(group, missing)


def launch(group: Any, count: int) -> None:
    """Adds instances to the group, running those that nobody supplies; each waits for its launching hooks."""
    for supply in suppliers:
        count -= supply(group, count)
    for member in run(group, count):
        group.instance_states.append(member)
        if not begin_wait(group, member, LAUNCHING):
            enter_service(group, member.instance_id)


# --- hooks and termination --------------------------------------------------------------------------------------------

# Follows https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-event-reference.html.
_EVENTS = {
    LAUNCHING: ("EC2 Instance-launch Lifecycle Action", "EC2", "AutoScalingGroup"),
    TERMINATING: ("EC2 Instance-terminate Lifecycle Action", "AutoScalingGroup", "EC2"),
}
_WAIT_STATES = {LAUNCHING: "Pending:Wait", TERMINATING: "Terminating:Wait"}


def begin_wait(
    group: Any, member: Any, transition: str, state: str | None = None, way: tuple[str, str] | None = None
) -> bool:
    """Lets an instance wait for the group's hooks of a transition; False if there are none.

    *state* and *way* (origin and destination) are those of the transition unless a warm pool is on the way.
    """
    hooks = [
        Hook(hook.name, hook.lifecycle_transition, int(hook.heartbeat_timeout), hook.default_result)
        for hook in groups().describe_lifecycle_hooks(group.name)
        if hook.lifecycle_transition == transition
    ]
    if not hooks:
        return False
    member.lifecycle_state = state or _WAIT_STATES[transition]
    for action in waits.here().begin(group.name, member.instance_id, hooks, time.time()):
        _announce_action(group, member.instance_id, action, way)
    return True


def _announce_action(group: Any, instance_id: str, action: Action, way: tuple[str, str] | None) -> None:
    detail_type, *usual = _EVENTS[action.hook.transition]
    origin, destination = way or usual
    detail = {
        "LifecycleActionToken": action.token,
        "AutoScalingGroupName": group.name,
        "LifecycleHookName": action.hook.name,
        "EC2InstanceId": instance_id,
        "LifecycleTransition": action.hook.transition,
        "Origin": origin,
        "Destination": destination,
    }
    put_event("aws.autoscaling", detail_type, detail, group.arn)


def retire(group: Any, member: Any) -> None:
    """Terminates an instance, after its terminating hooks if the group has any.

    Before, it "waits for the instance to deregister from the load balancer"
    (https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-capacity-rebalancing.html), which takes no
    time here.
    """
    leave_target_groups(group, member.instance_id)
    if not begin_wait(group, member, TERMINATING):
        terminate(group, member.instance_id)


def terminate(group: Any, instance_id: str) -> None:
    """Terminates an instance of a group at once."""
    waits.here().forget(instance_id)
    group.instance_states = [member for member in group.instance_states if member.instance_id != instance_id]
    call("ec2", "TerminateInstances", InstanceIds=[instance_id])
    detail = {
        "StatusCode": "InProgress",
        "Description": f"Terminating EC2 instance: {instance_id}",
        "AutoScalingGroupName": group.name,
        "EC2InstanceId": instance_id,
    }
    put_event("aws.autoscaling", "EC2 Instance Terminate Successful", detail, group.arn)


def instance_state_changed(instance_id: str, state: str) -> None:
    """An instance that EC2 terminated waits for nothing any more."""
    if state == "terminated":
        waits.here().forget(instance_id)


def settle(now: float | None = None) -> None:
    """Moves the instances of the request's account and Region on whose waits are over at *now* (epoch seconds).

    A launched instance enters service; one whose launch was abandoned is terminated, and another takes its place later.
    """
    waiting = waits.here()
    waiting.expire(time.time() if now is None else now)
    for wait in waiting.finished():
        group = groups().autoscaling_groups.get(wait.group)
        if group is None:
            continue
        if wait.transition == TERMINATING:
            terminate(group, wait.instance_id)
        elif any(keep(group, wait) for keep in keepers):
            pass
        elif wait.abandoned:
            terminate(group, wait.instance_id)  # ``relaunch`` brings another
        else:
            enter_service(group, wait.instance_id)


def enter_service(group: Any, instance_id: str) -> None:
    """An instance that waits for nothing any more does its work."""
    for member in list(group.instance_states):
        if member.instance_id == instance_id:
            register(group, member)
            for arrived in arrivals:
                arrived(group, member)


def seconds_in_service(member: Any) -> float | None:
    """For how long an instance has been in service; None if it is not."""
    if member.lifecycle_state != "InService":
        return None
    return time.monotonic() - getattr(member, "in_service_since", 0)  # 0: attached, and not launched by us


def settle_everywhere() -> None:
    """``settle`` for every account and Region; the clock calls it several times a second."""
    for scope, _ in waits.everywhere():
        with request_scope(*scope):
            settle()


def time_passed(seconds: float) -> None:
    """Nobody waited for these seconds; they count for the hooks."""
    for _, waiting in waits.everywhere():
        waiting.age(seconds)
    settle_everywhere()


def leave_removed_zones(group: Any) -> None:
    """Replaces the instances whose subnet the group may no longer use: new ones first, then the old ones go.

    Not while that process is suspended:
    https://docs.aws.amazon.com/autoscaling/ec2/userguide/as-suspend-resume-processes.html.
    """
    if "AZRebalance" in suspended(group):
        return
    usable = [name for name in (group.vpc_zone_identifier or "").split(",") if name]
    stranded = [
        member
        for member in group.instance_states
        if usable and member.instance.subnet_id not in usable and not member.lifecycle_state.startswith("Terminating")
    ]
    if stranded:
        launch(group, len(stranded))
    for member in stranded:
        retire(group, member)


# --- where moto's groups are told of it -------------------------------------------------------------------------------


@patch(FakeAutoScalingGroup, "set_desired_capacity", "self new_capacity")
def _set_desired_capacity(_original: Any, group: Any, desired: int | None) -> None:
    set_capacity(group, desired)


@patch(FakeAutoScalingGroup, "replace_autoscaling_group_instances", "self count_needed propagated_tags")
def _replace_instances(_original: Any, group: Any, count: int, _tags: Any) -> None:
    """Of instances that EC2 terminated."""
    launch(group, count)


@patch(AutoScalingResponse, "update_auto_scaling_group", "self")
def _updated(original: Any, response: Any) -> Any:
    """Keeps the settings of a group before it launches; instances leave the zones that it may no longer use."""
    parameters = response._get_params()
    with request_scope(response.current_account, response.region):
        kept = settings.here().setdefault(parameters["AutoScalingGroupName"], {})
        distribution = allocation(parameters, kept.get("InstancesDistribution") or {})
        kept.update(settings_of(parameters), InstancesDistribution=distribution)
        result = original(response)
        leave_removed_zones(shown(response))
    return result
