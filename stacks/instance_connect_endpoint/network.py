"""The network: a small VPC without a route to the internet, or an existing one, and two security groups."""

from typing import cast

from aws_cdk import Fn
from aws_cdk import aws_ec2 as ec2
from constructs import Construct

from stacks.instance_connect_endpoint.settings import InstanceConnectEndpointSettings
from stacks.shared.network import RANGE, new_vpc
from stacks.shared.solution import SolutionStack

PRIVATE_RANGES = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")  # RFC 1918


class PrivateNetwork(Construct):
    """One subnet for endpoint and demo instances, and their security groups.

    The endpoint's group lets out to the instances' group and nowhere else, and nothing in: what people send reaches the
    endpoint from the service, whatever its group says
    (https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/eice-security-groups.html).

    Attributes:
        vpc: the VPC.
        subnet_id: the one subnet; of an existing network the first.
        private_cidrs: where the data-plane policy lets people connect to.
        endpoint_group: the endpoint's group.
        instance_group: the group for every instance that is to be reached.
    """

    def __init__(self, scope: SolutionStack, construct_id: str, settings: InstanceConnectEndpointSettings) -> None:
        super().__init__(scope, construct_id)
        existing = scope.common.vpc
        self.private_cidrs = list(settings.private_cidrs)
        if existing:
            self.vpc: ec2.IVpc = ec2.Vpc.from_vpc_attributes(
                self, "Vpc", vpc_id=existing.id, availability_zones=[Fn.select(0, Fn.get_azs())]
            )
            self.subnet_id = existing.subnet_ids[0]
            self.private_cidrs = self.private_cidrs or list(PRIVATE_RANGES)
        else:
            private = ec2.SubnetType.PRIVATE_ISOLATED
            subnet = ec2.SubnetConfiguration(name="Private", subnet_type=private, cidr_mask=24)
            vpc = new_vpc(scope, self, cidr=str(RANGE), subnets=[subnet])
            self.vpc = vpc
            self.subnet_id = vpc.isolated_subnets[0].subnet_id
            self.private_cidrs = self.private_cidrs or [vpc.vpc_cidr_block]
        self.endpoint_group = self._group("Endpoint", "Out to the instances, nothing in")
        self.instance_group = self._group("Instances", "In from the endpoint, nothing out")
        for port in settings.ports:
            self._open(ec2.Port.tcp(port), settings)

    def _group(self, construct_id: str, description: str) -> ec2.SecurityGroup:
        group = ec2.SecurityGroup(self, construct_id, vpc=self.vpc, description=description, allow_all_outbound=False)
        # A rule that leads nowhere takes away the one that lets everything out. The CDK leaves it out as soon as there
        # is another, also if that is a resource of its own, of which CloudFormation does not say that it is enough.
        cast(ec2.CfnSecurityGroup, group.node.default_child).security_group_egress = [
            ec2.CfnSecurityGroup.EgressProperty(
                ip_protocol="icmp", from_port=252, to_port=86, cidr_ip="255.255.255.255/32", description="Nowhere"
            )
        ]
        return group

    def _open(self, port: ec2.Port, settings: InstanceConnectEndpointSettings) -> None:
        self.endpoint_group.add_egress_rule(self.instance_group, port, "To the instances")
        if not settings.preserve_client_ip:
            self.instance_group.add_ingress_rule(self.endpoint_group, port, "From the endpoint")
        for cidr in settings.client_cidrs:
            # Not the endpoint's group besides: AWS says that it matches preserved addresses too, all of them.
            self.instance_group.add_ingress_rule(ec2.Peer.ipv4(cidr), port, "From people, by the endpoint")
