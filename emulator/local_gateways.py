"""Local gateways of an Outposts rack, which moto lacks: route tables, associations, routes, customer-owned addresses.

Our model, after the user guide and the API's reference; every account has one rack with one local gateway and one group
of virtual interfaces. Nothing is routed. What no page says is refused rather than allowed: codes and words of such
errors are ours. States change at once. Not modelled: prefix lists, network interface routes, sharing, states of BGP
sessions, and the addresses that load balancers take from a pool.
"""

import itertools
import re
import secrets
from collections.abc import Callable, Iterator
from ipaddress import IPv4Network
from typing import Any

from emulator import seams
from emulator.calls import call

Json = dict[str, Any]

OUTPOST_ID = "op-0123456789abcdef0"
GATEWAY_ID = "lgw-0123456789abcdef0"
FIRST_GROUP_ID = "lgw-vif-grp-0123456789abcdef0"
DIRECT, COIP = "direct-vpc-routing", "coip"
KINDS = {
    "local-gateway-route-table": "lgw-rtb",
    "local-gateway-route-table-vpc-association": "lgw-vpc-assoc",
    "local-gateway-route-table-virtual-interface-group-association": "lgw-vif-grp-assoc",
    "local-gateway-virtual-interface-group": "lgw-vif-grp",
    "local-gateway-virtual-interface": "lgw-vif",
    "coip-pool": "ipv4pool-coip",
}


def outpost_arn() -> str:
    """Of the one rack."""
    return f"arn:aws:outposts:{seams.region()}:{seams.account_id()}:outpost/{OUTPOST_ID}"


def outpost_zone() -> str:
    """The zone that the rack is homed to."""
    return outpost_zone_in(seams.region())


def outpost_zone_in(region: str) -> str:
    """The same, for whoever asks from outside."""
    return f"{region}a"


# --- the rack ---------------------------------------------------------------------------------------------------------


async def get_outpost(method: str, path: str, headers: Json, body: bytes, query: Json) -> seams.Answer:
    """https://docs.aws.amazon.com/outposts/latest/APIReference/API_GetOutpost.html."""
    if method != "GET" or path != f"/outposts/{OUTPOST_ID}":
        return seams.json_answer(404, {"__type": "NotFoundException", "Message": f"no {path} in this model"})
    outpost = {
        "OutpostId": OUTPOST_ID,
        "OutpostArn": outpost_arn(),
        "OwnerId": seams.account_id(),
        "Name": "embedded",
        "AvailabilityZone": outpost_zone(),
        "SupportedHardwareType": "RACK",
        "LifeCycleStatus": "ACTIVE",
    }
    return seams.json_answer(200, {"Outpost": outpost})


def describe_local_gateways(parameters: Json) -> Json:
    """https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeLocalGateways.html."""
    return {"LocalGateways": [{**_here(), "State": "available"}]}


def _here() -> Json:
    return {"LocalGatewayId": GATEWAY_ID, "OutpostArn": outpost_arn(), "OwnerId": seams.account_id()}


def create_local_gateway_virtual_interface_group(parameters: Json) -> Json:
    """https://docs.aws.amazon.com/outposts/latest/network-userguide/routing-domains.html (second generation)."""
    made = _made("local-gateway-virtual-interface-group", parameters)
    group = {
        "LocalGatewayVirtualInterfaceGroupId": made,
        "LocalGatewayVirtualInterfaceIds": [],
        "LocalGatewayId": parameters["LocalGatewayId"],
        "OwnerId": seams.account_id(),
        "ConfigurationState": "available",
    }
    _groups()[made] = group
    return {"LocalGatewayVirtualInterfaceGroup": _shown(group, made)}


def describe_local_gateway_virtual_interface_groups(parameters: Json) -> Json:
    """The one that AWS makes when it installs the rack, and those that were created."""
    return {
        "LocalGatewayVirtualInterfaceGroups": _found(
            _groups(), parameters, "LocalGatewayVirtualInterfaceGroupIds", {"local-gateway-id": "LocalGatewayId"}
        )
    }


