"""CloudFormation -> EC2, ELB: makes what CloudFormation has no type for, and undoes it.

A pool, its range of addresses, the subnet that uses it, Elastic IPs and a load balancer out of it are a resource of the
stack each, so that CloudFormation makes them in their order and deletes them in the reverse one
(https://docs.aws.amazon.com/outposts/latest/userguide/manage-lgw-routes.html). What was made is found again by its
tags, or by its name: a request may come twice. Only what carries them is ever deleted.
"""

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from botocore.exceptions import ClientError

from outposts_routing.coip.balancers import make_balancer, remove_balancer
from outposts_routing.coip.plan import in_use, to_associate
from outposts_routing.ownership import is_of, specification, tags_of
from shared.aws import client
from shared.custom_resource import Facts, RefusedError, answer
from shared.patience import ROUND_SECONDS, ROUNDS, found_at_last, made_once, once_known, removed_at_last

logger = logging.getLogger(__name__)

Request = Mapping[str, Any]
Made = tuple[str, Facts]


def lambda_handler(event: Any, context: Any) -> str:
    """Answers one request of CloudFormation."""
    return answer(event, act)


def act(request: Request) -> Made:
    """Makes, changes or removes one resource and returns its physical id and attributes.

    Raises:
        RefusedError: it cannot be done, with what to do.
        botocore.exceptions.ClientError: a call is refused, or has failed five times.
        LookupError: no such kind of resource.
    """
    make, remove = _KINDS[request["ResourceType"]]
    if request["RequestType"] == "Delete":
        remove(request)
        return request["PhysicalResourceId"], {}
    return make(request)


# --- the pool and its range -------------------------------------------------------------------------------------------


def make_pool(request: Request) -> Made:
    """A pool of the route table: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateCoipPool.html."""
    table = request["ResourceProperties"]["RouteTableId"]
    pool = made_once(
        lambda: _own_pool(request),
        lambda ec2: ec2.create_coip_pool(
            LocalGatewayRouteTableId=table, TagSpecifications=specification("coip-pool", request)
        )["CoipPool"],
    )
    return pool["PoolId"], {"PoolId": pool["PoolId"]}


def remove_pool(request: Request) -> None:
    """Deletes the pool, which is empty by then."""
    removed_at_last(lambda: _own_pool(request), lambda pool: client("ec2").delete_coip_pool(CoipPoolId=pool["PoolId"]))


def make_range(request: Request) -> Made:
    """A range of the pool: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateCoipCidr.html."""
    wanted = request["ResourceProperties"]
    pool_id, cidr = wanted["PoolId"], wanted["Cidr"]
    if not _has_range(pool_id, cidr):
        try:
            once_known(lambda: client("ec2").create_coip_cidr(CoipPoolId=pool_id, Cidr=cidr))
        except ClientError:
            if not _has_range(pool_id, cidr):  # an attempt whose answer was lost has made it
                raise
    return f"{pool_id}|{cidr}", {}


def _has_range(pool_id: str, cidr: str) -> bool:
    return any(pool["PoolId"] == pool_id and cidr in pool.get("PoolCidrs", []) for pool in _pools())


def remove_range(request: Request) -> None:
    """Deletes the range as soon as nobody has an address of it.

    Raises:
        RefusedError: somebody keeps one; it says who.
    """
    wanted = request["ResourceProperties"]
    pool_id, cidr = wanted["PoolId"], wanted["Cidr"]
    for last in [*[False] * (ROUNDS - 1), True]:
        # Looked up again each time: it may be gone by now, with the range. One list without it does not say so.
        if not found_at_last(lambda: _has_range(pool_id, cidr)):
            return
        try:
            used = in_use(_usages(pool_id), cidr)
        except ClientError as error:
            if last or "NotFound" not in error.response["Error"]["Code"]:
                raise
            used = ["what a pool has that is gone, or not known yet"]
        if not used:
            removed_at_last(
                lambda: _has_range(pool_id, cidr),
                lambda _: client("ec2").delete_coip_cidr(CoipPoolId=pool_id, Cidr=cidr),
            )
            return
        if last:
            raise RefusedError(f"{cidr} is in use: {', '.join(used)}; release these addresses and try again")
        logger.info("addresses are in use", extra={"cidr": cidr, "used": used})
        time.sleep(ROUND_SECONDS)


def _pools() -> Iterator[dict[str, Any]]:
    for page in client("ec2").get_paginator("describe_coip_pools").paginate():
        yield from page["CoipPools"]


def _own_pool(request: Request) -> dict[str, Any] | None:
    table = request["ResourceProperties"]["RouteTableId"]
    own = (pool for pool in _pools() if is_of(pool.get("Tags"), request))
    return next((pool for pool in own if pool["LocalGatewayRouteTableId"] == table), None)


def _usages(pool_id: str) -> Iterator[dict[str, Any]]:
    """botocore has no paginator for this call."""
    more: dict[str, str] = {}
    while True:
        page = client("ec2").get_coip_pool_usage(PoolId=pool_id, **more)
        yield from page.get("CoipAddressUsages", [])
        if not page.get("NextToken"):
            return
        more = {"NextToken": page["NextToken"]}


