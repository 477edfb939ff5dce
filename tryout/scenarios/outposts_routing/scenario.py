"""Both modes of the post on one rack: what is advertised, who is reached, and the way from one mode to the other.

The local gateway is our model; no packet goes through it.
"""

import argparse
import json
from collections.abc import Iterator
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any, ClassVar

import yaml

from config.loader import load
from config.models import CommonSettings
from emulator.client import EmbeddedAws
from stacks.catalog import settings_by_slug
from stacks.outposts_routing.commands import advise
from tryout.cdk import REPOSITORY
from tryout.hosts.processes import wait_until
from tryout.scenario import Deployed, Scenario, Step, expect, step

Json = dict[str, Any]

# The rack, and the virtual interface group that it comes with.
OUTPOST_ID = "op-0123456789abcdef0"
FIRST_GROUP_ID = "lgw-vif-grp-0123456789abcdef0"
DIRECT, COIP = "direct-vpc-routing", "coip"
POOL, OTHER_POOL = "172.16.0.0/26", "172.16.64.0/26"
ON_PREMISES = "192.168.0.0/16"
SUBNET = "10.0.0.0/22"
INTERFACES = [
    {
        "outpost_lag_id": f"op-lag-0123456789abcdef{number}",
        "vlan": 100 + number,
        "local_address": f"169.254.{number}.1/30",
        "peer_address": f"169.254.{number}.2/30",
        "peer_bgp_asn": 65_000,
    }
    for number in range(4)
]


