"""Both modes of the post on one rack: what is advertised, who is reached, and the way from one mode to the other.

The local gateway is our model; no packet goes through it.
"""

import argparse
from ipaddress import ip_address, ip_network
from typing import Any, ClassVar

from config.models import CommonSettings
from emulator.client import EmbeddedAws
from stacks.outposts_routing.commands import advise
from tryout.scenario import expect, step
from tryout.scenarios.outposts_routing.looks import (
    COIP,
    DIRECT,
    OTHER_POOL,
    OUTPOST_ID,
    POOL,
    SUBNET,
    VARIANTS,
    Json,
    OutpostsRoutingLooks,
)
from tryout.waits import wait_until

OUTAGE = "would take a rack's route table or its addresses away from what runs there"


class OutpostsRoutingScenario(OutpostsRoutingLooks):
    """One domain that changes its mode, and two domains of both modes."""

    variants: ClassVar[dict[str, Json]] = VARIANTS
    long_waits: ClassVar[dict[str, int]] = {"one domain": 20}
    in_account: ClassVar[dict[str, Json]] = {"one domain": {}}
    emulated = OUTAGE
    account_minutes = 30

    @classmethod
    def prepare(cls, aws: EmbeddedAws) -> bool:
        """One rack is there, with its local gateway."""
        aws.control("outposts", outposts=[{"id": OUTPOST_ID}])
        return True

    @step("the rack's ids are found at deployment, and the subnet is in its zone", "our-model", where="anywhere")
    def finds(self) -> str:
        (gateway,) = self.ec2.describe_local_gateways()["LocalGateways"]
        gateway_id, outpost_arn = gateway["LocalGatewayId"], gateway["OutpostArn"]
        outpost = self.deployed.client("outposts").get_outpost(OutpostId=outpost_arn.rsplit("/", 1)[-1])["Outpost"]
        (subnet,) = self.ec2.describe_subnets(SubnetIds=[self.deployed.outputs_now()["MainSubnetId"]])["Subnets"]
        expect(subnet["AvailabilityZone"] == outpost["AvailabilityZone"], f"{subnet}")
        expect(subnet["OutpostArn"] == outpost_arn, f"on {subnet.get('OutpostArn')}")
        expect(self.deployed.outputs_now()["LocalGatewayId"] == gateway_id, f"{self.deployed.outputs_now()}")
        return f"{gateway_id} of {outpost['OutpostId']} in {subnet['AvailabilityZone']}"

    @step(
        "direct VPC routing: the subnet's own range is advertised, its route leads to the local gateway",
        "our-model",
        where="anywhere",
    )
    def advertises(self) -> str:
        table = self._table("Main")
        expect(table["Mode"] == DIRECT, f"mode {table['Mode']}")
        static, advertised = self._routes(table)
        expect(static == {"0.0.0.0/0"}, f"static routes {static}")
        expect(advertised == {SUBNET}, f"advertised is {advertised}")
        return f"advertised: {SUBNET}; everything else goes to the virtual interfaces"

    # One domain

    @step("a change of the mode is stopped by the guard, and nothing has happened", "real-code", only=("one domain",))
    def stopped(self) -> str:
        before = self._network()
        done = self._deploy(mode="coip", coip_cidr=POOL)
        expect(done.status == "UPDATE_ROLLBACK_COMPLETE", f"{done.status}: {done.reasons}")
        said = next((reason for reason in done.reasons if "Mode: direct-vpc-routing -> coip" in reason), "")
        expect("accept_outage" in said, f"{done.reasons}")
        expect(self._network() == before, f"{before} became {self._network()}")
        return said[said.index("stopped") :][:80] + " ..."

    @step(
        "what somebody else has put on the route table stops an accepted change, by name, before anything is taken",
        "real-code",
        only=("one domain",),
    )
    def theirs(self) -> str:
        table = self.deployed.outputs_now()["MainRouteTableId"]
        vpc = self.ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
        made = self.ec2.create_local_gateway_route_table_vpc_association(LocalGatewayRouteTableId=table, VpcId=vpc)
        before = self._network()
        done = self._deploy(mode="coip", coip_cidr=POOL, accept_outage=True)
        said = [reason for reason in done.reasons if vpc in reason]
        expect(done.status == "UPDATE_ROLLBACK_COMPLETE" and bool(said), f"{done.status}: {done.reasons}")
        expect(self._network() == before, f"{before} became {self._network()}")
        association = made["LocalGatewayRouteTableVpcAssociation"]["LocalGatewayRouteTableVpcAssociationId"]
        self.ec2.delete_local_gateway_route_table_vpc_association(LocalGatewayRouteTableVpcAssociationId=association)
        wait_until("the end of the association", lambda: vpc not in self._network()["vpcs"], seconds=20)
        self.ec2.delete_vpc(VpcId=vpc)
        return said[0][said[0].index(table) :][:100] + " ..."

    @step("an accepted change that fails gives the old route table back what it had", "real-code", only=("one domain",))
    def restored(self) -> str:
        before = self._network()
        missing = {"web": "eni-0123456789abcdef0"}
        done = self._deploy(mode="coip", coip_cidr=POOL, elastic_ips=missing, accept_outage=True)
        why = [reason for reason in done.reasons if missing["web"] in reason]
        expect(done.status == "UPDATE_ROLLBACK_COMPLETE" and bool(why), f"{done.status}: {done.reasons}")
        expect(self._network() == before, f"{before} became {self._network()}")
        expect(not self.ec2.describe_coip_pools()["CoipPools"], "a pool is left")
        expect(not self.ec2.describe_addresses()["Addresses"], "an address is left")
        static, advertised = self._routes(self._table("Main"))
        expect((static, advertised) == ({"0.0.0.0/0"}, {SUBNET}), f"{static}, {advertised}")
        return "VPC, virtual interfaces and route are back, pool and address are gone"

    @step(
        "accepted, it is done in one deployment: the old table lets go, the new one is routed",
        "real-code",
        only=("one domain",),
    )
    def changed(self) -> str:
        old = self.deployed.outputs_now()["MainRouteTableId"]
        done = self._deploy(
            mode="coip", coip_cidr=POOL, map_coip_on_launch=True, elastic_ips={"web": None}, accept_outage=True
        )
        expect(done.complete and not done.left, f"{done.status}: {done.reasons} {done.left}")
        tables = self.ec2.describe_local_gateway_route_tables()["LocalGatewayRouteTables"]
        expect(
            [t["LocalGatewayRouteTableId"] for t in tables] == [self.deployed.outputs_now()["MainRouteTableId"]],
            f"{tables}",
        )
        static, advertised = self._routes(self._table("Main"))
        expect((static, advertised) == ({"0.0.0.0/0"}, {POOL}), f"{static}, {advertised}")
        address = self.deployed.outputs_now()["MainAddressWeb"]
        expect(ip_address(address) in ip_network(POOL), f"{address} is not in {POOL}")
        (subnet,) = self.ec2.describe_subnets(SubnetIds=[self.deployed.outputs_now()["MainSubnetId"]])["Subnets"]
        expect(subnet["CustomerOwnedIpv4Pool"] == self.deployed.outputs_now()["MainPoolId"], f"{subnet}")
        return f"{old} -> {tables[0]['LocalGatewayRouteTableId']}; advertised: {POOL}; an Elastic IP {address}"

    @step(
        "another range is stopped in one deployment, and replaces pool and addresses in two",
        "real-code",
        only=("one domain",),
    )
    def another_range(self) -> str:
        other = {"mode": "coip", "coip_cidr": OTHER_POOL, "map_coip_on_launch": True, "elastic_ips": {"web": None}}
        stopped = self._deploy(**other, accept_outage=True)
        said = [reason for reason in stopped.reasons if "In two deployments" in reason]
        expect(stopped.status == "UPDATE_ROLLBACK_COMPLETE" and bool(said), f"{stopped.status}: {stopped.reasons}")
        for attached in (False, True):
            done = self._deploy(**other, attached=attached, accept_outage=True)
            expect(done.complete and not done.left, f"attached: {attached}: {done.status}: {done.reasons} {done.left}")
        _, advertised = self._routes(self._table("Main"))
        expect(advertised == {OTHER_POOL}, f"advertised is {advertised}")
        (address,) = self.ec2.describe_addresses()["Addresses"]
        expect(ip_address(address["CustomerOwnedIp"]) in ip_network(OTHER_POOL), f"{address}")
        # The model refuses a pool that has ranges, and a range that has addresses: in another order they would be left.
        (pool,) = self.ec2.describe_coip_pools()["CoipPools"]
        expect(pool["PoolCidrs"] == [OTHER_POOL], f"{pool}")
        (subnet,) = self.ec2.describe_subnets(SubnetIds=[self.deployed.outputs_now()["MainSubnetId"]])["Subnets"]
        expect(subnet["CustomerOwnedIpv4Pool"] == pool["PoolId"], f"{subnet}")
        return (
            f"advertised: {OTHER_POOL}; the Elastic IP is {address['CustomerOwnedIp']} now; nothing is left of {POOL}"
        )

    @step(
        "the careful way, in two deployments: detached, then attached in the other mode",
        "real-code",
        only=("one domain",),
    )
    def in_two(self) -> str:
        done = self._deploy(mode="coip", coip_cidr=OTHER_POOL, attached=False, accept_outage=True)
        expect(done.complete and not done.left, f"{done.status}: {done.reasons} {done.left}")
        left = self.ec2.describe_local_gateway_route_tables()["LocalGatewayRouteTables"]
        expect(not left and not self.ec2.describe_coip_pools()["CoipPools"], f"left: {left}")
        done = self._deploy(accept_outage=True)
        expect(done.complete and not done.left, f"{done.status}: {done.reasons} {done.left}")
        _, advertised = self._routes(self._table("Main"))
        expect(advertised == {SUBNET}, f"advertised is {advertised}")
        return f"advertised: nothing, then {SUBNET} again"

    # Two domains

    @step(
        "the other mode is in a domain of its own, with four virtual interfaces and a VPC of its own",
        "our-model",
        only=("two domains",),
    )
    def coexist(self) -> str:
        table = self._table("Factory")
        expect(table["Mode"] == COIP, f"mode {table['Mode']}")
        _, advertised = self._routes(table)
        expect(advertised == {POOL}, f"advertised is {advertised}")
        groups = self.ec2.describe_local_gateway_virtual_interface_groups()["LocalGatewayVirtualInterfaceGroups"]
        sizes = sorted(len(group["LocalGatewayVirtualInterfaceIds"]) for group in groups)
        expect(sizes == [2, 4], f"{groups}")
        (association,) = self._associations(table)
        expect(association["VpcId"] == self.deployed.outputs_now()["FactoryVpcId"], f"{association}")
        return f"main: {DIRECT}, factory: {COIP}, advertised: {POOL}"

    @step(
        "only two of the subnet's addresses are seen on premises; the pool says whose they are",
        "our-model",
        only=("two domains",),
    )
    def exposes(self) -> str:
        pool = self.deployed.outputs_now()["FactoryPoolId"]
        usage = self.ec2.get_coip_pool_usage(PoolId=pool)["CoipAddressUsages"]
        seen = sorted(item["CoIp"] for item in usage)
        outputs = sorted(self.deployed.outputs_now()[f"FactoryAddress{name}"] for name in ("Web", "Spare"))
        expect(seen == outputs, f"{seen}, not {outputs}")
        answer = advise(_question(exposed=2, resources=1019), CommonSettings(), self.deployed.settings, _no_aws)
        expect(answer.data["mode"] == "coip", f"{answer.data}")
        return f"{', '.join(seen)}; recommend says for 2 of 1019: {answer.data['mode']}"

    @step("the load balancer is asked for with the pool, on one Outpost subnet", "recorded", only=("two domains",))
    def balances(self) -> str:
        elbv2 = self.deployed.client("elbv2")
        (arn,) = self.deployed.resources["Custom::CoipLoadBalancer"]
        (balancer,) = elbv2.describe_load_balancers(LoadBalancerArns=[arn])["LoadBalancers"]
        expect(balancer["Scheme"] == "internet-facing", f"{balancer}")
        zones = [zone["SubnetId"] for zone in balancer["AvailabilityZones"]]
        expect(zones == [self.deployed.outputs_now()["FactorySubnetId"]], f"{zones}")
        (listener,) = elbv2.describe_listeners(LoadBalancerArn=arn)["Listeners"]
        return f"{balancer['LoadBalancerName']}, port {listener['Port']}"

    @step(
        "an Elastic IP goes to a network interface and from it to another, as the configuration says",
        "real-code",
        only=("two domains",),
    )
    def moves(self) -> str:
        subnet = self.deployed.outputs_now()["FactorySubnetId"]
        first, second = (self._interface(subnet) for _ in range(2))
        factory = dict(self.variants["two domains"]["more_domains"]["factory"])
        try:
            for interface in (first, second, None):
                domain = {**factory, "elastic_ips": {"web": interface, "spare": None}}
                done = self._deploy(more_domains={"factory": domain})
                expect(done.complete, f"{done.status}: {done.reasons}")
                found = self._who_has(self.deployed.outputs_now()["FactoryAddressWeb"])
                expect(found == (interface or ""), f"{found} has it, not {interface}")
        finally:
            for interface in (first, second):
                self.ec2.delete_network_interface(NetworkInterfaceId=interface)
        return f"{first} -> {second} -> nobody"

    @step(
        "a rack with routing domains: another mode is stopped in one deployment, and done in two",
        "real-code",
        only=("two domains",),
    )
    def another_mode(self) -> str:
        # The model wants the old route table gone, as AWS's page on routing domains does.
        self.deployed.aws.control("outposts", outposts=[{"id": OUTPOST_ID, "generation": 2}])
        before = self.deployed.outputs_now()["MainRouteTableId"]
        other = {"mode": "coip", "coip_cidr": OTHER_POOL, "accept_outage": True}
        stopped = self._deploy(**other)
        said = [reason for reason in stopped.reasons if "Mode: direct-vpc-routing -> coip" in reason]
        expect(stopped.status == "UPDATE_ROLLBACK_COMPLETE" and bool(said), f"{stopped.status}: {stopped.reasons}")
        expect(self.deployed.outputs_now()["MainRouteTableId"] == before, "the route table is another")
        for attached in (False, True):
            done = self._deploy(**other, attached=attached)
            expect(done.complete and not done.left, f"attached: {attached}: {done.status}: {done.reasons} {done.left}")
        _, advertised = self._routes(self._table("Main"))
        expect(advertised == {OTHER_POOL}, f"advertised is {advertised}")
        return f"stopped, then detached, then attached: {OTHER_POOL} is advertised"


def _question(**given: Any) -> argparse.Namespace:
    nothing: Json = {"vpc_cidr": [], "on_premises_cidr": [], "unreached_cidr": [], "nat_sensitive": []}
    no: Json = dict.fromkeys(("overlap", "isolate", "internet_facing_alb", "second_generation"), False)
    return argparse.Namespace(**{**nothing, **no, **given})


def _no_aws(service: str, region: str | None = None, /) -> Any:
    raise AssertionError(f"asks {service}")


SCENARIO = OutpostsRoutingScenario
