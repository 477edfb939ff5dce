"""The rack and the settings of both variants, what the steps look at, and how they change the stack."""

from typing import Any

from tryout.deployed import Update
from tryout.scenario import Deployed, Scenario

Json = dict[str, Any]

UPDATE_SECONDS = 300.0
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
VARIANTS: dict[str, Json] = {
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


class OutpostsRoutingLooks(Scenario):
    """The local gateway's route tables, and updates of the stack."""

    def __init__(self, deployed: Deployed, variant: str) -> None:
        super().__init__(deployed, variant)
        self.ec2 = deployed.client("ec2")
        self.number = 0

    def _table(self, domain: str) -> Json:
        table: Json = self.ec2.describe_local_gateway_route_tables(
            LocalGatewayRouteTableIds=[self.deployed.outputs_now()[f"{domain}RouteTableId"]]
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

    def _deploy(self, **changes: Any) -> Update:
        """Updates the stack to what other settings synthesize."""
        self.number += 1
        # Handover looks each five seconds whether associations have come or gone, thrice on the way there and back.
        return self.deployed.update(self.deployed.synthesized(str(self.number), **changes), seconds=UPDATE_SECONDS)
