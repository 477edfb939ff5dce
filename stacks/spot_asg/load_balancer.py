"""An internal load balancer in front of the group; only with ``load_balancer: true``, because it bills its hours."""

from aws_cdk import Duration
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_elasticloadbalancingv2 as elbv2
from constructs import Construct

from stacks.shared.load_balancer import http_load_balancer
from stacks.shared.network import Network
from stacks.shared.solution import SolutionStack
from stacks.spot_asg.group import APP_PORT
from stacks.spot_asg.settings import SpotAsgSettings


class LoadBalancer(Construct):
    """HTTP inside the VPC, for whoever carries the security group of the clients.

    Attributes:
        target_group: of the instances; requests in flight have ``drain_seconds``.
        security_group: of the load balancer.
        clients: what a client must carry to be let in.
        address: where it answers.
        listener: without it the target group is not in use.
    """

    def __init__(self, scope: SolutionStack, construct_id: str, settings: SpotAsgSettings, network: Network) -> None:
        super().__init__(scope, construct_id)
        self.clients = ec2.SecurityGroup(
            self, "Clients", vpc=network.vpc, description="May ask the load balancer", allow_all_outbound=False
        )
        self.security_group = ec2.SecurityGroup(
            self, "SecurityGroup", vpc=network.vpc, description="From the clients", allow_all_outbound=False
        )
        self.security_group.add_ingress_rule(self.clients, ec2.Port.tcp(80), "From the clients")
        self.clients.add_egress_rule(self.security_group, ec2.Port.tcp(80), "To the load balancer")
        self.target_group = elbv2.ApplicationTargetGroup(
            self,
            "Targets",
            vpc=network.vpc,
            target_type=elbv2.TargetType.INSTANCE,
            protocol=elbv2.ApplicationProtocol.HTTP,
            port=APP_PORT,
            deregistration_delay=Duration.seconds(settings.drain_seconds),
            health_check=elbv2.HealthCheck(path="/", interval=Duration.seconds(10), healthy_threshold_count=2),
        )
        balancer, self.listener = http_load_balancer(
            self,
            scope,
            vpc=network.vpc,
            subnets=network.subnets,
            security_group=self.security_group,
            target_group=self.target_group,
            internet_facing=False,
            without_access_logs="Internal, for clients that are let in by name; "
            "access logs would need a bucket of their own.",
        )
        self.address = balancer.load_balancer_dns_name
