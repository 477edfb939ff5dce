"""``python -m stacks outposts_routing``: which mode and why, sizes, and what would stop a deployment."""

import json
from collections.abc import Iterator
from ipaddress import IPv4Network
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.models import CommonSettings
from stacks.__main__ import main
from stacks.outposts_routing.advice import COIP, DIRECT, Circumstances, recommend
from stacks.outposts_routing.commands import findings, idle_month
from stacks.outposts_routing.ranges import (
    Kind,
    Range,
    addresses,
    overlaps,
    smallest_prefix,
    usable_in_subnet,
)
from stacks.outposts_routing.settings import OutpostsRoutingSettings
from stacks.outposts_routing.settings.parts import AssociatedVpc, LoadBalancer, VirtualInterface

VPC = Range(Kind.VPC, "vpc_cidr", IPv4Network("10.0.0.0/16"), "main")
INSIDE = IPv4Network("10.0.4.0/24")


# The post


def test_the_posts_sizes_hold() -> None:
    settings = OutpostsRoutingSettings(mode=COIP, coip_cidr="172.16.0.0/26", subnet_cidr="10.0.0.0/22")
    assert usable_in_subnet(IPv4Network("10.0.0.0/22")) == 1019
    assert addresses(IPv4Network("172.16.0.0/26")) == 64
    assert settings.needed_addresses == 0
    assert (
        recommend(Circumstances(isolate=True, exposed=40, resources=1019))
        .next_steps[1]
        .endswith("/26; room to grow is yours to add")
    )


@pytest.mark.parametrize(
    ("given_", "mode", "criterion"),
    [
        (Circumstances(), DIRECT, "operation"),
        (Circumstances(overlap_likely=True), COIP, "overlap"),
        (Circumstances(isolate=True), COIP, "isolation"),
        (Circumstances(internet_facing=True), COIP, "internet-facing load balancer"),
        (Circumstances(nat_sensitive=("Active Directory",)), DIRECT, "NAT-sensitive application"),
        (Circumstances(exposed=60, resources=1000), COIP, "exposed resources"),
        (Circumstances(exposed=600, resources=1000), DIRECT, "exposed resources"),
        (Circumstances(exposed=60, resources=1000, nat_sensitive=("iSCSI",)), DIRECT, "NAT-sensitive application"),
        (Circumstances(ranges=(VPC, Range(Kind.UNREACHED, "x", INSIDE, "main"))), COIP, "overlap"),
        (Circumstances(isolate=True, nat_sensitive=("iSCSI",)), None, "isolation"),
        (Circumstances(isolate=True, nat_sensitive=("iSCSI",), second_generation=True), "both", "isolation"),
    ],
)
def test_each_criterion_of_the_post_has_its_answer(given_: Circumstances, mode: str | None, criterion: str) -> None:
    advice = recommend(given_)
    assert advice.mode == mode
    assert advice.reasons[0].criterion == criterion and advice.reasons[0].because
    assert advice.next_steps


@given(
    st.builds(
        Circumstances,
        overlap_likely=st.booleans(),
        isolate=st.booleans(),
        nat_sensitive=st.sampled_from([(), ("iSCSI",)]),
        internet_facing=st.booleans(),
        second_generation=st.booleans(),
        exposed=st.none() | st.integers(0, 100),
        resources=st.none() | st.integers(100, 1000),
    )
)
def test_no_advice_goes_against_what_binds(given_: Circumstances) -> None:
    advice = recommend(given_)
    binding = {reason.speaks_for for reason in advice.reasons if reason.binding}
    if len(binding) == 1:
        assert {advice.mode} == binding
    if len(binding) == 2:
        assert advice.mode == ("both" if given_.second_generation else None)
    assert advice.mode in {reason.speaks_for for reason in advice.reasons} | {"both", None}


# Ranges

NETWORKS = st.builds(
    lambda address, prefix: IPv4Network((address >> (32 - prefix) << (32 - prefix), prefix)),
    st.integers(0x0A000000, 0x0A03FFFF),
    st.integers(14, 28),
)


