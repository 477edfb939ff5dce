"""Local gateways of Outposts racks, which moto lacks: groups of virtual interfaces, route tables and what they lead to.

Our model, after the user guide and the API's reference. Nothing is routed. What no page says is refused rather than
allowed. Associations take some looks to come and to go, other states change at once. Not modelled: what is in a prefix
list, sharing, states of BGP sessions.
"""

from collections.abc import Iterator

from emulator.core.api import Around, Json, Operation, call, client_error, serve
from emulator.core.store import Ec2Store, account_id
from emulator.services.ec2 import patches
from emulator.services.ec2.resources import Kind, filtered, refuse_if
from emulator.services.outposts.racks import Rack, gateways, racks

DIRECT, COIP = "direct-vpc-routing", "coip"
_BY_TABLE = {
    "local-gateway-route-table-id": "LocalGatewayRouteTableId",
    "local-gateway-id": "LocalGatewayId",
    "mode": "Mode",
}


def _rack(gateway: str) -> Rack:
    found = dict(gateways()).get(gateway)
    if found is None:
        raise client_error("InvalidLocalGatewayID.NotFound", f"The local gateway ID '{gateway}' does not exist")
    return found


def describe_local_gateways(parameters: Json) -> Json:
    """https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeLocalGateways.html."""
    found = [
        {"LocalGatewayId": name, "OutpostArn": rack.arn, "OwnerId": rack.account, "State": "available"}
        for name, rack in gateways()
    ]
    names = {"local-gateway-id": "LocalGatewayId", "outpost-arn": "OutpostArn", "owner-id": "OwnerId", "state": "State"}
    return {"LocalGateways": filtered(found, parameters, names)}


# --- groups of virtual interfaces -------------------------------------------------------------------------------------


def _group(gateway: str, interfaces: list[str]) -> Json:
    return {
        "LocalGatewayVirtualInterfaceIds": interfaces,
        "LocalGatewayId": gateway,
        "OwnerId": account_id(),
        "ConfigurationState": "available",
    }


def _first_groups() -> dict[str, Json]:
    """https://docs.aws.amazon.com/outposts/latest/userguide/outposts-local-gateways.html: AWS makes the first one."""
    return {
        rack.group: _group(gateway, [f"lgw-vif-{gateway[4:-1]}{end}" for end in "01"]) for gateway, rack in gateways()
    }


def _new_group(parameters: Json, _made: str) -> Json:
    """https://docs.aws.amazon.com/outposts/latest/network-userguide/routing-domains.html (second generation)."""
    return _group(_rack(parameters["LocalGatewayId"]).gateway, [])


def _group_unused(group: Json) -> None:
    name = group["LocalGatewayVirtualInterfaceGroupId"]
    refuse_if(group["LocalGatewayVirtualInterfaceIds"], f"{name} has virtual interfaces")
    used = GROUP_ASSOCIATIONS.where(LocalGatewayVirtualInterfaceGroupId=name)
    refuse_if(used, f"{name} is associated with a route table")


GROUPS = Kind(
    "LocalGatewayVirtualInterfaceGroup",
    "local-gateway-virtual-interface-group",
    "lgw-vif-grp",
    made=_new_group,
    deletable=_group_unused,
    filters={"local-gateway-id": "LocalGatewayId"},
    first=_first_groups,
)


def _new_interface(parameters: Json, made: str) -> Json:
    """Addresses of two interfaces on one link do not overlap, says the same page."""
    group = GROUPS.named(parameters["LocalGatewayVirtualInterfaceGroupId"])
    ends = {parameters["LocalAddress"], parameters["PeerAddress"]}
    for other in INTERFACES.where(OutpostLagId=parameters["OutpostLagId"]):
        taken = ends & {other["LocalAddress"], other["PeerAddress"]}
        refuse_if(taken, f"{', '.join(taken)} is in use by {other['LocalGatewayVirtualInterfaceId']}")
    names = ("OutpostLagId", "Vlan", "LocalAddress", "PeerAddress", "LocalGatewayVirtualInterfaceGroupId")
    group["LocalGatewayVirtualInterfaceIds"].append(made)
    given = {name: parameters[name] for name in names}
    return {"LocalGatewayId": group["LocalGatewayId"], "ConfigurationState": "available", **given}


