"""What ``python -m stacks outposts_routing check`` looks at in an account: the rack, and who has it already."""

from collections.abc import Iterable, Iterator, Sequence
from ipaddress import IPv4Network
from typing import Any

from config.models import CommonSettings
from outposts_routing.ownership import STACK
from outposts_routing.rack.facts import GOING
from stacks.outposts_routing.settings import OutpostsRoutingSettings
from stacks.outposts_routing.settings.domain import Domain
from stacks.outposts_routing.settings.parts import MAIN
from stacks.shared.preflight import Clients, Finding, looked_at

SLUG = "outposts_routing"
RESERVED = "reserved ranges"
_VIF = "LocalGatewayVirtualInterface"


def findings_of(common: CommonSettings, settings: OutpostsRoutingSettings, clients: Clients) -> Iterator[Finding]:
    """What of this solution would stop a deployment, and domains without a route to the local gateway."""
    yield looked_at("local gateway", lambda: _gateway(settings, clients))
    yield looked_at("virtual interfaces", lambda: _groups(common, settings, clients))
    if _wanted_vpcs(common, settings):
        yield looked_at("VPCs", lambda: _vpcs(common, settings, clients))
    if any(domain.coip_cidr for domain in _attached(settings)):
        yield looked_at("pool ranges", lambda: _pools(common, settings, clients))
    if pool_id := settings.ipam_pool_id:
        yield looked_at(RESERVED, lambda: _reserved(common, settings, clients, pool_id))
    yield looked_at("mode", lambda: _modes(common, settings, clients))
    if lost := [name for name, domain in settings.domains.items() if _leads_nowhere(common, domain)]:
        says = f"no subnet route of {', '.join(lost)} leads to the local gateway: nothing is advertised or answers"
        yield Finding("on-premises ranges", "unknown", says, "Name your ranges in on_premises_cidrs")


def _leads_nowhere(common: CommonSettings, domain: Domain) -> bool:
    """Whether route tables are there to have routes, and get none."""
    own = bool(domain.vpc_cidr) and common.vpc is None
    tables = own or any(vpc.route_table_ids for vpc in domain.vpcs)
    return domain.attached and tables and not (domain.routed_cidrs if own else domain.on_premises_cidrs)


def _gateway(settings: OutpostsRoutingSettings, clients: Clients) -> Finding:
    found = _gateways(settings, clients)
    names = ", ".join(sorted(gateway["LocalGatewayId"] for gateway in found))
    if len(found) == 1:
        return Finding("local gateway", "ok", f"{names} of {found[0]['OutpostArn'].rsplit('/', 1)[-1]}")
    if found:
        return Finding("local gateway", "problem", f"there are {names}", "Set outpost_arn")
    says = "no local gateway here fits"
    return Finding(
        "local gateway", "problem", says, "Correct outpost_arn and local_gateway_id; this needs an Outposts rack"
    )


def _gateways(settings: OutpostsRoutingSettings, clients: Clients) -> list[dict[str, Any]]:
    pages = clients("ec2").get_paginator("describe_local_gateways").paginate()
    return [
        gateway
        for page in pages
        for gateway in page["LocalGateways"]
        if gateway["State"] == "available"
        and settings.outpost_arn in (None, gateway["OutpostArn"])
        and settings.local_gateway_id in (None, gateway["LocalGatewayId"])
    ]


