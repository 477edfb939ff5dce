"""The instance's subnet, who may reach it, and the address that stays when it is replaced."""

from aws_cdk import Acknowledgment, CfnTag, Validations
from aws_cdk import aws_ec2 as ec2
from constructs import Construct

from stacks.game_streaming.settings import GameStreamingSettings
from stacks.shared.network import Network, Reach
from stacks.shared.solution import SolutionStack

EVERYBODY = "0.0.0.0/0"
# https://documentation.ubuntu.com/anbox-cloud/reference/network-ports/, the appliance's table. The charmed product has
# other ports, and 8444, 4004, 9031, 9033, 5000 and 10000-11000 must not be reachable from outside.
PORTS = (
    (ec2.Port.tcp(443), "Dashboard and signalling"),
    (ec2.Port.udp(5349), "STUN and TURN"),
    (ec2.Port.udp_range(60000, 60100), "Relayed streams"),
)


class GameNetwork(Construct):
    """A public subnet, the players' security group, and a network interface with its Elastic IP address.

    The interface outlives instances: a new one takes over both addresses and boots with them, because the association
    does not wait for an instance.

    Attributes:
        interface: the network interface.
        subnet_id: its subnet.
        address: the Elastic IP address.
    """

    def __init__(self, scope: SolutionStack, construct_id: str, settings: GameStreamingSettings) -> None:
        super().__init__(scope, construct_id)
        network = Network(
            scope, "Place", reach=Reach.PUBLIC, zones=[settings.zone] if settings.zone else 1, endpoints=()
        )
        self.subnet_id = network.subnet_ids[0]
        players = self._players(network.vpc, settings)
        name = CfnTag(key="Name", value=f"{scope.stack_name}-appliance")
        self.interface = ec2.CfnNetworkInterface(
            self,
            "Interface",
            subnet_id=self.subnet_id,
            group_set=[network.security_group.security_group_id, players.security_group_id],
            description="Anbox Cloud Appliance; stays when the instance is replaced",
            tags=[name],
        )
        address = ec2.CfnEIP(self, "Address", domain="vpc", tags=[name])
        self.address = address.ref
        association = ec2.CfnEIPAssociation(
            self,
            "Association",
            allocation_id=address.attr_allocation_id,
            network_interface_id=self.interface.ref,
        )
        # An Elastic IP address needs the VPC's gateway for its whole life:
        # https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-ec2-eip.html
        for resource in (address, association):
            resource.node.add_dependency(network)

    def _players(self, vpc: ec2.IVpc, settings: GameStreamingSettings) -> ec2.SecurityGroup:
        """Inline rules: another range changes the group in place and leaves the instance alone."""
        group = ec2.SecurityGroup(
            self,
            "Players",
            vpc=vpc,
            description="Players: dashboard, STUN, TURN and relayed streams",
            # Streams go to any UDP port of a player, and games call their own servers.
            allow_all_outbound=True,
        )
        for cidr in settings.allowed_cidrs:
            for port, what in PORTS:
                group.add_ingress_rule(ec2.Peer.ipv4(cidr), port, what)
        if EVERYBODY in settings.allowed_cidrs:
            Validations.of(group).acknowledge(
                Acknowledgment(id="AwsSolutions-EC23", reason="confirm_open_to_the_world allows anybody to play.")
            )
        return group
