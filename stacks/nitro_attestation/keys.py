"""The attested keys, and the rule that reports their changes."""

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms

from stacks.nitro_attestation.key_policy import WATCHED, Principals, deploying_role, document
from stacks.nitro_attestation.key_settings import AttestedKey
from stacks.shared.alarms import Alarms
from stacks.shared.solution import SolutionStack


def attested_key(stack: SolutionStack, name: str, settings: AttestedKey, role: iam.Role) -> kms.CfnKey:
    """A separate key for each kind of document.

    It is not the CDK's Key, whose grant methods append statements without a condition and whose default policy gives
    the account everything.
    """
    deployer = deploying_role(
        settings, stack.common, partition=stack.partition, account=stack.account, region=stack.region
    )
    key = kms.CfnKey(
        stack,
        f"{name}Key",
        description=f"{stack.stack_name}: only measured software may use it ({name.lower()})",
        key_spec="SYMMETRIC_DEFAULT",
        key_usage="ENCRYPT_DECRYPT",
        origin="AWS_KMS",
        multi_region=False,
        enable_key_rotation=True,
        bypass_policy_lockout_safety_check=False,
        pending_window_in_days=settings.deletion_days,
        key_policy=document(
            settings.references(),
            [f"kms:{operation}" for operation in settings.operations],
            Principals(
                account=stack.format_arn(service="iam", region="", resource="root"),
                workloads=[role.role_arn, *settings.workload_arns],
                producers=settings.producer_arns,
                administrators=[deployer, *settings.administrator_arns],
            ),
        ),
    )
    # The principals of a key policy must exist: KMS refuses others as malformed.
    key.node.add_dependency(role)
    stack.output(f"{name}RoleArn", role.role_arn, "Role of the measured software")
    stack.output(f"{name}KeyArn", key.attr_arn, "Key to encrypt with; only measured software can decrypt")
    return key


def tell_of_changes(stack: SolutionStack, name: str, key: kms.CfnKey, alarms: Alarms) -> None:
    """Sends a message for each call that changes the key or tries to. It needs a trail, like every CloudTrail event."""
    rule = events.Rule(
        stack,
        f"{name}KeyChanges",
        description="Reports calls that change an attested key",
        event_pattern=events.EventPattern(
            detail_type=["AWS API Call via CloudTrail"],
            detail={
                "eventSource": ["kms.amazonaws.com"],
                "eventName": list(WATCHED),
                "resources": {"ARN": [key.attr_arn]},
            },
        ),
    )
    at = events.EventField.from_path
    sentence = (
        f"{at('$.detail.userIdentity.arn')} called {at('$.detail.eventName')} on the attested key "
        f"{key.attr_arn} at {at('$.detail.eventTime')} (error: {at('$.detail.errorCode')})"
    )
    alarms.hear(rule, sentence, about="KeyChanges")
    failed = cloudwatch.Metric(
        namespace="AWS/Events",
        metric_name="FailedInvocations",
        dimensions_map={"RuleName": rule.rule_name},
        statistic=cloudwatch.Stats.SUM,
        period=Duration.minutes(5),
    )
    says = "A change of an attested key could not be reported"
    alarms.when_above(f"{name}Untold", failed, 0, says=says, about="Untold")