def _groups(common: CommonSettings, settings: OutpostsRoutingSettings, clients: Clients) -> Finding:
    """The group of each domain: there, not on its way out, and with no route table but this stack's."""
    ec2, what = clients("ec2"), "virtual interfaces"
    if not (filters := _of_gateways(settings, clients)):
        return _nowhere(what)
    pages = ec2.get_paginator("describe_local_gateway_virtual_interface_groups").paginate(Filters=filters)
    there = sorted(
        group[f"{_VIF}GroupId"]
        for page in pages
        for group in page[f"{_VIF}Groups"]
        if group.get("ConfigurationState") not in GOING
    )
    named = [domain.virtual_interface_group_id for domain in _attached(settings) if not domain.virtual_interfaces]
    if None in named and len(there) != 1:
        return Finding(what, "problem", f"there are {', '.join(there) or 'none'}", "Set virtual_interface_group_id")
    groups = [name or there[0] for name in named]
    if missing := sorted(set(groups) - set(there)):
        says = f"{', '.join(missing)} is not of the local gateway, which has {', '.join(there) or 'none'}"
        return Finding(what, "problem", says, "Correct virtual_interface_group_id")
    pages = ec2.get_paginator("describe_local_gateway_route_table_virtual_interface_group_associations").paginate(
        Filters=filters
    )
    items = [i for page in pages for i in page["LocalGatewayRouteTableVirtualInterfaceGroupAssociations"]]
    taken = _taken(items, f"{_VIF}GroupId", groups, _tables_of_stack(common, clients))
    if taken:
        fix = "Take it from that route table first; on a first-generation rack there is one"
        return Finding(what, "problem", ", ".join(taken), fix)
    return Finding(what, "ok", ", ".join(groups) or ("made by the stack" if _attached(settings) else "none is wanted"))


def _vpcs(common: CommonSettings, settings: OutpostsRoutingSettings, clients: Clients) -> Finding:
    """A VPC is with one route table of a local gateway at a time."""
    if not (filters := _of_gateways(settings, clients)):
        return _nowhere("VPCs")
    pages = (
        clients("ec2").get_paginator("describe_local_gateway_route_table_vpc_associations").paginate(Filters=filters)
    )
    items = [item for page in pages for item in page["LocalGatewayRouteTableVpcAssociations"]]
    if taken := _taken(items, "VpcId", _wanted_vpcs(common, settings), _tables_of_stack(common, clients)):
        return Finding("VPCs", "problem", ", ".join(taken), "Disassociate each from that route table first")
    return Finding("VPCs", "ok", "none is with another route table")


def _pools(common: CommonSettings, settings: OutpostsRoutingSettings, clients: Clients) -> Finding:
    """A range is in one pool of customer-owned addresses."""
    own = _tables_of_stack(common, clients)
    pages = clients("ec2").get_paginator("describe_coip_pools").paginate()
    others = [p for page in pages for p in page["CoipPools"] if p["LocalGatewayRouteTableId"] not in own]
    taken = [(cidr, pool["PoolId"]) for pool in others for cidr in pool.get("PoolCidrs", [])]
    wanted = [domain.coip_cidr for domain in _attached(settings) if domain.coip_cidr]
    met = [
        f"{mine} overlaps {cidr} of {pool}"
        for mine in wanted
        for cidr, pool in taken
        if IPv4Network(mine).overlaps(IPv4Network(cidr))
    ]
    if met:
        return Finding("pool ranges", "problem", ", ".join(met), "Choose an unused range for coip_cidr")
    return Finding("pool ranges", "ok", f"{', '.join(wanted)} is in no other pool")


def _reserved(common: CommonSettings, settings: OutpostsRoutingSettings, clients: Clients, pool_id: str) -> Finding:
    """Two allocations of a pool never overlap, and CloudFormation makes the new one before it deletes the old one.

    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_AllocateIpamPoolCidr.html
    """
    own = _allocations_of_stack(common, clients)
    pages = clients("ec2").get_paginator("get_ipam_pool_allocations").paginate(IpamPoolId=pool_id)
    there = [(item["Cidr"], item["IpamPoolAllocationId"]) for page in pages for item in page["IpamPoolAllocations"]]
    wanted = list(settings.reserved_cidrs)
    met = [
        (f"{mine} overlaps {cidr}, {name}{' of this stack' if name in own else ''}", name in own)
        for mine in wanted
        for cidr, name in there
        if IPv4Network(mine).overlaps(IPv4Network(cidr)) and not (name in own and mine == cidr)
    ]
    if not met:
        return Finding(RESERVED, "ok", f"{', '.join(wanted) or 'none'}; {pool_id} has no other range that overlaps")
    fix = "Release the allocation, or name another range or pool"
    if all(is_own for _, is_own in met):
        fix = "In two deployments: first without ipam_pool_id, which releases the old ranges, then with it"
    return Finding(RESERVED, "problem", "; ".join(says for says, _ in met), fix)


