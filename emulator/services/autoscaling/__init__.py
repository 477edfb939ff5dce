"""Amazon EC2 Auto Scaling, by moto: groups whose instances exist, wait for hooks, warm up and follow policies."""

from typing import Any

from emulator.core.api import moto_handler
from emulator.core.events import ALARM_STATE, INSTANCE_STATE, SPOT_NOTICE, TIME_PASSED
from emulator.core.iam import Call, Tagged, resource_tags
from emulator.core.service import IamRules, Service
from emulator.services.autoscaling import api, model, policies, replacement, rolling
from emulator.services.autoscaling.patches import groups, scopes
from emulator.services.autoscaling.types import TYPES


def _judged_on(call: Call) -> str | None:
    """A group's ARN has an id that only the group knows; Describe calls know no resource.

    https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonec2autoscaling.html
    """
    if call.action.startswith("Describe"):
        return "*"
    instance_id = call.first("InstanceId")
    for group in groups().autoscaling_groups.values():
        named = group.name == call.first("AutoScalingGroupName")
        if named or (instance_id and any(member.instance_id == instance_id for member in group.instance_states)):
            return str(group.arn)
    return None


def _tags() -> Tagged:
    for group in list(groups().autoscaling_groups.values()):
        yield group.arn, [{"Key": tag["Key"], "Value": tag["Value"]} for tag in group.tags]


def _resource_keys(arn: str) -> dict[str, str]:
    """``autoscaling:ResourceTag/key``; the page is the same."""
    return {f"autoscaling:ResourceTag/{name}": value for name, value in resource_tags(arn).items()}


def _keys(call: Call) -> dict[str, Any]:
    """``autoscaling:VPCZoneIdentifiers`` of a call that names subnets; the page is the same."""
    subnets = call.first("VPCZoneIdentifier")
    return {"autoscaling:VPCZoneIdentifiers": str(subnets).split(",")} if subnets else {}


def _each_minute() -> None:
    replacement.replace_unhealthy()
    policies.scale()
    model.relaunch()


SERVICE = Service(
    "autoscaling",
    operations={**api.OPERATIONS, **replacement.OPERATIONS},
    beneath=moto_handler,
    types=TYPES,
    owns="AWS::AutoScaling::",
    controls={"rolling-updates": rolling.wait},
    listens={
        ALARM_STATE: (policies.alarm_changed,),
        INSTANCE_STATE: (model.instance_state_changed,),
        SPOT_NOTICE: (replacement.spot_notice,),
        TIME_PASSED: (model.time_passed,),
    },
    scopes=scopes,
    measure=policies.publish,
    react=_each_minute,
    tick=model.settle_everywhere,
    modelled=(
        "hooks and their waiting, the pause after a launch that was given up",
        "warm pools, zones that a group may no longer use",
        "EC2 health checks each minute, standby, Capacity Rebalancing, which launches before it terminates",
        "launches into capacity reservations first, the default termination policy",
        "target tracking, step and simple policies; metrics of groups each minute",
        "UpdatePolicy: batches that replace instances, groups that are replaced, sizes that schedules keep",
    ),
    not_judged=(
        "health checks of target groups, allocation strategies, cooldowns, scheduled actions, instance refreshes",
        "instances that scale-in sends back to a warm pool, the time that launches and health checks take",
        "signals, hooks and pauses of a rolling update, unless a scenario plays the instances; CreationPolicy",
    ),
    iam=IamRules(resource=_judged_on, keys=_keys, resource_keys=_resource_keys, tags={"autoscaling": _tags}),
)
