"""Spot Instances: what EC2 announces, what a group makes of it, and placement scores (our model)."""

from typing import Any

from emulator import scaling, seams
from emulator.calls import call
from emulator.events import put_event
from emulator.instancetypes import matching

INTERRUPTION, REBALANCE = "interruption", "rebalance"


def notice(request: dict[str, Any]) -> dict[str, Any]:
    """``POST /_emulator/spot-notice {"kind": ..., "instance_id": ..., "region": ...}``: EC2 wants an instance back.

    ``interruption`` and ``rebalance`` are announced as
    https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/spot-instance-termination-notices.html and
    https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/rebalance-recommendations.html have it. With ``"act": true`` a
    group with Capacity Rebalancing acts on it
    (https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-capacity-rebalancing.html): "Amazon EC2 Auto
    Scaling calls the termination lifecycle hook and attempts to launch a replacement immediately" after an
    interruption notice, and after a recommendation "waits until the new instance passes its health check before it
    proceeds with terminating the old instance", which takes no time here.
    """
    kind, instance_id = request["kind"], str(request["instance_id"])
    if kind not in (INTERRUPTION, REBALANCE):
        raise ValueError(f"kind is {kind!r}")
    with seams.request_scope(request["account"], request["region"]):
        arn = f"arn:aws:ec2:{seams.region()}:{seams.account_id()}:instance/{instance_id}"
        if kind == INTERRUPTION:
            detail = {"instance-id": instance_id, "instance-action": "terminate"}
            put_event("aws.ec2", "EC2 Spot Instance Interruption Warning", detail, arn)
        else:
            put_event("aws.ec2", "EC2 Instance Rebalance Recommendation", {"instance-id": instance_id}, arn)
        with seams.moto_lock:
            return {"replaced": bool(request.get("act")) and _replace(instance_id)}


def _replace(instance_id: str) -> bool:
    for group in seams.groups().autoscaling_groups.values():
        for member in group.instance_states:
            if member.instance_id == instance_id and group.capacity_rebalance:
                if not member.lifecycle_state.startswith("Terminating"):
                    scaling.retire(group, member)
                    scaling.set_capacity(group, group.desired_capacity)
                return True
    return False


def get_spot_placement_scores(parameters: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_GetSpotPlacementScores.html.

    "We recommend that you specify at least three instance types. If you specify one or two instance types [...] the
    returned placement score will always be low"; "the top 10 Regions or Availability Zones, scored on a scale from 1 to
    10". The scores are invented: a point for each three types, one less for each tenfold of the capacity.
    """
    types, requirements = parameters.get("InstanceTypes"), parameters.get("InstanceRequirementsWithMetadata")
    if bool(types) == bool(requirements):
        raise seams.client_error("InvalidParameterCombination", "Specify InstanceTypes or InstanceRequirements")
    if requirements:
        types = matching(
            requirements["InstanceRequirements"],
            requirements.get("ArchitectureTypes") or [],
            requirements.get("VirtualizationTypes") or [],
        )
    capacity = int(parameters["TargetCapacity"])
    few = len(set(types or [])) < 3
    score = 1 if few else max(1, min(10, 3 + len(types or []) // 3 - (len(str(capacity)) - 1)))
    regions = parameters.get("RegionNames") or [seams.region()]
    found: list[dict[str, Any]] = []
    for region in regions:
        if str(parameters.get("SingleAvailabilityZone", False)).lower() != "true":
            found.append({"Region": region, "Score": score})
            continue
        with seams.request_scope(seams.account_id(), region):
            zones = call("ec2", "DescribeAvailabilityZones")["AvailabilityZones"]
        for position, zone in enumerate(zones):
            found.append({"Region": region, "AvailabilityZoneId": zone["ZoneId"], "Score": max(1, score - position)})
    found.sort(key=lambda item: -item["Score"])
    return {"SpotPlacementScores": found[:10]}


def install() -> None:
    """Puts the API into moto."""
    seams.serve_action("ec2", "get_spot_placement_scores", get_spot_placement_scores)
