"""CloudFormation -> EC2: a custom resource whose attributes are the zones of the subnets it is given.

It makes nothing, so that a repeated event does no harm and a deletion has nothing to do. CloudFormation hears an answer
whatever happens, because it waits for one for up to an hour
(https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/crpg-ref-responses.html).
"""

import json
import logging
from typing import Any
from urllib.request import Request, urlopen

from botocore.exceptions import BotoCoreError, ClientError

from odcr_asg.subnet_zones.zones import SubnetZonesError, zones_of
from shared.aws import client

logger = logging.getLogger(__name__)

LONGEST_REASON = 1_000  # characters; the whole answer may have 4,096 bytes


def lambda_handler(event: Any, context: Any) -> dict[str, Any]:
    """Answers CloudFormation with the zones, or with the reason why there are none.

    Raises:
        KeyError, TypeError: the event is none of CloudFormation's, so that nobody waits for an answer.
        OSError: the answer could not be delivered; Lambda delivers the event again.
    """
    answer = {
        "Status": "SUCCESS",
        # The same for every version of the resource: another id would make CloudFormation delete the old one.
        "PhysicalResourceId": event.get("PhysicalResourceId", "subnet-zones"),
        **{name: event[name] for name in ("StackId", "RequestId", "LogicalResourceId")},
    }
    address = event["ResponseURL"]
    try:
        if event["RequestType"] != "Delete":
            answer["Data"] = subnet_zones(client("ec2"), event["ResourceProperties"]["SubnetIds"])
    except (BotoCoreError, ClientError, SubnetZonesError, LookupError, TypeError) as error:
        reason = f"{type(error).__name__}: {error}"[:LONGEST_REASON]
        answer |= {"Status": "FAILED", "Reason": reason}
        logger.exception("could not tell the zones of the subnets")
    _put(address, json.dumps(answer).encode())
    return answer


def subnet_zones(ec2: Any, subnet_ids: list[str]) -> dict[str, str]:
    """Returns the zones of the subnets, from every page.

    Raises:
        SubnetZonesError, botocore.exceptions.ClientError: when they do not fit, or EC2 refused to say.
    """
    pages = ec2.get_paginator("describe_subnets").paginate(SubnetIds=subnet_ids)
    return zones_of(subnet_ids, [subnet for page in pages for subnet in page["Subnets"]])


def _put(address: str, body: bytes) -> None:
    """Sends the answer to the signed address that came with the event; its signature knows no content type."""
    request = Request(address, data=body, method="PUT", headers={"Content-Type": ""})  # noqa: S310
    with urlopen(request, timeout=10) as response:  # noqa: S310 (CloudFormation's address)
        response.read()
