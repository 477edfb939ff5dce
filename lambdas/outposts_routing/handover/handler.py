"""CloudFormation -> EC2: the order in which the mode of a local gateway's route table can change.

A VPC and a group of virtual interfaces are with one route table at a time
(https://docs.aws.amazon.com/outposts/latest/network-userguide/routing-domains.html), and CloudFormation makes the new
before it deletes the old. This resource comes after the new route table and before its associations: when the table
changes, it removes the routes and both associations from the old one. When a failed update rolls back, it restores
them. It deletes in route tables of its stack alone, and it looks before it deletes: if somebody else has put something
on the table, which would be lost, it fails, and nothing has happened.
"""

import logging
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from outposts_routing.handover.plan import Held, Wanted, destination_parameter, held, lacking
from outposts_routing.ownership import STACK
from shared.aws import client
from shared.custom_resource import PAUSES, RefusedError, answer
from shared.guard.handler import ROLLING_BACK

logger = logging.getLogger(__name__)

ROUNDS, ROUND_SECONDS = 60, 5.0
"""Five minutes for associations that end."""
BUDGET_SECONDS = 840.0
"""For all of it, of the function's 900. What a rollback has left of it, it waits for associations to begin."""
MOST_FAULTS = len(PAUSES) + 1
"""Calls of restore that may fail one after the other."""
KINDS = (
    "local-gateway-route-table-vpc-association",
    "local-gateway-route-table-virtual-interface-group-association",
)


def lambda_handler(event: Any, context: Any) -> str:
    """Answers one request of CloudFormation."""
    end = time.monotonic() + BUDGET_SECONDS
    return answer(event, partial(hand_over, seconds_left=lambda: end - time.monotonic()))


def hand_over(request: Mapping[str, Any], *, seconds_left: Callable[[], float]) -> str:
    """Returns a physical id that never changes.

    Args:
        seconds_left: until the function must answer.

    Raises:
        RefusedError: the old table keeps something.
        botocore.exceptions.ClientError: a call is refused, or has failed five times.
    """
    physical_id = f"handover-{request['LogicalResourceId']}"
    properties = request["ResourceProperties"]
    if request["RequestType"] == "Delete":
        # CloudFormation has deleted what it knows. What a way back has made, it does not know.
        clear(properties["RouteTableId"], Wanted.of(properties), request["StackId"], goes=True)
    elif request["RequestType"] == "Update":
        old = request["OldResourceProperties"]
        if old["RouteTableId"] != properties["RouteTableId"]:
            clear(old["RouteTableId"], Wanted.of(old), request["StackId"])
            if _rolls_back(request["StackId"]):
                restore(
                    properties["RouteTableId"], Wanted.of(properties), request["StackId"], seconds_left=seconds_left
                )
    return physical_id


def clear(table: str, known: Wanted, stack_id: str, *, goes: bool = False) -> None:
    """Removes everything from a route table of this stack: routes first, then VPCs, then the virtual interfaces.

    Args:
        known: what this stack has put there.
        goes: the table goes for good, and its routes with it, whoever has made them.

    Raises:
        RefusedError: somebody else has put something there, and nothing was removed; or an association does not end
            within five minutes.
    """
    ec2 = client("ec2")
    if not _is_ours(table, stack_id):
        return
    found = look(table, known, stack_id)
    if theirs := [*found.foreign, *(() if goes else found.foreign_routes)]:
        raise RefusedError(
            f"{table} has what this stack has not created: {', '.join(theirs)}. Nothing was removed from it. Delete "
            "these first; afterwards create them again on the new route table"
        )
    for last in [*[False] * (ROUNDS - 1), True]:
        for to in found.routes:
            named = {"LocalGatewayRouteTableId": table, **destination_parameter(to)}
            _unless_gone(partial(ec2.delete_local_gateway_route, **named))
        for association in found.vpcs.values():
            named = {"LocalGatewayRouteTableVpcAssociationId": association}
            _unless_gone(partial(ec2.delete_local_gateway_route_table_vpc_association, **named))
        for association in found.groups.values() if not found.vpcs else ():
            named = {"LocalGatewayRouteTableVirtualInterfaceGroupAssociationId": association}
            _unless_gone(partial(ec2.delete_local_gateway_route_table_virtual_interface_group_association, **named))
        if found.empty:
            return
        logger.info("taken from the route table", extra={"table": table, **vars(found)})
        if last:
            raise RefusedError(
                f"{table} still has {', '.join([*found.vpcs, *found.groups, *found.ending, *found.routes])}; "
                "try again, or change the mode in two deployments: attached: false, then the other mode"
            )
        # A deleted route may still be listed, and an association as there, before it is on its way:
        # https://docs.aws.amazon.com/ec2/latest/devguide/eventual-consistency.html
        time.sleep(ROUND_SECONDS)
        found = look(table, known, stack_id)


