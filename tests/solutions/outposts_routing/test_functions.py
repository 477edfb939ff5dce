"""Rack, Coip and Handover: what they make twice (nothing), undo, give back, and leave to others."""

import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError
from hypothesis import given
from hypothesis import strategies as st
from moto import mock_aws

from emulator.services.ec2.racks.local_gateways import serve_in_moto
from emulator.services.ec2.resources import LOOKS
from emulator.services.outposts.racks import A_RACK
from outposts_routing.coip import balancers
from outposts_routing.coip import handler as coip
from outposts_routing.coip.plan import balancer_name, differences, in_use, to_associate
from outposts_routing.handover import handler as handover
from outposts_routing.handover.plan import Held, Wanted, held, lacking
from outposts_routing.ownership import STACK, is_of, tags_of
from outposts_routing.rack import handler as rack
from outposts_routing.rack.facts import RackError, gateway_of, group_of
from shared import aws, patience
from shared.custom_resource import RefusedError
from tests import variants

STACK_ID = "arn:aws:cloudformation:us-east-1:123456789012:stack/tried/1"
POOL = "172.16.0.0/26"
Json = dict[str, Any]

serve_in_moto(A_RACK)


@pytest.fixture
def ec2(kept_clients: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """EC2 in memory, with the model of local gateways; nobody sleeps."""
    slept: list[float] = []
    sleep, here = time.sleep, threading.get_ident()
    # Threads of the emulators sleep on.
    monkeypatch.setattr(time, "sleep", lambda s: slept.append(s) if threading.get_ident() == here else sleep(s))
    with mock_aws():
        found = aws.client("ec2")
        found.slept = slept
        yield found


def new_table(ec2: Any, mode: str, stack_id: str = STACK_ID) -> str:
    tags = [{"Key": "outposts-routing-stack", "Value": stack_id}]
    made = ec2.create_local_gateway_route_table(
        LocalGatewayId=A_RACK.gateway,
        Mode=mode,
        TagSpecifications=[{"ResourceType": "local-gateway-route-table", "Tags": tags}],
    )
    return str(made["LocalGatewayRouteTable"]["LocalGatewayRouteTableId"])


def request(kind: str, resource: str, properties: Json, old: Json | None = None, part: str = "Part") -> Json:
    return {
        "RequestType": kind,
        "ResourceType": f"Custom::{resource}",
        "StackId": STACK_ID,
        "LogicalResourceId": part,
        "PhysicalResourceId": "made",
        "ResourceProperties": properties,
        "OldResourceProperties": old or {},
    }


def new_pool(ec2: Any) -> str:
    properties = {"RouteTableId": new_table(ec2, "coip"), "Cidr": POOL}
    pool, _ = coip.act(request("Create", "CoipPool", properties))
    coip.act(request("Create", "CoipCidr", {"PoolId": pool, "Cidr": POOL}))
    return pool


def interface(ec2: Any) -> str:
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.0.0/24")["Subnet"]["SubnetId"]
    return str(ec2.create_network_interface(SubnetId=subnet)["NetworkInterface"]["NetworkInterfaceId"])


# Coip


def test_a_request_that_comes_twice_makes_one_of_each(ec2: Any) -> None:
    properties = {"RouteTableId": new_table(ec2, "coip"), "Cidr": POOL}
    pools = {coip.act(request("Create", "CoipPool", properties))[0] for _ in range(2)}
    (pool,) = pools
    for _ in range(2):
        coip.act(request("Create", "CoipCidr", {"PoolId": pool, "Cidr": POOL}))
        coip.act(request("Create", "CoipAddress", {"PoolId": pool}, part="Web"))
    assert ec2.describe_coip_pools()["CoipPools"][0]["PoolCidrs"] == [POOL]
    (address,) = ec2.describe_addresses()["Addresses"]
    assert address["CustomerOwnedIpv4Pool"] == pool


def test_another_stacks_pool_is_neither_taken_nor_deleted(ec2: Any) -> None:
    table = new_table(ec2, "coip")
    foreign = ec2.create_coip_pool(LocalGatewayRouteTableId=table)["CoipPool"]["PoolId"]
    ours, _ = coip.act(request("Create", "CoipPool", {"RouteTableId": table, "Cidr": POOL}))
    assert ours != foreign
    for _ in range(2):
        coip.act(request("Delete", "CoipPool", {"RouteTableId": table, "Cidr": POOL}))
    assert [pool["PoolId"] for pool in ec2.describe_coip_pools()["CoipPools"]] == [foreign]


def test_a_range_waits_for_its_addresses_and_then_says_who_has_them(ec2: Any) -> None:
    pool = new_pool(ec2)
    ec2.allocate_address(Domain="vpc", CustomerOwnedIpv4Pool=pool)
    with pytest.raises(RefusedError, match=r"172\.16\.0\.\d+ \(eipalloc-\w+\); release these"):
        coip.act(request("Delete", "CoipCidr", {"PoolId": pool, "Cidr": POOL}))
    assert len(ec2.slept) == patience.ROUNDS - 1


def test_a_range_goes_as_soon_as_its_last_address_has(ec2: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    pool = new_pool(ec2)
    allocation = ec2.allocate_address(Domain="vpc", CustomerOwnedIpv4Pool=pool)["AllocationId"]
    monkeypatch.setattr(time, "sleep", lambda _: ec2.release_address(AllocationId=allocation))
    coip.act(request("Delete", "CoipCidr", {"PoolId": pool, "Cidr": POOL}))
    assert ec2.describe_coip_pools()["CoipPools"][0]["PoolCidrs"] == []


def test_usage_is_read_to_its_last_page(monkeypatch: pytest.MonkeyPatch) -> None:
    class Pages:
        def get_coip_pool_usage(self, PoolId: str, NextToken: str = "") -> Json:  # noqa: N803
            pages: dict[str, Json] = {
                "": {"CoipAddressUsages": [{"CoIp": "172.16.0.1"}], "NextToken": "2"},
                "2": {"CoipAddressUsages": [{"CoIp": "172.16.0.2"}]},
            }
            return pages[NextToken]

    monkeypatch.setattr(coip, "client", lambda _: Pages())
    assert [usage["CoIp"] for usage in coip._usages("pool")] == ["172.16.0.1", "172.16.0.2"]


def test_an_address_moves_between_interfaces_and_is_given_back(ec2: Any) -> None:
    pool, first, second = new_pool(ec2), interface(ec2), interface(ec2)
    steps: list[tuple[str | None, str | None]] = [(first, None), (second, first), (None, second)]
    for wanted, before in steps:
        kind = "Update" if before else "Create"
        coip.act(
            request(
                kind,
                "CoipAddress",
                {"PoolId": pool, **({"NetworkInterfaceId": wanted} if wanted else {})},
                {"PoolId": pool, **({"NetworkInterfaceId": before} if before else {})},
            )
        )
        (address,) = ec2.describe_addresses()["Addresses"]
        assert address.get("NetworkInterfaceId") == (wanted or "")
    for _ in range(2):
        coip.act(request("Delete", "CoipAddress", {"PoolId": pool}))
    assert ec2.describe_addresses()["Addresses"] == []


def test_a_chosen_address_is_allocated_in_place_of_any_and_stays_what_it_is(ec2: Any) -> None:
    """https://github.com/hashicorp/terraform-provider-aws/issues/18105."""
    pool = new_pool(ec2)
    chosen = {"PoolId": pool, "Address": "172.16.0.10"}
    for _ in range(2):
        _, facts = coip.act(request("Create", "CoipAddress", chosen, part="Web"))
        assert facts == {"CustomerOwnedIp": "172.16.0.10"}
    with pytest.raises(ClientError, match="in use"):
        coip.act(request("Create", "CoipAddress", chosen, part="Spare"))
    with pytest.raises(RefusedError, match="an address stays what it is"):
        coip.act(request("Update", "CoipAddress", {**chosen, "Address": "172.16.0.11"}, chosen, part="Web"))
    (address,) = ec2.describe_addresses()["Addresses"]
    assert (address["CustomerOwnedIp"], address["CustomerOwnedIpv4Pool"]) == ("172.16.0.10", pool)


def test_an_address_is_released_in_the_border_group_that_it_has(ec2: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """EC2 says "not found" otherwise, and the address would be left: API_ReleaseAddress."""
    pool = new_pool(ec2)
    coip.act(request("Create", "CoipAddress", {"PoolId": pool}))
    (address,) = ec2.describe_addresses()["Addresses"]
    released: list[Json] = []

    class Elsewhere:
        def __getattr__(self, name: str) -> Any:
            return getattr(ec2, name)

        def describe_addresses(self, **asked: Any) -> Json:
            return {"Addresses": [{**address, "NetworkBorderGroup": "us-east-1-atl-2"}]}

        def release_address(self, **asked: Any) -> None:
            if asked.get("NetworkBorderGroup") != "us-east-1-atl-2":
                raise ClientError({"Error": {"Code": "InvalidAddress.NotFound", "Message": ""}}, "ReleaseAddress")
            released.append(asked)

    monkeypatch.setattr(coip, "client", lambda *_: Elsewhere())
    coip.act(request("Delete", "CoipAddress", {"PoolId": pool}))
    assert [each["AllocationId"] for each in released] == [address["AllocationId"]]


def test_what_somebody_else_has_associated_stays_there(ec2: Any) -> None:
    pool, ours, theirs = new_pool(ec2), interface(ec2), interface(ec2)
    made, _ = coip.act(request("Create", "CoipAddress", {"PoolId": pool}))
    ec2.associate_address(AllocationId=made, NetworkInterfaceId=theirs)
    coip.act(request("Update", "CoipAddress", {"PoolId": pool}, {"PoolId": pool}))
    with pytest.raises(RefusedError, match="which is not in the configuration"):
        coip.act(request("Update", "CoipAddress", {"PoolId": pool, "NetworkInterfaceId": ours}, {"PoolId": pool}))
    assert ec2.describe_addresses()["Addresses"][0]["NetworkInterfaceId"] == theirs


def test_an_address_that_cannot_go_where_it_is_wanted_goes_back(ec2: Any) -> None:
    pool = new_pool(ec2)
    missing = {"PoolId": pool, "NetworkInterfaceId": "eni-0123456789abcdef0"}
    with pytest.raises(ClientError, match="does not exist"):
        coip.act(request("Create", "CoipAddress", missing))
    assert ec2.describe_addresses()["Addresses"] == []


def test_after_a_lost_answer_it_is_looked_for_and_not_made_again(ec2: Any) -> None:
    made: list[str] = []

    def lose(_: Any) -> str:
        made.append("one")
        raise ReadTimeoutError(endpoint_url="https://ec2")

    assert patience.made_once(lambda: made[0] if made else None, lose) == "one"
    assert made == ["one"]


def test_what_is_denied_is_not_tried_again(ec2: Any) -> None:
    tried: list[int] = []

    def deny(_: Any) -> str:
        tried.append(1)
        raise ClientError({"Error": {"Code": "UnauthorizedOperation", "Message": ""}}, "CreateCoipPool")

    with pytest.raises(ClientError):
        patience.made_once(lambda: None, deny)
    assert tried == [1] and ec2.slept == []


def test_what_it_is_made_of_may_be_unknown_for_a_while(ec2: Any) -> None:
    """https://docs.aws.amazon.com/ec2/latest/devguide/eventual-consistency.html."""
    answers = iter([ClientError({"Error": {"Code": "InvalidCoipPoolId.NotFound"}}, "AllocateAddress"), "made"])

    def make(_: Any) -> Any:
        if isinstance(answer := next(answers), Exception):
            raise answer
        return answer

    assert patience.made_once(lambda: None, make) == "made"
    assert ec2.slept == [patience.KNOWN_SECONDS]


def test_a_subnet_that_uses_another_pool_by_now_keeps_it(ec2: Any) -> None:
    first = new_pool(ec2)
    table = new_table(ec2, "coip")
    second, _ = coip.act(request("Create", "CoipPool", {"RouteTableId": table, "Cidr": "172.17.0.0/26"}, part="Other"))
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(
        VpcId=vpc,
        CidrBlock="10.0.0.0/24",
        OutpostArn=f"arn:aws:outposts:us-east-1:123456789012:outpost/{A_RACK.id}",
        AvailabilityZone="us-east-1a",
    )["Subnet"]["SubnetId"]
    for pool in (first, second):
        coip.act(request("Create", "CoipSubnet", {"PoolId": pool, "SubnetId": subnet}))
    coip.act(request("Delete", "CoipSubnet", {"PoolId": first, "SubnetId": subnet}))
    assert ec2.describe_subnets(SubnetIds=[subnet])["Subnets"][0]["CustomerOwnedIpv4Pool"] == second
    coip.act(request("Delete", "CoipSubnet", {"PoolId": second, "SubnetId": subnet}))
    assert not ec2.describe_subnets(SubnetIds=[subnet])["Subnets"][0]["MapCustomerOwnedIpOnLaunch"]
    coip.act(request("Delete", "CoipSubnet", {"PoolId": second, "SubnetId": "subnet-0123456789abcdef0"}))


def test_a_load_balancer_is_made_once_and_deleted_by_its_name(ec2: Any) -> None:
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.0.0/24")["Subnet"]["SubnetId"]
    properties = {"SubnetId": subnet, "SecurityGroupIds": [], "Scheme": "internal", "PoolId": "ipv4pool-coip-1"}
    arns = {coip.act(request("Create", "CoipLoadBalancer", properties))[0] for _ in range(2)}
    assert len(arns) == 1
    for _ in range(2):
        coip.act(request("Delete", "CoipLoadBalancer", properties))
    assert aws.client("elbv2").describe_load_balancers()["LoadBalancers"] == []


class Late:
    """A client for whom AWS does not know yet what was just made: so many times, in one operation."""

    def __init__(self, known: Any, operation: str, code: str, times: int) -> None:
        self._known, self._operation, self._code, self.times = known, operation, code, times

    def __getattr__(self, name: str) -> Any:
        if name != self._operation or not self.times:
            return getattr(self._known, name)

        def refuse(**_: Any) -> None:
            self.times -= 1
            raise ClientError({"Error": {"Code": self._code, "Message": "not known"}}, name)

        return refuse


LATE = [
    ("CoipAddress", "ec2", "associate_address", "InvalidAllocationID.NotFound"),
    ("CoipCidr", "ec2", "create_coip_cidr", "InvalidPoolID.NotFound"),
    ("CoipSubnet", "ec2", "modify_subnet_attribute", "InvalidPoolID.NotFound"),
    ("CoipLoadBalancer", "elbv2", "modify_load_balancer_attributes", "LoadBalancerNotFound"),
    ("CoipLoadBalancer", "elbv2", "describe_load_balancers", "LoadBalancerNotFound"),
]


# hashicorp/terraform#1815, #6970, hashicorp/terraform-provider-aws#16808, #15214: not found, though just made.
@pytest.mark.parametrize(("kind", "service", "operation", "code"), LATE)
def test_what_was_just_made_is_waited_for_a_minute(
    ec2: Any, monkeypatch: pytest.MonkeyPatch, kind: str, service: str, operation: str, code: str
) -> None:
    eni = interface(ec2)
    subnet = on_the_outpost(ec2)
    properties: Json = {"PoolId": new_pool(ec2), "SubnetId": subnet, "Cidr": "172.16.64.0/26"}
    properties |= {"NetworkInterfaceId": eni, "SecurityGroupIds": [], "Scheme": "internal"}
    late = Late(aws.client(service), operation, code, patience.KNOWN_AFTER - 1)
    if operation == "describe_load_balancers":  # which asks for it by its name before it is made
        coip.act(request("Create", kind, properties))
        monkeypatch.setattr(balancers, "_own_balancer", lambda _: {**properties, **balancer_of(subnet)})
    for module in (coip, balancers):
        monkeypatch.setattr(module, "client", lambda name, *_: late if name == service else aws.client(name))
    coip.act(request("Create", kind, properties))
    assert late.times == 0 and sum(ec2.slept) <= 60


@pytest.mark.parametrize(
    ("kind", "operation", "code"),
    [
        ("CoipAddress", "release_address", "InvalidAllocationID.NotFound"),
        ("CoipAddress", "disassociate_address", "InvalidAssociationID.NotFound"),
        ("CoipCidr", "get_coip_pool_usage", "InvalidPoolID.NotFound"),
        ("CoipCidr", "delete_coip_cidr", "InvalidPoolID.NotFound"),
        ("CoipPool", "delete_coip_pool", "InvalidPoolID.NotFound"),
    ],
)
def test_not_found_is_not_gone_while_it_is_listed(
    ec2: Any, monkeypatch: pytest.MonkeyPatch, kind: str, operation: str, code: str
) -> None:
    """A rollback removes what was made seconds ago: taken for gone, an address kept its range and its pool for ever."""
    if kind == "CoipPool":
        properties: Json = {"RouteTableId": new_table(ec2, "coip")}
    else:
        properties = {"PoolId": new_pool(ec2), "Cidr": "172.16.64.0/26", "NetworkInterfaceId": interface(ec2)}
    coip.act(request("Create", kind, properties))
    late = Late(aws.client("ec2"), operation, code, 2)
    monkeypatch.setattr(coip, "client", lambda *_: late)
    coip.act(request("Delete", kind, properties))
    assert late.times == 0
    pools = ec2.describe_coip_pools()["CoipPools"]
    left = {
        "CoipAddress": ec2.describe_addresses()["Addresses"],
        "CoipCidr": [pool for pool in pools if "172.16.64.0/26" in pool["PoolCidrs"]],
        "CoipPool": pools,
    }
    assert left[kind] == []


@pytest.mark.parametrize("lacks", range(5), ids=lambda lacks: f"look {lacks + 1} lacks it")
def test_one_list_without_a_range_does_not_say_that_it_is_gone(
    ec2: Any, monkeypatch: pytest.MonkeyPatch, lacks: int
) -> None:
    """Left in its pool, it would keep the pool from being deleted."""
    pool = new_pool(ec2)
    real, looks = coip._pools, iter(range(100))
    monkeypatch.setattr(coip, "_pools", lambda: [] if next(looks) == lacks else real())
    used: list[list[Json]] = [[], [{"CoIp": "172.16.0.5"}], [{"CoIp": "172.16.0.5"}]]
    monkeypatch.setattr(coip, "_usages", lambda _: used.pop())
    coip.act(request("Delete", "CoipCidr", {"PoolId": pool, "Cidr": POOL}))
    assert [one["PoolCidrs"] for one in ec2.describe_coip_pools()["CoipPools"]] == [[]]


def test_a_range_whose_pool_is_gone_is_gone_once_no_list_has_it(ec2: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody has deleted the pool, and a list still has it for a while."""
    pool, cidr = new_pool(ec2), "172.16.64.0/26"
    listed = [{"PoolId": pool, "PoolCidrs": [cidr]}]
    looks = [listed, listed, listed]
    monkeypatch.setattr(coip, "_pools", lambda: looks.pop() if looks else [])
    ec2.delete_coip_cidr(CoipPoolId=pool, Cidr=POOL)
    ec2.delete_coip_pool(CoipPoolId=pool)
    coip.act(request("Delete", "CoipCidr", {"PoolId": pool, "Cidr": cidr}))
    assert looks == []


def on_the_outpost(ec2: Any) -> str:
    """A subnet there."""
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    place = {"OutpostArn": f"arn:aws:outposts:us-east-1:123456789012:outpost/{A_RACK.id}"}
    made = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.0.0/24", AvailabilityZone="us-east-1a", **place)
    return str(made["Subnet"]["SubnetId"])


def balancer_of(subnet: str) -> Json:
    """The one load balancer that there is, as it is described."""
    (found,) = aws.client("elbv2").describe_load_balancers()["LoadBalancers"]
    return {**found, "AvailabilityZones": [{"SubnetId": subnet}]}


@pytest.mark.parametrize(
    ("states", "served"),
    [
        (["provisioning", "provisioning", "active"], True),
        (["provisioning", "active_impaired"], True),
        (["provisioning", "failed"], False),
        (["provisioning"] * patience.ROUNDS, False),
    ],
)
def test_a_load_balancer_is_there_when_it_serves_and_not_before(
    ec2: Any, monkeypatch: pytest.MonkeyPatch, states: list[str], served: bool
) -> None:
    subnet, left = on_the_outpost(ec2), list(states)
    known = aws.client("elbv2")

    class Building:
        def __getattr__(self, name: str) -> Any:
            return getattr(known, name)

        def describe_load_balancers(self, **asked: Any) -> Json:
            answer: Json = known.describe_load_balancers(**asked)
            for balancer in answer["LoadBalancers"] if "LoadBalancerArns" in asked else ():
                balancer["State"] = {"Code": left.pop(0), "Reason": "no capacity"}
            return answer

    monkeypatch.setattr(balancers, "client", lambda name, *_: Building() if name == "elbv2" else aws.client(name))
    asked = request(
        "Create",
        "CoipLoadBalancer",
        {"SubnetId": subnet, "SecurityGroupIds": [], "Scheme": "internal", "PoolId": "ipv4pool-coip-1"},
    )
    if served:
        assert coip.act(asked)[1]["DNSName"]
    else:
        with pytest.raises(RefusedError, match=f"is {states[-1]}: no capacity; has the Outpost"):
            coip.act(asked)
    assert len(ec2.slept) == len(states) - 1 and not left


def test_a_deleted_load_balancer_is_gone_with_its_interfaces(ec2: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    subnet = on_the_outpost(ec2)
    properties = {"SubnetId": subnet, "SecurityGroupIds": [], "Scheme": "internal", "PoolId": "ipv4pool-coip-1"}
    arn, _ = coip.act(request("Create", "CoipLoadBalancer", properties))
    name = f"ELB {arn.partition(':loadbalancer/')[2]}"
    eni = ec2.create_network_interface(SubnetId=subnet, Description=name)["NetworkInterface"]["NetworkInterfaceId"]
    monkeypatch.setattr(time, "sleep", lambda _: ec2.delete_network_interface(NetworkInterfaceId=eni))
    coip.act(request("Delete", "CoipLoadBalancer", properties))
    assert not ec2.describe_network_interfaces()["NetworkInterfaces"]


def test_interfaces_that_stay_are_named(ec2: Any) -> None:
    subnet = on_the_outpost(ec2)
    properties = {"SubnetId": subnet, "SecurityGroupIds": [], "Scheme": "internal", "PoolId": "ipv4pool-coip-1"}
    arn, _ = coip.act(request("Create", "CoipLoadBalancer", properties))
    name = f"ELB {arn.partition(':loadbalancer/')[2]}"
    eni = ec2.create_network_interface(SubnetId=subnet, Description=name)["NetworkInterface"]["NetworkInterfaceId"]
    with pytest.raises(RefusedError, match=f"{eni} of the deleted load balancer"):
        coip.act(request("Delete", "CoipLoadBalancer", properties))


def test_a_load_balancer_that_would_have_to_be_another_is_refused_and_not_on_the_way_back(ec2: Any) -> None:
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    first, second = (
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{number}.0/24")["Subnet"]["SubnetId"] for number in range(2)
    )
    before = {"SubnetId": first, "SecurityGroupIds": [], "Scheme": "internal", "PoolId": "ipv4pool-coip-1"}
    arn, _ = coip.act(request("Create", "CoipLoadBalancer", before))
    for key, value in (("Scheme", "internet-facing"), ("SubnetId", second)):
        after = {**before, key: value}
        with pytest.raises(RefusedError, match=f"{key} .* and not {value}.*remove load_balancer"):
            coip.act(request("Update", "CoipLoadBalancer", after, old=before))
        assert coip.act(request("Update", "CoipLoadBalancer", before, old=after))[0] == arn


def test_a_load_balancer_of_another_pool_is_another() -> None:
    wanted = {"Scheme": "internal", "SubnetId": "subnet-1", "PoolId": "ipv4pool-coip-1"}
    has = {"Scheme": "internal", "AvailabilityZones": [{"SubnetId": "subnet-1"}]}
    assert differences(has, wanted) == ""
    assert differences({**has, "CustomerOwnedIpv4Pool": "ipv4pool-coip-1"}, wanted) == ""
    assert "PoolId" in differences({**has, "CustomerOwnedIpv4Pool": "ipv4pool-coip-2"}, wanted)


def test_a_name_fits_elb_and_differs_by_stack_and_part() -> None:
    names = {balancer_name(stack, part) for stack in ("a", "b") for part in ("x", "y")}
    assert len(names) == 4
    assert all(len(name) <= 32 and not name.startswith("internal-") for name in names)


def test_only_addresses_of_the_range_are_in_the_way() -> None:
    usages = [
        {"CoIp": "172.16.0.9", "AwsService": "elasticloadbalancing"},
        {"CoIp": "172.16.0.10", "AllocationId": "eipalloc-1"},
        {"CoIp": "172.16.9.1", "AllocationId": "eipalloc-2"},
        {},
    ]
    assert in_use(usages, POOL) == ["172.16.0.9 (elasticloadbalancing)", "172.16.0.10 (eipalloc-1)"]


@given(st.sampled_from([None, "a", "b"]), st.sampled_from([None, "a", "b"]), st.sampled_from([None, "a", "b"]))
def test_an_address_ends_where_it_is_wanted_and_is_taken_from_nobody_else(
    now: str | None, wanted: str | None, before: str | None
) -> None:
    decided = to_associate({"NetworkInterfaceId": now}, wanted, before)
    assert (decided == "associate") == (wanted is not None and now != wanted)
    assert (decided == "disassociate") == (wanted is None and now is not None and now == before)


# Handover


class Network:
    """A table of each mode; the direct one has a VPC, the virtual interfaces and a route."""

    def __init__(self, ec2: Any) -> None:
        self.ec2 = ec2
        self.old, self.new = new_table(ec2, "direct-vpc-routing"), new_table(ec2, "coip")
        self.vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        vpc_kind, group_kind = handover.KINDS
        ec2.create_local_gateway_route_table_vpc_association(
            LocalGatewayRouteTableId=self.old, VpcId=self.vpc, TagSpecifications=handover._tags(vpc_kind, STACK_ID)
        )
        ec2.create_local_gateway_route_table_virtual_interface_group_association(
            LocalGatewayRouteTableId=self.old,
            LocalGatewayVirtualInterfaceGroupId=A_RACK.group,
            TagSpecifications=handover._tags(group_kind, STACK_ID),
        )
        for _ in range(LOOKS + 1):
            self.look(self.old)
        ec2.create_local_gateway_route(
            LocalGatewayRouteTableId=self.old,
            DestinationCidrBlock="0.0.0.0/0",
            LocalGatewayVirtualInterfaceGroupId=A_RACK.group,
        )

    def look(self, table: str) -> Held:
        return handover.look(table, self.wanted, STACK_ID)

    @property
    def wanted(self) -> Wanted:
        return Wanted(("0.0.0.0/0",), (self.vpc,), A_RACK.group)

    def request(self, kind: str, table: str, before: str = "") -> Json:
        known = {
            "VpcIds": [self.vpc],
            "VirtualInterfaceGroupId": A_RACK.group,
            "Destinations": ["0.0.0.0/0"],
        }
        return request(kind, "Handover", {**known, "RouteTableId": table}, {**known, "RouteTableId": before})


def hand_over(request: Json) -> str:
    return handover.hand_over(request, seconds_left=lambda: handover.BUDGET_SECONDS)


def stack_is(monkeypatch: pytest.MonkeyPatch, status: str) -> None:
    class Formation:
        def describe_stacks(self, **_: str) -> Json:
            return {"Stacks": [{"StackStatus": status}]}

    known = aws.client
    monkeypatch.setattr(
        handover, "client", lambda service, *a: Formation() if service == "cloudformation" else known(service, *a)
    )


def test_the_old_table_lets_go_of_everything(ec2: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    network = Network(ec2)
    stack_is(monkeypatch, "UPDATE_IN_PROGRESS")
    for _ in range(2):
        hand_over(network.request("Update", network.new, network.old))
    assert network.look(network.old).empty and network.look(network.new).empty
    ec2.delete_local_gateway_route_table(LocalGatewayRouteTableId=network.old)


def test_on_the_way_back_it_gets_it_all_again(ec2: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    network = Network(ec2)
    before = network.look(network.old)
    stack_is(monkeypatch, "UPDATE_IN_PROGRESS")
    hand_over(network.request("Update", network.new, network.old))
    stack_is(monkeypatch, "UPDATE_ROLLBACK_IN_PROGRESS")
    for _ in range(2):
        hand_over(network.request("Update", network.old, network.new))
    after = network.look(network.old)
    assert (after.routes, set(after.vpcs), set(after.groups)) == (before.routes, set(before.vpcs), set(before.groups))
    assert not after.coming  # CloudFormation goes on with the subnets' routes, which EC2 refuses before
    hand_over(network.request("Delete", network.old))
    assert network.look(network.old).empty


def test_an_update_that_keeps_the_table_touches_nothing(ec2: Any) -> None:
    network = Network(ec2)
    hand_over(network.request("Create", network.old))
    hand_over(network.request("Update", network.old, network.old))
    assert network.look(network.old).vpcs


def test_a_table_without_the_tag_of_this_stack_is_left_alone(ec2: Any) -> None:
    foreign = new_table(ec2, "coip", f"{STACK_ID}-other")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    ec2.create_local_gateway_route_table_vpc_association(LocalGatewayRouteTableId=foreign, VpcId=vpc)
    nothing = Wanted((), (), "")
    handover.clear(foreign, nothing, STACK_ID)
    handover.clear("lgw-rtb-0123456789abcdef0", nothing, STACK_ID)
    assert handover.look(foreign, nothing, STACK_ID).vpcs


# ekristen/aws-nuke#957, ansible-collections/community.aws#2333: what others have put on a route table.
@pytest.mark.parametrize("kind", ["Update", "Delete"])
def test_a_foreign_association_is_named_before_anything_is_taken(
    ec2: Any, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    network = Network(ec2)
    theirs = ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    ec2.create_local_gateway_route_table_vpc_association(LocalGatewayRouteTableId=network.old, VpcId=theirs)
    stack_is(monkeypatch, "UPDATE_IN_PROGRESS")
    before = [network.look(network.old) for _ in range(LOOKS + 1)][-1]
    asked = network.request("Update", network.new, network.old)
    with pytest.raises(RefusedError, match=f"the association of {theirs} .*Nothing was removed"):
        hand_over(asked if kind == "Update" else network.request("Delete", network.old))
    assert network.look(network.old) == before


@pytest.mark.parametrize("by", ["group", "interface"])
def test_routes_that_people_made_are_named_before_a_change_and_go_with_the_table(
    ec2: Any, monkeypatch: pytest.MonkeyPatch, by: str
) -> None:
    network = Network(ec2)
    target = (
        {"LocalGatewayVirtualInterfaceGroupId": A_RACK.group}
        if by == "group"
        else {"NetworkInterfaceId": interface(ec2)}
    )
    for to in ({"DestinationPrefixListId": "pl-0123456789abcdef0"}, {"DestinationCidrBlock": "172.30.0.0/24"}):
        ec2.create_local_gateway_route(LocalGatewayRouteTableId=network.old, **to, **target)
    stack_is(monkeypatch, "UPDATE_IN_PROGRESS")
    with pytest.raises(RefusedError, match=r"route to pl-0123456789abcdef0, the route to 172\.30\.0\.0/24\. Nothing"):
        hand_over(network.request("Update", network.new, network.old))
    assert len(network.look(network.old).routes) == 3
    hand_over(network.request("Delete", network.old))
    assert network.look(network.old).empty


def test_a_route_waits_for_its_group_and_all_of_it_as_long_as_the_function_may_run(
    ec2: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    table, wanted = new_table(ec2, "direct-vpc-routing"), Wanted(("0.0.0.0/0",), (), A_RACK.group)
    kept = handover.look

    def never(*asked: Any) -> Held:
        found = kept(*asked)
        return replace(found, coming=tuple(found.groups))

    def left() -> float:
        return float(handover.BUDGET_SECONDS - sum(ec2.slept))

    group_alone = replace(wanted, routes=())
    handover.restore(table, group_alone, STACK_ID, seconds_left=left)
    assert not kept(table, group_alone, STACK_ID).coming  # CloudFormation goes on with what needs it
    handover.restore(table, wanted, STACK_ID, seconds_left=left)
    assert kept(table, wanted, STACK_ID).routes == wanted.routes and len(ec2.slept) >= LOOKS
    handover.clear(table, wanted, STACK_ID)
    monkeypatch.setattr(handover, "look", never)
    with pytest.raises(
        RefusedError, match=rf"{table} still lacks 0\.0\.0\.0/0, and waits for {A_RACK.group}; continue"
    ):
        handover.restore(table, wanted, STACK_ID, seconds_left=left)
    # Clearing the other table may have taken five minutes before.
    assert handover.BUDGET_SECONDS - handover.ROUND_SECONDS < sum(ec2.slept) <= handover.BUDGET_SECONDS
    functions = variants.template(variants.DEFAULT, "outposts_routing")["Resources"].values()
    (timeout,) = {
        each["Properties"]["Timeout"]
        for each in functions
        if each["Type"] == "AWS::Lambda::Function" and "handover" in each["Properties"]["Handler"]
    }
    assert handover.ROUNDS * handover.ROUND_SECONDS < handover.BUDGET_SECONDS < timeout


def test_giving_back_does_not_try_for_ever_what_is_refused(ec2: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    table, wanted = new_table(ec2, "direct-vpc-routing"), Wanted((), ("vpc-0123456789abcdef0",), A_RACK.group)
    with pytest.raises(ClientError, match="does not exist"):
        handover.restore(table, wanted, STACK_ID, seconds_left=lambda: 60.0)
    assert len(ec2.slept) == handover.MOST_FAULTS - 1


@pytest.mark.parametrize("state", ["disassociating", "associated"], ids=["on its way", "not yet known to go"])
def test_associations_that_do_not_end_fail_with_the_careful_way(
    ec2: Any, monkeypatch: pytest.MonkeyPatch, state: str
) -> None:
    network = Network(ec2)
    stuck = held([], [{"VpcId": "v", "LocalGatewayRouteTableVpcAssociationId": "a", "State": state}], [])
    monkeypatch.setattr(handover, "look", lambda *_: stuck)
    with pytest.raises(RefusedError, match=r"still has [av]; try again, or change the mode in two deployments"):
        handover.clear(network.old, network.wanted, STACK_ID)
    assert len(ec2.slept) == handover.ROUNDS - 1


NAMES = st.lists(st.sampled_from("abcd"), unique=True)


@given(NAMES, NAMES, st.booleans())
def test_what_a_table_lacks_and_has_is_what_is_wanted(wanted: list[str], has: list[str], group: bool) -> None:
    found = held(
        [{"DestinationCidrBlock": item, "Type": "static", "State": "active"} for item in has],
        [{"VpcId": item, "LocalGatewayRouteTableVpcAssociationId": item, "State": "associated"} for item in has],
        [],
    )
    missing = lacking(Wanted(tuple(wanted), tuple(wanted), "g" if group else ""), found)
    assert set(missing.routes) == set(missing.vpcs) == set(wanted) - set(has)
    assert missing.group == ("g" if group else "")


def test_propagated_routes_go_by_themselves() -> None:
    assert held([{"DestinationCidrBlock": "10.0.0.0/22", "Type": "propagated", "State": "active"}], [], []).empty


# Rack

GATEWAY = {"LocalGatewayId": "lgw-1", "OutpostArn": "arn:op-1", "OwnerId": "123456789012", "State": "available"}
OTHER = {**GATEWAY, "LocalGatewayId": "lgw-2", "OutpostArn": "arn:op-2"}


def test_the_only_rack_needs_no_name_and_one_of_two_does() -> None:
    none: Json = {"outpost_arn": None, "gateway_id": None, "account": "123456789012"}
    assert gateway_of([GATEWAY], **none) == GATEWAY
    assert gateway_of([GATEWAY, OTHER], **{**none, "outpost_arn": "arn:op-2"}) == OTHER
    assert gateway_of([GATEWAY, OTHER], **{**none, "gateway_id": "lgw-1"}) == GATEWAY
    with pytest.raises(RackError, match="lgw-1, lgw-2 are all here; set outpost_arn to choose one"):
        gateway_of([OTHER, GATEWAY], **none)
    with pytest.raises(RackError, match="no local gateway here belongs to an Outposts rack"):
        gateway_of([], **none)
    with pytest.raises(RackError, match="belongs to account 123456789012"):
        gateway_of([GATEWAY], **{**none, "account": "210987654321"})


def test_a_group_that_the_gateway_has_not_is_refused() -> None:
    groups = [{"LocalGatewayVirtualInterfaceGroupId": name} for name in ("g-1", "g-2")]
    group = partial(group_of, gateway_id="lgw-1", stack_id="ours")
    assert group(groups, group_id="g-2") == "g-2"
    with pytest.raises(RackError, match="has g-1, g-2; set virtual_interface_group_id"):
        group(groups, group_id=None)
    with pytest.raises(RackError, match="lgw-1 has no g-3"):
        group(groups, group_id="g-3")
    going = [{**groups[0], "ConfigurationState": "deleting"}, {**groups[1], "ConfigurationState": "available"}]
    assert group(going, group_id=None) == "g-2"
    with pytest.raises(RackError, match="lgw-1 has no g-1"):
        group(going, group_id="g-1")


def test_a_group_of_the_stack_s_own_is_not_that_of_the_rack() -> None:
    """It is there until the clean-up, of an update that takes it out and of a rollback of the one that brings it."""
    groups = [
        {"LocalGatewayVirtualInterfaceGroupId": name, "Tags": [{"Key": STACK, "Value": value}]}
        for name, value in (("g-1", "ours"), ("g-2", "another"))
    ]
    assert group_of(groups, group_id=None, gateway_id="lgw-1", stack_id="ours") == "g-2"


@pytest.mark.parametrize("attached", [True, False])
def test_a_domain_that_is_not_attached_needs_no_group(
    ec2: Any, monkeypatch: pytest.MonkeyPatch, attached: bool
) -> None:
    """The first of two deployments that change virtual interfaces takes them out, also where they are all there are."""
    monkeypatch.setattr(rack, "_zone", lambda _: "us-east-1a")  # of another service, which moto has not
    tags = [{"ResourceType": "local-gateway-virtual-interface-group", "Tags": [{"Key": STACK, "Value": "another"}]}]
    ec2.create_local_gateway_virtual_interface_group(LocalGatewayId=A_RACK.gateway, TagSpecifications=tags)
    properties = {"MakesGroup": "false"} | ({} if attached else {"Attached": "false"})
    if attached:
        with pytest.raises(RackError, match="set virtual_interface_group_id to choose one"):
            rack.find(request("Update", "OutpostsRack", properties))
    else:
        _, facts = rack.find(request("Update", "OutpostsRack", properties))
        assert facts["LocalGatewayId"] == A_RACK.gateway and "VirtualInterfaceGroupId" not in facts


def test_only_both_tags_prove_an_owner() -> None:
    ours = request("Create", "CoipPool", {})
    assert is_of(tags_of(ours), ours)
    assert not is_of(tags_of(ours)[:1], ours) and not is_of(None, ours)
    assert not is_of(tags_of(ours), {**ours, "StackId": "another"})