def delete_local_gateway_virtual_interface_group(parameters: Json) -> Json:
    """A group that is associated, or has interfaces, stays."""
    group = _named(_groups(), parameters["LocalGatewayVirtualInterfaceGroupId"])
    name = group["LocalGatewayVirtualInterfaceGroupId"]
    _refuse_if(group["LocalGatewayVirtualInterfaceIds"], f"{name} has virtual interfaces")
    _refuse_if([a for a in _group_associations().values() if a["LocalGatewayVirtualInterfaceGroupId"] == name], name)
    return {"LocalGatewayVirtualInterfaceGroup": _groups().pop(name)}


def create_local_gateway_virtual_interface(parameters: Json) -> Json:
    """Addresses of two interfaces on one link do not overlap, says the same page."""
    group = _named(_groups(), parameters["LocalGatewayVirtualInterfaceGroupId"])
    for other in _interfaces().values():
        same_link = other["OutpostLagId"] == parameters["OutpostLagId"]
        ends = {other["LocalAddress"], other["PeerAddress"]}
        _refuse_if(same_link and ends & {parameters["LocalAddress"], parameters["PeerAddress"]}, "the address")
    made = _made("local-gateway-virtual-interface", parameters)
    names = ("OutpostLagId", "Vlan", "LocalAddress", "PeerAddress", "LocalGatewayVirtualInterfaceGroupId")
    interface = {
        "LocalGatewayVirtualInterfaceId": made,
        "LocalGatewayId": group["LocalGatewayId"],
        **{name: parameters[name] for name in names},
    }
    _interfaces()[made] = interface
    group["LocalGatewayVirtualInterfaceIds"].append(made)
    return {"LocalGatewayVirtualInterface": _shown(interface, made)}


def delete_local_gateway_virtual_interface(parameters: Json) -> Json:
    """https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteLocalGatewayVirtualInterface.html."""
    interface = _named(_interfaces(), parameters["LocalGatewayVirtualInterfaceId"])
    name = interface["LocalGatewayVirtualInterfaceId"]
    _groups()[interface["LocalGatewayVirtualInterfaceGroupId"]]["LocalGatewayVirtualInterfaceIds"].remove(name)
    return {"LocalGatewayVirtualInterface": _interfaces().pop(name)}


# --- route tables and their associations ------------------------------------------------------------------------------


def create_local_gateway_route_table(parameters: Json) -> Json:
    """https://docs.aws.amazon.com/outposts/latest/userguide/routing.html: direct VPC routing is the default mode."""
    made = _made("local-gateway-route-table", parameters)
    table = {
        "LocalGatewayRouteTableId": made,
        "LocalGatewayRouteTableArn": _arn("local-gateway-route-table", made),
        **_here(),
        "State": "available",
        "Mode": parameters.get("Mode") or DIRECT,
    }
    _tables()[made] = table
    return {"LocalGatewayRouteTable": _shown(table, made)}


def describe_local_gateway_route_tables(parameters: Json) -> Json:
    """https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeLocalGatewayRouteTables.html."""
    return {"LocalGatewayRouteTables": _found(_tables(), parameters, "LocalGatewayRouteTableIds", _BY_TABLE)}


def delete_local_gateway_route_table(parameters: Json) -> Json:
    """https://docs.aws.amazon.com/outposts/latest/userguide/manage-lgw-routes.html: associations go first.

    That pools and VPC associations go first too is taken for granted.
    """
    table = _named(_tables(), parameters["LocalGatewayRouteTableId"])
    name = table["LocalGatewayRouteTableId"]
    for kept in (_vpc_associations(), _group_associations(), _pools()):
        users = [user for user, item in kept.items() if item["LocalGatewayRouteTableId"] == name]
        _refuse_if(users, f"{name} is in use by {', '.join(users)}")
    _routes().pop(name, None)
    return {"LocalGatewayRouteTable": {**_tables().pop(name), "State": "deleted"}}