@given(NETWORKS, NETWORKS, st.sampled_from(list(Kind)), st.sampled_from(list(Kind)), st.booleans())
def test_overlaps_are_those_of_the_addresses(
    one: IPv4Network, other: IPv4Network, kind: Kind, other_kind: Kind, translated: bool
) -> None:
    pair = (Range(kind, "a", one, "main"), Range(other_kind, "b", other, "main"))
    shared = int(one.network_address) <= int(other.broadcast_address) and int(other.network_address) <= int(
        one.broadcast_address
    )
    found = list(overlaps(pair, translated=translated))
    kinds = {kind, other_kind}
    allowed = kinds == {Kind.ON_PREMISES, Kind.UNREACHED} or (kinds == {Kind.VPC, Kind.UNREACHED} and translated)
    for outer, inner in ((pair[0], pair[1]), (pair[1], pair[0])):
        wider = inner.network != outer.network and inner.network.subnet_of(outer.network)
        allowed |= outer.kind is Kind.ON_PREMISES and inner.kind in (Kind.VPC, Kind.COIP) and wider
    assert bool(found) == (shared and not allowed)


@pytest.mark.parametrize("on_premises", ["0.0.0.0/0", "10.0.0.0/8"])
def test_a_vpc_may_be_cut_out_of_what_is_routed_to_the_local_gateway(on_premises: str) -> None:
    """The commonest route; the VPC's own is narrower and wins: https://github.com/aws/aws-cdk/issues/33542."""
    settings = OutpostsRoutingSettings(on_premises_cidrs=(on_premises,))
    assert settings.routed_cidrs == [on_premises] and not list(overlaps(settings.ranges))
    for refused in ("10.0.0.0/16", "10.0.4.0/24"):
        assert list(overlaps(OutpostsRoutingSettings(on_premises_cidrs=(refused,)).ranges))


HALVES = ("0.0.0.0/1", "128.0.0.0/1")


@pytest.mark.parametrize("clients", [("0.0.0.0/0",), HALVES])
def test_everybody_is_let_in_from_the_internet_and_only_when_it_is_confirmed(clients: tuple[str, ...]) -> None:
    """The post's external load balancer has users in the internet, by the local connection."""

    def said(**more: Any) -> list[str]:
        balancer = LoadBalancer(client_cidrs=clients, **more)
        settings = OutpostsRoutingSettings(mode=COIP, coip_cidr="172.16.0.0/26", load_balancer=balancer)
        return [found.message for found in settings.problems()]

    assert not said(scheme="internet-facing", confirm_open_to_the_world=True)
    assert any("or set confirm_open_to_the_world" in message for message in said(scheme="internet-facing"))
    (open_, useless) = said(confirm_open_to_the_world=True)
    assert "must not admit everybody; name" in open_ and "must be false with scheme internal" in useless


@pytest.mark.parametrize(("subnet", "fits"), [("10.0.0.0/27", True), ("10.0.0.0/28", False)])
def test_a_subnet_has_the_size_that_a_load_balancer_wants(subnet: str, fits: bool) -> None:
    settings = OutpostsRoutingSettings(
        subnet_cidr=subnet, on_premises_cidrs=("192.168.0.0/16",), load_balancer=LoadBalancer()
    )
    assert bool([found for found in settings.problems() if "8 free addresses" in found.message]) is not fits
    assert not list(OutpostsRoutingSettings(subnet_cidr=subnet).problems())


@pytest.mark.parametrize("reserved", ["127.0.0.0/16", "224.1.0.0/16", "240.0.0.0/16", "0.1.0.0/16", "169.254.0.0/16"])
def test_what_no_network_routes_is_refused_wherever_it_stands(reserved: str) -> None:
    found = OutpostsRoutingSettings(
        vpcs=(AssociatedVpc(id=VPC_ID, cidrs=(reserved,)),),
        local_gateway_routes=(reserved,),
        on_premises_cidrs=(reserved,),
        unreached_on_premises_cidrs=(reserved,),
        load_balancer=LoadBalancer(client_cidrs=(reserved,)),
    )
    assert len([each for each in found.problems() if "never routed" in each.message]) == 5
    assert not [each for each in OutpostsRoutingSettings().problems() if "never routed" in each.message]


