"""The front door: nginx on an instance of our own, or an Application Load Balancer."""

from typing import cast

from aws_cdk import Acknowledgment, Duration, Validations
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_elasticloadbalancingv2 as elbv2
from aws_cdk import aws_iam as iam
from constructs import Construct, IConstruct

from stacks.local_zone_wordpress.data import NAMESPACE, told
from stacks.local_zone_wordpress.edge import EdgeInstance
from stacks.local_zone_wordpress.settings import LocalZoneWordpressSettings
from stacks.local_zone_wordpress.tiers import WEB_GROUP, Web
from stacks.local_zone_wordpress.user_data import read, script
from stacks.local_zone_wordpress.zone_network import Place
from stacks.shared.alarms import Alarms
from stacks.shared.grants import allow_describing, allow_metrics, allow_on_pattern
from stacks.shared.solution import SolutionStack

HTTP, HTTPS = ec2.Port.tcp(80), ec2.Port.tcp(443)
CERTIFICATE_DAYS = 14
FAILING_MINUTES = 5
FAILS = f"The site has failed for {FAILING_MINUTES} minutes"
MINUTE = Duration.minutes(1)


def open_to_readers(group: ec2.SecurityGroup, settings: LocalZoneWordpressSettings) -> None:
    """Lets the ranges of the settings in on 80 and 443, and nobody on any other port."""
    for cidr in settings.allowed_cidrs:
        for port in (HTTP, HTTPS):
            group.add_ingress_rule(ec2.Peer.ipv4(cidr), port, "Readers of the site")
    if "0.0.0.0/0" in settings.allowed_cidrs:
        Validations.of(group).acknowledge(
            Acknowledgment(
                id="AwsSolutions-EC23", reason="The configuration opens the site to everybody, on 80 and 443."
            )
        )


class SelfManagedBalancer(Construct):
    """nginx on an instance with an elastic address. It asks every ten seconds which instances answer.

    Attributes:
        edge: the instance.
        site: address of the site.
    """

    def __init__(
        self,
        place: Place,
        construct_id: str,
        *,
        security_group: ec2.SecurityGroup,
    ) -> None:
        scope, settings = place.stack, place.settings
        super().__init__(place.stack, construct_id)
        security_group.add_egress_rule(ec2.Peer.any_ipv4(), HTTPS, "AWS APIs and packages")
        self.edge = EdgeInstance(
            place,
            "Balancer",
            security_group=security_group,
            user_data=script(
                scope,
                "balancer.sh",
                logical_id="BalancerInstance",
                CERTIFICATE=settings.certificate_secret_arn or "none",
                NAME=settings.domain or "wordpress",
                NGINX=read("balancer.conf"),
                TARGETS=read("targets.sh"),
                RENEWAL=read("certificate.sh"),
                RENEWAL_UNIT=read(
                    "wordpress-certificate.service",
                    REGION=scope.region,
                    SECRET=settings.certificate_secret_arn or "none",
                ),
                RENEWAL_TIMER=read("wordpress-certificate.timer"),
                UNIT=read(
                    "wordpress-targets.service",
                    REGION=scope.region,
                    GROUP=f"{scope.stack_name}-{WEB_GROUP}-",
                    WEB_PORT=str(settings.web_port),
                    NAMESPACE=NAMESPACE,
                    NAME=scope.stack_name,
                ),
            ),
            logical_id="BalancerInstance",
            forwards=False,
            description="Load balancer: looks up who is in service",
        )
        self._stack = scope
        allow_metrics(self.edge.role, NAMESPACE)
        allow_describing(
            self.edge.role,
            "autoscaling:DescribeAutoScalingGroups",
            "ec2:DescribeInstances",
        )
        if settings.certificate_secret_arn:
            _allow_reading_certificate(self.edge.role, settings.certificate_secret_arn, scope)
        self.site = f"https://{settings.domain or self.edge.address.attr_public_ip}"

    def watch(self, alarms: Alarms, web: Web) -> None:
        """Alarms on what targets.sh publishes each minute; from its first word on, silence counts as no answer."""
        answers = cloudwatch.MathExpression(
            expression="FILL(answers, 0)",
            using_metrics={"answers": told(self._stack, "SiteAnswers", MINUTE)},
            period=MINUTE,
        )
        fails = alarms.when_below("SiteFails", answers, 1, says=FAILS, minutes=FAILING_MINUTES)
        cast(cloudwatch.CfnAlarm, fails.node.default_child).treat_missing_data = "ignore"
        # Before, nobody can answer.
        fails.node.add_dependency(web.group)
        alarms.when_below(
            "CertificateExpires",
            told(self._stack, "CertificateDays", MINUTE),
            CERTIFICATE_DAYS,
            says=f"The certificate of the site ends in less than {CERTIFICATE_DAYS} days",
            minutes=FAILING_MINUTES,
        )


