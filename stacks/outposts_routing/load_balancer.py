"""The load balancer on the Outpost: a resource of CloudFormation without a pool, of ours with one."""

from collections.abc import Sequence

from aws_cdk import Acknowledgment, CfnResource, Validations
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_elasticloadbalancingv2 as elbv2
from constructs import Construct

from stacks.outposts_routing.settings.domain import Domain
from stacks.shared.solution import SolutionStack

EVERYBODY = "0.0.0.0/0"


class Front(Construct):
    """Who may reach the load balancer, and where it sends requests.

    Attributes:
        security_group: the load balancer's: in from the clients, out to the subnet.
        scheme: internal or internet-facing.
    """

    def __init__(self, scope: Construct, construct_id: str, domain: Domain, *, vpc: ec2.Vpc) -> None:
        super().__init__(scope, construct_id)
        assert domain.load_balancer and domain.subnet_cidr
        self._settings, self._vpc = domain.load_balancer, vpc
        self.scheme = domain.load_balancer.scheme
        port = ec2.Port.tcp(domain.load_balancer.port)
        self.security_group = ec2.SecurityGroup(
            self, "SecurityGroup", vpc=vpc, description="From the clients to the subnet", allow_all_outbound=False
        )
        for cidr in domain.load_balancer.client_cidrs or domain.on_premises_cidrs:
            self.security_group.add_ingress_rule(ec2.Peer.ipv4(cidr), port, "From the clients")
        if EVERYBODY in domain.load_balancer.client_cidrs:
            Validations.of(self.security_group).acknowledge(
                Acknowledgment(
                    id="AwsSolutions-EC23", reason="The configuration confirms it, for the load balancer of the post."
                )
            )
        self.security_group.add_egress_rule(ec2.Peer.ipv4(domain.subnet_cidr), port, "To the subnet on the Outpost")

    def direct(
        self, scope: Construct, stack: SolutionStack, *, subnet_id: str, after: Sequence[CfnResource], name: str
    ) -> None:
        """Mode direct-vpc-routing: reached by its private addresses. On an Outpost it has one subnet."""
        balancer = elbv2.CfnLoadBalancer(
            scope,
            "LoadBalancer",
            type="application",
            scheme=self.scheme,
            subnets=[subnet_id],
            security_groups=[self.security_group.security_group_id],
            load_balancer_attributes=[
                elbv2.CfnLoadBalancer.LoadBalancerAttributeProperty(
                    key="routing.http.drop_invalid_header_fields.enabled", value="true"
                )
            ],
        )
        balancer.node.add_dependency(*after)
        Validations.of(balancer).acknowledge(
            Acknowledgment(
                id="AwsSolutions-ELB2",
                reason="Internal, for the ranges that are let in; access logs would need a bucket in the Region.",
            ),
            Acknowledgment(
                id="CloudFormation-Validate::E3680",
                reason="Two subnets are for Regions; on an Outpost the API demands one Outpost subnet.",
            ),
        )
        balancer.add_metadata("cfn-lint", {"config": {"ignore_checks": ["E3680"]}})
        targets = self.listen(scope, balancer.ref)
        stack.output(f"{name}TargetGroupArn", targets, "Register your instances here")
        stack.output(f"{name}LoadBalancer", balancer.attr_dns_name, "Load balancer, by its private addresses")

    def listen(self, scope: Construct, balancer_arn: str) -> str:
        """A listener and a target group for your instances, whose ARN it returns."""
        certificate = self._settings.certificate_arn
        targets = elbv2.CfnTargetGroup(
            scope,
            "Targets",
            vpc_id=self._vpc.vpc_id,
            target_type="instance",
            protocol="HTTP",
            port=self._settings.port,
        )
        elbv2.CfnListener(
            scope,
            "Listener",
            load_balancer_arn=balancer_arn,
            port=self._settings.port,
            protocol="HTTPS" if certificate else "HTTP",
            certificates=[elbv2.CfnListener.CertificateProperty(certificate_arn=certificate)] if certificate else None,
            ssl_policy="ELBSecurityPolicy-TLS13-1-2-2021-06" if certificate else None,
            default_actions=[elbv2.CfnListener.ActionProperty(type="forward", target_group_arn=targets.ref)],
        )
        return targets.ref
