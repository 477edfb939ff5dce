"""How private instances reach the internet: a NAT instance of our own, or a NAT gateway where the zone has one."""

from aws_cdk import aws_ec2 as ec2
from constructs import Construct

from stacks.local_zone_wordpress.edge import EdgeInstance
from stacks.local_zone_wordpress.user_data import read, script
from stacks.local_zone_wordpress.zone_network import Place

HTTPS = ec2.Port.tcp(443)
EVERYWHERE = "0.0.0.0/0"


class WayOut(Construct):
    """The route to the internet of the private subnets.

    Args:
        clients: groups of the instances that may use it.

    Attributes:
        edge: the NAT instance; None with a NAT gateway.
        route: what an instance that boots needs.
    """

    def __init__(
        self,
        place: Place,
        construct_id: str,
        *,
        clients: list[ec2.SecurityGroup],
    ) -> None:
        scope, settings, network = place.stack, place.settings, place.network
        super().__init__(place.stack, construct_id)
        self.edge: EdgeInstance | None = None
        gateway: ec2.CfnNatGateway | None = None
        if settings.nat == "gateway":
            address = network.elastic_address(self, "Address", settings.border_group)
            gateway = ec2.CfnNatGateway(
                self, "Gateway", subnet_id=network.public[0].subnet_id, allocation_id=address.attr_allocation_id
            )
        else:
            group = network.security_group("Nat", "Forwards HTTPS of the private instances")
            group.add_egress_rule(ec2.Peer.any_ipv4(), HTTPS, "AWS APIs, packages and WordPress")
            for client in clients:
                group.add_ingress_rule(client, HTTPS, "To be forwarded")
            self.edge = EdgeInstance(
                place,
                "Nat",
                security_group=group,
                user_data=script(
                    scope, "nat.sh", logical_id="NatInstance", NFTABLES=read("nat.nft", VPC_CIDR=settings.vpc_cidr)
                ),
                logical_id="NatInstance",
                forwards=True,
                description="NAT instance",
            )
        self.route = ec2.CfnRoute(
            self,
            "Route",
            route_table_id=network.private[0].route_table.route_table_id,
            destination_cidr_block=EVERYWHERE,
            instance_id=self.edge.instance.ref if self.edge else None,
            nat_gateway_id=gateway.ref if gateway else None,
        )
