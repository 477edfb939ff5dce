"""Spot Instances: what EC2 announces, what a group makes of it, and placement scores (our model)."""

import json
from typing import Any

from emulator import scaling, seams
from emulator.calls import call
from emulator.events import put_event
from emulator.instancetypes import matching

INTERRUPTION, REBALANCE = "interruption", "rebalance"

# Account and Region -> the questions for placement scores that were answered there, and how many may be; None: any.
_answered: dict[tuple[str, str], set[str]] = {}
_most: dict[str, int | None] = {"questions": None}


def reset() -> None:
    """Forgets the questions for placement scores, and lets any number be asked."""
    limit_questions({"most": None})


def limit_questions(request: dict[str, Any]) -> dict[str, Any]:
    """``POST /_emulator/spot-questions {"most": n}``: 24 hours begin, in which n different questions are answered.

    "We can limit the number of new request configurations within a 24-hour period [...]. If you reach the limit, you
    can retry the request configurations that you've already used, but you can't specify new request configurations
    until the next 24-hour period" (https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/spot-placement-score.html). The
    error and its words are those that the README of the public tracker shows.
    """
    _answered.clear()
    _most["questions"] = None if request["most"] is None else int(request["most"])
    return {"most": _most["questions"]}


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
    if str(parameters.get("DryRun", False)).lower() == "true":
        raise seams.client_error("DryRunOperation", "Request would have succeeded, but DryRun flag is set.")
    _count(parameters)
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


def _count(parameters: dict[str, Any]) -> None:
    asked = {name: value for name, value in parameters.items() if name not in ("NextToken", "MaxResults", "DryRun")}
    question = json.dumps(asked, sort_keys=True, default=str)
    known = _answered.setdefault((seams.account_id(), seams.region()), set())
    if _most["questions"] is not None and question not in known and len(known) >= _most["questions"]:
        raise seams.client_error(
            "MaxConfigLimitExceeded",
            "You have exceeded your maximum allowed Spot placement configurations. You can retry configurations that "
            "you used within the last 24 hours, or wait for 24 hours before specifying a new configuration.",
        )
    known.add(question)


def install() -> None:
    """Puts the API into moto."""
    seams.serve_action("ec2", "get_spot_placement_scores", get_spot_placement_scores)
