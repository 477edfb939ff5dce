"""What the function may do: look and tell. And what it may never do, whatever somebody allows it one day: buy."""

from aws_cdk import aws_iam as iam
from aws_cdk import aws_sns as sns

from stacks.shared.grants import allow_metrics, allow_on_any_resource
from stacks.shared.python_function import PythonFunction
from stacks.shared.solution import SolutionStack

NEVER = (
    "ec2:Accept*",
    "ec2:AssociateCapacityReservationBillingOwner",
    "ec2:Cancel*CapacityReservation*",
    "ec2:Create*CapacityReservation*",
    "ec2:CreateReservedInstancesListing",
    "ec2:DeleteQueuedReservedInstances",
    "ec2:Modify*CapacityReservation*",
    "ec2:ModifyReservedInstances",
    "ec2:Move*CapacityReservation*",
    "ec2:Purchase*",
    "ec2:RunInstances",
    "ec2:RunScheduledInstances",
    "ec2:Update*CapacityReservation*",
    "savingsplans:Create*",
    "savingsplans:DeleteQueued*",
    "savingsplans:Return*",
)
"""Everything that buys, reserves, changes, sells or gives back capacity or a discount; by patterns, because
new actions of these kinds appear (https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonec2.html)."""


def allow_looking(stack: SolutionStack, function: PythonFunction, namespace: str, *, prices: bool) -> None:
    """Allows the lists of one Region and metrics, and prices and rates if they are to be asked for."""
    allow_on_any_resource(
        function.own_role,
        "ec2:DescribeCapacityReservations",
        "ec2:DescribeInstances",
        "ec2:DescribeReservedInstances",
        reason="Lists of EC2, for which IAM knows no resource; a condition holds them to one Region.",
        conditions={"StringEquals": {"ec2:Region": stack.region}},
    )
    allow_on_any_resource(
        function.own_role,
        "cloudwatch:GetMetricData",
        *(["pricing:GetProducts", "savingsplans:DescribeSavingsPlansOfferingRates"] if prices else []),
        reason="Metrics, public prices and public rates, for which IAM knows no resource.",
    )
    allow_on_any_resource(
        function.own_role,
        "savingsplans:DescribeSavingsPlans",
        reason="The list of all plans of the account, whose ids nobody knows before.",
    )
    allow_metrics(function.own_role, namespace)


def allow_telling(stack: SolutionStack, function: PythonFunction, topic: sns.ITopic) -> None:
    """Allows publishing to the topic. Not grant_publish: with a key it would allow ``kms:GenerateDataKey*``."""
    function.own_role.add_to_policy(iam.PolicyStatement(actions=["sns:Publish"], resources=[topic.topic_arn]))
    if stack.encryption_key:
        stack.encryption_key.grant(function.own_role, "kms:Decrypt", "kms:GenerateDataKey")


def deny_buying(function: PythonFunction) -> None:
    """Denies everything of NEVER, so that no later right and no policy of somebody else's makes it a buyer."""
    function.own_role.add_to_policy(
        iam.PolicyStatement(sid="NeverBuys", effect=iam.Effect.DENY, actions=list(NEVER), resources=["*"])
    )
