"""Every few hours: EC2 of all Regions -> CloudWatch. It finds what no policy can see.

The event says only that it is time. A late or repeated one counts the present state, so nothing is remembered.
"""

import logging
import os
import time
from collections.abc import Callable, Sequence
from typing import Any

from nitro_attestation.claims import Look
from nitro_attestation.looking import WRITES, Regional, code_of, enabled_regions, look_at, trails_keep
from shared.aws import client
from shared.faults import FAILED

logger = logging.getLogger(__name__)


def lambda_handler(event: Any, context: Any) -> dict[str, Any]:
    """Looks at the Regions that the environment names, or at all enabled ones."""
    started, budget = time.monotonic(), float(os.environ["BUDGET_SECONDS"])
    return look(
        lambda service, region: client(service, 3, region),
        client("cloudwatch"),
        account=os.environ["ACCOUNT"],
        home=os.environ["AWS_REGION"],
        regions=[name for name in os.environ["REGIONS"].split(",") if name],
        namespace=os.environ["METRIC_NAMESPACE"],
        stack=os.environ["STACK"],
        seconds_left=lambda: started + budget - time.monotonic(),
    )


def look(
    regional: Regional,
    cloudwatch: Any,
    *,
    account: str,
    home: str,
    regions: Sequence[str],
    namespace: str,
    stack: str,
    seconds_left: Callable[[], float],
) -> dict[str, Any]:
    """Publishes how many instances are Xen, of unknown types or unprotected, and how many Regions were not seen.

    Raises:
        botocore.exceptions.ClientError: the Regions cannot be listed, or the metrics cannot be published. A Region that
            refuses does not fail this function: a metric, its alarm and the log report it.
    """
    names = list(regions) or enabled_regions(regional("ec2", home))
    trail = trails_keep(regional, home, {WRITES}, all_regions=False)
    looks = [
        _one(account, region, regional, trail)
        if seconds_left() > 0
        else Look(account, region, missing=("everything (no time left)",))
        for region in names
    ]
    found = {
        "XenInstances": sum(one.hypervisor == "xen" for each in looks for one in each.instances),
        "UnknownTypes": sum(one.hypervisor == "unknown" for each in looks for one in each.instances),
        "UnprotectedInstances": sum(bool(one.reasons) for each in looks for one in each.instances),
        "RegionsNotSeen": sum(bool(each.missing) for each in looks),
        "TrailMissing": int(trail is False),
        "Looks": 1,
    }
    _tell(looks)
    dimensions = [{"Name": "Stack", "Value": stack}]
    data = [
        {"MetricName": name, "Dimensions": dimensions, "Unit": "Count", "Value": float(value)}
        for name, value in found.items()
    ]
    cloudwatch.put_metric_data(Namespace=namespace, MetricData=data)
    return {"regions": len(looks), **found}


def _one(account: str, region: str, regional: Regional, trail: bool | None) -> Look:
    try:
        return look_at(account, region, regional, trail)
    except FAILED as error:  # from the client itself, for example in a Region that botocore does not know
        return Look(account, region, missing=(f"everything ({code_of(error)})",))


def _tell(looks: Sequence[Look]) -> None:
    for each in looks:
        for what in each.missing:
            logger.error("could not be read", extra={"region": each.region, "what": what})
        for one in each.instances:
            if one.reasons:
                found = {"region": one.region, "instance": one.instance_id, "type": one.instance_type}
                logger.warning("found", extra={**found, "verdict": one.verdict, "reasons": list(one.reasons)})
    seen = sum(len(each.instances) for each in looks)
    logger.info("looked", extra={"regions": len(looks), "instances": seen})