def restore(table: str, wanted: Wanted, stack_id: str, *, seconds_left: Callable[[], float]) -> None:
    """Restores what a route table had, and what CloudFormation believes that it still has.

    The calls have no client token, so what is missing is looked up before each attempt. A route waits until the group
    of virtual interfaces is associated. CloudFormation restores the subnets' routes after all of it is.

    Args:
        seconds_left: until it gives up.

    Raises:
        RefusedError: an association is not there by then.
        botocore.exceptions.ClientError: a call is refused again and again.
    """
    faults = 0
    while True:
        found = look(table, wanted, stack_id)
        missing = lacking(wanted, found)
        if not (missing.any or found.coming):
            logger.info("given back to the route table", extra={"table": table, **vars(wanted)})
            return
        if seconds_left() < ROUND_SECONDS:
            raise RefusedError(
                f"{table} still lacks {', '.join([*missing.vpcs, *filter(None, [missing.group]), *missing.routes])}"
                f"{', and waits for ' if missing.any and found.coming else ''}{', '.join(found.coming)}"
                "; continue the rollback when they can be there"
            )
        try:
            _give(table, missing, wanted.group, stack_id, routes=wanted.group not in (missing.group, *found.coming))
        except (BotoCoreError, ClientError) as error:
            faults += 1
            if faults == MOST_FAULTS:
                raise
            logger.info("tried again", extra={"error": str(error)})
        else:
            faults = 0
        time.sleep(ROUND_SECONDS)


def _give(table: str, missing: Wanted, group: str, stack_id: str, *, routes: bool) -> None:
    ec2, (vpc_kind, group_kind) = client("ec2", 1), KINDS
    for vpc in missing.vpcs:
        ec2.create_local_gateway_route_table_vpc_association(
            LocalGatewayRouteTableId=table, VpcId=vpc, TagSpecifications=_tags(vpc_kind, stack_id)
        )
    if missing.group:
        ec2.create_local_gateway_route_table_virtual_interface_group_association(
            LocalGatewayRouteTableId=table,
            LocalGatewayVirtualInterfaceGroupId=group,
            TagSpecifications=_tags(group_kind, stack_id),
        )
    for to in missing.routes if routes else ():
        ec2.create_local_gateway_route(
            LocalGatewayRouteTableId=table,
            DestinationCidrBlock=to,
            LocalGatewayVirtualInterfaceGroupId=group,
        )


def look(table: str, known: Wanted, stack_id: str) -> Held:
    """What a route table holds, from every page."""
    of_table = [{"Name": "local-gateway-route-table-id", "Values": [table]}]
    return held(
        _pages("search_local_gateway_routes", "Routes", LocalGatewayRouteTableId=table),
        _pages(
            "describe_local_gateway_route_table_vpc_associations",
            "LocalGatewayRouteTableVpcAssociations",
            Filters=of_table,
        ),
        _pages(
            "describe_local_gateway_route_table_virtual_interface_group_associations",
            "LocalGatewayRouteTableVirtualInterfaceGroupAssociations",
            Filters=of_table,
        ),
        known=known.routes,
        is_ours=partial(_carries_tag, stack_id),
    )


def _is_ours(table: str, stack_id: str) -> bool:
    """Whether the route table is there and carries the tag of this stack."""
    of_table = [{"Name": "local-gateway-route-table-id", "Values": [table]}]
    found = _pages("describe_local_gateway_route_tables", "LocalGatewayRouteTables", Filters=of_table)
    return any(_carries_tag(stack_id, item) for item in found)


def _carries_tag(stack_id: str, item: Mapping[str, Any]) -> bool:
    return {"Key": STACK, "Value": stack_id} in item.get("Tags", [])


def _tags(kind: str, stack_id: str) -> list[dict[str, Any]]:
    return [{"ResourceType": kind, "Tags": [{"Key": STACK, "Value": stack_id}]}]


def _rolls_back(stack_id: str) -> bool:
    """The request does not say in which direction the stack goes; only the stack does."""
    (stack,) = client("cloudformation").describe_stacks(StackName=stack_id)["Stacks"]
    return stack["StackStatus"] in ROLLING_BACK


def _pages(operation: str, items: str, **parameters: Any) -> list[dict[str, Any]]:
    pages = client("ec2").get_paginator(operation).paginate(**parameters)
    return [item for page in pages for item in page.get(items, [])]


def _unless_gone(call: Callable[[], object]) -> None:
    """What a first delivery of the request has removed is removed."""
    try:
        call()
    except ClientError as error:
        if "NotFound" not in error.response["Error"]["Code"]:
            raise
