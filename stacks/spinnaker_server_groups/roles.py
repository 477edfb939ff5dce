"""Spinnaker's roles: the host's, and the managed role that it assumes for everything it does in the account.

The managed role allows what clouddriver-aws calls for one application: its server groups, its load balancer and its
target group by their names, its instances in this stack's subnets. Spinnaker's documentation gives it PowerUserAccess.
https://spinnaker.io/docs/setup/install/providers/aws/aws-ec2/
"""

from collections.abc import Sequence

from aws_cdk import Aws
from aws_cdk import aws_iam as iam
from constructs import Construct

from stacks.shared.grants import allow_agent, allow_describing, allow_on_pattern, shown_arn
from stacks.shared.solution import SolutionStack
from stacks.spinnaker_server_groups.network import SpinnakerNetwork
from stacks.spinnaker_server_groups.settings import SpinnakerServerGroupsSettings

# Calls of clouddriver-aws, as its caching agents and operations make them.
READS = (
    "autoscaling:DescribeAutoScalingGroups",
    "autoscaling:DescribeLaunchConfigurations",
    "autoscaling:DescribeLifecycleHooks",
    "autoscaling:DescribePolicies",
    "autoscaling:DescribeScalingActivities",
    "autoscaling:DescribeScheduledActions",
    "cloudwatch:DescribeAlarms",
    "ec2:DescribeAccountAttributes",
    "ec2:DescribeAddresses",
    "ec2:DescribeAvailabilityZones",
    "ec2:DescribeImages",
    "ec2:DescribeInstanceTypes",
    "ec2:DescribeInstances",
    "ec2:DescribeInternetGateways",
    "ec2:DescribeKeyPairs",
    "ec2:DescribeLaunchTemplateVersions",
    "ec2:DescribeLaunchTemplates",
    "ec2:DescribeRegions",
    "ec2:DescribeReservedInstances",
    "ec2:DescribeSecurityGroups",
    "ec2:DescribeSubnets",
    "ec2:DescribeTags",
    "ec2:DescribeVpcClassicLink",
    "ec2:DescribeVpcs",
    "elasticloadbalancing:DescribeInstanceHealth",
    "elasticloadbalancing:DescribeListeners",
    "elasticloadbalancing:DescribeLoadBalancerAttributes",
    "elasticloadbalancing:DescribeLoadBalancerPolicies",
    "elasticloadbalancing:DescribeLoadBalancers",
    "elasticloadbalancing:DescribeRules",
    "elasticloadbalancing:DescribeTags",
    "elasticloadbalancing:DescribeTargetGroupAttributes",
    "elasticloadbalancing:DescribeTargetGroups",
    "elasticloadbalancing:DescribeTargetHealth",
    "iam:ListServerCertificates",
)
GROUP_WRITES = (
    "autoscaling:CreateAutoScalingGroup",
    "autoscaling:CreateOrUpdateTags",
    "autoscaling:DeleteAutoScalingGroup",
    "autoscaling:DeletePolicy",
    "autoscaling:DeleteTags",
    "autoscaling:DisableMetricsCollection",
    "autoscaling:EnableMetricsCollection",
    "autoscaling:PutLifecycleHook",
    "autoscaling:PutScalingPolicy",
    "autoscaling:ResumeProcesses",
    "autoscaling:SuspendProcesses",
    "autoscaling:TerminateInstanceInAutoScalingGroup",
    "autoscaling:UpdateAutoScalingGroup",
)
BALANCER_WRITES = (
    "elasticloadbalancing:CreateListener",
    "elasticloadbalancing:CreateLoadBalancer",
    "elasticloadbalancing:DeleteLoadBalancer",
    "elasticloadbalancing:ModifyLoadBalancerAttributes",
    "elasticloadbalancing:SetSecurityGroups",
)
LISTENER_WRITES = ("elasticloadbalancing:DeleteListener", "elasticloadbalancing:ModifyListener")
TARGET_WRITES = (
    "elasticloadbalancing:CreateTargetGroup",
    "elasticloadbalancing:DeleteTargetGroup",
    "elasticloadbalancing:DeregisterTargets",
    "elasticloadbalancing:ModifyTargetGroup",
    "elasticloadbalancing:ModifyTargetGroupAttributes",
    "elasticloadbalancing:RegisterTargets",
)
TEMPLATE_WRITES = (
    "ec2:CreateLaunchTemplateVersion",
    "ec2:DeleteLaunchTemplate",
    "ec2:DeleteLaunchTemplateVersions",
)
# A new account lacks them, and without the last one the first Spot launch fails:
# https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/service-linked-roles-spot-instance-requests.html
LINKED_SERVICES = ("autoscaling.amazonaws.com", "elasticloadbalancing.amazonaws.com", "spot.amazonaws.com")
MADE_LATER = "Spinnaker creates it later, with an id that AWS chooses; its name begins with the application's."