class OutpostsRoutingScenario(Scenario):
    """One domain that changes its mode, and two domains of both modes."""

    variants: ClassVar[dict[str, Json]] = {
        "one domain": {"on_premises_cidrs": [ON_PREMISES]},
        "two domains": {
            "rack_generation": 2,
            "virtual_interface_group_id": FIRST_GROUP_ID,
            "on_premises_cidrs": [ON_PREMISES],
            "more_domains": {
                "factory": {
                    "mode": "coip",
                    "virtual_interfaces": INTERFACES,
                    "vpc_cidr": "10.64.0.0/16",
                    "subnet_cidr": "10.64.0.0/22",
                    "coip_cidr": POOL,
                    "map_coip_on_launch": True,
                    "elastic_ips": {"web": None, "spare": None},
                    "unreached_on_premises_cidrs": ["10.64.8.0/24"],
                    "load_balancer": {"scheme": "internet-facing", "client_cidrs": ["203.0.113.0/24"]},
                }
            },
        },
    }

    def __init__(self, deployed: Deployed, variant: str) -> None:
        super().__init__(deployed, variant)
        self.ec2, self.formation = deployed.client("ec2"), deployed.client("cloudformation")
        self.number = 0

    @classmethod
    def prepare(cls, aws: EmbeddedAws) -> None:
        """One rack is there, with its local gateway."""
        aws.control("outposts", outposts=[{"id": OUTPOST_ID}])

    def steps(self) -> Iterator[Step]:
        """Changes of the mode with one domain, both modes at once with two."""
        kind = type(self)
        two = {kind.coexist, kind.exposes, kind.balances, kind.moves}
        both = {kind.finds, kind.advertises}
        for each in super().steps():
            if each.run in both or (each.run in two) == (self.variant == "two domains"):
                yield each

    @step("the rack's ids are found at deployment, and the subnet is in its zone", "our-model")
    def finds(self) -> str:
        (gateway,) = self.ec2.describe_local_gateways()["LocalGateways"]
        gateway_id, outpost_arn = gateway["LocalGatewayId"], gateway["OutpostArn"]
        outpost = self.deployed.client("outposts").get_outpost(OutpostId=outpost_arn)["Outpost"]
        (subnet,) = self.ec2.describe_subnets(SubnetIds=[self._outputs()["MainSubnetId"]])["Subnets"]
        expect(subnet["AvailabilityZone"] == outpost["AvailabilityZone"], f"{subnet}")
        expect(subnet["OutpostArn"] == outpost_arn, f"on {subnet.get('OutpostArn')}")
        expect(self._outputs()["LocalGatewayId"] == gateway_id, f"{self._outputs()}")
        return f"{gateway_id} of {outpost['OutpostId']} in {subnet['AvailabilityZone']}"

    @step("direct VPC routing: the subnet's own range is advertised, its route leads to the local gateway", "our-model")
    def advertises(self) -> str:
        table = self._table("Main")
        expect(table["Mode"] == DIRECT, f"mode {table['Mode']}")
        static, advertised = self._routes(table)
        expect(static == {"0.0.0.0/0"}, f"static routes {static}")
        expect(advertised == {SUBNET}, f"advertised is {advertised}")
        return f"advertised: {SUBNET}; everything else goes to the virtual interfaces"

    # One domain

    @step("a change of the mode is stopped by the guard, and nothing has happened", "real-code")
    def stopped(self) -> str:
        before = self._network()
        status, reasons = self._deploy(mode="coip", coip_cidr=POOL)
        expect(status == "UPDATE_ROLLBACK_COMPLETE", f"{status}: {reasons}")
        said = next((reason for reason in reasons if "Mode: direct-vpc-routing -> coip" in reason), "")
        expect("accept_outage" in said, f"{reasons}")
        expect(self._network() == before, f"{before} became {self._network()}")
        return said[said.index("stopped") :][:80] + " ..."

    @step("an accepted change that fails gives the old route table back what it had", "real-code")
    def restored(self) -> str:
        before = self._network()
        missing = {"web": "eni-0123456789abcdef0"}
        status, reasons = self._deploy(mode="coip", coip_cidr=POOL, elastic_ips=missing, accept_outage=True)
        why = [reason for reason in reasons if missing["web"] in reason]
        expect(status == "UPDATE_ROLLBACK_COMPLETE" and bool(why), f"{status}: {reasons}")
        expect(self._network() == before, f"{before} became {self._network()}")
        expect(not self.ec2.describe_coip_pools()["CoipPools"], "a pool is left")
        expect(not self.ec2.describe_addresses()["Addresses"], "an address is left")
        static, advertised = self._routes(self._table("Main"))
        expect((static, advertised) == ({"0.0.0.0/0"}, {SUBNET}), f"{static}, {advertised}")
        return "VPC, virtual interfaces and route are back, pool and address are gone"

    @step("accepted, it is done in one deployment: the old table lets go, the new one is routed", "real-code")
    def changed(self) -> str:
        old = self._outputs()["MainRouteTableId"]
        status, reasons = self._deploy(
            mode="coip", coip_cidr=POOL, map_coip_on_launch=True, elastic_ips={"web": None}, accept_outage=True
        )
        expect(status == "UPDATE_COMPLETE" and not self._failed(), f"{status}: {reasons} {self._failed()}")
        tables = self.ec2.describe_local_gateway_route_tables()["LocalGatewayRouteTables"]
        expect([t["LocalGatewayRouteTableId"] for t in tables] == [self._outputs()["MainRouteTableId"]], f"{tables}")
        static, advertised = self._routes(self._table("Main"))
        expect((static, advertised) == ({"0.0.0.0/0"}, {POOL}), f"{static}, {advertised}")
        address = self._outputs()["MainAddressWeb"]
        expect(ip_address(address) in ip_network(POOL), f"{address} is not in {POOL}")
        (subnet,) = self.ec2.describe_subnets(SubnetIds=[self._outputs()["MainSubnetId"]])["Subnets"]
        expect(subnet["CustomerOwnedIpv4Pool"] == self._outputs()["MainPoolId"], f"{subnet}")
        return f"{old} -> {tables[0]['LocalGatewayRouteTableId']}; advertised: {POOL}; an Elastic IP {address}"

    @step("another range replaces pool and addresses; the old ones go in reverse order", "real-code")
    def another_range(self) -> str:
        status, reasons = self._deploy(
            mode="coip", coip_cidr=OTHER_POOL, map_coip_on_launch=True, elastic_ips={"web": None}, accept_outage=True
        )
        expect(status == "UPDATE_COMPLETE" and not self._failed(), f"{status}: {reasons} {self._failed()}")
        _, advertised = self._routes(self._table("Main"))
        expect(advertised == {OTHER_POOL}, f"advertised is {advertised}")
        (address,) = self.ec2.describe_addresses()["Addresses"]
        expect(ip_address(address["CustomerOwnedIp"]) in ip_network(OTHER_POOL), f"{address}")
        # The model refuses a pool that has ranges, and a range that has addresses: in another order they would be left.
        (pool,) = self.ec2.describe_coip_pools()["CoipPools"]
        expect(pool["PoolCidrs"] == [OTHER_POOL], f"{pool}")
        (subnet,) = self.ec2.describe_subnets(SubnetIds=[self._outputs()["MainSubnetId"]])["Subnets"]
        expect(subnet["CustomerOwnedIpv4Pool"] == pool["PoolId"], f"{subnet}")
        return (
            f"advertised: {OTHER_POOL}; the Elastic IP is {address['CustomerOwnedIp']} now; nothing is left of {POOL}"
        )

    @step("the careful way, in two deployments: detached, then attached in the other mode", "real-code")
    def in_two(self) -> str:
        status, reasons = self._deploy(mode="coip", coip_cidr=OTHER_POOL, attached=False, accept_outage=True)
        expect(status == "UPDATE_COMPLETE" and not self._failed(), f"{status}: {reasons} {self._failed()}")
        left = self.ec2.describe_local_gateway_route_tables()["LocalGatewayRouteTables"]
        expect(not left and not self.ec2.describe_coip_pools()["CoipPools"], f"left: {left}")
        status, reasons = self._deploy(accept_outage=True)
        expect(status == "UPDATE_COMPLETE" and not self._failed(), f"{status}: {reasons} {self._failed()}")
        _, advertised = self._routes(self._table("Main"))
        expect(advertised == {SUBNET}, f"advertised is {advertised}")
        return f"advertised: nothing, then {SUBNET} again"

    # Two domains

    @step("the other mode is in a domain of its own, with four virtual interfaces and a VPC of its own", "our-model")
    def coexist(self) -> str:
        table = self._table("Factory")
        expect(table["Mode"] == COIP, f"mode {table['Mode']}")
        _, advertised = self._routes(table)
        expect(advertised == {POOL}, f"advertised is {advertised}")
        groups = self.ec2.describe_local_gateway_virtual_interface_groups()["LocalGatewayVirtualInterfaceGroups"]
        sizes = sorted(len(group["LocalGatewayVirtualInterfaceIds"]) for group in groups)
        expect(sizes == [2, 4], f"{groups}")
        (association,) = self._associations(table)
        expect(association["VpcId"] == self._outputs()["FactoryVpcId"], f"{association}")
        return f"main: {DIRECT}, factory: {COIP}, advertised: {POOL}"

    @step("only two of the subnet's addresses are seen on premises; the pool says whose they are", "our-model")
    def exposes(self) -> str:
        pool = self._outputs()["FactoryPoolId"]
        usage = self.ec2.get_coip_pool_usage(PoolId=pool)["CoipAddressUsages"]
        seen = sorted(item["CoIp"] for item in usage)
        outputs = sorted(self._outputs()[f"FactoryAddress{name}"] for name in ("Web", "Spare"))
        expect(seen == outputs, f"{seen}, not {outputs}")
        answer = advise(_question(exposed=2, resources=1019), CommonSettings(), self.deployed.settings, _no_aws)
        expect(answer.data["mode"] == "coip", f"{answer.data}")
        return f"{', '.join(seen)}; recommend says for 2 of 1019: {answer.data['mode']}"

    @step("the load balancer is asked for with the pool, on one Outpost subnet", "recorded")
    def balances(self) -> str:
        elbv2 = self.deployed.client("elbv2")
        (arn,) = self.deployed.resources["Custom::CoipLoadBalancer"]
        (balancer,) = elbv2.describe_load_balancers(LoadBalancerArns=[arn])["LoadBalancers"]
        expect(balancer["Scheme"] == "internet-facing", f"{balancer}")
        zones = [zone["SubnetId"] for zone in balancer["AvailabilityZones"]]
        expect(zones == [self._outputs()["FactorySubnetId"]], f"{zones}")
        (listener,) = elbv2.describe_listeners(LoadBalancerArn=arn)["Listeners"]
        return f"{balancer['LoadBalancerName']}, port {listener['Port']}"

    @step("an Elastic IP goes to a network interface and from it to another, as the configuration says", "real-code")
    def moves(self) -> str:
        subnet = self._outputs()["FactorySubnetId"]
        first, second = (self._interface(subnet) for _ in range(2))
        factory = dict(self.variants["two domains"]["more_domains"]["factory"])
        try:
            for interface in (first, second, None):
                domain = {**factory, "elastic_ips": {"web": interface, "spare": None}}
                status, reasons = self._deploy(more_domains={"factory": domain})
                expect(status == "UPDATE_COMPLETE", f"{status}: {reasons}")
                found = self._who_has(self._outputs()["FactoryAddressWeb"])
                expect(found == (interface or ""), f"{found} has it, not {interface}")
        finally:
            for interface in (first, second):
                self.ec2.delete_network_interface(NetworkInterfaceId=interface)
        return f"{first} -> {second} -> nobody"

    # What the steps look at

    def _outputs(self) -> dict[str, str]:
        (stack,) = self.formation.describe_stacks(StackName=self.deployed.stack_name)["Stacks"]
        return {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}

    def _table(self, domain: str) -> Json:
        table: Json = self.ec2.describe_local_gateway_route_tables(
            LocalGatewayRouteTableIds=[self._outputs()[f"{domain}RouteTableId"]]
        )["LocalGatewayRouteTables"][0]
        return table

    def _routes(self, table: Json) -> tuple[set[str], set[str]]:
        """Destinations of the static routes, and what is advertised."""
        found = self.ec2.search_local_gateway_routes(LocalGatewayRouteTableId=table["LocalGatewayRouteTableId"])
        kinds = [(route["Type"], route["DestinationCidrBlock"]) for route in found["Routes"]]
        return ({to for kind, to in kinds if kind == "static"}, {to for kind, to in kinds if kind == "propagated"})

    def _associations(self, table: Json) -> list[Json]:
        filters = [{"Name": "local-gateway-route-table-id", "Values": [table["LocalGatewayRouteTableId"]]}]
        found: list[Json] = self.ec2.describe_local_gateway_route_table_vpc_associations(Filters=filters)[
            "LocalGatewayRouteTableVpcAssociations"
        ]
        return found

    def _network(self) -> Json:
        """What is associated with what, without the ids of the associations."""
        groups = self.ec2.describe_local_gateway_route_table_virtual_interface_group_associations()
        (table,) = self.ec2.describe_local_gateway_route_tables()["LocalGatewayRouteTables"]
        return {
            "table": (table["LocalGatewayRouteTableId"], table["Mode"]),
            "vpcs": [item["VpcId"] for item in self._associations(table)],
            "groups": [
                item["LocalGatewayVirtualInterfaceGroupId"]
                for item in groups["LocalGatewayRouteTableVirtualInterfaceGroupAssociations"]
            ],
            "routes": self._routes(table),
        }

    def _interface(self, subnet_id: str) -> str:
        return str(self.ec2.create_network_interface(SubnetId=subnet_id)["NetworkInterface"]["NetworkInterfaceId"])

    def _who_has(self, address: str) -> str:
        addresses = self.ec2.describe_addresses()["Addresses"]
        (found,) = [item for item in addresses if item.get("CustomerOwnedIp") == address]
        return str(found.get("NetworkInterfaceId") or "")

    def _deploy(self, **changes: Any) -> tuple[str, list[str]]:
        """Synthesizes the variant with other settings and updates the stack; how that ended, and what was said."""
        self.number += 1
        folder = self.deployed.folder / str(self.number)
        folder.mkdir()
        config = yaml.safe_load((self.deployed.folder.parent / "config.yaml").read_text(encoding="utf-8"))
        config["solutions"]["outposts_routing"] |= changes
        (folder / "config.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
        template = _synthesized(folder, self.deployed.stack_name)
        self.formation.update_stack(
            StackName=self.deployed.stack_name,
            TemplateBody=json.dumps(template, separators=(",", ":")),
            Parameters=[{"ParameterKey": name, "UsePreviousValue": True} for name in template["Parameters"]],
            Capabilities=["CAPABILITY_IAM"],
        )
        wait_until("the end of the update", lambda: not self._status().endswith("IN_PROGRESS"), seconds=60)
        reasons = [event.get("ResourceStatusReason", "") for event in self._newest_events()]
        return self._status(), [reason for reason in reasons if reason]

    def _status(self) -> str:
        status: str = self.formation.describe_stacks(StackName=self.deployed.stack_name)["Stacks"][0]["StackStatus"]
        return status

    def _failed(self) -> list[str]:
        """What the clean-up could not delete."""
        return [e["LogicalResourceId"] for e in self._newest_events() if e["ResourceStatus"] == "DELETE_FAILED"]

    def _newest_events(self) -> list[Json]:
        """Events of the last operation, the newest first."""
        found: list[Json] = []
        for event in self.formation.describe_stack_events(StackName=self.deployed.stack_name)["StackEvents"]:
            found.append(event)
            began = event["ResourceStatus"] in ("CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS")
            if began and event["ResourceType"] == "AWS::CloudFormation::Stack":
                break
        return found


def _synthesized(folder: Path, stack: str) -> Json:
    """The template under a configuration, as app.py makes it."""
    from aws_cdk import App  # takes seconds, and whoever only lists the steps needs none of it

    from app import build

    flags = json.loads((REPOSITORY / "cdk.json").read_text(encoding="utf-8"))["context"]
    outdir = str(folder / "cdk.out")
    app = App(context={**flags, "only": "outposts_routing"}, outdir=outdir, builtin_cloud_formation_validation=False)
    build(app, load(folder / "config.yaml", settings_by_slug())).synth()
    found: Json = json.loads((folder / "cdk.out" / f"{stack}.template.json").read_text(encoding="utf-8"))
    return found


def _question(**given: Any) -> argparse.Namespace:
    nothing: Json = {"vpc_cidr": [], "on_premises_cidr": [], "unreached_cidr": [], "nat_sensitive": []}
    no: Json = dict.fromkeys(("overlap", "isolate", "internet_facing_alb", "second_generation"), False)
    return argparse.Namespace(**{**nothing, **no, **given})


def _no_aws(service: str, region: str | None = None, /) -> Any:
    raise AssertionError(f"asks {service}")


SCENARIO = OutpostsRoutingScenario
