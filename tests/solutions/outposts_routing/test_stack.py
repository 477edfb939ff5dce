"""What the post on CoIP and direct VPC routing promises, read off the templates."""

import json
from ipaddress import IPv4Network
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion

from tests import variants
from tests.snapshots import TemplateSnapshot, readable
from tests.template import actions
from tests.variants import Json

SLUG = "outposts_routing"
DEFAULT, COIP, TWO = variants.DEFAULT, "enterprise", "nat"
EVERY = pytest.mark.parametrize("variant", variants.variants_of(SLUG))
TABLE = "AWS::EC2::LocalGatewayRouteTable"
VPC_ASSOCIATION, GROUP_ASSOCIATION = f"{TABLE}VPCAssociation", f"{TABLE}VirtualInterfaceGroupAssociation"


def resources(variant: str = DEFAULT) -> dict[str, Json]:
    found: dict[str, Json] = variants.template(variant, SLUG)["Resources"]
    return found


def of_type(kind: str, variant: str = DEFAULT) -> dict[str, Json]:
    return {name: item["Properties"] for name, item in resources(variant).items() if item["Type"] == kind}


def needs(name: str, variant: str) -> set[str]:
    """Every resource that must be there before this one, however far away."""
    found: set[str] = set()
    open_ = [name]
    everything = resources(variant)
    while open_:
        resource = everything[open_.pop()]
        mentioned = {other for other in everything if f'"{other}"' in json.dumps(resource)} - found - {name}
        found |= mentioned
        open_ += mentioned
    return found


@EVERY
def test_a_route_table_has_one_of_two_modes_and_knows_no_id_of_a_rack(variant: str) -> None:
    for table in of_type(TABLE, variant).values():
        assert table["Mode"] in ("direct-vpc-routing", "coip")
        assert table["LocalGatewayId"]["Fn::GetAtt"][1] == "LocalGatewayId"


def test_direct_vpc_routing_has_no_part_of_coip() -> None:
    assert not [item["Type"] for item in resources().values() if item["Type"].startswith("Custom::Coip")]
    assert not [name for name in resources() if name.startswith("Coip")]
    assert of_type(TABLE)["MainDirectRouteTableC7B34F52"]["Mode"] == "direct-vpc-routing"


def test_coip_makes_pool_range_and_users_in_this_order() -> None:
    (pool,), (of_range,) = of_type("Custom::CoipPool", COIP), of_type("Custom::CoipCidr", COIP)
    assert of_type("Custom::CoipCidr", COIP)[of_range]["PoolId"] == {"Ref": pool}
    assert of_type("Custom::CoipCidr", COIP)[of_range]["Cidr"] == "172.16.0.0/26"
    users = [*of_type("Custom::CoipSubnet", COIP), *of_type("Custom::CoipAddress", COIP)]
    assert len(users) == 3
    for user in users:
        assert {pool, of_range} <= needs(user, COIP)
    assert {*of_type(VPC_ASSOCIATION, COIP), *of_type(GROUP_ASSOCIATION, COIP)} <= needs(pool, COIP)


@EVERY
def test_every_table_has_its_associations_and_a_route_to_the_virtual_interfaces(variant: str) -> None:
    for table in of_type(TABLE, variant):
        ref = {"Ref": table}
        groups = {n: p for n, p in of_type(GROUP_ASSOCIATION, variant).items() if p["LocalGatewayRouteTableId"] == ref}
        routes = {
            n: p
            for n, p in of_type("AWS::EC2::LocalGatewayRoute", variant).items()
            if p["LocalGatewayRouteTableId"] == ref
        }
        assert len(groups) == 1 and [route["DestinationCidrBlock"] for route in routes.values()] == ["0.0.0.0/0"]
        assert [p for p in of_type(VPC_ASSOCIATION, variant).values() if p["LocalGatewayRouteTableId"] == ref]
        for name in routes:
            assert groups.keys() <= needs(name, variant)


@pytest.mark.parametrize("variant", [COIP, TWO])
def test_a_subnet_is_routed_to_the_local_gateway_after_its_vpc_is_associated(variant: str) -> None:
    routes = {n: p for n, p in of_type("AWS::EC2::Route", variant).items() if "LocalGatewayId" in p}
    assert routes
    for name, route in routes.items():
        assert route["DestinationCidrBlock"] in ("192.168.0.0/16", "203.0.113.0/24")
        assert needs(name, variant) & of_type(VPC_ASSOCIATION, variant).keys()


def test_the_subnet_is_on_the_outpost_in_its_zone() -> None:
    (subnet,) = of_type("AWS::EC2::Subnet").values()
    assert subnet["CidrBlock"] == "10.0.0.0/22"
    for key, fact in (("OutpostArn", "OutpostArn"), ("AvailabilityZone", "AvailabilityZone")):
        assert subnet[key]["Fn::GetAtt"][1] == fact


