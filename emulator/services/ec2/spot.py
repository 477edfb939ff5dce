"""Spot Instances: what EC2 announces, what a group makes of it, and placement scores (our model)."""

import json
from typing import Any

from emulator.core.api import call, client_error, moto_lock
from emulator.core.events import SPOT_NOTICE, put_event
from emulator.core.service import ask
from emulator.core.store import Setting, Store, account_id, arn, region, request_scope
from emulator.services.ec2.instance_types import matching
from emulator.services.ec2.patches import CATALOGUE

INTERRUPTION, REBALANCE = "interruption", "rebalance"

# The questions for placement scores that were answered, and how many may be; None: any.
_answered: Store[set[str]] = Store(set)
_most: Setting[int | None] = Setting(None)
# The largest capacity that is answered; None: any.
_largest: Setting[int | None] = Setting(None)


def limit_questions(request: dict[str, Any]) -> dict[str, Any]:
    """``spot-questions {"most": n, "capacity": n}``: 24 hours begin, in which n different questions are answered.

    "We can limit the number of new request configurations within a 24-hour period [...]. If you reach the limit, you
    can retry the request configurations that you've already used, but you can't specify new request configurations
    until the next 24-hour period" (https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/spot-placement-score.html). The
    error and its words are those that the README of the public tracker shows. What exceeds *capacity*, the account's
    "limit on the amount of Spot placement target capacity", is refused
    (https://docs.aws.amazon.com/ec2/latest/devguide/errors-overview.html); without it nothing is.
    """
    _answered.clear()
    _largest.value = None if request.get("capacity") is None else int(request["capacity"])
    _most.value = None if request["most"] is None else int(request["most"])
    return {"most": _most.value}


def notice(request: dict[str, Any]) -> dict[str, Any]:
    """``spot-notice {"kind": ..., "instance_id": ..., "region": ...}``: EC2 wants an instance back.

    ``interruption`` and ``rebalance`` are announced as
    https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/spot-instance-termination-notices.html and
    https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/rebalance-recommendations.html have it. With ``"act": true`` a
    group with Capacity Rebalancing acts on it
    (https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-capacity-rebalancing.html): "Amazon EC2 Auto
    Scaling calls the termination lifecycle hook and attempts to launch a replacement immediately" after an
    interruption notice, and after a recommendation "waits until the new instance passes its health check before it
    proceeds with terminating the old instance".
    """
    kind, instance_id = request["kind"], str(request["instance_id"])
    if kind not in (INTERRUPTION, REBALANCE):
        raise ValueError(f"kind is {kind!r}")
    with request_scope(request["account"], request["region"]):
        resource = arn("ec2", f"instance/{instance_id}")
        if kind == INTERRUPTION:
            detail = {"instance-id": instance_id, "instance-action": "terminate"}
            put_event("aws.ec2", "EC2 Spot Instance Interruption Warning", detail, resource)
        else:
            put_event("aws.ec2", "EC2 Instance Rebalance Recommendation", {"instance-id": instance_id}, resource)
        with moto_lock:
            return {"replaced": bool(request.get("act")) and any(ask(SPOT_NOTICE, instance_id, kind))}


def get_spot_placement_scores(parameters: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_GetSpotPlacementScores.html.

    "We recommend that you specify at least three instance types. If you specify one or two instance types [...] the
    returned placement score will always be low"; "the top 10 Regions or Availability Zones, scored on a scale from 1 to
    10". The scores are invented: a point for each three types, one less for each tenfold of the capacity.
    """
    types, requirements = parameters.get("InstanceTypes"), parameters.get("InstanceRequirementsWithMetadata")
    if bool(types) == bool(requirements):
        raise client_error("InvalidParameterCombination", "Specify InstanceTypes or InstanceRequirements")
    if requirements:
        types = matching(
            requirements["InstanceRequirements"],
            requirements.get("ArchitectureTypes") or [],
            requirements.get("VirtualizationTypes") or [],
        )
    if str(parameters.get("DryRun", False)).lower() == "true":
        raise client_error("DryRunOperation", "Request would have succeeded, but DryRun flag is set.")
    _count(parameters)
    if unknown := sorted(set(types or []) - set(CATALOGUE)):
        # https://github.com/redhat-developer/mapt/issues/902 has the code; no page has the words.
        raise client_error("InvalidParameterValue", f"The following supplied instance types do not exist: {unknown}")
    capacity = int(parameters["TargetCapacity"])
    if _largest.value is not None and capacity > _largest.value:
        raise client_error(
            "TargetCapacityLimitExceededException", "Your target capacity exceeds your limit; reduce it, and try again."
        )
    few = len(set(types or [])) < 3
    score = 1 if few else max(1, min(10, 3 + len(types or []) // 3 - (len(str(capacity)) - 1)))
    regions = parameters.get("RegionNames") or [region()]
    found: list[dict[str, Any]] = []
    for name in regions:
        if str(parameters.get("SingleAvailabilityZone", False)).lower() != "true":
            found.append({"Region": name, "Score": score})
            continue
        with request_scope(account_id(), name):
            zones = call("ec2", "DescribeAvailabilityZones")["AvailabilityZones"]
        for position, zone in enumerate(zones):
            found.append({"Region": name, "AvailabilityZoneId": zone["ZoneId"], "Score": max(1, score - position)})
    found.sort(key=lambda item: -item["Score"])
    return {"SpotPlacementScores": found[:10]}


def _count(parameters: dict[str, Any]) -> None:
    asked = {name: value for name, value in parameters.items() if name not in ("NextToken", "MaxResults", "DryRun")}
    question = json.dumps(asked, sort_keys=True, default=str)
    known = _answered.here()
    if _most.value is not None and question not in known and len(known) >= _most.value:
        raise client_error(
            "MaxConfigLimitExceeded",
            "You have exceeded your maximum allowed Spot placement configurations. You can retry configurations that "
            "you used within the last 24 hours, or wait for 24 hours before specifying a new configuration.",
        )
    known.add(question)
