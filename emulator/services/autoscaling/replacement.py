"""Which instances a group replaces, and which it leaves alone meanwhile (our model).

- https://docs.aws.amazon.com/autoscaling/ec2/userguide/health-checks-overview.html: by its EC2 health checks any state
  but *running* is unhealthy; "it terminates the instance and launches a new one". Here all groups are looked at once a
  minute, where AWS needs one or two. What target groups say of an instance is not judged.
- https://docs.aws.amazon.com/autoscaling/ec2/userguide/as-enter-exit-standby.html: an instance on standby leaves its
  target groups, "Amazon EC2 Auto Scaling does not perform health checks on" it, and it counts for no capacity.
- https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-capacity-rebalancing.html: what a group makes
  of a notice that EC2 wants a Spot Instance back. A new instance passes its health checks when its launching hooks are
  over.
"""

from collections.abc import Iterator
from typing import Any

from emulator.core.api import Json, Operation, client_error
from emulator.core.store import Store
from emulator.models.lifecycle import LAUNCHING
from emulator.services.autoscaling import model
from emulator.services.autoscaling.patches import groups, leave_target_groups
from emulator.services.ec2.spot import INTERRUPTION

STANDBY, IN_SERVICE = "Standby", "InService"

# New instance -> the one at risk that it replaces.
_replaces: Store[dict[str, str]] = Store(dict)


# --- health -----------------------------------------------------------------------------------------------------------


def replace_unhealthy() -> None:
    """Ends the members that are unhealthy, and launches others for them."""
    for group in list(groups().autoscaling_groups.values()):
        suspended = model.suspended(group)
        for member in list(group.instance_states):
            if member.lifecycle_state != IN_SERVICE:
                continue
            if "HealthCheck" not in suspended and member.instance.state != "running":
                member.health_status = "Unhealthy"
            if member.health_status == "Unhealthy" and "ReplaceUnhealthy" not in suspended:
                model.retire(group, member)
                model.set_capacity(group, group.desired_capacity)


# --- standby ----------------------------------------------------------------------------------------------------------


def enter_standby(parameters: Json) -> Json:
    """https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_EnterStandby.html."""
    group = model.group_named(parameters["AutoScalingGroupName"])
    members = list(_members(group, parameters["InstanceIds"], IN_SERVICE))
    shrink = str(parameters["ShouldDecrementDesiredCapacity"]).lower() == "true"
    desired = int(group.desired_capacity) - len(members) * shrink
    if desired < int(group.min_size):
        raise client_error("ValidationError", f"{_sizes(group)} To place into standby {_update(members)}")
    for member in members:
        leave_target_groups(group, member.instance_id)
        member.lifecycle_state = STANDBY
    model.set_capacity(group, desired)
    return _activities(group, members)


def exit_standby(parameters: Json) -> Json:
    """https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_ExitStandby.html.

    The desired capacity grows with each; "the maximum capacity" bounds it.
    """
    group = model.group_named(parameters["AutoScalingGroupName"])
    members = list(_members(group, parameters["InstanceIds"], STANDBY))
    desired = int(group.desired_capacity) + len(members)
    if desired > int(group.max_size):
        raise client_error("ValidationError", f"{_sizes(group)} To take out of standby {_update(members)}")
    for member in members:
        if not model.begin_wait(group, member, LAUNCHING):
            model.enter_service(group, member.instance_id)
    model.set_capacity(group, desired)
    return _activities(group, members)


def _members(group: Any, instance_ids: list[str], state: str) -> Iterator[Any]:
    """The members of these ids. Raises a ValidationError where one is missing or in another state."""
    found = {member.instance_id: member for member in group.instance_states}
    for instance_id in instance_ids:
        if instance_id not in found:
            raise client_error("ValidationError", f"The instance {instance_id} is not part of Auto Scaling group")
        if found[instance_id].lifecycle_state != state:
            raise client_error("ValidationError", f"The instance {instance_id} is not in {state}.")
        yield found[instance_id]


def _sizes(group: Any) -> str:
    sizes = f"min-size={group.min_size}, max-size={group.max_size}, and desired-size={group.desired_capacity}"
    return f"AutoScalingGroup {group.name} has {sizes}."


def _update(members: list[Any]) -> str:
    return f"{len(members)} instance(s), please update the AutoScalingGroup sizes appropriately."


def _activities(group: Any, members: list[Any]) -> Json:
    one = {"AutoScalingGroupName": group.name, "StatusCode": "InProgress"}
    return {"Activities": [{**one, "Description": f"Moving EC2 instance: {item.instance_id}"} for item in members]}


# --- Spot -------------------------------------------------------------------------------------------------------------


def spot_notice(instance_id: str, kind: str) -> bool:
    """What Capacity Rebalancing makes of a notice of EC2; False without it."""
    for group in groups().autoscaling_groups.values():
        for member in group.instance_states:
            if member.instance_id == instance_id and group.capacity_rebalance:
                if not member.lifecycle_state.startswith("Terminating"):
                    _replace(group, member, at_once=kind == INTERRUPTION)
                return True
    return False


def _replace(group: Any, member: Any, *, at_once: bool) -> None:
    """Launches another; the instance goes at once, or when the other is in service."""
    if at_once:
        model.retire(group, member)
        model.set_capacity(group, group.desired_capacity)
        return
    before = {other.instance_id for other in group.instance_states}
    model.launch(group, 1)
    for other in list(group.instance_states):
        if other.instance_id not in before:
            _replaces.here()[other.instance_id] = member.instance_id
            in_service(group, other)


def in_service(group: Any, new: Any) -> None:
    """Retires the instance at risk that a new one replaces, once that is in service."""
    old = _replaces.here().get(new.instance_id) if new.lifecycle_state == IN_SERVICE else None
    for member in list(group.instance_states):
        if member.instance_id == old:
            del _replaces.here()[new.instance_id]
            model.retire(group, member)


# The model of groups asks this, and knows nothing of replacements.
model.arrivals.append(in_service)

OPERATIONS: dict[str, Operation] = {"enter_standby": enter_standby, "exit_standby": exit_standby}