class SpinnakerRoles(Construct):
    """The host's role and the managed role.

    Attributes:
        host: role of the Spinnaker instance; it may assume the managed role.
        managed: role for everything that Spinnaker does.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        stack: SolutionStack,
        settings: SpinnakerServerGroupsSettings,
        network: SpinnakerNetwork,
        *,
        base_role: iam.Role,
    ) -> None:
        super().__init__(scope, construct_id)
        self._stack = stack
        self.host = iam.Role(
            self,
            "Host",
            assumed_by=iam.ServicePrincipal("ec2.amazonaws.com"),
            description="Spinnaker host: assumes the managed role and is reached through Session Manager",
        )
        self.managed = iam.Role(
            self,
            "Managed",
            assumed_by=iam.ArnPrincipal(self.host.role_arn),
            description="Lets Spinnaker manage the server groups of one application",
        )
        self._let_host_in()
        self._let_read()
        self._let_deploy(settings.application, settings)
        self._let_launch(network, settings.application)
        self.managed.add_to_policy(
            iam.PolicyStatement(
                actions=["iam:PassRole"],
                resources=[base_role.role_arn],
                conditions={"StringEquals": {"iam:PassedToService": "ec2.amazonaws.com"}},
            )
        )

    def _let_host_in(self) -> None:
        self.host.add_to_policy(iam.PolicyStatement(actions=["sts:AssumeRole"], resources=[self.managed.role_arn]))
        allow_describing(self.host, "ec2:DescribeAvailabilityZones", "ec2:DescribeRegions")
        allow_agent(self.host)

    def _let_read(self) -> None:
        allow_describing(self.managed, *READS)

    def _let_deploy(self, application: str, settings: SpinnakerServerGroupsSettings) -> None:
        balancer, targets = settings.load_balancer_name, settings.target_group_name
        for service, resource, actions in (
            ("autoscaling", f"autoScalingGroup:*:autoScalingGroupName/{application}-v*", GROUP_WRITES),
            ("elasticloadbalancing", f"loadbalancer/app/{balancer}/*", BALANCER_WRITES),
            ("elasticloadbalancing", f"listener/*/{balancer}/*", LISTENER_WRITES),
            ("elasticloadbalancing", f"targetgroup/{targets}/*", TARGET_WRITES),
            ("ec2", "launch-template/*", ("ec2:CreateLaunchTemplate",)),
        ):
            self._allow(actions, service, resource)
        # IAM policies cannot name launch templates, and clouddriver does not tag its own. The tag Name, which the CDK
        # sets on each, keeps others out of reach: their groups would run any new version. CloudFormation adds no tags: https://github.com/aws-cloudformation/cloudformation-coverage-roadmap/issues/2227
        without_name = {"Null": {"aws:ResourceTag/Name": "true"}}
        self._allow(TEMPLATE_WRITES, "ec2", "launch-template/*", without_name)
        # Elastic Load Balancing requires it when a load balancer is created with tags.
        created = {"StringEquals": {"elasticloadbalancing:CreateAction": "CreateLoadBalancer"}}
        tagging = ["elasticloadbalancing:AddTags"]
        self._allow(tagging, "elasticloadbalancing", f"loadbalancer/app/{balancer}/*", created)
        linked = f"arn:{Aws.PARTITION}:iam::{Aws.ACCOUNT_ID}:role/aws-service-role/*"
        allow_on_pattern(
            self.managed,
            "iam:CreateServiceLinkedRole",
            arn=linked,
            shown="arn:<AWS::Partition>:iam::<AWS::AccountId>:role/aws-service-role/*",
            reason="AWS names these roles; a condition names the three services.",
            conditions={"StringEquals": {"iam:AWSServiceName": list(LINKED_SERVICES)}},
        )

    def _let_launch(self, network: SpinnakerNetwork, application: str) -> None:
        """What EC2 requires to create a group: the instance's parts, in our subnets and with our security group."""
        stack = self._stack
        ec2 = f"arn:{stack.partition}:ec2:{stack.region}"
        own = [f"{ec2}:{stack.account}:subnet/{subnet}" for subnet in network.private.ids]
        own.append(f"{ec2}:{stack.account}:security-group/{network.instance_group.security_group_id}")
        self.managed.add_to_policy(iam.PolicyStatement(actions=["ec2:RunInstances"], resources=own))
        for kind in ("instance", "launch-template", "network-interface", "volume", "key-pair"):
            self._allow(["ec2:RunInstances"], "ec2", f"{kind}/*")
        allow_on_pattern(
            self.managed,
            "ec2:RunInstances",
            arn=f"{ec2}::image/*",
            shown=shown_arn(stack, "ec2", "image/*", account=""),
            reason="Images belong to Amazon or to whoever shares them; ARNs of images name no account.",
        )
        for kind in ("instance", "volume"):  # from the launch template's data; the template itself gets no tags
            self._allow(["ec2:CreateTags"], "ec2", f"{kind}/*", {"StringEquals": {"ec2:CreateAction": "RunInstances"}})
        of_the_application = {"StringLike": {"aws:ResourceTag/aws:autoscaling:groupName": f"{application}-v*"}}
        self._allow(["ec2:TerminateInstances"], "ec2", "instance/*", of_the_application)

    def _allow(
        self, actions: Sequence[str], service: str, resource: str, conditions: dict[str, dict[str, str]] | None = None
    ) -> None:
        stack = self._stack
        allow_on_pattern(
            self.managed,
            *actions,
            arn=f"arn:{stack.partition}:{service}:{stack.region}:{stack.account}:{resource}",
            shown=shown_arn(stack, service, resource),
            reason=MADE_LATER,
            conditions=conditions,
        )