def _allocations_of_stack(common: CommonSettings, clients: Clients) -> set[str]:
    """Ids of the allocations that this stack has made; their resources are called by pool, allocation and range."""
    if not (stack := _stack(common, clients)):
        return set()
    pages = clients("cloudformation").get_paginator("list_stack_resources").paginate(StackName=stack["StackId"])
    return {
        part
        for page in pages
        for item in page["StackResourceSummaries"]
        if item["ResourceType"] == "AWS::EC2::IPAMAllocation"
        for part in item.get("PhysicalResourceId", "").split("|")
    }


def _wanted_vpcs(common: CommonSettings, settings: OutpostsRoutingSettings) -> list[str]:
    """The VPCs that are there already, and that the stack associates."""
    of_common = [common.vpc.id] if common.vpc and settings.attached else []
    return list(dict.fromkeys([*of_common, *(vpc.id for domain in _attached(settings) for vpc in domain.vpcs)]))


def _attached(settings: OutpostsRoutingSettings) -> list[Domain]:
    return [domain for domain in settings.domains.values() if domain.attached]


def _taken(items: Iterable[dict[str, Any]], member: str, wanted: Sequence[str], own: Iterable[str]) -> list[str]:
    """Which of the wanted are with somebody else's route table, and with which."""
    others = [item for item in items if item["LocalGatewayRouteTableId"] not in own]
    held = {item[member]: item["LocalGatewayRouteTableId"] for item in others if item.get("State") != "disassociated"}
    return [f"{name} is with {held[name]}" for name in dict.fromkeys(wanted) if name in held]


def _of_gateways(settings: OutpostsRoutingSettings, clients: Clients) -> list[dict[str, Any]]:
    ids = [gateway["LocalGatewayId"] for gateway in _gateways(settings, clients)]
    return [{"Name": "local-gateway-id", "Values": ids}] if ids else []


def _nowhere(what: str) -> Finding:
    return Finding(what, "unknown", "no local gateway here fits", "Correct outpost_arn and local_gateway_id")


def _tables_of_stack(common: CommonSettings, clients: Clients) -> dict[str, str]:
    """Mode by id of the route tables that this stack has made, and no other one with another prefix."""
    stack = _stack(common, clients)
    pages = clients("ec2").get_paginator("describe_local_gateway_route_tables").paginate()
    return {
        table["LocalGatewayRouteTableId"]: table["Mode"]
        for page in pages
        for table in page["LocalGatewayRouteTables"]
        if stack and {"Key": STACK, "Value": stack["StackId"]} in table.get("Tags", [])
    }


def _modes(common: CommonSettings, settings: OutpostsRoutingSettings, clients: Clients) -> Finding:
    """The mode of each domain, and whether a guard stops its change."""
    outputs = {item["OutputKey"]: item["OutputValue"] for item in _stack(common, clients).get("Outputs", [])}
    deployed = _tables_of_stack(common, clients)
    told: list[str] = []
    fixes: list[str] = []
    for name, domain in settings.domains.items():
        mode = deployed.get(outputs.get(f"{name.title()}RouteTableId", ""))
        label = "" if name == MAIN else f"{name}: "
        wanted = domain.mode if domain.attached else "attached: false"
        changes = mode is not None and mode != wanted
        told.append(f"{label}{mode} is deployed, {wanted} configured" if changes else f"{label}{wanted}")
        if changes and domain.attached and settings.rack_generation > 1:
            fixes.append("The guard stops it: first attached: false, then attached: true with the other mode")
        elif changes and not settings.accept_outage:
            fixes.append("The guard stops it: set accept_outage to true, when an outage is fine")
    says = "; ".join(told) + ("" if deployed else "; nothing is deployed yet")
    return Finding("mode", "problem" if fixes else "ok", says, fixes[0] if fixes else "")


def _stack(common: CommonSettings, clients: Clients) -> dict[str, Any]:
    """The deployed stack; empty if it is not there."""
    stack = common.stack_name(SLUG)
    cloudformation = clients("cloudformation")
    pages = cloudformation.get_paginator("list_stacks").paginate()
    if not any(
        s["StackName"] == stack and s["StackStatus"] != "DELETE_COMPLETE" for p in pages for s in p["StackSummaries"]
    ):
        return {}
    (found,) = cloudformation.describe_stacks(StackName=stack)["Stacks"]
    return dict(found)