class ApplicationBalancer(Construct):
    """An Application Load Balancer in the zone, whose health checks decide over the instances.

    Attributes:
        target_group: of the WordPress instances.
        listener: without it the target group is not in use.
        site: address of the site.
        address: where the load balancer answers.
    """

    def __init__(
        self,
        place: Place,
        construct_id: str,
        *,
        security_group: ec2.SecurityGroup,
        after: IConstruct | None,
    ) -> None:
        settings, network = place.settings, place.network
        super().__init__(place.stack, construct_id)
        self.target_group = elbv2.ApplicationTargetGroup(
            self,
            "Targets",
            vpc=network.vpc,
            target_type=elbv2.TargetType.INSTANCE,
            protocol=elbv2.ApplicationProtocol.HTTP,
            port=settings.web_port,
            deregistration_delay=Duration.seconds(30),
            health_check=elbv2.HealthCheck(path="/healthz", interval=Duration.seconds(15), healthy_threshold_count=2),
        )
        balancer = elbv2.ApplicationLoadBalancer(
            self,
            "Balancer",
            vpc=network.vpc,
            vpc_subnets=ec2.SubnetSelection(subnets=network.public),
            internet_facing=True,
            security_group=security_group,
            drop_invalid_header_fields=True,
        )
        self._balancer = balancer
        if after:
            balancer.node.add_dependency(after)
        secure = settings.certificate_arn is not None
        if settings.certificate_arn:
            self.listener = balancer.add_listener(
                "Https",
                port=443,
                protocol=elbv2.ApplicationProtocol.HTTPS,
                certificates=[elbv2.ListenerCertificate.from_arn(settings.certificate_arn)],
                ssl_policy=elbv2.SslPolicy.RECOMMENDED_TLS,
                open=False,
                default_target_groups=[self.target_group],
            )
        redirect = elbv2.ListenerAction.redirect(port="443", protocol="HTTPS", permanent=True)
        forward = elbv2.ListenerAction.forward([self.target_group])
        plain = balancer.add_listener("Http", port=80, open=False, default_action=redirect if secure else forward)
        if not secure:
            self.listener = plain
        self.address = balancer.load_balancer_dns_name
        self.site = f"http{'s' if secure else ''}://{settings.domain or self.address}"
        if len(network.public) == 1:
            # cfn-lint has the same rule, and reads this.
            resource = cast(elbv2.CfnLoadBalancer, balancer.node.default_child)
            resource.add_metadata("cfn-lint", {"config": {"ignore_checks": ["E3680"]}})
            Validations.of(balancer).acknowledge(
                Acknowledgment(
                    id="CloudFormation-Validate::E3680",
                    reason="The rule knows Regions: on Local Zones, subnets from one zone are enough (SetSubnets).",
                )
            )
        Validations.of(balancer).acknowledge(
            Acknowledgment(
                id="AwsSolutions-ELB2",
                reason="A bucket of access logs is in the parent Region, which not every site of a Local Zone may use.",
            )
        )

    def register(self, web: Web) -> None:
        """Sends requests to the group; an instance that fails the health check is replaced."""
        web.resource.target_group_arns = [self.target_group.target_group_arn]
        web.resource.health_check_type = "ELB"
        web.group.node.add_dependency(cast(IConstruct, self.listener))

    def watch(self, alarms: Alarms, web: Web) -> None:
        """Alarms on instances that fail their health check, and on answers that are errors of a server."""
        alarms.when_above(
            "UnhealthyInstances",
            self.target_group.metrics.unhealthy_host_count(period=MINUTE, statistic=cloudwatch.Stats.MAXIMUM),
            0,
            says="A WordPress instance fails the health check",
            minutes=FAILING_MINUTES,
        )
        of = self._balancer.metrics
        errors = cloudwatch.MathExpression(
            expression="FILL(balancer, 0) + FILL(instances, 0)",
            using_metrics={
                "balancer": of.http_code_elb(elbv2.HttpCodeElb.ELB_5XX_COUNT, period=MINUTE),
                "instances": of.http_code_target(elbv2.HttpCodeTarget.TARGET_5XX_COUNT, period=MINUTE),
            },
            period=MINUTE,
            label="errors",
        )
        alarms.when_above("SiteFails", errors, 0, says=FAILS, minutes=FAILING_MINUTES)


def _allow_reading_certificate(role: iam.IRole, secret_arn: str, stack: SolutionStack) -> None:
    """Lets a role read a secret of the user's, whichever key encrypts it.

    No setting names that key. Secrets Manager names the secret in each call of KMS
    (https://docs.aws.amazon.com/secretsmanager/latest/userguide/security-encryption.html), which holds the role to it.
    The name of the service ends with the suffix of the partition, or does not: the page on kms:ViaService does not say.
    """
    role.add_to_principal_policy(iam.PolicyStatement(actions=["secretsmanager:GetSecretValue"], resources=[secret_arn]))
    _, partition, _, region, account, *_ = secret_arn.split(":")
    keys = f"arn:{partition}:kms:{region}:{account}:key/*"
    allow_on_pattern(
        role,
        "kms:Decrypt",
        arn=keys,
        shown=keys,
        reason="No setting names the key of the certificate's secret; the conditions hold the role to that secret.",
        conditions={
            "StringEquals": {"kms:EncryptionContext:SecretARN": secret_arn},
            "StringLike": {"kms:ViaService": f"secretsmanager.{region}.amazonaws.com*"},
        },
    )