def _leave_group(interface: Json) -> None:
    group = GROUPS.named(interface["LocalGatewayVirtualInterfaceGroupId"])
    group["LocalGatewayVirtualInterfaceIds"].remove(interface["LocalGatewayVirtualInterfaceId"])


INTERFACES = Kind(
    "LocalGatewayVirtualInterface",
    "local-gateway-virtual-interface",
    "lgw-vif",
    made=_new_interface,
    removed=_leave_group,
    filters={"local-gateway-id": "LocalGatewayId"},
    gone={"ConfigurationState": "deleted"},
)


# --- route tables and their associations ------------------------------------------------------------------------------


def _new_table(parameters: Json, made: str) -> Json:
    """https://docs.aws.amazon.com/outposts/latest/userguide/routing.html: direct VPC routing is the default mode."""
    rack = _rack(parameters["LocalGatewayId"])
    return {
        "LocalGatewayRouteTableArn": TABLES.arn(made),
        "LocalGatewayId": rack.gateway,
        "OutpostArn": rack.arn,
        "OwnerId": account_id(),
        "State": "available",
        "Mode": parameters.get("Mode") or DIRECT,
    }


def _table_unused(table: Json) -> None:
    """https://docs.aws.amazon.com/outposts/latest/userguide/manage-lgw-routes.html: associations go first.

    That pools and VPC associations go first too is taken for granted.
    """
    name = table["LocalGatewayRouteTableId"]
    for kind in (VPC_ASSOCIATIONS, GROUP_ASSOCIATIONS, POOLS):
        users = [item[kind.id_member] for item in kind.where(LocalGatewayRouteTableId=name)]
        refuse_if(users, f"{name} is in use by {', '.join(users)}")


ROUTES: Ec2Store[dict[str, dict[str, Json]]] = Ec2Store("local_gateway_routes", dict)


def _forget_routes(table: Json) -> None:
    ROUTES.here().pop(table["LocalGatewayRouteTableId"], None)


TABLES = Kind(
    "LocalGatewayRouteTable",
    "local-gateway-route-table",
    "lgw-rtb",
    made=_new_table,
    deletable=_table_unused,
    removed=_forget_routes,
    filters=_BY_TABLE,
    gone={"State": "deleted"},
)


def _association(parameters: Json, **what: str) -> Json:
    table = TABLES.named(parameters["LocalGatewayRouteTableId"])
    names = ("LocalGatewayRouteTableId", "LocalGatewayRouteTableArn", "LocalGatewayId")
    return {**{name: table[name] for name in names}, "OwnerId": account_id(), **what}


_STATES = ("associating", "associated", "disassociating")
"""https://docs.aws.amazon.com/cli/latest/reference/ec2/create-local-gateway-route-table-vpc-association.html shows the
first two."""


def _new_vpc_association(parameters: Json, _made: str) -> Json:
    """https://docs.aws.amazon.com/outposts/latest/network-userguide/routing-domains.html.

    "A VPC can be associated with 1 LGW route table per Outpost."
    """
    vpc = call("ec2", "DescribeVpcs", VpcIds=[parameters["VpcId"]])["Vpcs"][0]["VpcId"]
    association = _association(parameters, VpcId=vpc)
    taken = VPC_ASSOCIATIONS.where(VpcId=vpc, LocalGatewayId=association["LocalGatewayId"])
    refuse_if(taken, f"{vpc} is associated with {taken[0]['LocalGatewayRouteTableId'] if taken else ''}")
    return association


VPC_ASSOCIATIONS = Kind(
    "LocalGatewayRouteTableVpcAssociation",
    "local-gateway-route-table-vpc-association",
    "lgw-vpc-assoc",
    made=_new_vpc_association,
    filters={**_BY_TABLE, "vpc-id": "VpcId"},
    settles=_STATES,
)


def _new_group_association(parameters: Json, _made: str) -> Json:
    """https://docs.aws.amazon.com/outposts/latest/network-userguide/routing-domains.html.

    "Your VIF group and route table can only be associated to 1 routing domain. This creates the 1:1 mapping".
    """
    group = GROUPS.named(parameters["LocalGatewayVirtualInterfaceGroupId"])["LocalGatewayVirtualInterfaceGroupId"]
    table = parameters["LocalGatewayRouteTableId"]
    used = GROUP_ASSOCIATIONS.where(LocalGatewayVirtualInterfaceGroupId=group)
    refuse_if(used, f"{group} is associated with a route table")
    refuse_if(GROUP_ASSOCIATIONS.where(LocalGatewayRouteTableId=table), f"{table} has a group")
    before = _had.here().get(group, table)
    # The same page, configuration restrictions: before a group joins another routing domain, its old route table and
    # association are deleted. First-generation racks have no routing domains.
    if _rack(TABLES.named(table)["LocalGatewayId"]).generation > 1:
        refuse_if(before != table and before in TABLES.items, f"{group} was with {before}, which is there yet")
    _had.here()[group] = table
    return _association(parameters, LocalGatewayVirtualInterfaceGroupId=group)


