"""Auto Scaling groups whose instances exist, wait for hooks and follow policies (our model over moto's groups).

Follows https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-lifecycle.html. Launches and
terminations take no time; which instance type a mixed instances policy gets is the smallest that fits, not what an
allocation strategy chooses.
"""

import time
from collections import Counter
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
from emulator.services.autoscaling.patches import (
    allocation,
    groups,
    leave_target_groups,
    member_of,
    settings,
    settings_of,
    shown,
)
from emulator.services.autoscaling.patches import enter_service as register
from emulator.services.ec2.instance_types import smallest_matching
from emulator.services.ssm.images import image_architecture

# What images call their root volume: Amazon Linux, and most others.
ROOT_DEVICES = ("/dev/xvda", "/dev/sda1")

# What warm pools add (warmpool.py): instances that are ready (group, count -> how many it supplied), and instances that
# have waited for a launching hook without being meant for service yet (group, wait -> whether it was one of them).
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
    members = [
        item for item in group.instance_states if not item.lifecycle_state.startswith(("Standby", "Terminating"))
    ]
    missing = (group.desired_capacity or 0) - len(members)
    if missing > 0:
        launch(group, missing)
    elif missing < 0:
        unprotected = [member for member in members if not member.protected_from_scale_in]
        for member in zones.scale_in_order(group, unprotected)[:-missing]:
            retire(group, member)


def launch(group: Any, count: int) -> None:
    """Adds instances to the group, running those that nobody supplies; each waits for its launching hooks."""
    for supply in suppliers:
        count -= supply(group, count)
    for member in run(group, count):
        group.instance_states.append(member)
        if not begin_wait(group, member, LAUNCHING):
            enter_service(group, member.instance_id)


def run(group: Any, count: int) -> list[Any]:
    """Runs instances from the group's launch template, in the subnets that have the fewest."""
    members = []
    specification = launch_template(group)
    template = _template_data(specification)
    tags = {tag["Key"]: tag["Value"] for tag in group.tags if tag.get("PropagateAtLaunch")}
    tags["aws:autoscaling:groupName"] = group.name
    pairs = [{"Key": key, "Value": value} for key, value in tags.items()]
    for (market, subnet), number in _shares(group, template, count).items():
        launched = call(
            "ec2",
            "RunInstances",
            MinCount=number,
            MaxCount=number,
            LaunchTemplate=specification,
            InstanceType=_instance_type(group, template),
            TagSpecifications=[{"ResourceType": "instance", "Tags": pairs}],
            **_placement(group, subnet),
            **_from_template(template),
            **zones.launch_parameters(group),
            **({"InstanceMarketOptions": {"MarketType": "spot"}} if market == "spot" else {}),
        )
        for instance in launched["Instances"]:
            protected = bool(group.new_instances_protected_from_scale_in)
            member = member_of(group, instance["InstanceId"], protected=protected)
            member.launched_from = specification
            members.append(member)
    return members


def _shares(group: Any, template: dict[str, Any], count: int) -> Counter[tuple[str, str | None]]:
    """How many of *count* instances go to which market and subnet."""
    on_demand, spot = _purchase_options(group, count)
    subnets: list[str | None] = [*group.vpc_zone_identifier.split(",")] if group.vpc_zone_identifier else [None]
    used = Counter(dict.fromkeys(subnets, 0))
    used.update(member.instance.subnet_id for member in group.instance_states if member.instance.subnet_id in used)
    shares: Counter[tuple[str, str | None]] = Counter()
    next_subnet = zones.subnet_chooser(group, template)
    for market in ["on-demand"] * on_demand + ["spot"] * spot:
        subnet = next_subnet(used)
        used[subnet] += 1
        shares[market, subnet] += 1
    return shares


def launch_template(group: Any) -> dict[str, str]:
    """Id and version of the launch template that a group launches from."""
    template = group.ec2_launch_template
    return {"LaunchTemplateId": template.id, "Version": str(group.launch_template_version)}


def _template_data(specification: dict[str, str]) -> dict[str, Any]:
    found = call(
        "ec2",
        "DescribeLaunchTemplateVersions",
        LaunchTemplateId=specification["LaunchTemplateId"],
        Versions=[specification["Version"]],
    )
    data: dict[str, Any] = found["LaunchTemplateVersions"][0]["LaunchTemplateData"]
    return data


def _from_template(template: dict[str, Any]) -> dict[str, Any]:
    """What RunInstances of AWS takes from a launch template and moto's does not."""
    taken: dict[str, Any] = {}
    if profile := template.get("IamInstanceProfile"):
        taken["IamInstanceProfile"] = profile
    interfaces = template.get("NetworkInterfaces") or [{}]
    groups = template.get("SecurityGroupIds") or interfaces[0].get("Groups")
    if groups:
        taken["SecurityGroupIds"] = groups
    if mappings := template.get("BlockDeviceMappings"):
        taken["BlockDeviceMappings"] = [_with_default_deletion(mapping) for mapping in mappings]
    if options := template.get("MetadataOptions"):
        taken["MetadataOptions"] = {name: value for name, value in options.items() if name != "State"}
    return taken


def _with_default_deletion(mapping: dict[str, Any]) -> dict[str, Any]:
    """A root volume goes with its instance unless a template says otherwise; the others stay.

    https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/preserving-volumes-on-termination.html
    """
    if mapping["DeviceName"] not in ROOT_DEVICES or "Ebs" not in mapping:
        return mapping
    return {**mapping, "Ebs": {"DeleteOnTermination": True, **mapping["Ebs"]}}


def _placement(group: Any, subnet: str | None) -> dict[str, Any]:
    return {"SubnetId": subnet} if subnet else {"Placement": {"AvailabilityZone": group.availability_zones[0]}}


def _instance_type(group: Any, template: dict[str, Any]) -> str:
    """The type of the first override, the smallest that its requirements allow, or the template's."""
    policy = group.mixed_instances_policy or {}
    for override in (policy.get("LaunchTemplate") or {}).get("Overrides") or []:
        if override.get("InstanceType"):
            return str(override["InstanceType"])
        if requirements := override.get("InstanceRequirements"):
            # A group launches what its image runs on.
            architecture = image_architecture(template.get("ImageId"))
            return smallest_matching(requirements, [architecture] if architecture else [])
    return str(template.get("InstanceType") or "m1.small")


def _purchase_options(group: Any, count: int) -> tuple[int, int]:
    """How many of the next *count* instances are On-Demand and how many Spot.

    Follows https://docs.aws.amazon.com/autoscaling/ec2/userguide/mixed-instances-groups-set-up-overview.html: the base
    comes first, then the percentage of what is above it; a fraction "rounds up to the next integer in favor of
    On-Demand Instances".
    """
    policy = group.mixed_instances_policy
    if not policy:
        return count, 0
    distribution = policy.get("InstancesDistribution") or {}
    base = int(distribution.get("OnDemandBaseCapacity") or 0)
    share = distribution.get("OnDemandPercentageAboveBaseCapacity")
    percent = 100 if share is None else int(share)
    total = group.desired_capacity
    wanted = total if total <= base else base + -(-(total - base) * percent // 100)
    running = sum(1 for member in group.instance_states if member.instance.lifecycle != "spot")
    on_demand = max(0, min(count, wanted - running))
    return on_demand, count - on_demand


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

    A launched instance enters service; one whose launch was abandoned is terminated and another takes its place.
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
            terminate(group, wait.instance_id)
            set_capacity(group, group.desired_capacity)
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
