"""The network of a solution: its own small VPC, or an existing one."""

from collections.abc import Sequence
from enum import StrEnum

from aws_cdk import Acknowledgment, Fn, Validations
from aws_cdk import aws_ec2 as ec2
from constructs import Construct, IConstruct

from stacks.shared.solution import SolutionStack


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

    With ``common.vpc`` the existing network is used and *reach*, *zones* and *endpoints* play no part. The zones are
    taken by position, because the environment has no account to look them up in; a Region with fewer refuses the
    deployment (``python -m stacks <solution> check`` says so before).

    Args:
        reach: how instances reach the AWS APIs.
        zones: how many Availability Zones, 1 to 6, or their names.
        endpoints: names of the services that get an interface endpoint with ``Reach.ENDPOINTS``; S3 and DynamoDB have
            gateway endpoints, which are free.

    Attributes:
        vpc: the VPC.
        subnets: where the instances go.
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
            subnets = [
                ec2.Subnet.from_subnet_id(self, f"Subnet{n}", subnet_id)
                for n, subnet_id in enumerate(existing.subnet_ids, 1)
            ]
            for subnet in subnets:
                _acknowledge(subnet, "Annotation::@aws-cdk/aws-ec2:noSubnetRouteTableId", "No route is added to it.")
            self.subnets = ec2.SubnetSelection(subnets=subnets)
            self.vpc: ec2.IVpc = ec2.Vpc.from_vpc_attributes(
                self, "Vpc", vpc_id=existing.id, availability_zones=[Fn.select(0, Fn.get_azs())]
            )
        else:
            self.subnets = ec2.SubnetSelection(subnet_type=_SUBNET_TYPE[reach])
            self.vpc = self._new_vpc(scope, reach, zones)
        self.security_group = ec2.SecurityGroup(
            self, "Instances", vpc=self.vpc, description="Lets nothing in; HTTPS out", allow_all_outbound=False
        )
        self.security_group.add_egress_rule(ec2.Peer.any_ipv4(), ec2.Port.tcp(443), "AWS APIs and package repositories")
        if reach is Reach.ENDPOINTS and not existing:
            self._add_endpoints(endpoints)

    def _new_vpc(self, stack: SolutionStack, reach: Reach, zones: int | Sequence[str]) -> ec2.Vpc:
        kinds = [ec2.SubnetConfiguration(name="Workers", subnet_type=_SUBNET_TYPE[reach], cidr_mask=20)]
        if reach is Reach.NAT:
            kinds.append(ec2.SubnetConfiguration(name="Nat", subnet_type=ec2.SubnetType.PUBLIC, cidr_mask=28))
        vpc = ec2.Vpc(
            self,
            "Vpc",
            availability_zones=[Fn.select(n, Fn.get_azs()) for n in range(zones)]
            if isinstance(zones, int)
            else list(zones),
            nat_gateways=1 if reach is Reach.NAT else 0,
            subnet_configuration=kinds,
            # The CDK empties the default group by a Node function of its own; nothing here is in that group.
            restrict_default_security_group=False,
        )
        if not isinstance(zones, int):
            _acknowledge(vpc, "CloudFormation-Validate::W3010", "The zones are those that the settings name.")
        vpc.add_flow_log(
            "Rejected",
            destination=ec2.FlowLogDestination.to_cloud_watch_logs(stack.log_group(self, "RejectedTraffic")),
            traffic_type=ec2.FlowLogTrafficType.REJECT,
        )
        return vpc

    def _add_endpoints(self, services: Sequence[str]) -> None:
        assert isinstance(self.vpc, ec2.Vpc)
        self.vpc.add_gateway_endpoint("S3", service=ec2.GatewayVpcEndpointAwsService.S3)
        self.vpc.add_gateway_endpoint("DynamoDb", service=ec2.GatewayVpcEndpointAwsService.DYNAMODB)
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


_SUBNET_TYPE = {
    Reach.PUBLIC: ec2.SubnetType.PUBLIC,
    Reach.NAT: ec2.SubnetType.PRIVATE_WITH_EGRESS,
    Reach.ENDPOINTS: ec2.SubnetType.PRIVATE_ISOLATED,
}


def _acknowledge(construct: IConstruct, finding: str, reason: str) -> None:
    Validations.of(construct).acknowledge(Acknowledgment(id=finding, reason=reason))