def create_local_gateway_route_table_vpc_association(parameters: Json) -> Json:
    """https://docs.aws.amazon.com/outposts/latest/network-userguide/routing-domains.html.

    "A VPC can be associated with 1 LGW route table per Outpost."
    """
    vpc = call("ec2", "DescribeVpcs", VpcIds=[parameters["VpcId"]])["Vpcs"][0]["VpcId"]
    taken = [a["LocalGatewayRouteTableId"] for a in _vpc_associations().values() if a["VpcId"] == vpc]
    _refuse_if(taken, f"{vpc} is associated with {taken[0] if taken else ''}")
    return {"LocalGatewayRouteTableVpcAssociation": _associate("vpc-association", parameters, VpcId=vpc)}


def create_local_gateway_route_table_virtual_interface_group_association(parameters: Json) -> Json:
    """https://docs.aws.amazon.com/outposts/latest/network-userguide/routing-domains.html.

    "Your VIF group and route table can only be associated to 1 routing domain. This creates the 1:1 mapping".
    """
    group = _named(_groups(), parameters["LocalGatewayVirtualInterfaceGroupId"])["LocalGatewayVirtualInterfaceGroupId"]
    for other in _group_associations().values():
        _refuse_if(other["LocalGatewayVirtualInterfaceGroupId"] == group, f"{group} is associated with a route table")
        same_table = other["LocalGatewayRouteTableId"] == parameters["LocalGatewayRouteTableId"]
        _refuse_if(same_table, f"{other['LocalGatewayRouteTableId']} has a group")
    made = _associate("virtual-interface-group-association", parameters, LocalGatewayVirtualInterfaceGroupId=group)
    return {"LocalGatewayRouteTableVirtualInterfaceGroupAssociation": made}


def _associate(kind: str, parameters: Json, **what: str) -> Json:
    table = _named(_tables(), parameters["LocalGatewayRouteTableId"])
    kind = f"local-gateway-route-table-{kind}"
    made = _made(kind, parameters)
    kept, key = (
        (_vpc_associations(), "LocalGatewayRouteTableVpcAssociationId")
        if "VpcId" in what
        else (_group_associations(), "LocalGatewayRouteTableVirtualInterfaceGroupAssociationId")
    )
    kept[made] = {
        key: made,
        "LocalGatewayRouteTableId": table["LocalGatewayRouteTableId"],
        "LocalGatewayRouteTableArn": table["LocalGatewayRouteTableArn"],
        "LocalGatewayId": GATEWAY_ID,
        "OwnerId": seams.account_id(),
        "State": "associated",
        **what,
    }
    return _shown(kept[made], made)


def describe_local_gateway_route_table_vpc_associations(parameters: Json) -> Json:
    """https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeLocalGatewayRouteTableVpcAssociations.html."""
    found = _found(
        _vpc_associations(),
        parameters,
        "LocalGatewayRouteTableVpcAssociationIds",
        {**_BY_TABLE, "vpc-id": "VpcId"},
    )
    return {"LocalGatewayRouteTableVpcAssociations": found}


def describe_local_gateway_route_table_virtual_interface_group_associations(parameters: Json) -> Json:
    """The same for groups of virtual interfaces."""
    found = _found(
        _group_associations(),
        parameters,
        "LocalGatewayRouteTableVirtualInterfaceGroupAssociationIds",
        _BY_TABLE,
    )
    return {"LocalGatewayRouteTableVirtualInterfaceGroupAssociations": found}


def delete_local_gateway_route_table_vpc_association(parameters: Json) -> Json:
    """https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteLocalGatewayRouteTableVpcAssociation.html."""
    key = "LocalGatewayRouteTableVpcAssociationId"
    found = _named(_vpc_associations(), parameters[key])
    return {"LocalGatewayRouteTableVpcAssociation": {**_vpc_associations().pop(found[key]), "State": "disassociated"}}


