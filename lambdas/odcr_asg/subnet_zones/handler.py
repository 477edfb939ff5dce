"""CloudFormation -> EC2: a custom resource whose attributes are the zones of the subnets it is given.

It makes nothing, so that a repeated request does no harm and a deletion has nothing to do.
"""

from collections.abc import Mapping
from typing import Any

from odcr_asg.subnet_zones.zones import zones_of
from shared.aws import client
from shared.custom_resource import Facts, answer


def lambda_handler(event: Any, context: Any) -> str:
    """Answers one request of CloudFormation."""
    return answer(event, subnet_zones)


def subnet_zones(request: Mapping[str, Any]) -> str | tuple[str, Facts]:
    """Returns the physical id, which never changes, and the zones of the subnets, from every page.

    Raises:
        SubnetZonesError, botocore.exceptions.ClientError: when they do not fit, or EC2 refused to say.
    """
    physical_id = str(request.get("PhysicalResourceId") or request["LogicalResourceId"])
    if request["RequestType"] == "Delete":
        return physical_id
    subnet_ids = request["ResourceProperties"]["SubnetIds"]
    pages = client("ec2").get_paginator("describe_subnets").paginate(SubnetIds=subnet_ids)
    return physical_id, zones_of(subnet_ids, [subnet for page in pages for subnet in page["Subnets"]])