@EVERY
def test_the_guard_is_asked_before_anything_of_the_mode_and_the_old_table_lets_go_before_associations(
    variant: str,
) -> None:
    guards = of_type("Custom::Guard", variant)
    handovers = of_type("Custom::Handover", variant)
    for table in of_type(TABLE, variant):
        assert guards.keys() & needs(table, variant)
    for kind in (VPC_ASSOCIATION, GROUP_ASSOCIATION):
        for association in of_type(kind, variant):
            assert len(handovers.keys() & needs(association, variant)) == 1
    for guard in guards.values():
        switched = "Attached" in guard["Guarded"]  # what accept_outage lets through; the others name a way around
        assert guard["Accepted"] is (switched and variant == TWO)
        if switched:
            assert set(guard["Guarded"]) == {"Mode", "Attached", "CoipCidr", "LocalGatewayId"}


def test_only_an_attached_domain_asks_rack_for_its_group() -> None:
    racks = of_type("Custom::OutpostsRack", TWO)
    assert {name[:5]: rack.get("Attached") for name, rack in racks.items()} == {
        "MainR": None, "Facto": None, "Spare": "false"
    }  # fmt: skip
    (name,) = (name for name in racks if name.startswith("Spare"))
    assert f'"{name}", "VirtualInterfaceGroupId"' not in json.dumps(resources(TWO))


def test_what_cannot_be_changed_where_it_is_in_use_has_a_guard_that_no_switch_opens() -> None:
    guards = of_type("Custom::Guard", TWO)
    told = {name: set(guard["Guarded"]) for name, guard in guards.items() if "Attached" not in guard["Guarded"]}
    attached = {"CoipCidr", "LocalGatewayId", "VirtualInterfaceGroupId"}
    assert told == {
        # A rack with routing domains wants the old route table deleted before its group joins another domain.
        "MainAttachedGuard": attached | {"Mode"},
        "MainDirectAttachedGuard": attached,
        "MainNetworkGuard": {"OutpostArn", "SubnetCidr", "VpcCidr"},
        "FactoryAttachedGuard": attached | {"Mode"},
        "FactoryCoipAttachedGuard": attached,
        "FactoryInterfacesGuard": {"LocalBgpAsn", "LocalGatewayId", "VirtualInterfaces"},
        "FactoryNetworkGuard": {"OutpostArn", "SubnetCidr", "VpcCidr"},
    }  # Spare is detached: there is nothing to stop
    (name,) = [name for name in of_type("Custom::Guard") if name.endswith("AttachedGuard")]
    assert name == "MainDirectAttachedGuard" and set(of_type("Custom::Guard")[name]["Guarded"]) == attached
    assert "accept_outage: true and deploy again" not in json.dumps(guards), "one deployment is no way there"
    for kind, guard in (
        ("AWS::EC2::VPC", "NetworkGuard"),
        ("AWS::EC2::LocalGatewayVirtualInterfaceGroup", "InterfacesGuard"),
    ):
        for name in of_type(kind, TWO):
            assert any(needed.endswith(guard) for needed in needs(name, TWO))


def test_a_vpc_does_not_move_between_domains_in_one_deployment() -> None:
    guard = of_type("Custom::Guard", COIP)["VpcsGuard"]
    assert guard["Guarded"] == {"Vpcvpc-0123456789abcdef0": "main"} and not guard["Accepted"]
    for association in of_type(VPC_ASSOCIATION, COIP):
        assert "VpcsGuard" in needs(association, COIP)


def test_what_depends_on_mode_or_pool_has_it_in_its_name() -> None:
    for name in (*of_type(TABLE, COIP), *of_type(VPC_ASSOCIATION, COIP), *of_type(GROUP_ASSOCIATION, COIP)):
        assert name.startswith("MainCoip")
    assert all(
        "172x16x0x0m26" in name for kind in ("Pool", "Cidr", "Address") for name in of_type(f"Custom::Coip{kind}", COIP)
    )
    for name in (*of_type(TABLE), *of_type(VPC_ASSOCIATION), *of_type(GROUP_ASSOCIATION)):
        assert name.startswith("MainDirect")


def test_a_detached_domain_keeps_its_guard_and_nothing_else_of_the_local_gateway() -> None:
    own = {name: item["Type"] for name, item in resources(TWO).items() if name.startswith("Spare")}
    assert sorted(own.values()) == ["Custom::Guard", "Custom::OutpostsRack"]