def delete_local_gateway_route_table_virtual_interface_group_association(parameters: Json) -> Json:
    """The same for groups of virtual interfaces."""
    key = "LocalGatewayRouteTableVirtualInterfaceGroupAssociationId"
    found = _named(_group_associations(), parameters[key])
    gone = {**_group_associations().pop(found[key]), "State": "disassociated"}
    return {"LocalGatewayRouteTableVirtualInterfaceGroupAssociation": gone}


# --- routes -----------------------------------------------------------------------------------------------------------


def create_local_gateway_route(parameters: Json) -> Json:
    """https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateLocalGatewayRoute.html.

    The console's procedure associates the group first and adds the route then.
    """
    table = _named(_tables(), parameters["LocalGatewayRouteTableId"])["LocalGatewayRouteTableId"]
    group = parameters["LocalGatewayVirtualInterfaceGroupId"]
    associated = [
        item
        for item in _group_associations().values()
        if (item["LocalGatewayRouteTableId"], item["LocalGatewayVirtualInterfaceGroupId"]) == (table, group)
    ]
    _refuse_if(not associated, f"{group} is not associated with {table}")
    static = _routes().setdefault(table, {})
    if parameters["DestinationCidrBlock"] in static:
        raise seams.client_error("RouteAlreadyExists", f"{table} has a route to {parameters['DestinationCidrBlock']}")
    route = {
        "DestinationCidrBlock": parameters["DestinationCidrBlock"],
        "LocalGatewayVirtualInterfaceGroupId": group,
        "Type": "static",
        "State": "active",
        "LocalGatewayRouteTableId": table,
        "OwnerId": seams.account_id(),
    }
    static[parameters["DestinationCidrBlock"]] = route
    return {"Route": route}


def search_local_gateway_routes(parameters: Json) -> Json:
    """Static routes, and what is advertised to the network on premises as propagated ones.

    In mode direct-vpc-routing the Outpost subnets of associated VPCs whose route table leads to the local gateway
    (https://docs.aws.amazon.com/outposts/latest/userguide/manage-lgw-routes.html), in mode coip the pools' ranges
    (https://docs.aws.amazon.com/outposts/latest/userguide/routing.html).
    """
    table = _named(_tables(), parameters["LocalGatewayRouteTableId"])
    static = list(_routes().get(table["LocalGatewayRouteTableId"], {}).values())
    return {"Routes": [*static, *_propagated(table)]}


def _propagated(table: Json) -> Iterator[Json]:
    name = table["LocalGatewayRouteTableId"]
    known = {"Type": "propagated", "State": "active", "LocalGatewayRouteTableId": name}
    if table["Mode"] == COIP:
        for pool in _pools().values():
            if pool["LocalGatewayRouteTableId"] == name:
                for cidr in pool["PoolCidrs"]:
                    yield {**known, "DestinationCidrBlock": cidr, "CoipPoolId": pool["PoolId"]}
        return
    vpcs = [item["VpcId"] for item in _vpc_associations().values() if item["LocalGatewayRouteTableId"] == name]
    for subnet in seams.ec2_subnets():
        leads_here = any(getattr(route, "local_gateway_id", None) == GATEWAY_ID for route in subnet.routes)
        if subnet.vpc_id in vpcs and getattr(subnet, "outpost_arn", None) and leads_here:
            yield {**known, "DestinationCidrBlock": subnet.cidr_block, "SubnetId": subnet.id}


def delete_local_gateway_route(parameters: Json) -> Json:
    """https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteLocalGatewayRoute.html."""
    static = _routes().get(parameters["LocalGatewayRouteTableId"], {})
    if parameters["DestinationCidrBlock"] not in static:
        raise seams.client_error("InvalidRoute.NotFound", f"no route to {parameters['DestinationCidrBlock']}")
    return {"Route": {**static.pop(parameters["DestinationCidrBlock"]), "State": "deleted"}}