_had: Ec2Store[dict[str, str]] = Ec2Store("local_gateway_groups_had", dict)
"""The route table that a group of virtual interfaces was with last."""

GROUP_ASSOCIATIONS = Kind(
    "LocalGatewayRouteTableVirtualInterfaceGroupAssociation",
    "local-gateway-route-table-virtual-interface-group-association",
    "lgw-vif-grp-assoc",
    made=_new_group_association,
    filters=_BY_TABLE,
    settles=_STATES,
)


# --- pools of customer-owned addresses --------------------------------------------------------------------------------


def _new_pool(parameters: Json, made: str) -> Json:
    """https://docs.aws.amazon.com/outposts/latest/userguide/manage-lgw-routes.html: up to 10 pools, of mode coip."""
    table = TABLES.named(parameters["LocalGatewayRouteTableId"])
    name = table["LocalGatewayRouteTableId"]
    refuse_if(table["Mode"] != COIP, f"{name} is not in mode {COIP}")
    refuse_if(len(POOLS.where(LocalGatewayRouteTableId=name)) >= 10, f"{name} has 10 pools")
    return {"PoolCidrs": [], "LocalGatewayRouteTableId": name, "PoolArn": POOLS.arn(made)}


POOLS = Kind(
    "CoipPool",
    "coip-pool",
    "ipv4pool-coip",
    made=_new_pool,
    # https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteCoipPool.html; ranges go first, we take it.
    deletable=lambda pool: refuse_if(pool["PoolCidrs"], f"{pool['PoolId']} has ranges"),
    id_member="PoolId",
    ids="PoolIds",
)


# --- routes -----------------------------------------------------------------------------------------------------------


_DESTINATIONS = ("DestinationCidrBlock", "DestinationPrefixListId")
_ROUTED_BY = ("LocalGatewayVirtualInterfaceGroupId", "NetworkInterfaceId")


def create_local_gateway_route(parameters: Json) -> Json:
    """https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateLocalGatewayRoute.html.

    The console's procedure associates the group first and adds the route then. A route leads to a range or a prefix
    list, by a group or by a network interface.
    """
    table = TABLES.named(parameters["LocalGatewayRouteTableId"])["LocalGatewayRouteTableId"]
    where = {key: parameters[key] for key in _DESTINATIONS if parameters.get(key)}
    by = {key: parameters[key] for key in _ROUTED_BY if parameters.get(key)}
    refuse_if(len(where) != 1, f"one of {', '.join(_DESTINATIONS)} is needed")
    refuse_if(len(by) != 1, f"one of {', '.join(_ROUTED_BY)} is needed")
    if group := by.get("LocalGatewayVirtualInterfaceGroupId"):
        of = {"LocalGatewayRouteTableId": table, "LocalGatewayVirtualInterfaceGroupId": group}
        # That a route is refused while its association is on its way, no page says: taken is that it is.
        here = GROUP_ASSOCIATIONS.where(**of, State="associated")
        refuse_if(not here, f"{group} is not associated with {table}")
    static = ROUTES.here().setdefault(table, {})
    (destination,) = where.values()
    if destination in static:
        raise client_error("RouteAlreadyExists", f"{table} has a route to {destination}")
    static[destination] = {
        **where,
        **by,
        "Type": "static",
        "State": "active",
        "LocalGatewayRouteTableId": table,
        "OwnerId": account_id(),
    }
    return {"Route": static[destination]}


def search_local_gateway_routes(parameters: Json) -> Json:
    """Static routes, and what is advertised to the network on premises as propagated ones.

    In mode direct-vpc-routing the Outpost subnets of associated VPCs whose route table leads to the local gateway
    (https://docs.aws.amazon.com/outposts/latest/userguide/manage-lgw-routes.html), in mode coip the pools' ranges
    (https://docs.aws.amazon.com/outposts/latest/userguide/routing.html).
    """
    table = TABLES.named(parameters["LocalGatewayRouteTableId"])
    static = list(ROUTES.here().get(table["LocalGatewayRouteTableId"], {}).values())
    return {"Routes": [*static, *_propagated(table)]}