def test_a_second_generation_rack_has_both_modes_and_new_virtual_interfaces() -> None:
    assert sorted(table["Mode"] for table in of_type(TABLE, TWO).values()) == ["coip", "direct-vpc-routing"]
    (group,) = of_type("AWS::EC2::LocalGatewayVirtualInterfaceGroup", TWO).values()
    assert group["LocalBgpAsnExtended"] == 4_200_000_000 and "LocalBgpAsn" not in group
    interfaces = of_type("AWS::EC2::LocalGatewayVirtualInterface", TWO)
    assert len(interfaces) == 4
    assert len({interface["OutpostLagId"] for interface in interfaces.values()}) == 4
    (association,) = [name for name in of_type(GROUP_ASSOCIATION, TWO) if name.startswith("Factory")]
    assert interfaces.keys() <= needs(association, TWO)


def test_a_load_balancer_with_a_pool_is_ours_and_one_without_is_cloudformations() -> None:
    (direct,) = of_type("AWS::ElasticLoadBalancingV2::LoadBalancer", TWO).values()
    assert direct["Scheme"] == "internal" and len(direct["Subnets"]) == 1
    (name,) = of_type("Custom::CoipLoadBalancer", TWO)
    ours = of_type("Custom::CoipLoadBalancer", TWO)[name]
    assert ours["Scheme"] == "internet-facing" and "Ref" in ours["PoolId"]
    listeners = of_type("AWS::ElasticLoadBalancingV2::Listener", TWO).values()
    (secure,) = [listener for listener in listeners if listener["LoadBalancerArn"] == {"Ref": name}]
    assert (secure["Protocol"], secure["Port"]) == ("HTTPS", 443)


def test_every_client_of_a_load_balancer_gets_its_answer_by_the_local_gateway() -> None:
    """A node answers by its subnet's route table: a client whom no route covers never hears of it."""
    balancers = 0
    for variant in variants.variants_of(SLUG):
        routes = [IPv4Network(p["DestinationCidrBlock"]) for p in of_type("AWS::EC2::Route", variant).values()]
        for group in of_type("AWS::EC2::SecurityGroup", variant).values():
            for rule in group.get("SecurityGroupIngress", []):
                balancers += 1
                client = IPv4Network(rule["CidrIp"])
                assert any(client.subnet_of(route) for route in routes), f"{variant}: {client}"
    assert balancers


def test_an_existing_network_is_associated_and_gets_routes_only() -> None:
    for kind in ("VPC", "Subnet", "RouteTable", "SecurityGroup"):
        assert not of_type(f"AWS::EC2::{kind}", COIP)
    (association,) = of_type(VPC_ASSOCIATION, COIP).values()
    assert association["VpcId"] == "vpc-0123456789abcdef0"
    (route,) = of_type("AWS::EC2::Route", COIP).values()
    assert route["RouteTableId"] == "rtb-0123456789abcdef0"


def test_ipam_sets_the_pool_and_the_network_on_premises_aside() -> None:
    allocations = of_type("AWS::EC2::IPAMAllocation", COIP).values()
    assert {item["Cidr"] for item in allocations} == {"172.16.0.0/26", "192.168.0.0/16"}
    assert not of_type("AWS::EC2::IPAMAllocation")


def statements(role: str, variant: str) -> list[Json]:
    (policy,) = [p for name, p in of_type("AWS::IAM::Policy", variant).items() if name.startswith(role)]
    found: list[Json] = policy["PolicyDocument"]["Statement"]
    return found


def test_the_pools_load_balancer_may_be_made_with_all_that_its_service_asks_of_the_caller() -> None:
    """https://docs.aws.amazon.com/elasticloadbalancing/latest/userguide/elb-api-permissions.html."""
    on_any = {action for s in statements("CoipRole", COIP) if s["Resource"] == "*" for action in actions(s)}
    described = ("AccountAttributes", "Addresses", "InternetGateways", "SecurityGroups", "Subnets", "Vpcs", "CoipPools")
    assert {f"ec2:Describe{what}" for what in described} <= on_any


@pytest.mark.parametrize("role", ["CoipRole", "HandoverRole"])
def test_what_is_deleted_carries_the_tag_of_this_stack(role: str) -> None:
    tag = {"StringEquals": {"aws:ResourceTag/outposts-routing-stack": {"Ref": "AWS::StackId"}}}
    deleting = ("ec2:Delete", "ec2:Release")
    found: list[Any] = [s for s in statements(role, COIP) if any(a.startswith(deleting) for a in actions(s))]
    # A route to somebody's prefix list is deleted in a table of this stack.
    found = [s for s in found if "prefix-list" not in json.dumps(s["Resource"])]
    assert found
    for statement in found:
        assert statement["Condition"] == tag


def test_rack_may_only_look() -> None:
    looking = ("ec2:Describe", "outposts:Get", "logs:", "kms:Decrypt")
    assert all(action.startswith(looking) for s in statements("RackRole", COIP) for action in actions(s))


@pytest.mark.parametrize("variant", [DEFAULT, COIP, TWO])
def test_template(variant: str, snapshot: SnapshotAssertion) -> None:
    assert readable(variants.template(variant, SLUG)) == snapshot(extension_class=TemplateSnapshot)
