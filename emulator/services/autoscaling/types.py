"""AWS::AutoScaling types."""

from typing import Any

from emulator.core.api import call
from emulator.core.resource import Place, Properties, ResourceType
from emulator.services.autoscaling import rolling
from emulator.services.autoscaling.patches import groups

# --- groups -----------------------------------------------------------------------------------------------------------


def _group_call(operation: str, properties: Properties, name: str, **more: Any) -> None:
    known = {key: value for key, value in properties.items() if key not in ("Tags", "LifecycleHookSpecificationList")}
    call("autoscaling", operation, known, AutoScalingGroupName=name, **more)


def _tags(properties: Properties, name: str) -> list[dict[str, Any]]:
    owner = {"ResourceId": name, "ResourceType": "auto-scaling-group"}
    return [{"PropagateAtLaunch": True, **tag, **owner} for tag in properties.get("Tags") or []]


def _put_hooks(properties: Properties, name: str) -> None:
    for hook in properties.get("LifecycleHookSpecificationList") or []:
        call("autoscaling", "PutLifecycleHook", hook, AutoScalingGroupName=name)


def _collect_metrics(properties: Properties, name: str) -> None:
    for collection in properties.get("MetricsCollection") or []:
        call("autoscaling", "EnableMetricsCollection", collection, AutoScalingGroupName=name)


def _create_group(properties: Properties) -> str:
    """The group starts empty, so that its hooks are there before its first instance, as on AWS."""
    name = str(properties["AutoScalingGroupName"])
    empty = {**properties, "MinSize": 0, "DesiredCapacity": 0}
    _group_call("CreateAutoScalingGroup", empty, name, Tags=_tags(properties, name))
    _put_hooks(properties, name)
    _collect_metrics(properties, name)
    sizes = {"MinSize": properties["MinSize"]}
    desired = properties.get("DesiredCapacity", properties["MinSize"])
    call("autoscaling", "UpdateAutoScalingGroup", sizes, AutoScalingGroupName=name, DesiredCapacity=desired)
    return name


def _update_group(name: str, old: Properties, new: Properties, place: Place) -> None:
    """Without DesiredCapacity in the template the capacity that scaling policies chose is kept."""
    with rolling.suspended(name, place):
        _change_group(name, old, rolling.changed_sizes(place, old, new))
        rolling.roll(name, place)


def _change_group(name: str, old: Properties, new: Properties) -> None:
    _group_call("UpdateAutoScalingGroup", new, name)
    gone = [tag for tag in _tags(old, name) if tag["Key"] not in {item["Key"] for item in new.get("Tags") or []}]
    if gone:
        call("autoscaling", "DeleteTags", Tags=gone)
    if tags := _tags(new, name):
        call("autoscaling", "CreateOrUpdateTags", Tags=tags)
    names = {hook["LifecycleHookName"] for hook in new.get("LifecycleHookSpecificationList") or []}
    for hook in old.get("LifecycleHookSpecificationList") or []:
        if hook["LifecycleHookName"] not in names:
            call("autoscaling", "DeleteLifecycleHook", hook, AutoScalingGroupName=name)
    _put_hooks(new, name)
    _collect_metrics(new, name)


# --- policies and hooks -----------------------------------------------------------------------------------------------


def _put_policy(properties: Properties, name: str) -> str:
    return str(call("autoscaling", "PutScalingPolicy", properties, PolicyName=name)["PolicyARN"])


def _policy_name(arn: str) -> str:
    return arn.rsplit("policyName/", 1)[-1]


def _hook_owner(properties: Properties, name: str) -> dict[str, str]:
    return {"AutoScalingGroupName": properties["AutoScalingGroupName"], "LifecycleHookName": name}


def _create_hook(properties: Properties) -> str:
    call("autoscaling", "PutLifecycleHook", properties)
    return str(properties["LifecycleHookName"])


def _put_scheduled(properties: Properties, name: str) -> None:
    call("autoscaling", "PutScheduledUpdateGroupAction", properties, ScheduledActionName=name)


def _create_scheduled(properties: Properties) -> str:
    _put_scheduled(properties, properties["ScheduledActionName"])
    return str(properties["ScheduledActionName"])


def _put_pool(properties: Properties) -> str:
    call("autoscaling", "PutWarmPool", properties)
    return str(properties["AutoScalingGroupName"])


TYPES = {
    "AWS::AutoScaling::AutoScalingGroup": ResourceType(
        create=_create_group,
        update_in=_update_group,
        replaced_by=frozenset({"AutoScalingGroupName"}),
        replaced_if=rolling.replaces_group,
        delete=lambda name, _: call(
            "autoscaling", "DeleteAutoScalingGroup", AutoScalingGroupName=name, ForceDelete=True
        ),
        attributes=lambda name, _: {"Arn": groups().autoscaling_groups[name].arn},
        name="AutoScalingGroupName",
    ),
    "AWS::AutoScaling::ScalingPolicy": ResourceType(
        create=lambda properties: _put_policy(properties, properties["PolicyName"]),
        update=lambda arn, _, new: _put_policy(new, _policy_name(arn)),
        replaced_by=frozenset({"AutoScalingGroupName"}),
        delete=lambda arn, properties: call(
            "autoscaling",
            "DeletePolicy",
            AutoScalingGroupName=properties["AutoScalingGroupName"],
            PolicyName=_policy_name(arn),
        ),
        attributes=lambda arn, _: {"Arn": arn, "PolicyName": _policy_name(arn)},
        name="PolicyName",
    ),
    "AWS::AutoScaling::ScheduledAction": ResourceType(
        create=_create_scheduled,
        update=lambda name, _, new: _put_scheduled(new, name),
        replaced_by=frozenset({"AutoScalingGroupName", "ScheduledActionName"}),
        delete=lambda name, properties: call(
            "autoscaling",
            "DeleteScheduledAction",
            AutoScalingGroupName=properties["AutoScalingGroupName"],
            ScheduledActionName=name,
        ),
        attributes=lambda name, _: {"ScheduledActionName": name},
        name="ScheduledActionName",
    ),
    "AWS::AutoScaling::LifecycleHook": ResourceType(
        create=_create_hook,
        update=lambda name, _, new: call("autoscaling", "PutLifecycleHook", new, LifecycleHookName=name),
        replaced_by=frozenset({"AutoScalingGroupName", "LifecycleHookName"}),
        delete=lambda name, properties: call("autoscaling", "DeleteLifecycleHook", _hook_owner(properties, name)),
        name="LifecycleHookName",
    ),
    "AWS::AutoScaling::WarmPool": ResourceType(
        create=_put_pool,
        update=lambda _, _old, new: _put_pool(new),
        replaced_by=frozenset({"AutoScalingGroupName"}),
        delete=lambda name, _: call("autoscaling", "DeleteWarmPool", AutoScalingGroupName=name, ForceDelete=True),
    ),
}