# --- customer-owned addresses -----------------------------------------------------------------------------------------


def create_coip_pool(parameters: Json) -> Json:
    """https://docs.aws.amazon.com/outposts/latest/userguide/manage-lgw-routes.html: up to 10 pools, of mode coip."""
    table = _named(_tables(), parameters["LocalGatewayRouteTableId"])
    name = table["LocalGatewayRouteTableId"]
    _refuse_if(table["Mode"] != COIP, f"{name} is not in mode {COIP}")
    _refuse_if(
        len([p for p in _pools().values() if p["LocalGatewayRouteTableId"] == name]) >= 10, f"{name} has 10 pools"
    )
    made = _made("coip-pool", parameters)
    _pools()[made] = {
        "PoolId": made,
        "PoolCidrs": [],
        "LocalGatewayRouteTableId": name,
        "PoolArn": _arn("coip-pool", made),
    }
    return {"CoipPool": _shown(_pools()[made], made)}


def describe_coip_pools(parameters: Json) -> Json:
    """https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeCoipPools.html."""
    return {"CoipPools": _found(_pools(), parameters, "PoolIds", {})}


def delete_coip_pool(parameters: Json) -> Json:
    """https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteCoipPool.html; ranges go first, we take it."""
    pool = _named(_pools(), parameters["CoipPoolId"])
    _refuse_if(pool["PoolCidrs"], f"{pool['PoolId']} has ranges")
    return {"CoipPool": _pools().pop(pool["PoolId"])}


def create_coip_cidr(parameters: Json) -> Json:
    """https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateCoipCidr.html."""
    pool = _named(_pools(), parameters["CoipPoolId"])
    network = IPv4Network(parameters["Cidr"])
    taken = [cidr for other in _pools().values() for cidr in other["PoolCidrs"] if IPv4Network(cidr).overlaps(network)]
    _refuse_if(taken, f"{network} overlaps {', '.join(taken)}")
    pool["PoolCidrs"].append(parameters["Cidr"])
    return {"CoipCidr": _cidr(pool, parameters["Cidr"])}


def delete_coip_cidr(parameters: Json) -> Json:
    """Addresses that somebody has go first, we take it."""
    pool = _named(_pools(), parameters["CoipPoolId"])
    if parameters["Cidr"] not in pool["PoolCidrs"]:
        raise seams.client_error("InvalidCoipCidr.NotFound", f"{pool['PoolId']} has no {parameters['Cidr']}")
    used = [address for address in _used(pool["PoolId"]) if address in map(str, IPv4Network(parameters["Cidr"]))]
    _refuse_if(used, f"{', '.join(used)} of {parameters['Cidr']}")
    pool["PoolCidrs"].remove(parameters["Cidr"])
    return {"CoipCidr": _cidr(pool, parameters["Cidr"])}


def get_coip_pool_usage(parameters: Json) -> Json:
    """https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_GetCoipPoolUsage.html."""
    pool = _named(_pools(), parameters["PoolId"])
    usages = [
        {"AllocationId": allocation, "AwsAccountId": seams.account_id(), "CoIp": address}
        for address, allocation in _used(pool["PoolId"]).items()
    ]
    table = pool["LocalGatewayRouteTableId"]
    return {"CoipPoolId": pool["PoolId"], "CoipAddressUsages": usages, "LocalGatewayRouteTableId": table}


def _cidr(pool: Json, cidr: str) -> Json:
    table = pool["LocalGatewayRouteTableId"]
    return {"Cidr": cidr, "CoipPoolId": pool["PoolId"], "LocalGatewayRouteTableId": table}


def _used(pool_id: str) -> dict[str, str]:
    """Allocation id by address."""
    return {
        address.customer_owned_ip: address.allocation_id
        for address in seams.ec2_addresses()
        if getattr(address, "customer_owned_ipv4_pool", None) == pool_id
    }