def test_what_is_open_to_everybody_by_the_on_premises_route_is_refused_too() -> None:
    settings = OutpostsRoutingSettings(on_premises_cidrs=("0.0.0.0/0",), load_balancer=LoadBalancer())
    assert any("admit everybody" in found.message for found in settings.problems())


def test_ipam_is_asked_for_no_two_ranges_that_overlap() -> None:
    """It refuses the second: two domains may lead to the same network, and to parts of it."""

    def reserved(on_premises: tuple[str, ...], of_factory: tuple[str, ...]) -> list[str]:
        factory = {"mode": COIP, "coip_cidr": "172.16.0.0/26", "on_premises_cidrs": of_factory}
        settings = OutpostsRoutingSettings.model_validate(
            {"rack_generation": 2, "on_premises_cidrs": on_premises, "more_domains": {"factory": factory}}
        )
        return list(settings.reserved_cidrs)

    assert reserved(("192.168.0.0/16",), ("192.168.0.0/16",)) == ["172.16.0.0/26", "192.168.0.0/16"]
    assert reserved(("192.168.4.0/24",), ("192.168.0.0/16",)) == ["172.16.0.0/26", "192.168.0.0/16"]
    # The VPC is in the wider one.
    assert reserved(("10.0.0.0/8",), ("10.9.0.0/16",)) == ["172.16.0.0/26", "10.9.0.0/16"]


def test_domains_share_the_network_on_premises_and_nothing_else() -> None:
    def found(kind: Kind, other: Kind) -> bool:
        pair = [Range(kind, "a", INSIDE, "main"), Range(other, "b", INSIDE, "factory")]
        return bool(list(overlaps(pair)))

    assert not found(Kind.ON_PREMISES, Kind.ON_PREMISES)
    assert not found(Kind.VPC, Kind.UNREACHED)
    for kind, other in ((Kind.VPC, Kind.VPC), (Kind.VPC, Kind.COIP), (Kind.COIP, Kind.ON_PREMISES)):
        assert found(kind, other)


@given(st.integers(1, 5000))
def test_the_smallest_range_is_enough_and_half_of_it_is_not(needed: int) -> None:
    size = 2 ** (32 - smallest_prefix(needed))
    assert size >= needed and (size == 1 or size // 2 < needed)


# The commands


def test_recommend_prints_reasons_and_ends_with_1_where_nothing_serves(capsys: pytest.CaptureFixture[str]) -> None:
    command = ["outposts_routing", "recommend", "--json"]
    assert main([*command, "--isolate", "--exposed", "5", "--resources", "100"]) == 0
    assert json.loads(capsys.readouterr().out)["mode"] == COIP
    ranges = ["--vpc-cidr", "10.0.0.0/16", "--on-premises-cidr", "10.0.4.0/24"]
    assert main([*command, *ranges, "--nat-sensitive", "iSCSI"]) == 1
    data = json.loads(capsys.readouterr().out)
    assert data["mode"] is None
    assert "--vpc-cidr 10.0.0.0/16 overlaps --on-premises-cidr 10.0.4.0/24" in data["reasons"][0]["because"]
    assert any("in neither mode are hosts" in step for step in data["next_steps"])


def test_unusable_arguments_get_a_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["outposts_routing", "recommend", "--exposed", "5", "--resources", "4"]) == 1
    assert "--exposed 5 is more than --resources 4" in capsys.readouterr().err
    for wrong in (["--vpc-cidr", "10.0.0.1/16"], ["--exposed", "-1"]):
        assert main(["outposts_routing", "recommend", *wrong]) == 2
        assert "Traceback" not in capsys.readouterr().err


