"""Warm pools of Auto Scaling groups (our model): instances that are prepared, stopped, and taken at scale-out.

Follows https://docs.aws.amazon.com/autoscaling/ec2/userguide/warm-pool-instance-lifecycle.html: with a launching hook
an instance waits in ``Warmed:Pending:Wait`` and, when it leaves the pool, again in ``Pending:Wait``. Not modelled:
instances that scale-in sends back to the pool, and a pool that shrinks.
"""

from typing import Any

from emulator.core.api import call
from emulator.models.lifecycle import LAUNCHING, Wait
from emulator.services.autoscaling import model
from emulator.services.autoscaling.launches import run
from emulator.services.autoscaling.patches import warm_members as members

_RESTING = {"Warmed:Stopped", "Warmed:Running", "Warmed:Hibernated"}


def wanted(group: Any) -> int:
    """How many instances the pool should have.

    https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_PutWarmPool.html: "the difference between the group's
    maximum capacity and its desired capacity", or between MaxGroupPreparedCapacity and the desired capacity, and at
    least MinSize.
    """
    pool = getattr(group, "warm_pool", None)  # a group launches before moto gives it the attribute
    if pool is None:
        return 0
    prepared = int(pool.max_group_prepared_capacity or -1)
    return max(int(pool.min_size), (int(group.max_size) if prepared < 0 else prepared) - int(group.desired_capacity))


def fill(group: Any) -> None:
    """Runs the instances that the pool lacks."""
    for member in run(group, max(0, wanted(group) - len(members(group)))):
        members(group).append(member)
        # https://docs.aws.amazon.com/autoscaling/ec2/userguide/warm-pools-eventbridge-events.html
        if not model.begin_wait(group, member, LAUNCHING, "Warmed:Pending:Wait", ("EC2", "WarmPool")):
            _rest(group, member)


def supply(group: Any, count: int) -> int:
    """Starts up to *count* instances of the pool for the group; returns how many. The pool is filled again."""
    ready = [member for member in members(group) if member.lifecycle_state in _RESTING][:count]
    for member in ready:
        members(group).remove(member)
        call("ec2", "StartInstances", InstanceIds=[member.instance_id])
        group.instance_states.append(member)
        if not model.begin_wait(group, member, LAUNCHING, way=("WarmPool", "AutoScalingGroup")):
            model.enter_service(group, member.instance_id)
    fill(group)
    return len(ready)


def keep(group: Any, wait: Wait) -> bool:
    """An instance of the pool has waited: it rests, or it is replaced. False if it is none of the pool's."""
    found = [member for member in members(group) if member.instance_id == wait.instance_id]
    for member in found:
        if wait.abandoned:
            members(group).remove(member)
            model.terminate(group, member.instance_id)
            fill(group)
        else:
            _rest(group, member)
    return bool(found)


def _rest(group: Any, member: Any) -> None:
    state = group.warm_pool.pool_state if group.warm_pool else "Stopped"
    if state != "Running":
        call("ec2", "StopInstances", InstanceIds=[member.instance_id])
    member.lifecycle_state = f"Warmed:{state}"


# --- APIs -------------------------------------------------------------------------------------------------------------


def put_warm_pool(parameters: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_PutWarmPool.html."""
    group = model.group_named(parameters["AutoScalingGroupName"])
    group.put_warm_pool(
        parameters.get("MaxGroupPreparedCapacity"),
        int(parameters.get("MinSize") or 0),
        parameters.get("PoolState"),
        parameters.get("InstanceReusePolicy"),
    )
    fill(group)
    return {}


def describe_warm_pool(parameters: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_DescribeWarmPool.html."""
    group = model.group_named(parameters["AutoScalingGroupName"])
    instances = [
        {
            "InstanceId": member.instance_id,
            "InstanceType": member.instance_type,
            "AvailabilityZone": member.availability_zone,
            "LifecycleState": member.lifecycle_state,
            "HealthStatus": member.health_status,
            "ProtectedFromScaleIn": bool(member.protected_from_scale_in),
        }
        for member in members(group)
    ]
    pool = group.warm_pool
    if pool is None:
        return {"Instances": instances}
    return {"Instances": instances, "WarmPoolConfiguration": {"MinSize": pool.min_size, "PoolState": pool.pool_state}}


def delete_warm_pool(parameters: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_DeleteWarmPool.html: its instances go with it."""
    group = model.group_named(parameters["AutoScalingGroupName"])
    group.warm_pool = None
    for member in list(members(group)):
        members(group).remove(member)
        model.terminate(group, member.instance_id)
    return {}


# The model of groups asks these, and knows nothing of warm pools.
model.suppliers.append(supply)
model.keepers.append(keep)
