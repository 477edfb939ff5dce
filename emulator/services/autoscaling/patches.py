"""Private names of moto's Auto Scaling, of which groups, policies and hooks are kept."""

import copy
import time
from collections.abc import Iterator
from typing import Any

from moto.autoscaling.exceptions import ValidationError
from moto.autoscaling.models import AutoScalingBackend, FakeAutoScalingGroup, InstanceState, autoscaling_backends
from moto.autoscaling.responses import AutoScalingResponse
from moto.core.responses import ActionResult

from emulator.core.api import Json
from emulator.core.patch import patch, private
from emulator.core.store import Store, account_id, region, request_scope
from emulator.services.ec2.patches import backend

private(AutoScalingResponse, "_get_params", "self")
private(
    InstanceState, "__init__", "self instance lifecycle_state health_status protected_from_scale_in autoscaling_group"
)

# What CreateAutoScalingGroup and UpdateAutoScalingGroup take and moto does not keep; Describe shows what was kept.
GROUP_SETTINGS = (
    "AvailabilityZoneDistribution",
    "AvailabilityZoneImpairmentPolicy",
    "CapacityReservationSpecification",
)


def groups() -> Any:
    """moto's Auto Scaling of the account and Region of the request: groups, policies and hooks."""
    return autoscaling_backends[account_id()][region()]


def scopes() -> set[tuple[str, str]]:
    """Accounts and Regions that have a backend."""
    return {(account, name) for account, regions in list(autoscaling_backends.items()) for name in list(regions)}


def member_of(group: Any, instance_id: str, *, protected: bool) -> Any:
    """A new member for moto's list of a group's instances."""
    instance = backend().get_instance(instance_id)
    instance.autoscaling_group = group
    return InstanceState(instance, lifecycle_state="Pending", protected_from_scale_in=protected)


def enter_service(group: Any, member: Any) -> None:
    """Registers an instance with the target groups of its group, which moto does at launches of its own only."""
    member.lifecycle_state, member.in_service_since = "InService", time.monotonic()
    for arn in group.target_group_arns:
        target_group = group.autoscaling_backend.elbv2_backend.target_groups[arn]
        target_group.register([{"Id": member.instance_id, "Port": target_group.port}])


def leave_target_groups(group: Any, instance_id: str) -> None:
    """Deregisters an instance from the target groups of its group, where it is registered."""
    for arn in group.target_group_arns:
        target_group = group.autoscaling_backend.elbv2_backend.target_groups.get(arn)
        if target_group and instance_id in target_group.targets:
            target_group.deregister([{"Id": instance_id}])


def allocation(parameters: Json, kept: Json) -> Json:
    """How a group chooses instances, as a request has it and what was kept of before.

    "To update ... specify only the options that you want to change"; for new groups, "if you use attribute-based
    instance type selection ... lowest-price", else *prioritized*, and "the prioritized strategy is not valid" with
    attributes. SpotInstancePools is "valid only when the Spot allocation strategy is lowest-price"
    (https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_InstancesDistribution.html).

    Raises:
        ValidationError: they do not go together.
    """
    policy = parameters.get("MixedInstancesPolicy") or {}
    if not policy:
        return kept
    said = policy.get("InstancesDistribution") or {}
    overrides = (policy.get("LaunchTemplate") or {}).get("Overrides") or []
    by_attributes = any("InstanceRequirements" in override for override in overrides)
    default = {"OnDemandAllocationStrategy": "lowest-price" if by_attributes else "prioritized"}
    found = {**default, **kept, **said}
    if by_attributes and found["OnDemandAllocationStrategy"] == "prioritized":
        raise ValidationError("The prioritized On-Demand allocation strategy is not valid with InstanceRequirements.")
    if "SpotInstancePools" in said and found.get("SpotAllocationStrategy", "lowest-price") != "lowest-price":
        raise ValidationError("SpotInstancePools is valid only with the lowest-price allocation strategy.")
    return found


# Group -> what requests said of GROUP_SETTINGS, and its DefaultInstanceWarmup, which moto forgets.
settings: Store[dict[str, Json]] = Store(dict)


@patch(
    FakeAutoScalingGroup,
    "update",
    "self availability_zones desired_capacity max_size min_size launch_config_name "
    "launch_template vpc_zone_identifier health_check_period "
    "health_check_type new_instances_protected_from_scale_in mixed_instances_policy",
)
def _update(original: Any, group: Any, *arguments: Any, **more: Any) -> None:
    """UpdateAutoScalingGroup without a mixed instances policy keeps the one that is there; moto drops it."""
    if group.mixed_instances_policy and not (more.get("mixed_instances_policy") or more.get("launch_template")):
        policy = copy.deepcopy(group.mixed_instances_policy)
        # moto adds the name to what it stores, and refuses a policy that has both.
        policy["LaunchTemplate"]["LaunchTemplateSpecification"].pop("LaunchTemplateName", None)
        more["mixed_instances_policy"] = policy
    original(group, *arguments, **more)


def settings_of(parameters: Json) -> Json:
    """What a request says of the settings that moto forgets."""
    asked = {key: parameters[key] for key in GROUP_SETTINGS if key in parameters}
    if "DefaultInstanceWarmup" in parameters:
        seconds = int(parameters["DefaultInstanceWarmup"])  # -1 removes it
        asked["DefaultInstanceWarmup"] = seconds if seconds >= 0 else None
    return asked


def shown(response: Any) -> Any:
    """The group of a request, which shows its settings."""
    group = groups().autoscaling_groups[response._get_param("AutoScalingGroupName")]
    kept = settings.here()[group.name]
    group.default_instance_warmup = kept.get("DefaultInstanceWarmup")
    for name in kept.keys() & set(GROUP_SETTINGS):
        setattr(group, name, kept[name])
    return group


@patch(AutoScalingResponse, "create_auto_scaling_group", "self")
def _created(original: Any, response: Any) -> Any:
    """Keeps the settings before the group launches."""
    parameters = response._get_params()
    with request_scope(response.current_account, response.region):
        if parameters["AutoScalingGroupName"] not in groups().autoscaling_groups:
            kept = {**settings_of(parameters), "InstancesDistribution": allocation(parameters, {})}
            settings.here()[parameters["AutoScalingGroupName"]] = kept
        result = original(response)
        shown(response)
    return result


@patch(AutoScalingResponse, "put_scaling_policy", "self")
def _put_policy(original: Any, response: Any) -> Any:
    """PutScalingPolicy answers ``PolicyARN``; moto misspells it, so that a client sees nothing."""
    return ActionResult({"PolicyARN": original(response).result["PolicyArn"]})


@patch(AutoScalingBackend, "describe_auto_scaling_instances", "self instance_ids")
def _described(original: Any, here: Any, instance_ids: list[str]) -> list[Any]:
    """DescribeAutoScalingInstances also shows the members of warm pools."""
    wanted = [member for member in _warm(here) if not instance_ids or member.instance_id in instance_ids]
    return [*original(here, instance_ids), *wanted]


def _warm(here: Any) -> Iterator[Any]:
    for group in here.autoscaling_groups.values():
        yield from warm_members(group)


def warm_members(group: Any) -> list[Any]:
    """The instances of a group's warm pool; they live and go with moto's group."""
    found: list[Any] = vars(group).setdefault("warm_members", [])
    return found
