"""Rights that cannot be scoped to one resource, each acknowledged where it is given."""

from collections.abc import Mapping
from typing import Any

from aws_cdk import Acknowledgment, Stack, Token, Validations
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3_assets as assets
from constructs import Construct

from stacks.shared.agent import AGENT_ACTIONS

READING = "These calls only read, and IAM knows no resource for them."


def allow_on_any_resource(
    role: iam.IRole, *actions: str, reason: str, conditions: Mapping[str, Any] | None = None
) -> None:
    """Allows actions for which IAM knows no resource, or that conditions hold to what they are for.

    Args:
        reason: why there is none; printed in the validation report.
    """
    _allow(role, iam.PolicyStatement(actions=list(actions), resources=["*"], conditions=conditions), "*", reason)


def allow_describing(role: iam.IRole, *actions: str) -> None:
    """Allows calls that describe, list or measure, and for which IAM knows no resource."""
    allow_on_any_resource(role, *actions, reason=READING)


def allow_agent(role: iam.IRole, *more: str) -> None:
    """Allows what the SSM agent of an instance calls to take commands, and *more* of its calls."""
    allow_on_any_resource(role, *sorted((*AGENT_ACTIONS, *more)), reason="The calls of the SSM agent know no resource.")


def agents_role(scope: Construct, construct_id: str, *policies: str, description: str) -> iam.Role:
    """The role of instances whose agents have managed policies of AWS, by their names, and nothing else."""
    role = iam.Role(
        scope,
        construct_id,
        assumed_by=iam.ServicePrincipal("ec2.amazonaws.com"),
        description=description,
        managed_policies=[iam.ManagedPolicy.from_aws_managed_policy_name(name) for name in policies],
    )
    reason = "What AWS's agents call is theirs to say and changes with their versions; AWS keeps it."
    for name in policies:
        finding = f"AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/{name}]"
        Validations.of(role).acknowledge(Acknowledgment(id=finding, reason=reason))
    return role


def allow_reading_asset(role: iam.IRole, *files: assets.Asset) -> None:
    """Allows reading these assets only; ``Asset.grant_read`` would open the whole bootstrap bucket."""
    for file in files:
        role.add_to_principal_policy(
            iam.PolicyStatement(actions=["s3:GetObject"], resources=[file.bucket.arn_for_objects(file.s3_object_key)])
        )


def allow_on_pattern(
    role: iam.IRole,
    *actions: str,
    arn: str,
    shown: str,
    reason: str,
    conditions: Mapping[str, Mapping[str, Any]] | None = None,
) -> None:
    """Allows actions on the resources whose ARNs match a pattern.

    Args:
        arn: the pattern, with a wildcard.
        shown: the pattern as cdk-nag shows it, pseudo parameters in angle brackets.
        reason: why the resource cannot be named.
        conditions: what holds the pattern to fewer resources.
    """
    statement = iam.PolicyStatement(actions=list(actions), resources=[arn], conditions=conditions)
    _allow(role, statement, shown, reason)


def allow_grants_to_aws(role: iam.IRole, key: kms.IKey) -> None:
    """Allows grants on a key that a service of AWS makes for itself, as EC2 does for a volume that it attaches.

    Without the condition the role could give the key to anybody:
    https://docs.aws.amazon.com/ebs/latest/userguide/ebs-encryption-requirements.html
    """
    role.add_to_principal_policy(
        iam.PolicyStatement(
            actions=["kms:CreateGrant"],
            resources=[key.key_arn],
            conditions={"Bool": {"kms:GrantIsForAWSResource": "true"}},
        )
    )


def allow_volumes_under(role: iam.IRole, key: kms.IKey) -> None:
    """Allows what EBS needs of whoever has volumes made under a key, all that its page lists.

    https://docs.aws.amazon.com/ebs/latest/userguide/ebs-encryption-requirements.html
    """
    key.grant(
        role,
        "kms:Decrypt",
        "kms:DescribeKey",
        "kms:GenerateDataKeyWithoutPlaintext",
        "kms:ReEncryptFrom",
        "kms:ReEncryptTo",
    )
    allow_grants_to_aws(role, key)


def allow_metrics(role: iam.IRole, namespace: str) -> None:
    """Allows publishing metrics to one namespace; CloudWatch knows this condition and no resource.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/iam-cw-condition-keys-namespace.html
    """
    statement = iam.PolicyStatement(
        actions=["cloudwatch:PutMetricData"],
        resources=["*"],
        conditions={"StringEquals": {"cloudwatch:namespace": namespace}},
    )
    _allow(role, statement, "*", "PutMetricData knows no resource; a condition holds it to one namespace.")


def of_this_account(stack: Stack, service: str) -> iam.ServicePrincipal:
    """A service as whoever takes a role, in the name of this account only.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html

    Args:
        service: its principal, for example states.amazonaws.com.
    """
    return iam.ServicePrincipal(service, conditions={"StringEquals": {"aws:SourceAccount": stack.account}})


def shown_arn(stack: Stack, service: str, resource: str, *, account: str | None = None) -> str:
    """An ARN of the stack's Region as cdk-nag shows it.

    Args:
        account: another than the stack's: ``*``, or empty where ARNs name none.
    """
    known = {"Partition": stack.partition, "Region": stack.region, "AccountId": stack.account}
    shown = {name: f"<AWS::{name}>" if Token.is_unresolved(value) else value for name, value in known.items()}
    owner = shown["AccountId"] if account is None else account
    return f"arn:{shown['Partition']}:{service}:{shown['Region']}:{owner}:{resource}"


def _allow(role: iam.IRole, statement: iam.PolicyStatement, shown: str, reason: str) -> None:
    role.add_to_principal_policy(statement)
    Validations.of(role).acknowledge(Acknowledgment(id=f"AwsSolutions-IAM5[Resource::{shown}]", reason=reason))