# --- what moto's own APIs say of it -----------------------------------------------------------------------------------


def _nothing(*_: Any) -> None:
    pass


def _pool_is_there(parameters: Json) -> None:
    if pool_id := parameters.get("CustomerOwnedIpv4Pool"):
        _named(_pools(), pool_id)


def _allocated(parameters: Json, answer: Json) -> None:
    """https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_AllocateAddress.html: the next free one."""
    pool_id = parameters.get("CustomerOwnedIpv4Pool")
    if not pool_id:
        return
    used = _used(pool_id)
    free = (
        str(address)
        for address in itertools.chain(*map(IPv4Network, _pools()[pool_id]["PoolCidrs"]))
        if str(address) not in used
    )
    address = next(free, None)
    if address is None:
        call("ec2", "ReleaseAddress", AllocationId=answer["AllocationId"])
        raise seams.client_error("AddressLimitExceeded", f"{pool_id} has no free address")
    kept = seams.ec2_address(answer["AllocationId"])
    kept.customer_owned_ip, kept.customer_owned_ipv4_pool = address, pool_id
    answer |= {"CustomerOwnedIp": address, "CustomerOwnedIpv4Pool": pool_id}


def _subnet_may_be_made(parameters: Json) -> None:
    """https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateSubnet.html: with the Outpost's zone."""
    if parameters.get("OutpostArn"):
        zone = parameters.get("AvailabilityZone")
        _refuse_if(zone != outpost_zone(), f"{zone} is not the zone of the Outpost, {outpost_zone()}; it")


def _subnet_made(parameters: Json, answer: Any) -> None:
    subnet = answer["Subnet"]
    subnet.outpost_arn = parameters.get("OutpostArn")


def _subnet_may_change(parameters: Json) -> None:
    """https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ModifySubnetAttribute.html: both in one call."""
    wanted = parameters.get("MapCustomerOwnedIpOnLaunch")
    if wanted is None:
        return
    subnet, maps = seams.ec2_subnet(parameters["SubnetId"]), str(wanted.get("Value")).lower() == "true"
    _refuse_if(maps and not subnet.outpost_arn, f"{subnet.id} is not on an Outpost; it")
    _refuse_if(maps and not parameters.get("CustomerOwnedIpv4Pool"), "a pool is missing; the subnet")
    _pool_is_there(parameters)
    subnet.map_customer_owned_ip_on_launch = maps
    subnet.customer_owned_ipv4_pool = parameters.get("CustomerOwnedIpv4Pool") if maps else None


def _route_may_be_made(parameters: Json) -> None:
    """https://docs.aws.amazon.com/outposts/latest/userguide/outposts-local-gateways.html: of associated VPCs only."""
    if not parameters.get("LocalGatewayId"):
        return
    table = call("ec2", "DescribeRouteTables", RouteTableIds=[parameters["RouteTableId"]])["RouteTables"][0]
    vpcs = [item["VpcId"] for item in _vpc_associations().values()]
    _refuse_if(table["VpcId"] not in vpcs, f"{table['VpcId']} is not associated with the local gateway; the route")


def _route_made(parameters: Json, _answer: Any) -> None:
    if gateway := parameters.get("LocalGatewayId"):
        for route in seams.ec2_routes(parameters["RouteTableId"]):
            if route.destination_cidr_block == parameters.get("DestinationCidrBlock"):
                route.local_gateway_id = gateway


# --- what is kept -----------------------------------------------------------------------------------------------------


def _kept(name: str) -> Callable[[], dict[str, Json]]:
    return lambda: seams.kept_in_ec2(f"local_gateway_{name}")


_tables, _vpc_associations, _group_associations = _kept("tables"), _kept("vpcs"), _kept("group_associations")
_interfaces, _routes, _pools = _kept("interfaces"), _kept("routes"), _kept("pools")
_BY_TABLE = {
    "local-gateway-route-table-id": "LocalGatewayRouteTableId",
    "local-gateway-id": "LocalGatewayId",
    "mode": "Mode",
}


