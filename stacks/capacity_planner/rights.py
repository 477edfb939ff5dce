"""What the function may do: look and report. And what it may never do, even if another policy allows it: buy."""

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
"""Everything that buys, reserves, changes, sells or gives back capacity or a discount; a test finds what AWS adds
(https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonec2.html)."""


def allow_looking(stack: SolutionStack, function: PythonFunction, namespace: str, *, prices: bool) -> None:
    """Allows the lists of one Region, metrics, and prices and rates if the function reads them from AWS."""
    allow_on_any_resource(
        function.own_role,
        "ec2:DescribeCapacityReservations",
        "ec2:DescribeInstances",
        "ec2:DescribeReservedInstances",
        reason="EC2 lists have no resource in IAM; a condition restricts them to one Region.",
        conditions={"StringEquals": {"ec2:Region": stack.region}},
    )
    allow_on_any_resource(
        function.own_role,
        "cloudwatch:GetMetricData",
        *(["pricing:GetProducts", "savingsplans:DescribeSavingsPlansOfferingRates"] if prices else []),
        reason="Metrics, public prices and public rates have no resource in IAM.",
    )
    allow_on_any_resource(
        function.own_role,
        "savingsplans:DescribeSavingsPlans",
        reason="It lists all plans of the account, whose ids are not known at deployment.",
    )
    allow_metrics(function.own_role, namespace)


def allow_telling(stack: SolutionStack, function: PythonFunction, topic: sns.ITopic) -> None:
    """Allows publishing to the topic. Not grant_publish: with a key it would allow ``kms:GenerateDataKey*``."""
    function.own_role.add_to_policy(iam.PolicyStatement(actions=["sns:Publish"], resources=[topic.topic_arn]))
    if stack.encryption_key:
        stack.encryption_key.grant(function.own_role, "kms:Decrypt", "kms:GenerateDataKey")


def deny_buying(function: PythonFunction) -> None:
    """Denies everything in NEVER, so that no permission added later lets the function buy."""
    function.own_role.add_to_policy(
        iam.PolicyStatement(sid="NeverBuys", effect=iam.Effect.DENY, actions=list(NEVER), resources=["*"])
    )