def _propagated(table: Json) -> Iterator[Json]:
    name = table["LocalGatewayRouteTableId"]
    known = {"Type": "propagated", "State": "active", "LocalGatewayRouteTableId": name}
    if table["Mode"] == COIP:
        for pool in POOLS.where(LocalGatewayRouteTableId=name):
            for cidr in pool["PoolCidrs"]:
                yield {**known, "DestinationCidrBlock": cidr, "CoipPoolId": pool["PoolId"]}
        return
    vpcs = [item["VpcId"] for item in VPC_ASSOCIATIONS.where(LocalGatewayRouteTableId=name)]
    for subnet, routes in patches.subnets_with_routes():
        leads_here = any(getattr(route, "local_gateway_id", None) == table["LocalGatewayId"] for route in routes)
        if subnet.vpc_id in vpcs and getattr(subnet, "outpost_arn", None) and leads_here:
            yield {**known, "DestinationCidrBlock": subnet.cidr_block, "SubnetId": subnet.id}


def delete_local_gateway_route(parameters: Json) -> Json:
    """https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteLocalGatewayRoute.html."""
    static = ROUTES.here().get(parameters["LocalGatewayRouteTableId"], {})
    destination = next((parameters[key] for key in _DESTINATIONS if parameters.get(key)), "")
    if destination not in static:
        raise client_error("InvalidRoute.NotFound", f"no route to {destination}")
    return {"Route": {**static.pop(destination), "State": "deleted"}}


# --- what moto's own APIs say of it -----------------------------------------------------------------------------------


def _subnet_may_be_made(parameters: Json) -> None:
    """https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateSubnet.html: with the Outpost's zone."""
    if wanted := parameters.get("OutpostArn"):
        zones = [rack.zone for rack in racks.value if rack.arn == wanted]
        refuse_if(not zones, f"{wanted} does not exist")
        zone = parameters.get("AvailabilityZone")
        refuse_if(zone not in zones, f"{zone} is not the zone of the Outpost, {zones[0] if zones else ''}")


def _subnet_made(parameters: Json, answer: Json) -> None:
    answer["Subnet"].outpost_arn = parameters.get("OutpostArn")


def _route_may_be_made(parameters: Json) -> None:
    """https://docs.aws.amazon.com/outposts/latest/userguide/outposts-local-gateways.html: of associated VPCs only."""
    gateway = parameters.get("LocalGatewayId")
    if gateway:
        table = call("ec2", "DescribeRouteTables", RouteTableIds=[parameters["RouteTableId"]])["RouteTables"][0]
        here = VPC_ASSOCIATIONS.where(VpcId=table["VpcId"], LocalGatewayId=gateway, State="associated")
        refuse_if(not here, f"{table['VpcId']} is not associated with the local gateway")


def _route_made(parameters: Json, _answer: Json) -> None:
    if gateway := parameters.get("LocalGatewayId"):
        for route in patches.backend().get_route_table(parameters["RouteTableId"]).routes:
            if route.destination_cidr_block == parameters.get("DestinationCidrBlock"):
                route.local_gateway_id = gateway


OPERATIONS: dict[str, Operation | Around] = {
    "describe_local_gateways": describe_local_gateways,
    "create_local_gateway_route": create_local_gateway_route,
    "search_local_gateway_routes": search_local_gateway_routes,
    "delete_local_gateway_route": delete_local_gateway_route,
    "create_subnet": Around(_subnet_may_be_made, _subnet_made),
    "create_route": Around(_route_may_be_made, _route_made),
}
for _kind in (GROUPS, INTERFACES, TABLES, VPC_ASSOCIATIONS, GROUP_ASSOCIATIONS, POOLS):
    OPERATIONS |= _kind.operations()


def serve_in_moto(rack: Rack) -> None:
    """Puts the APIs into moto, and a rack into every account, for tests of functions that need no server."""
    from emulator.services.ec2.racks import customer_addresses

    racks.value = (rack,)
    serve("ec2", {**OPERATIONS, **customer_addresses.OPERATIONS})