def _groups() -> dict[str, Json]:
    """https://docs.aws.amazon.com/outposts/latest/userguide/outposts-local-gateways.html: AWS makes the first one."""
    groups = seams.kept_in_ec2("local_gateway_groups")
    groups.setdefault(
        FIRST_GROUP_ID,
        {
            "LocalGatewayVirtualInterfaceGroupId": FIRST_GROUP_ID,
            "LocalGatewayVirtualInterfaceIds": ["lgw-vif-0123456789abcdef0", "lgw-vif-0123456789abcdef1"],
            "LocalGatewayId": GATEWAY_ID,
            "OwnerId": seams.account_id(),
            "ConfigurationState": "available",
        },
    )
    return groups


def _made(kind: str, parameters: Json) -> str:
    """A new id, with the tags of the request."""
    made = f"{KINDS[kind]}-{secrets.token_hex(9)[:17]}"
    specifications = parameters.get("TagSpecifications") or parameters.get("TagSpecification") or []
    tags = [tag for item in specifications for tag in item.get("Tags") or item.get("Tag") or []]
    seams.tag_in_ec2(made, {tag["Key"]: tag["Value"] for tag in tags})
    return made


def _arn(kind: str, name: str) -> str:
    return f"arn:aws:ec2:{seams.region()}:{seams.account_id()}:{kind}/{name}"


def _shown(item: Json, name: str) -> Json:
    return {**item, "Tags": [{"Key": key, "Value": value} for key, value in seams.ec2_tags()[name].items()]}


def _found(kept: dict[str, Json], parameters: Json, ids: str, filters: dict[str, str]) -> list[Json]:
    wanted = parameters.get(ids) or parameters.get(ids.removesuffix("s")) or []
    for name in wanted:
        _named(kept, name)
    found = {name: item for name, item in kept.items() if not wanted or name in wanted}
    for condition in parameters.get("Filters") or parameters.get("Filter") or []:
        values = condition.get("Values") or condition.get("Value")
        key = filters[condition["Name"]]
        found = {name: item for name, item in found.items() if item.get(key) in values}
    return [_shown(item, name) for name, item in found.items()]


def _named(kept: dict[str, Json], name: str) -> Json:
    if name not in kept:
        raise seams.client_error("InvalidLocalGatewayResource.NotFound", f"{name} does not exist")
    return kept[name]


def _refuse_if(condition: Any, what: str) -> None:
    if condition:
        raise seams.client_error("DependencyViolation", f"{what} cannot be had, or is in use")


ACTIONS = (
    describe_local_gateways,
    create_local_gateway_virtual_interface_group,
    describe_local_gateway_virtual_interface_groups,
    delete_local_gateway_virtual_interface_group,
    create_local_gateway_virtual_interface,
    delete_local_gateway_virtual_interface,
    create_local_gateway_route_table,
    describe_local_gateway_route_tables,
    delete_local_gateway_route_table,
    create_local_gateway_route_table_vpc_association,
    create_local_gateway_route_table_virtual_interface_group_association,
    describe_local_gateway_route_table_vpc_associations,
    describe_local_gateway_route_table_virtual_interface_group_associations,
    delete_local_gateway_route_table_vpc_association,
    delete_local_gateway_route_table_virtual_interface_group_association,
    create_local_gateway_route,
    search_local_gateway_routes,
    delete_local_gateway_route,
    create_coip_pool,
    describe_coip_pools,
    delete_coip_pool,
    create_coip_cidr,
    delete_coip_cidr,
    get_coip_pool_usage,
)
_ID_PARAMETERS = (
    "LocalGatewayRouteTableVpcAssociationId",
    "LocalGatewayRouteTableVirtualInterfaceGroupAssociationId",
    "CoipPoolId",
    "PoolId",
    "LocalGatewayRouteTableId",
)
_IDENTIFIED = ("Delete", "Get", "Search")


