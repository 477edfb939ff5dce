"""Which jobs clouddriver's validators refuse before anything is done.

https://github.com/spinnaker/spinnaker, branch release-2026.2.x, clouddriver-aws; each names its class.
"""

import base64
import binascii
from collections.abc import Iterator, Mapping
from typing import Any

from tryout.scenarios.spinnaker_server_groups.fields import ATTRIBUTES, BLOCK_DEVICE, LISTENER, TARGET_GROUP
from tryout.scenarios.spinnaker_server_groups.refusal import Refusal, failed, invalid

Job = Mapping[str, Any]

BURSTABLE = ("t2.", "t3.", "t3a.", "t4g.")  # InstanceTypeUtils


def invalid_balancer(job: Job) -> Iterator[Refusal]:
    """CreateAmazonLoadBalancerDescriptionValidator."""
    key = "createAmazonLoadBalancerDescription"
    if job.get("loadBalancerType") != "application":
        yield from invalid("without loadBalancerType it is a classic load balancer")
    for group in job["targetGroups"]:
        yield from _wrong_target_group(group)
    listeners = job["listeners"]
    ports = [listener["port"] for listener in listeners]
    if len(ports) != len(set(ports)):
        yield from invalid("Multiple listeners cannot use the same port")
    for listener in listeners:
        yield from unknown_fields("listener", listener, LISTENER)
        if not listener["defaultActions"]:
            yield from invalid(f"{key}.listeners.missing.defaultAction")
    used = {action["targetGroupName"] for each in listeners for action in each["defaultActions"]}
    made = {group["name"] for group in job["targetGroups"]}
    if made - used:
        yield from invalid(f"{key}.targetGroups.unused")
    if used - made:
        yield from invalid(f"{key}.listeners.invalid.targetGroup")


def _wrong_target_group(group: Job) -> Iterator[Refusal]:
    yield from unknown_fields("target group", group, TARGET_GROUP)
    yield from unknown_fields("attributes", group["attributes"], ATTRIBUTES)
    if not isinstance(group["healthCheckPort"], str):
        yield from invalid("healthCheckPort is no text")
    for name in ("port", "healthCheckInterval", "healthCheckTimeout", "healthyThreshold", "unhealthyThreshold"):
        if type(group[name]) is not int:
            yield from invalid(f"{name} is no whole number")
    if type(group["attributes"]["deregistrationDelay"]) is not int:
        yield from invalid("deregistrationDelay is no whole number")


def invalid_launch(job: Job) -> Iterator[Refusal]:
    """What the validators of createServerGroup and updateLaunchTemplate have in common."""
    modifies = job.get("type") == "updateLaunchTemplate"
    key = "modifyservergrouplaunchtemplatedescription" if modifies else "basicAmazonDeployDescription"
    overrides = job.get("launchTemplateOverridesForInstanceType", [])
    types = {job["instanceType"], *(each["instanceType"] for each in overrides)}
    if len(overrides) > 40:
        yield from invalid("more than 40 overrides")
    for each in overrides:
        yield from unknown_fields("override", each, {"instanceType", "priority", "weightedCapacity"})
    if job.get("unlimitedCpuCredits") is not None and not all(name.startswith(BURSTABLE) for name in types):
        yield from invalid(f"{key}.bursting.not.supported.by.instanceType")
    if job.get("spotInstancePools") and job.get("spotAllocationStrategy") != "lowest-price":
        yield from invalid(f"{key}.spotInstancePools.not.supported.for.spotAllocationStrategy")
    for device in job.get("blockDevices", ()):
        yield from unknown_fields("block device", device, BLOCK_DEVICE)
        if not device.get("deviceName"):
            yield from invalid("Device name is required for block device")
        if not device.get("virtualName") and not device.get("size"):
            yield from invalid(f"EBS device {device.get('deviceName')} missing required value size")


def wrong_user_data(job: Job) -> Iterator[Refusal]:
    """UserDataProviderAggregator decodes it with Java's basic decoder, which accepts no line breaks."""
    try:
        base64.b64decode(job.get("base64UserData", ""), validate=True)
    except (binascii.Error, ValueError):
        yield from failed("Illegal base64 character a")


def unknown_fields(what: str, found: Job, fields: set[str]) -> Iterator[Refusal]:
    """Fields that no class has."""
    yield from invalid(*(f"{what} has no field {name}" for name in sorted(set(found) - fields)))
