"""The network of a solution: its own small VPC, or an existing one."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv4Network
from itertools import islice
from typing import TypeVar

from aws_cdk import Acknowledgment, Fn, Tags, Validations
from aws_cdk import aws_ec2 as ec2
from constructs import Construct, IConstruct

from stacks.shared.solution import SolutionStack

RANGE = IPv4Network("10.0.0.0/16")
WORKERS_PREFIX, NAT_PREFIX = 20, 28
LETTERS = "abcdef"
# Six places of workers and of NAT subnets, by position and by letter: one half of the range each, so that a change from
# one to the other collides with nothing either.
BY_POSITION = IPv4Network("10.0.0.0/17"), IPv4Network("10.0.96.0/24")
BY_LETTER = IPv4Network("10.0.128.0/17"), IPv4Network("10.0.224.0/24")


class Reach(StrEnum):
    """How instances reach the AWS APIs, and what that bills while idle."""

    PUBLIC = "public"
    """Public subnets and addresses, nothing may come in: bills nothing while no instance runs."""
    NAT = "nat"
    """Private subnets and one NAT gateway: bills its hours and gigabytes."""
    ENDPOINTS = "endpoints"
    """Isolated subnets; an interface endpoint a service and zone bills its hours."""


class Network(Construct):
    """A VPC with a subnet in each zone, and one security group that lets nothing in and only HTTPS out.

    With ``common.vpc`` the existing network is used and *reach*, *zones* and *endpoints* play no part. Zones are named,
    or taken by position, because the environment has no account to look them up in; a Region with fewer refuses the
    deployment (``python -m stacks <solution> check`` says so before).

    A subnet keeps its range for as long as it exists, and its range is nobody else's before or after: CloudFormation
    makes the new before it deletes the old, and EC2 refuses a subnet that overlaps one that is still there. So each
    zone has a place, by its position or, where it is named, by its letter, and the NAT subnets lie apart.

    Args:
        reach: how instances reach the AWS APIs.
        zones: how many Availability Zones, 1 to 6, or their names, whose letters are a to f.
        endpoints: names of the services that get an interface endpoint with ``Reach.ENDPOINTS``; S3 and DynamoDB have
            gateway endpoints, which are free.

    Attributes:
        vpc: the VPC.
        subnets: where the instances go.
        subnet_ids: the same as ids, in the order of the zones.
        security_group: the group for the instances.
    """

    def __init__(
        self,
        scope: SolutionStack,
        construct_id: str,
        *,
        reach: Reach,
        zones: int | Sequence[str],
        endpoints: Sequence[str],
    ) -> None:
        super().__init__(scope, construct_id)
        existing = scope.common.vpc
        if existing:
            subnets: list[ec2.ISubnet] = [
                ec2.Subnet.from_subnet_id(self, f"Subnet{n}", subnet_id)
                for n, subnet_id in enumerate(existing.subnet_ids, 1)
            ]
            for subnet in subnets:
                _acknowledge(subnet, "Annotation::@aws-cdk/aws-ec2:noSubnetRouteTableId", "No route is added to it.")
            self.vpc: ec2.IVpc = ec2.Vpc.from_vpc_attributes(
                self, "Vpc", vpc_id=existing.id, availability_zones=[Fn.select(0, Fn.get_azs())]
            )
        else:
            # No subnets of the CDK: it numbers ranges by their order, so that another zone would move them.
            self.vpc = new = new_vpc(scope, self, cidr=str(RANGE))
            if not isinstance(zones, int):
                _acknowledge(new, "CloudFormation-Validate::W3010", "The zones are those that the settings name.")
            subnets = self._new_subnets(new, reach, _places(zones))
        self.subnets = ec2.SubnetSelection(subnets=subnets)
        self.subnet_ids = [subnet.subnet_id for subnet in subnets]
        self.security_group = ec2.SecurityGroup(
            self, "Instances", vpc=self.vpc, description="Lets nothing in; HTTPS out", allow_all_outbound=False
        )
        self.security_group.add_egress_rule(ec2.Peer.any_ipv4(), ec2.Port.tcp(443), "AWS APIs and package repositories")
        if reach is Reach.ENDPOINTS and not existing:
            self._add_endpoints(endpoints)

    def _new_subnets(self, vpc: ec2.Vpc, reach: Reach, places: Sequence["_Place"]) -> list[ec2.ISubnet]:
        """Subnets with their routes, and the gateways these lead to."""
        workers: list[ec2.ISubnet] = []
        if reach is Reach.ENDPOINTS:
            workers += [_subnet(ec2.PrivateSubnet, vpc, "Workers", "Isolated", place) for place in places]
            return workers
        gateway = ec2.CfnInternetGateway(vpc, "IGW")
        attachment = ec2.CfnVPCGatewayAttachment(vpc, "VPCGW", vpc_id=vpc.vpc_id, internet_gateway_id=gateway.ref)
        if reach is Reach.PUBLIC:
            for place in places:
                subnet = _subnet(ec2.PublicSubnet, vpc, "Workers", "Public", place)
                subnet.add_default_internet_route(gateway.ref, attachment)
                workers.append(subnet)
            return workers
        first, *_ = places
        public = _subnet(ec2.PublicSubnet, vpc, "Nat", "Public", first)
        public.add_default_internet_route(gateway.ref, attachment)
        # One address for each place of the gateway: a gateway that moves finds the address of the old one in use.
        address = ec2.CfnEIP(self, f"NatAddress{first.name}", domain="vpc")
        address.node.add_dependency(attachment)
        nat = public.add_nat_gateway(address.attr_allocation_id)
        for place in places:
            private = _subnet(ec2.PrivateSubnet, vpc, "Workers", "Private", place)
            private.add_default_nat_route(nat.ref)
            workers.append(private)
        return workers

    def _add_endpoints(self, services: Sequence[str]) -> None:
        assert isinstance(self.vpc, ec2.Vpc)
        aws = ec2.GatewayVpcEndpointAwsService
        for name, gateway in (("S3", aws.S3), ("DynamoDb", aws.DYNAMODB)):
            self.vpc.add_gateway_endpoint(name, service=gateway, subnets=[self.subnets])
        if not services:
            return
        group = ec2.SecurityGroup(
            self, "Endpoints", vpc=self.vpc, description="HTTPS from the instances", allow_all_outbound=False
        )
        group.add_ingress_rule(self.security_group, ec2.Port.tcp(443), "From the instances")
        for service in services:
            self.vpc.add_interface_endpoint(
                service.title().replace("-", ""),
                service=ec2.InterfaceVpcEndpointAwsService(service),
                subnets=self.subnets,
                security_groups=[group],
                open=False,
            )


def new_vpc(
    stack: SolutionStack,
    scope: Construct,
    *,
    cidr: str,
    zones: Sequence[str] | None = None,
    subnets: Sequence[ec2.SubnetConfiguration] = (),
) -> ec2.Vpc:
    """A VPC without NAT gateway whose flow log shows what was rejected.

    Args:
        zones: Availability Zones of the subnets; the first of the Region, if none is named.
        subnets: what the CDK shall make in each zone.
    """
    vpc = ec2.Vpc(
        scope,
        "Vpc",
        ip_addresses=ec2.IpAddresses.cidr(cidr),
        availability_zones=list(zones or [Fn.select(0, Fn.get_azs())]),
        nat_gateways=0,
        subnet_configuration=list(subnets),
        # The CDK empties the default group by a Node function of its own; nothing here is in that group.
        restrict_default_security_group=False,
    )
    vpc.add_flow_log(
        "Rejected",
        destination=ec2.FlowLogDestination.to_cloud_watch_logs(stack.log_group(scope, "RejectedTraffic")),
        traffic_type=ec2.FlowLogTrafficType.REJECT,
    )
    return vpc


@dataclass(frozen=True)
class _Place:
    """A zone's part of the range: nobody else's, whatever the other zones are."""

    name: str
    zone: str
    workers: IPv4Network
    nat: IPv4Network


def _places(zones: int | Sequence[str]) -> list[_Place]:
    if isinstance(zones, int):
        return [_place(str(n), Fn.select(n - 1, Fn.get_azs()), n - 1, BY_POSITION) for n in range(1, zones + 1)]
    return [_place(zone[-1].upper(), zone, LETTERS.index(zone[-1]), BY_LETTER) for zone in zones]


def _place(name: str, zone: str, number: int, part: tuple[IPv4Network, IPv4Network]) -> _Place:
    workers, nat = part
    return _Place(
        name,
        zone,
        next(islice(workers.subnets(new_prefix=WORKERS_PREFIX), number, None)),
        next(islice(nat.subnets(new_prefix=NAT_PREFIX), number, None)),
    )


S = TypeVar("S", bound=ec2.Subnet)


def _subnet(kind: type[S], vpc: ec2.Vpc, name: str, called: str, place: _Place) -> S:
    subnet = kind(
        vpc,
        f"{name}Subnet{place.name}",
        vpc_id=vpc.vpc_id,
        availability_zone=place.zone,
        cidr_block=str(place.nat if name == "Nat" else place.workers),
        map_public_ip_on_launch=issubclass(kind, ec2.PublicSubnet),
    )
    for key, value in (("subnet-name", name), ("subnet-type", called)):
        Tags.of(subnet).add(f"aws-cdk:{key}", value, include_resource_types=["AWS::EC2::Subnet"])
    return subnet


def _acknowledge(construct: IConstruct, finding: str, reason: str) -> None:
    Validations.of(construct).acknowledge(Acknowledgment(id=finding, reason=reason))