def resource_of(service: str, action: str, parameters: Json, found: str) -> str | None:
    """The one ARN that a call of these is judged on here; AWS judges on all that a call names.

    https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonec2.html
    """
    if service == "elasticloadbalancing" and action == "CreateLoadBalancer":
        name = str(_first(parameters.get("Name")))
        return f"arn:aws:elasticloadbalancing:{seams.region()}:{seams.account_id()}:loadbalancer/app/{name}/*"
    if service == "elasticloadbalancing" and action.endswith(("LoadBalancer", "LoadBalancerAttributes")):
        return str(_first(parameters.get("LoadBalancerArn"))) if not action.startswith("Describe") else None
    if service != "ec2" or action.startswith("Describe"):
        return None
    if action in ("AllocateAddress", "AssociateAddress", "DisassociateAddress", "ReleaseAddress"):
        return _arn("elastic-ip", _allocation(parameters))
    if not any(part in action for part in ("LocalGateway", "Coip")):
        return None
    if action.startswith(_IDENTIFIED) or action in ("CreateCoipCidr", "CreateLocalGatewayRoute"):
        for key in _ID_PARAMETERS:
            if name := _first(parameters.get(key)):
                kind = next(kind for kind, prefix in KINDS.items() if name.startswith(f"{prefix}-"))
                return _arn(kind, name)
    kind = {
        "CreateCoipPool": "coip-pool",
        "CreateLocalGatewayRouteTableVpcAssociation": "local-gateway-route-table-vpc-association",
    }.get(action, "local-gateway-route-table-virtual-interface-group-association")
    return _arn(kind, "*")


def _allocation(parameters: Json) -> str:
    """Id of the address that a call is about; * where it is made."""

    association = _first(parameters.get("AssociationId"))
    for address in seams.ec2_addresses():
        if association and address.association_id == association:
            return str(address.allocation_id)
    return str(_first(parameters.get("AllocationId")) or "*")


def _first(value: Any) -> Any:
    return value[0] if isinstance(value, list) else value


def request_tags(service: str, action: str, _body: bytes, parameters: Json) -> Json:
    """``aws:RequestTag/key`` of what is tagged when it is made, which ministack knows of calls that only tag.

    https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/supported-iam-actions-tagging.html
    """
    if action not in _TAGGED:
        return {}
    found = {}
    for name, value in parameters.items():
        if re.fullmatch(r"TagSpecification\.\d+\.Tag\.\d+\.Key", name):
            tag = parameters[f"{name.removesuffix('Key')}Value"]
            found[f"aws:RequestTag/{_first(value)}".lower()] = _first(tag)
    return found


_TAGGED = (
    "ec2:AllocateAddress",
    "ec2:CreateCoipPool",
    "ec2:CreateLocalGatewayRouteTableVirtualInterfaceGroupAssociation",
    "ec2:CreateLocalGatewayRouteTableVpcAssociation",
)


def _judged_on(path: str, _body: bytes, _query: Json) -> str:
    """https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsoutposts.html: the named one."""
    name = path.strip("/").split("/")[1:2]
    return f"{outpost_arn().rpartition('/')[0]}/{name[0]}" if name else "*"


def serve() -> None:
    """Puts the APIs into moto, and what its own say of them."""
    for action in ACTIONS:
        seams.serve_action("ec2", action.__name__, action)
    seams.refine_action("allocate_address", _pool_is_there, _allocated)
    seams.refine_action("create_subnet", _subnet_may_be_made, _subnet_made)
    seams.refine_action("modify_subnet_attribute", _subnet_may_change, _nothing)
    seams.refine_action("create_route", _route_may_be_made, _route_made)


def install() -> None:
    """The same, with the Outposts API, and what IAM has to know."""
    serve()
    seams.serve_rest("outposts", get_outpost, _judged_on)
    seams.name_resources(resource_of)
    seams.add_condition_keys(request_tags)
