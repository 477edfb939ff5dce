"""What discovery may read, and which dashboards may be written."""

from aws_cdk import Token
from aws_cdk import aws_iam as iam

from stacks.shared.grants import allow_on_any_resource, allow_on_pattern
from stacks.shared.solution import SolutionStack

# One for each call of the sections; a test compares them.
DISCOVERY = (
    "outposts:ListOutposts",
    "outposts:GetOutpostInstanceTypes",
    "ec2:DescribeInstances",
    "ec2:DescribeInstanceTypes",
    "tag:GetResources",
    "elasticloadbalancing:DescribeLoadBalancers",
    "elasticloadbalancing:DescribeTargetGroups",
    "autoscaling:DescribeAutoScalingGroups",
    "rds:DescribeDBInstances",
)


def allow_discovery(role: iam.IRole) -> None:
    """Allows reading what there is: lists of everything, by pages."""
    allow_on_any_resource(
        role, *DISCOVERY, reason="Discovery lists what there is; it reads, and knows no names before."
    )


def allow_writing(stack: SolutionStack, role: iam.IRole, name: str) -> None:
    """Allows writing the dashboard of this name, and those that continue it."""
    first = _dashboard(stack, name)
    role.add_to_principal_policy(iam.PolicyStatement(actions=["cloudwatch:PutDashboard"], resources=[first]))
    allow_on_pattern(
        role,
        "cloudwatch:PutDashboard",
        arn=f"{first}-*",
        shown=_shown(stack, f"{name}-*"),
        reason="How many dashboards there are, discovery decides; their names begin with that of the settings.",
    )


def allow_deleting(stack: SolutionStack, role: iam.IRole) -> None:
    """Allows deleting dashboards; which, the ledger says."""
    allow_on_pattern(
        role,
        "cloudwatch:DeleteDashboards",
        arn=_dashboard(stack, "*"),
        shown=_shown(stack, "*"),
        reason="The settings may have had another dashboard_name before; what is deleted is in the stack's own ledger.",
    )


def _dashboard(stack: SolutionStack, name: str) -> str:
    """https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazoncloudwatch.html: without Region."""
    return stack.format_arn(service="cloudwatch", region="", resource="dashboard", resource_name=name)


def _shown(stack: SolutionStack, name: str) -> str:
    account = "<AWS::AccountId>" if Token.is_unresolved(stack.account) else stack.account
    partition = "<AWS::Partition>" if Token.is_unresolved(stack.partition) else stack.partition
    return f"arn:{partition}:cloudwatch::{account}:dashboard/{name}"
