"""What the function may do: look and tell. And what it may never do, whatever somebody allows it one day: buy."""

from aws_cdk import aws_iam as iam
from aws_cdk import aws_sns as sns

from stacks.shared.grants import allow_metrics, allow_on_any_resource
from stacks.shared.python_function import PythonFunction
from stacks.shared.solution import SolutionStack

NEVER = (
    "ec2:AcceptCapacityReservationBillingOwnership",
    "ec2:AcceptReservedInstancesExchangeQuote",
    "ec2:AssociateCapacityReservationBillingOwner",
    "ec2:CancelCapacityReservation",
    "ec2:CancelCapacityReservationFleets",
    "ec2:CreateCapacityReservation",
    "ec2:CreateCapacityReservationBySplitting",
    "ec2:CreateCapacityReservationCancellationQuote",
    "ec2:CreateCapacityReservationFleet",
    "ec2:CreateInterruptibleCapacityReservationAllocation",
    "ec2:CreateReservedInstancesListing",
    "ec2:DeleteQueuedReservedInstances",
    "ec2:ModifyCapacityReservation",
    "ec2:ModifyCapacityReservationFleet",
    "ec2:ModifyReservedInstances",
    "ec2:MoveCapacityReservationInstances",
    "ec2:PurchaseCapacityBlock",
    "ec2:PurchaseCapacityBlockExtension",
    "ec2:PurchaseHostReservation",
    "ec2:PurchaseReservedInstancesOffering",
    "ec2:PurchaseScheduledInstances",
    "ec2:RunInstances",
    "ec2:RunScheduledInstances",
    "ec2:UpdateInterruptibleCapacityReservationAllocation",
    "savingsplans:CreateSavingsPlan",
    "savingsplans:DeleteQueuedSavingsPlan",
    "savingsplans:ReturnSavingsPlan",
)
"""Everything that buys, reserves, changes, sells or gives back capacity or a discount; a test finds what AWS adds to it
(https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonec2.html)."""


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