def test_sizes_compare_needs_and_ranges(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["outposts_routing", "sizes", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == [
        {"domain": "main", "key": "subnet_cidr", "range": "10.0.0.0/22", "addresses": "1019", "needed here": ""}
    ]


def test_only_a_load_balancer_bills() -> None:
    settings = OutpostsRoutingSettings(on_premises_cidrs=("192.168.0.0/16",), load_balancer=LoadBalancer())
    assert [unit.quantity for unit in idle_month(CommonSettings(), settings)] == [730]
    assert [unit.quantity for unit in idle_month(CommonSettings(), OutpostsRoutingSettings())] == [0]


GROUP, VPC_ID = "lgw-vif-grp-0123456789abcdef0", "vpc-0123456789abcdef0"


class Aws:
    """A rack, and maybe a deployed stack whose route table has a mode."""

    def __init__(
        self,
        *,
        gateways: int = 1,
        deployed: str | None = None,
        taken_by: str | None = None,
        vpc_by: str | None = None,
        state: str = "available",
        stack: str = "s",
        pools_of: tuple[str, ...] = (),
        reserved: tuple[tuple[str, str], ...] = (),
    ) -> None:
        self.pools_of, self.reserved = pools_of, reserved
        self.gateways, self.deployed, self.taken_by, self.vpc_by = gateways, deployed, taken_by, vpc_by
        self.state, self.stack = state, stack

    def __call__(self, service: str, region: str | None = None, /) -> "Aws":
        return self

    def get_paginator(self, operation: str) -> Any:
        answers: dict[str, Any] = {
            "describe_local_gateways": {
                "LocalGateways": [
                    {"LocalGatewayId": f"lgw-{n}", "OutpostArn": f"arn:outpost/op-{n}", "State": "available"}
                    for n in range(self.gateways)
                ]
            },
            "describe_local_gateway_virtual_interface_groups": {
                "LocalGatewayVirtualInterfaceGroups": [
                    {"LocalGatewayVirtualInterfaceGroupId": GROUP, "ConfigurationState": self.state}
                ]
            },
            "describe_local_gateway_route_table_vpc_associations": {
                "LocalGatewayRouteTableVpcAssociations": [
                    {"VpcId": VPC_ID, "LocalGatewayRouteTableId": self.vpc_by, "State": "associated"}
                ]
                if self.vpc_by
                else []
            },
            "describe_coip_pools": {
                "CoipPools": [
                    {"PoolId": f"of-{table}", "LocalGatewayRouteTableId": table, "PoolCidrs": ["172.16.0.0/24"]}
                    for table in self.pools_of
                ]
            },
            "get_ipam_pool_allocations": {
                "IpamPoolAllocations": [{"Cidr": cidr, "IpamPoolAllocationId": name} for cidr, name in self.reserved]
            },
            "list_stack_resources": {
                "StackResourceSummaries": [
                    {
                        "ResourceType": "AWS::EC2::IPAMAllocation",
                        "PhysicalResourceId": "ipam-pool-0123456789abcdef0|ours|10.20.0.0/16",
                    },
                    {"ResourceType": "AWS::EC2::VPC", "PhysicalResourceId": VPC_ID},
                ]
            },
            "describe_local_gateway_route_table_virtual_interface_group_associations": {
                "LocalGatewayRouteTableVirtualInterfaceGroupAssociations": [
                    {"LocalGatewayVirtualInterfaceGroupId": GROUP, "LocalGatewayRouteTableId": self.taken_by}
                ]
                if self.taken_by
                else []
            },
            "describe_local_gateway_route_tables": {
                "LocalGatewayRouteTables": [
                    {
                        "LocalGatewayRouteTableId": "ours",
                        "Mode": self.deployed,
                        "Tags": [{"Key": "outposts-routing-stack", "Value": self.stack}],
                    }
                ]
                if self.deployed
                else []
            },
            "list_stacks": {
                "StackSummaries": [{"StackName": "outposts-routing", "StackStatus": "CREATE_COMPLETE"}]
                if self.deployed
                else []
            },
        }
        page = answers[operation]

        class Pages:
            def paginate(self, **_: Any) -> Iterator[Any]:
                yield page

        return Pages()

    def describe_stacks(self, StackName: str) -> Any:  # noqa: N803
        outputs = [{"OutputKey": f"{name}RouteTableId", "OutputValue": "ours"} for name in ("Main", "Factory")]
        return {"Stacks": [{"StackId": "s", "Outputs": outputs}]}


def found_by(
    aws: Aws, monkeypatch: pytest.MonkeyPatch, common: CommonSettings | None = None, **settings: Any
) -> dict[str, tuple[str, str]]:
    monkeypatch.setattr("stacks.outposts_routing.commands.account_findings", lambda *_: iter(()))
    checked = findings(common or CommonSettings(), OutpostsRoutingSettings(**settings), aws)
    return {finding.what: (finding.status, finding.says + finding.fix) for finding in checked}


def test_check_finds_the_rack_and_what_the_guard_would_stop(monkeypatch: pytest.MonkeyPatch) -> None:
    found = found_by(Aws(), monkeypatch)
    assert "nothing is advertised" in found.pop("on-premises ranges")[1]
    assert {status for status, _ in found.values()} == {"ok"}
    assert "on-premises ranges" not in found_by(Aws(), monkeypatch, on_premises_cidrs=("192.168.0.0/16",))
    nowhere = found_by(Aws(gateways=0), monkeypatch)
    assert (nowhere["local gateway"][0], nowhere["virtual interfaces"][0]) == ("problem", "unknown")
    assert "Set outpost_arn" in found_by(Aws(gateways=2), monkeypatch)["local gateway"][1]
    assert found_by(Aws(taken_by="theirs"), monkeypatch)["virtual interfaces"][0] == "problem"
    assert found_by(Aws(taken_by="ours", deployed=DIRECT), monkeypatch)["virtual interfaces"][0] == "ok"
    # Of another prefix, and as settings name it.
    other = Aws(taken_by="ours", deployed=DIRECT, stack="another")
    named: dict[str, Any] = {"virtual_interface_group_id": GROUP}
    for more in ({}, named, {**named, "rack_generation": 2}):
        assert found_by(other, monkeypatch, **more)["virtual interfaces"][0] == "problem"
    assert "none" in found_by(Aws(state="deleting"), monkeypatch)["virtual interfaces"][1]
    assert "is not of" in found_by(Aws(state="deleting"), monkeypatch, **named)["virtual interfaces"][1]
    vpcs: dict[str, Any] = {"vpcs": ({"id": VPC_ID, "cidrs": ("10.5.0.0/16",)},)}
    assert found_by(Aws(), monkeypatch, **vpcs)["VPCs"][0] == "ok"
    assert f"{VPC_ID} is with theirs" in found_by(Aws(vpc_by="theirs"), monkeypatch, **vpcs)["VPCs"][1]
    assert found_by(Aws(vpc_by="ours", deployed=DIRECT), monkeypatch, **vpcs)["VPCs"][0] == "ok"
    changed: dict[str, Any] = {"mode": COIP, "coip_cidr": "172.16.0.0/26"}
    status, says = found_by(Aws(deployed=DIRECT), monkeypatch, **changed)["mode"]
    assert status == "problem" and "direct-vpc-routing is deployed, coip configured" in says
    assert found_by(Aws(deployed=DIRECT), monkeypatch, accept_outage=True, **changed)["mode"][0] == "ok"
    second: dict[str, Any] = {"accept_outage": True, "rack_generation": 2, **changed}
    assert "first attached: false" in found_by(Aws(deployed=DIRECT), monkeypatch, **second)["mode"][1]
    assert found_by(Aws(deployed=DIRECT), monkeypatch, attached=False, **second)["mode"][0] == "ok"
    stopped = found_by(Aws(deployed=DIRECT), monkeypatch, attached=False)["mode"]
    assert stopped[0] == "problem" and "attached: false configured" in stopped[1]


def test_check_finds_a_range_that_is_in_another_pool(monkeypatch: pytest.MonkeyPatch) -> None:
    coip: dict[str, Any] = {"mode": COIP, "coip_cidr": "172.16.0.0/26"}
    taken = found_by(Aws(pools_of=("theirs",)), monkeypatch, **coip)["pool ranges"]
    assert taken[0] == "problem" and "172.16.0.0/26 overlaps 172.16.0.0/24 of of-theirs" in taken[1]
    assert found_by(Aws(pools_of=("ours",), deployed=COIP), monkeypatch, **coip)["pool ranges"][0] == "ok"
    assert "pool ranges" not in found_by(Aws(), monkeypatch)


@pytest.mark.parametrize(
    ("wanted", "reserved", "status", "says"),
    [
        ("10.20.0.0/16", (), "ok", "10.20.0.0/16"),
        ("10.20.0.0/16", (("10.20.0.0/16", "ours"), ("10.30.0.0/16", "theirs")), "ok", "10.20.0.0/16"),
        # CloudFormation would reserve the new range before it releases the old one.
        ("10.16.0.0/12", (("10.20.0.0/16", "ours"),), "problem", "of this stackIn two deployments"),
        ("10.20.0.0/24", (("10.20.0.0/16", "ours"),), "problem", "of this stackIn two deployments"),
        ("10.20.0.0/16", (("10.20.0.0/16", "theirs"),), "problem", "overlaps 10.20.0.0/16, theirsRelease"),
        ("10.16.0.0/12", (("10.20.0.0/16", "ours"), ("10.21.0.0/16", "theirs")), "problem", "theirsRelease"),
    ],
)
def test_check_finds_ranges_that_ipam_would_refuse_to_reserve(
    wanted: str, reserved: tuple[tuple[str, str], ...], status: str, says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_AllocateIpamPoolCidr.html."""
    settings: dict[str, Any] = {"on_premises_cidrs": (wanted,), "ipam_pool_id": "ipam-pool-0123456789abcdef0"}
    settings |= {"vpc_cidr": None, "subnet_cidr": None}
    found = found_by(Aws(deployed=DIRECT, reserved=reserved), monkeypatch, **settings)["reserved ranges"]
    assert found[0] == status and says in found[1]


def test_check_looks_at_every_domain_and_at_the_vpc_of_common(monkeypatch: pytest.MonkeyPatch) -> None:
    factory: dict[str, Any] = {"mode": COIP, "coip_cidr": "172.16.0.0/26", "virtual_interface_group_id": GROUP}
    two: dict[str, Any] = {"rack_generation": 2, "more_domains": {"factory": factory}}
    status, says = found_by(Aws(deployed=DIRECT), monkeypatch, **two)["mode"]
    assert status == "problem" and "factory: direct-vpc-routing is deployed, coip configured" in says
    network = {"vpc_cidr": "10.64.0.0/16", "subnet_cidr": "10.64.0.0/22"}
    routed: dict[str, Any] = {"on_premises_cidrs": ("192.168.0.0/16",)}
    for more, lost in ((network, "of factory leads"), ({**network, **routed}, ""), ({}, "")):
        domains: dict[str, Any] = {"rack_generation": 2, "more_domains": {"factory": {**factory, **more}}}
        said = found_by(Aws(), monkeypatch, **routed, **domains).get("on-premises ranges", ("", ""))[1]
        assert lost in said and bool(lost) == bool(said)
    common = CommonSettings.model_validate({"vpc": {"id": VPC_ID, "subnet_ids": ["subnet-0123456789abcdef0"]}})
    assert f"{VPC_ID} is with theirs" in found_by(Aws(vpc_by="theirs"), monkeypatch, common)["VPCs"][1]
    assert "on-premises ranges" not in found_by(Aws(), monkeypatch, common)


@pytest.mark.parametrize("peer", ["169.254.1.1/30", "169.254.2.2/30", "169.254.1.2/24"])
def test_the_ends_of_a_virtual_interface_are_two_addresses_of_one_link(peer: str) -> None:
    link = {"outpost_lag_id": "op-lag-0123456789abcdef0", "vlan": 101, "peer_bgp_asn": 65_000}
    link |= {"local_address": "169.254.1.1/30"}
    assert not list(VirtualInterface.model_validate({**link, "peer_address": "169.254.1.2/30"}).problems())
    (problem,) = VirtualInterface.model_validate({**link, "peer_address": peer}).problems()
    assert problem.key == "peer_address"
    with pytest.raises(ValueError, match="peer_address"):
        VirtualInterface.model_validate({**link, "peer_address": "169.254.1.999/30"})
