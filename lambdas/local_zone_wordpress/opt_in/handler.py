"""CloudFormation -> EC2: opts the account in to a Local Zone and waits; refuses what the zone does not offer.

There is no way back by an API: "To disable a Local Zone group, contact AWS Support"
(https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ModifyAvailabilityZoneGroup.html). A deletion therefore
does nothing: other stacks may be in the zone.
"""

import logging
import os
import time
from collections.abc import Mapping
from typing import Any

from local_zone_wordpress.opt_in.zones import ZoneError, chosen, local_zones, missing_types
from shared.aws import client
from shared.custom_resource import RefusedError, answer

logger = logging.getLogger(__name__)

MARGIN_MILLISECONDS = 30_000  # of the function's time, for the types and for the answer


def lambda_handler(event: Any, context: Any) -> str:
    """Answers one request of CloudFormation."""
    return answer(event, lambda request: opt_in(request, context))


def opt_in(request: Mapping[str, Any], context: Any) -> str:
    """Returns the zone's name, the physical id. The account is opted in to it then.

    Raises:
        RefusedError: no such zone, none of this Region, not opted in and not to be, or types that it does not offer.
        TimeoutError: opting in took longer than the function may run; a repetition goes on where this ended.
    """
    if request["RequestType"] == "Delete":
        return str(request["PhysicalResourceId"])
    properties = request["ResourceProperties"]
    name = properties["Zone"]
    allowed = str(properties["OptIn"]).lower() == "true"
    try:
        zone = _zone(name)
        if not zone.opted_in:
            if not allowed:
                raise RefusedError(
                    f"the account has not opted in to {zone.group}; set opt_in to true, or run "
                    f"'python -m stacks local_zone_wordpress zone enable {name}' (only AWS Support can undo it)"
                )
            client("ec2").modify_availability_zone_group(GroupName=zone.group, OptInStatus="opted-in")
            logger.info("opted in", extra={"group": zone.group})
            _wait(name, context, float(os.environ["POLL_SECONDS"]))
        offered = _settled(name, context, float(os.environ["POLL_SECONDS"]))
        if says := missing_types(properties["InstanceTypes"], offered, name):
            raise RefusedError(f"{says}; see 'python -m stacks local_zone_wordpress zone types {name}'")
    except ZoneError as error:
        raise RefusedError(str(error)) from error
    return str(name)


def _zone(name: str) -> Any:
    described = client("ec2").describe_availability_zones(
        AllAvailabilityZones=True, Filters=[{"Name": "zone-type", "Values": ["local-zone"]}]
    )
    return chosen(name, local_zones(described["AvailabilityZones"]), os.environ["AWS_REGION"])


def _wait(name: str, context: Any, seconds: float) -> None:
    """About five minutes, says the post."""
    while not _zone(name).opted_in:
        if context.get_remaining_time_in_millis() < seconds * 1000 + MARGIN_MILLISECONDS:
            raise TimeoutError(f"{name} is still not opted in; deploy again, which goes on waiting")
        time.sleep(seconds)


def _settled(name: str, context: Any, seconds: float) -> list[str]:
    """What the zone offers; none at all may be too soon after opting in, so it is asked again while time is left."""
    while (
        not (offered := _offered(name))
        and context.get_remaining_time_in_millis() >= seconds * 1000 + MARGIN_MILLISECONDS
    ):
        time.sleep(seconds)
    return offered


def _offered(name: str) -> list[str]:
    pages = (
        client("ec2")
        .get_paginator("describe_instance_type_offerings")
        .paginate(LocationType="availability-zone", Filters=[{"Name": "location", "Values": [name]}])
    )
    return [offering["InstanceType"] for page in pages for offering in page["InstanceTypeOfferings"]]
