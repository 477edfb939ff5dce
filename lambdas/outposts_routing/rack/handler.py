"""CloudFormation -> EC2, Outposts: a custom resource whose attributes are the ids of the rack's local network.

It makes nothing, so that a repeated event does no harm and a deletion has nothing to do.
"""

from collections.abc import Mapping
from typing import Any

from outposts_routing.rack.facts import gateway_of, group_of
from shared.aws import client
from shared.custom_resource import Facts, answer


def lambda_handler(event: Any, context: Any) -> str:
    """Answers one request of CloudFormation."""
    return answer(event, find)


def find(request: Mapping[str, Any]) -> tuple[str, Facts]:
    """Returns a physical id that never changes, and the facts.

    Raises:
        RackError: what was found and what is wanted do not fit.
        botocore.exceptions.ClientError: a call is refused, or has failed five times.
    """
    physical_id = f"rack-{request['LogicalResourceId']}"
    if request["RequestType"] == "Delete":
        return physical_id, {}
    wanted = request["ResourceProperties"]
    gateway = gateway_of(
        _pages("describe_local_gateways", "LocalGateways"),
        outpost_arn=wanted.get("OutpostArn"),
        gateway_id=wanted.get("LocalGatewayId"),
        account=request["StackId"].split(":")[4],
    )
    gateway_id, outpost_arn = gateway["LocalGatewayId"], gateway["OutpostArn"]
    facts = {"LocalGatewayId": gateway_id, "OutpostArn": outpost_arn, "AvailabilityZone": _zone(outpost_arn)}
    # A domain that is not attached needs no group: its own may be the only one, and goes with the same update.
    if wanted["MakesGroup"] == "false" and wanted.get("Attached") != "false":
        facts["VirtualInterfaceGroupId"] = group_of(
            _pages(
                "describe_local_gateway_virtual_interface_groups",
                "LocalGatewayVirtualInterfaceGroups",
                Filters=[{"Name": "local-gateway-id", "Values": [gateway_id]}],
            ),
            group_id=wanted.get("VirtualInterfaceGroupId"),
            gateway_id=gateway_id,
            stack_id=request["StackId"],
        )
    return physical_id, facts


def _zone(outpost_arn: str) -> str:
    """The zone that a subnet on the Outpost must name."""
    outpost = client("outposts").get_outpost(OutpostId=outpost_arn.rsplit("/", 1)[-1])["Outpost"]
    return str(outpost["AvailabilityZone"])


def _pages(operation: str, items: str, **parameters: Any) -> list[dict[str, Any]]:
    pages = client("ec2").get_paginator(operation).paginate(**parameters)
    return [item for page in pages for item in page[items]]
