"""A VPC of the parent Region that reaches into the zone: public and private subnets, and the way out of both."""

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network
from typing import cast

from aws_cdk import Acknowledgment, Fn, Validations
from aws_cdk import aws_ec2 as ec2
from constructs import Construct, IConstruct

from stacks.local_zone_wordpress.settings import LocalZoneWordpressSettings
from stacks.shared.guard import Guard
from stacks.shared.network import new_vpc
from stacks.shared.solution import SolutionStack

PUBLIC, PRIVATE = "Public", "Private"
SUBNET_PREFIX = 26


class ZoneNetwork(Construct):
    """The solution's own VPC, or that of ``common.vpc`` where subnets of the zone are named.

    Attributes:
        vpc: the VPC.
        zone: name of the zone that all instances and the data volume are in.
        public: subnets for the load balancer; the first is in the zone.
        private: subnets for WordPress and the database, all in the zone.
        guard: stops what would move the network.
        own: whether the VPC is the solution's own, and has a way out yet to be made.
    """

    def __init__(
        self,
        scope: SolutionStack,
        construct_id: str,
        settings: LocalZoneWordpressSettings,
        *,
        after: IConstruct | None,
    ) -> None:
        super().__init__(scope, construct_id)
        existing = scope.common.vpc
        self.own = settings.own_network
        self.zone = settings.zone or Fn.select(0, Fn.get_azs())
        if not self.own:
            assert existing  # the settings see to it
            self.vpc: ec2.IVpc = ec2.Vpc.from_vpc_attributes(
                self, "Vpc", vpc_id=existing.id, availability_zones=[self.zone]
            )
            self.public = self._existing(PUBLIC, settings.public_subnet_ids)
            self.private = self._existing(PRIVATE, settings.private_subnet_ids)
            self.guard = self._guard(scope, {"Vpc": existing.id, "Zone": self.zone})
            return
        zones = [self.zone]
        ranges = IPv4Network(settings.vpc_cidr).subnets(new_prefix=SUBNET_PREFIX)
        if settings.zone is None and settings.load_balancer == "application":
            zones.append(Fn.select(1, Fn.get_azs()))  # outside of a Local Zone it needs two zones
        vpc = new_vpc(
            scope,
            self,
            cidr=settings.vpc_cidr,
            zones=zones,
            subnets=[
                ec2.SubnetConfiguration(
                    name=PUBLIC,
                    subnet_type=ec2.SubnetType.PUBLIC,
                    cidr_mask=SUBNET_PREFIX,
                    # An edge instance boots by such an address: its elastic one comes only when it has signalled. That
                    # a zone gives them: https://github.com/aws-samples/aws-cdk-examples/pull/783, the post's sample.
                    map_public_ip_on_launch=True,
                ),
                ec2.SubnetConfiguration(
                    name=PRIVATE, subnet_type=ec2.SubnetType.PRIVATE_ISOLATED, cidr_mask=SUBNET_PREFIX
                ),
            ],
        )
        self.vpc, self.public, self.private = vpc, vpc.public_subnets, vpc.isolated_subnets[:1]
        # The ranges that they have with one zone, and behind them those of the second: it comes and goes with the load
        # balancer, and CloudFormation makes a new subnet while the old one is still there.
        pairs = zip(vpc.public_subnets, vpc.isolated_subnets, strict=True)
        for subnet in (subnet for pair in pairs for subnet in pair):
            cast(ec2.CfnSubnet, subnet.node.default_child).cidr_block = str(next(ranges))
            if after:
                subnet.node.add_dependency(after)
        self.guard = self._guard(scope, {"Vpc": settings.vpc_cidr, "Zone": self.zone})

    def _guard(self, scope: SolutionStack, guarded: dict[str, str]) -> Guard:
        """Before everything in the network: neither VPC nor subnet nor load balancer moves with what is in it."""
        return Guard(
            scope,
            "NetworkGuard",
            of=self,
            subject="the network, with the public addresses of its zone",
            guarded=guarded,
            way="Nothing moves with what is in it. Make another stack with another common.prefix and restore_from a "
            "snapshot of this one's data volume, let the site's name point there, and destroy this one.",
            accepted=False,
        )

    def security_group(self, construct_id: str, description: str) -> ec2.SecurityGroup:
        """A group that lets nothing in or out yet."""
        return ec2.SecurityGroup(self, construct_id, vpc=self.vpc, description=description, allow_all_outbound=False)

    def elastic_address(self, scope: Construct, construct_id: str, border_group: str | None) -> ec2.CfnEIP:
        """A public address that the zone itself advertises.

        https://docs.aws.amazon.com/local-zones/latest/ug/how-local-zones-work.html
        """
        address = ec2.CfnEIP(scope, construct_id, domain="vpc", network_border_group=border_group)
        # Not before the account has the zone, and given back before the internet gateway goes.
        address.node.add_dependency(self.public[0].internet_connectivity_established)
        return address

    def _existing(self, kind: str, subnet_ids: Sequence[str]) -> list[ec2.ISubnet]:
        subnets = [
            ec2.Subnet.from_subnet_attributes(self, f"{kind}{number}", subnet_id=subnet_id, availability_zone=self.zone)
            for number, subnet_id in enumerate(subnet_ids, 1)
        ]
        for subnet in subnets:
            Validations.of(subnet).acknowledge(
                Acknowledgment(
                    id="Annotation::@aws-cdk/aws-ec2:noSubnetRouteTableId", reason="No route is added to it."
                )
            )
        return list(subnets)


@dataclass(frozen=True)
class Place:
    """What every part of the site is made with."""

    stack: SolutionStack
    settings: LocalZoneWordpressSettings
    network: ZoneNetwork
