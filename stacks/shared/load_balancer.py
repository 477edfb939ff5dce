"""An Application Load Balancer that answers on port 80, in a network of the stack's own or an existing one."""

from aws_cdk import Acknowledgment, Duration, Validations
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_elasticloadbalancingv2 as elbv2
from constructs import Construct

from stacks.shared.solution import SolutionStack

HTTP_PORT = 80


def http_load_balancer(
    scope: Construct,
    stack: SolutionStack,
    *,
    vpc: ec2.IVpc,
    subnets: ec2.SubnetSelection,
    security_group: ec2.ISecurityGroup,
    target_group: elbv2.ApplicationTargetGroup,
    internet_facing: bool,
    without_access_logs: str,
    idle_timeout: Duration | None = None,
) -> tuple[elbv2.ApplicationLoadBalancer, elbv2.ApplicationListener]:
    """A load balancer whose one listener forwards to a target group; the security group decides who may call it.

    Args:
        scope: the construct that it becomes part of.
        without_access_logs: why it has none, as cdk-nag is told.
        idle_timeout: of its connections; None: what Elastic Load Balancing assumes, 60 seconds.

    Returns:
        The load balancer and its listener, without which the target group is not in use.
    """
    # It takes no subnets of another VPC: with another one it is another load balancer, as is its listener.
    existing = stack.common.vpc
    of_vpc = existing.id.title().replace("-", "") if existing else ""
    balancer = elbv2.ApplicationLoadBalancer(
        scope,
        f"Balancer{of_vpc}",
        vpc=vpc,
        vpc_subnets=subnets,
        internet_facing=internet_facing,
        security_group=security_group,
        idle_timeout=idle_timeout,
        drop_invalid_header_fields=True,
    )
    listener = balancer.add_listener(
        "Http",
        port=HTTP_PORT,
        protocol=elbv2.ApplicationProtocol.HTTP,
        open=False,
        default_target_groups=[target_group],
    )
    Validations.of(balancer).acknowledge(Acknowledgment(id="AwsSolutions-ELB2", reason=without_access_logs))
    return balancer, listener
