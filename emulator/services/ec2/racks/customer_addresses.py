"""Customer-owned IP addresses: the ranges of pools, and the addresses that come from them (our model).

Not modelled: the addresses that load balancers take from a pool.
"""

import itertools
from ipaddress import IPv4Address, IPv4Network

from emulator.core.api import Around, Json, Operation, call, client_error
from emulator.core.store import account_id
from emulator.services.ec2 import patches
from emulator.services.ec2.racks.local_gateways import POOLS
from emulator.services.ec2.resources import refuse_if


def create_coip_cidr(parameters: Json) -> Json:
    """https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateCoipCidr.html."""
    pool = POOLS.named(parameters["CoipPoolId"])
    network = IPv4Network(parameters["Cidr"])
    taken = [
        cidr for other in POOLS.items.values() for cidr in other["PoolCidrs"] if IPv4Network(cidr).overlaps(network)
    ]
    refuse_if(taken, f"{network} overlaps {', '.join(taken)}")
    pool["PoolCidrs"].append(parameters["Cidr"])
    return {"CoipCidr": _cidr(pool, parameters["Cidr"])}


def delete_coip_cidr(parameters: Json) -> Json:
    """Addresses that somebody has go first, we take it."""
    pool, cidr = POOLS.named(parameters["CoipPoolId"]), parameters["Cidr"]
    if cidr not in pool["PoolCidrs"]:
        raise client_error("InvalidCoipCidr.NotFound", f"{pool['PoolId']} has no {cidr}")
    used = [address for address in _used(pool["PoolId"]) if address in map(str, IPv4Network(cidr))]
    refuse_if(used, f"{', '.join(used)} of {cidr} is in use")
    pool["PoolCidrs"].remove(cidr)
    return {"CoipCidr": _cidr(pool, cidr)}


def _cidr(pool: Json, cidr: str) -> Json:
    return {"Cidr": cidr, "CoipPoolId": pool["PoolId"], "LocalGatewayRouteTableId": pool["LocalGatewayRouteTableId"]}


def get_coip_pool_usage(parameters: Json) -> Json:
    """https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_GetCoipPoolUsage.html."""
    pool = POOLS.named(parameters["PoolId"])
    usages = [
        {"AllocationId": allocation, "AwsAccountId": account_id(), "CoIp": address}
        for address, allocation in _used(pool["PoolId"]).items()
    ]
    table = pool["LocalGatewayRouteTableId"]
    return {"CoipPoolId": pool["PoolId"], "CoipAddressUsages": usages, "LocalGatewayRouteTableId": table}


def _used(pool_id: str) -> dict[str, str]:
    """Allocation id by address."""
    return {
        address.customer_owned_ip: address.allocation_id
        for address in patches.backend().addresses
        if getattr(address, "customer_owned_ipv4_pool", None) == pool_id
    }


# --- what moto's own APIs say of them ---------------------------------------------------------------------------------


def _pool_is_there(parameters: Json) -> None:
    if pool_id := parameters.get("CustomerOwnedIpv4Pool"):
        POOLS.named(pool_id)


def _may_be_allocated(parameters: Json) -> None:
    _pool_is_there(parameters)
    if (chosen := parameters.get("Address")) and (pool_id := _pool_of(chosen)):
        refuse_if(chosen in _used(pool_id), f"{chosen} of {pool_id} is in use")


def _pool_of(address: str) -> str | None:
    """The pool that has an address; none has one of Amazon's."""
    for pool in POOLS.items.values():
        if any(IPv4Address(address) in IPv4Network(cidr) for cidr in pool["PoolCidrs"]):
            return str(pool["PoolId"])
    return None


def _allocated(parameters: Json, answer: Json) -> None:
    """The next free address of a pool, or a chosen one, which is said in place of the pool.

    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_AllocateAddress.html
    """
    chosen = parameters.get("Address")
    pool_id = _pool_of(chosen) if chosen else parameters.get("CustomerOwnedIpv4Pool")
    if not pool_id:
        return
    used = _used(pool_id)
    every = [chosen] if chosen else itertools.chain(*map(IPv4Network, POOLS.named(pool_id)["PoolCidrs"]))
    address = next((str(one) for one in every if str(one) not in used), None)
    if address is None:
        call("ec2", "ReleaseAddress", AllocationId=answer["AllocationId"])
        raise client_error("AddressLimitExceeded", f"{pool_id} has no free address")
    kept = patches.backend().address_by_allocation([answer["AllocationId"]])[0]
    kept.customer_owned_ip, kept.customer_owned_ipv4_pool = address, pool_id
    answer |= {"CustomerOwnedIp": address, "CustomerOwnedIpv4Pool": pool_id}


def _subnet_may_change(parameters: Json) -> None:
    """https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ModifySubnetAttribute.html: both in one call."""
    wanted = parameters.get("MapCustomerOwnedIpOnLaunch")
    if wanted is None:
        return
    subnet, maps = patches.backend().get_subnet(parameters["SubnetId"]), str(wanted.get("Value")).lower() == "true"
    refuse_if(maps and not subnet.outpost_arn, f"{subnet.id} is not on an Outpost")
    refuse_if(maps and not parameters.get("CustomerOwnedIpv4Pool"), "CustomerOwnedIpv4Pool is missing")
    _pool_is_there(parameters)
    subnet.map_customer_owned_ip_on_launch = maps
    subnet.customer_owned_ipv4_pool = parameters.get("CustomerOwnedIpv4Pool") if maps else None


OPERATIONS: dict[str, Operation | Around] = {
    "create_coip_cidr": create_coip_cidr,
    "delete_coip_cidr": delete_coip_cidr,
    "get_coip_pool_usage": get_coip_pool_usage,
    "allocate_address": Around(_may_be_allocated, _allocated),
    "modify_subnet_attribute": Around(_subnet_may_change),
}