# --- who uses it ------------------------------------------------------------------------------------------------------


def make_subnet(request: Request) -> Made:
    """Gives every new interface of the subnet an address of the pool.

    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ModifySubnetAttribute.html: both in one call.
    """
    wanted = request["ResourceProperties"]
    once_known(
        lambda: client("ec2").modify_subnet_attribute(
            SubnetId=wanted["SubnetId"],
            MapCustomerOwnedIpOnLaunch={"Value": True},
            CustomerOwnedIpv4Pool=wanted["PoolId"],
        ),
        "Pool",
    )
    return f"{wanted['SubnetId']}|{wanted['PoolId']}", {}


def remove_subnet(request: Request) -> None:
    """Turns that off, unless the subnet uses another pool by now."""
    wanted = request["ResourceProperties"]
    pages = client("ec2").get_paginator("describe_subnets")
    filters = [{"Name": "subnet-id", "Values": [wanted["SubnetId"]]}]
    found = [subnet for page in pages.paginate(Filters=filters) for subnet in page["Subnets"]]
    for subnet in found:
        if subnet.get("MapCustomerOwnedIpOnLaunch") and subnet.get("CustomerOwnedIpv4Pool") == wanted["PoolId"]:
            client("ec2").modify_subnet_attribute(
                SubnetId=subnet["SubnetId"], MapCustomerOwnedIpOnLaunch={"Value": False}
            )


def make_address(request: Request) -> Made:
    """An Elastic IP of the pool, associated with a network interface if one is named.

    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_AllocateAddress.html: EC2 chooses from a pool, or is told
    an address in place of the pool. One that cannot be associated as requested is released at once: otherwise the
    deletion of the pool's range would wait for it.

    Raises:
        RefusedError: it has another address already, or somebody else has associated it.
    """
    properties = request["ResourceProperties"]
    chosen = properties.get("Address")
    source = {"Address": chosen} if chosen else {"CustomerOwnedIpv4Pool": properties["PoolId"]}
    address = made_once(
        lambda: _own_address(request),
        lambda ec2: ec2.allocate_address(
            Domain="vpc", TagSpecifications=specification("elastic-ip", request), **source
        ),
    )
    if chosen and address.get("CustomerOwnedIp") != chosen:
        raise RefusedError(
            f"{address['AllocationId']} is {address.get('CustomerOwnedIp')}, and an address stays what it is; take its "
            f"name out of elastic_ips, deploy, and put it back with {chosen}"
        )
    try:
        _give(address, request)
    except ClientError:
        if request["RequestType"] == "Create":
            remove_address(request)
        raise
    return address["AllocationId"], {"CustomerOwnedIp": address.get("CustomerOwnedIp", "")}


def _give(address: Mapping[str, Any], request: Request) -> None:
    """Associates or disassociates an address as the request wants it."""
    ec2, interface = client("ec2"), request["ResourceProperties"].get("NetworkInterfaceId")
    before = (request.get("OldResourceProperties") or {}).get("NetworkInterfaceId")
    match to_associate(address, interface, before):
        case "associate":
            # Between two of our interfaces it moves; what somebody else has given to another stays there.
            if address.get("NetworkInterfaceId") not in (None, "", before):
                raise RefusedError(
                    f"{address['AllocationId']} is associated with {address['NetworkInterfaceId']}, which is not in "
                    "the configuration; disassociate it first"
                )
            where = {"NetworkInterfaceId": interface, "AllowReassociation": bool(before)}
            once_known(lambda: ec2.associate_address(AllocationId=address["AllocationId"], **where), "AllocationID")
        case "disassociate":
            ec2.disassociate_address(AssociationId=address["AssociationId"])


def remove_address(request: Request) -> None:
    """Disassociates the address and releases it to the pool.

    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ReleaseAddress.html: with another network border group
    than the Region's EC2 says that there is no such address, unless the group is named.
    """
    ec2 = client("ec2")

    def remove(address: Mapping[str, Any]) -> None:
        if association := address.get("AssociationId"):
            ec2.disassociate_address(AssociationId=association)
        named = {"NetworkBorderGroup": group} if (group := address.get("NetworkBorderGroup")) else {}
        ec2.release_address(AllocationId=address["AllocationId"], **named)

    removed_at_last(lambda: _own_address(request), remove)


def _own_address(request: Request) -> dict[str, Any] | None:
    """DescribeAddresses has no pages."""
    filters = [{"Name": f"tag:{tag['Key']}", "Values": [tag["Value"]]} for tag in tags_of(request)]
    found = client("ec2").describe_addresses(Filters=filters)["Addresses"]
    return next((address for address in found if is_of(address.get("Tags"), request)), None)


_KINDS: Mapping[str, tuple[Callable[[Request], Made], Callable[[Request], None]]] = {
    "Custom::CoipPool": (make_pool, remove_pool),
    "Custom::CoipCidr": (make_range, remove_range),
    "Custom::CoipSubnet": (make_subnet, remove_subnet),
    "Custom::CoipAddress": (make_address, remove_address),
    "Custom::CoipLoadBalancer": (make_balancer, remove_balancer),
}
