"""The network: public and private subnets in each zone, tagged so that Spinnaker finds them, and two security groups.

The subnets of a zone have their own place in the range, whichever the other zones are; stacks/shared/network.py
explains why.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network
from itertools import islice

from aws_cdk import Acknowledgment, Fn, Tags, Validations
from aws_cdk import aws_ec2 as ec2
from constructs import Construct, IConstruct

from stacks.shared.network import new_vpc
from stacks.shared.solution import SolutionStack
from stacks.spinnaker_server_groups.health import PORT
from stacks.spinnaker_server_groups.settings import PURPOSE_TAG, SpinnakerServerGroupsSettings

RANGE = IPv4Network("10.0.0.0/16")
PRIVATE, PUBLIC = IPv4Network("10.0.0.0/17"), IPv4Network("10.0.128.0/17")
PRIVATE_PREFIX, PUBLIC_PREFIX = 20, 24


@dataclass(frozen=True)
class Subnets:
    """The subnets of one kind: as the CDK selects them, and their ids in the order of the zones."""

    subnets: Sequence[ec2.ISubnet]

    @property
    def selection(self) -> ec2.SubnetSelection:
        """The selection for a property that takes subnets."""
        return ec2.SubnetSelection(subnets=list(self.subnets))

    @property
    def ids(self) -> list[str]:
        """The ids of the subnets."""
        return [subnet.subnet_id for subnet in self.subnets]


class SpinnakerNetwork(Construct):
    """A VPC, or the existing one of ``common.vpc``.

    Attributes:
        vpc: the VPC.
        public: where load balancers go.
        private: where instances go.
        subnets: the private ones, as the CDK selects them.
        load_balancer_group: admits only ``allowed_cidrs``.
        instance_group: admits only load balancers with the other group; HTTPS out.
    """

    def __init__(self, scope: SolutionStack, construct_id: str, settings: SpinnakerServerGroupsSettings) -> None:
        super().__init__(scope, construct_id)
        existing = scope.common.vpc
        if existing:
            self.vpc: ec2.IVpc = ec2.Vpc.from_vpc_attributes(
                self, "Vpc", vpc_id=existing.id, availability_zones=[Fn.select(0, Fn.get_azs())]
            )
            self.private = self._existing("Private", existing.subnet_ids)
            public = settings.public_subnet_ids
            self.public = self._existing("Public", public) if public else self.private
        else:
            purposes = settings.purposes(scope.common)
            assert purposes
            self.vpc = vpc = new_vpc(scope, self, cidr=str(RANGE))
            self._new_subnets(vpc, settings, *purposes)
        self.subnets = self.private.selection
        self.load_balancer_group = self._group("LoadBalancers", "HTTP from the allowed ranges, out to the instances")
        self.instance_group = self._group("Instances", "HTTP from the load balancers; HTTPS out")
        port = ec2.Port.tcp(PORT)
        for cidr in settings.allowed_cidrs:
            self.load_balancer_group.add_ingress_rule(ec2.Peer.ipv4(cidr), port, "Visitors")
        self.load_balancer_group.add_egress_rule(self.instance_group, port, "To the instances")
        self.instance_group.add_ingress_rule(self.load_balancer_group, port, "From the load balancers")
        self.instance_group.add_egress_rule(ec2.Peer.any_ipv4(), ec2.Port.tcp(443), "Package repositories")

    def _group(self, construct_id: str, description: str) -> ec2.SecurityGroup:
        return ec2.SecurityGroup(self, construct_id, vpc=self.vpc, description=description, allow_all_outbound=False)

    def _existing(self, name: str, subnet_ids: Sequence[str]) -> Subnets:
        subnets = [
            ec2.Subnet.from_subnet_id(self, f"{name}{number}", subnet_id)
            for number, subnet_id in enumerate(subnet_ids, 1)
        ]
        for subnet in subnets:
            _acknowledge(subnet, "Annotation::@aws-cdk/aws-ec2:noSubnetRouteTableId", "No route is added to it.")
        return Subnets(subnets)

    def _new_subnets(
        self, vpc: ec2.Vpc, settings: SpinnakerServerGroupsSettings, public_purpose: str, private_purpose: str
    ) -> None:
        gateway = ec2.CfnInternetGateway(vpc, "Gateway")
        attachment = ec2.CfnVPCGatewayAttachment(vpc, "Attachment", vpc_id=vpc.vpc_id, internet_gateway_id=gateway.ref)
        public, private = [], []
        for number in range(settings.zones):
            zone = Fn.select(number, Fn.get_azs())
            outside = ec2.PublicSubnet(
                vpc,
                f"Public{number + 1}",
                vpc_id=vpc.vpc_id,
                availability_zone=zone,
                cidr_block=_range(PUBLIC, PUBLIC_PREFIX, number),
                map_public_ip_on_launch=False,  # a load balancer allocates its own addresses
            )
            outside.add_default_internet_route(gateway.ref, attachment)
            inside = ec2.PrivateSubnet(
                vpc,
                f"Private{number + 1}",
                vpc_id=vpc.vpc_id,
                availability_zone=zone,
                cidr_block=_range(PRIVATE, PRIVATE_PREFIX, number),
            )
            _tag(outside, public_purpose)
            _tag(inside, private_purpose)
            public.append(outside)
            private.append(inside)
        if settings.network == "nat":
            address = ec2.CfnEIP(self, "NatAddress", domain="vpc")
            address.node.add_dependency(attachment)
            nat = public[0].add_nat_gateway(address.attr_allocation_id)
            for inside in private:
                inside.add_default_nat_route(nat.ref)
        self.public, self.private = Subnets(public), Subnets(private)
        vpc.add_gateway_endpoint("S3", service=ec2.GatewayVpcEndpointAwsService.S3, subnets=[self.private.selection])


def _range(within: IPv4Network, prefix: int, number: int) -> str:
    return str(next(islice(within.subnets(new_prefix=prefix), number, None)))


def _tag(subnet: ec2.Subnet, purpose: str) -> None:
    """Tags only the subnet, not its route table."""
    value = json.dumps({"purpose": purpose}, separators=(",", ":"))
    Tags.of(subnet).add(PURPOSE_TAG, value, include_resource_types=["AWS::EC2::Subnet"])


def _acknowledge(construct: IConstruct, finding: str, reason: str) -> None:
    Validations.of(construct).acknowledge(Acknowledgment(id=finding, reason=reason))
