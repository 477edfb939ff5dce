"""What the rules of tests/conformance cannot know of this solution by themselves."""

from collections.abc import Mapping
from typing import Any

from tests.conformance.limits.largest import COMMON

Json = dict[str, Any]
_INTERFACES = [
    {
        "outpost_lag_id": f"op-lag-0123456789abcdef{n}",
        "vlan": 100,
        "local_address": "169.254.0.1/30",
        "peer_address": "169.254.0.2/30",
        "peer_bgp_asn": 65000,
    }
    for n in range(4)
]


LARGEST: list[tuple[Json, Json]] = [
    (
        COMMON,
        {
            "on_premises_cidrs": [f"192.168.{n}.0/24" for n in range(50)],
            "vpcs": [
                {"id": f"vpc-{n:017x}", "cidrs": [f"10.{n}.0.0/16"], "route_table_ids": [f"rtb-{n:017x}"]}
                for n in range(1, 5)
            ],
        },
    ),
]
"""The largest legal settings: common and the section."""

STATES: tuple[Json, ...] = (
    {"load_balancer": {}, "on_premises_cidrs": ["192.168.0.0/16"], "accept_outage": True},
    {"mode": "coip", "coip_cidr": "172.16.0.0/26", "accept_outage": True},
    {
        "rack_generation": 2,
        "virtual_interfaces": _INTERFACES,
        "local_bgp_asn": 65001,
        "accept_outage": True,
    },
)
"""States beside the variants' own, in which other changes are possible."""

TOGETHER: tuple[Json, ...] = (
    {"vpc_cidr": "10.1.0.0/16", "subnet_cidr": "10.1.0.0/22"},
    {"vpc_cidr": None, "subnet_cidr": None},
    {"mode": "coip", "coip_cidr": "172.16.0.0/26"},
    {"mode": "coip", "coip_cidr": "172.16.0.0/26", "accept_outage": True},
    {"rack_generation": 2, "virtual_interfaces": _INTERFACES, "local_bgp_asn": 65001},
)
"""Settings that belong together, changed together."""

OTHERS: Mapping[str, tuple[Any, ...]] = {
    "unreached_on_premises_cidrs": (["192.0.2.0/24"],),
    "coip_cidr": ("172.17.0.0/26", "172.16.0.0/25"),
    "elastic_ip_addresses": ({"web": "172.16.0.10"},),
    "elastic_ips": ({"web": None}, {"web": None, "spare": "eni-0123456789abcdef1"}),
    "local_gateway_routes": (["192.168.0.0/16"],),
    "more_domains": ({},),
    "on_premises_cidrs": (["192.168.0.0/16"], ["192.168.0.0/16", "192.0.2.0/24"]),
    "subnet_cidr": ("10.0.0.0/23", "10.0.4.0/22"),
}
"""Other legal values, by the key's last name, which the schema cannot tell."""

ONE_VALUE_ONLY: Mapping[str, str] = {
    "common.vpc.id": "the VPC that the variant enterprise lists with its ranges",
    "load_balancer.certificate_arn": "a property of the listener",
    "load_balancer.confirm_open_to_the_world": "no property; it goes with client_cidrs of the whole internet alone",
    "load_balancer.scheme": "internet-facing needs mode coip",
    "vpcs": "of the variant enterprise alone",
}
"""Keys of which no other value is tried, and why."""

_COMES_BACK = "what an old route table had, it gets back; which that was is known at run time alone"
_ADDRESS_IS_OURS = "the call names an interface and an address, and the address must have the stack's tag"

REACHES: Mapping[str, str] = {
    "CoipRole ec2:AssociateAddress": _ADDRESS_IS_OURS,
    "CoipRole ec2:DisassociateAddress": _ADDRESS_IS_OURS,
    "CoipRole ec2:ModifySubnetAttribute": "a subnet is out of the settings before its attribute is set back",
    "HandoverRole ec2:CreateLocalGatewayRoute": _COMES_BACK,
    "HandoverRole ec2:CreateLocalGatewayRouteTableVirtualInterfaceGroupAssociation": _COMES_BACK,
    "HandoverRole ec2:CreateLocalGatewayRouteTableVpcAssociation": _COMES_BACK,
    "HandoverRole ec2:DeleteLocalGatewayRoute": "a route to a prefix list goes with its route table, which is ours",
}
"""What a role may do beyond the solution's tags and names, and why: policy and action."""

_EACH_NAMED = "AWS judges a call on each resource that it names, the embedded AWS on the first"
_LISTED = "https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonec2.html"

NOT_SHOWN: Mapping[str, str] = {
    "HandoverRole ec2:CreateLocalGatewayRoute": f"{_EACH_NAMED}: the interface group of a route: {_LISTED}",
    "HandoverRole ec2:DeleteLocalGatewayRoute": f"{_EACH_NAMED}: the prefix list of a route: {_LISTED}",
    "CoipRole ec2:AssociateAddress": f"{_EACH_NAMED}: the interface: {_LISTED}",
    "CoipRole ec2:DisassociateAddress": f"{_EACH_NAMED}: the interface: {_LISTED}",
    "CoipRole ec2:GetSecurityGroupsForVpc": "Elastic Load Balancing asks with it for its caller: "
    "kubernetes-sigs/aws-load-balancer-controller has it in its policy",
}
"""Why a role needs what no replay of make mutate shows: role and action."""

_WITHOUT_NETWORK: Json = {"vpc_cidr": None, "subnet_cidr": None, "accept_outage": True}
_NEW_RANGES: tuple[tuple[str, Json], ...] = (
    ("before", _WITHOUT_NETWORK),
    ("after", {"accept_outage": True}),
    ("after", {}),
)

WAYS: Mapping[str, tuple[tuple[str, Json], ...]] = {
    "vpc_cidr*": _NEW_RANGES,
    "subnet_cidr": _NEW_RANGES,
    "*": (
        ("before", {"accept_outage": True, "attached": False}),
        ("after", {"accept_outage": True, "attached": False}),
        ("after", {"accept_outage": True}),
    ),
}
"""What its guards say to do, by the key that is changed."""

_FOUND = "it is the one that was found without a name"

PASSES: Mapping[str, str] = {
    "local_gateway_id": _FOUND,
    "virtual_interface_group_id": _FOUND,
}
"""Changes that a guard may stop by the template, and lets pass at run time: key and why."""

BESIDE: Json = {"local_gateway_id": "lgw-0123456789abcdef1"}
"""Settings of a second copy: a group of virtual interfaces has one route table, and so a rack has one stack."""

_RACKS: Json = {"outposts": [{"id": "op-0123456789abcdef0"}, {"id": "op-0123456789abcdef1"}]}
ONLY_BESIDE: Mapping[str, tuple[Json, Json]] = {"outposts": (_RACKS, {"outposts": _RACKS["outposts"][:1]})}
"""Controls of the embedded AWS: what there is while a second copy is, and what there is else."""

OUTLIVES: Mapping[str, str] = {
    "ec2 LocalGatewayVirtualInterfaceGroups lgw-vif-grp-0123456789abcdef1": "AWS's own, of the second rack",
}
"""Beginnings of names in the inventory that outlive the stack, and why."""

_NO_CERTIFICATE = "no certificate that the load balancers of the embedded AWS know"

NOT_DEPLOYED: Mapping[str, str] = {
    "state nat": _NO_CERTIFICATE,
    "load_balancer.certificate_arn*": _NO_CERTIFICATE,
}
"""What the embedded AWS cannot deploy, and why: the state of another variant, and changes, as globs."""
