"""What the function may do: look and report. And what it may never do, even if another policy allows it: buy."""

from aws_cdk import aws_iam as iam
from aws_cdk import aws_sns as sns

from stacks.capacity_planner.never import NEVER
from stacks.shared.grants import allow_metrics, allow_on_any_resource
from stacks.shared.python_function import PythonFunction
from stacks.shared.solution import SolutionStack


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
