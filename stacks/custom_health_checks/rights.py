"""What reading the checks needs, for whoever looks: the function or the instance itself."""

from aws_cdk import ArnFormat
from aws_cdk import aws_iam as iam

from stacks.custom_health_checks.checks import belongs_to_aws
from stacks.custom_health_checks.group import CheckedGroup
from stacks.custom_health_checks.settings import CustomHealthChecksSettings
from stacks.shared.auto_scaling import allow_on_own_groups
from stacks.shared.grants import allow_agent, allow_describing, allow_on_pattern, shown_arn
from stacks.shared.solution import SolutionStack


def let_look(
    stack: SolutionStack, role: iam.IRole, checked: CheckedGroup, settings: CustomHealthChecksSettings
) -> None:
    """Lets a role look through the checks, complete the launching hook of this group, and renew its time-out."""
    allow_on_own_groups(
        stack,
        role,
        "autoscaling:CompleteLifecycleAction",
        "autoscaling:RecordLifecycleActionHeartbeat",
        only=checked.group,
    )
    for check in settings.checks:
        if check.kind == "table":
            role.add_to_principal_policy(
                iam.PolicyStatement(
                    actions=["dynamodb:GetItem"],
                    resources=[stack.format_arn(service="dynamodb", resource="table", resource_name=check.table)],
                )
            )
        if check.kind == "ssm-document":
            _let_run(stack, role, checked, check.document)


def let_agent_work(role: iam.IRole, settings: CustomHealthChecksSettings) -> None:
    """Lets the SSM agent of an instance take commands, where a check is a document."""
    if settings.checks_of("ssm-document"):
        allow_agent(role)


def _let_run(stack: SolutionStack, role: iam.IRole, checked: CheckedGroup, document: str) -> None:
    account = "" if belongs_to_aws(document) else stack.account
    role.add_to_principal_policy(
        iam.PolicyStatement(
            actions=["ssm:SendCommand"],
            resources=[stack.format_arn(service="ssm", resource="document", resource_name=document, account=account)],
        )
    )
    instances = stack.format_arn(
        service="ec2", resource="instance", resource_name="*", arn_format=ArnFormat.SLASH_RESOURCE_NAME
    )
    allow_on_pattern(
        role,
        "ssm:SendCommand",
        arn=instances,
        shown=shown_arn(stack, "ec2", "instance/*"),
        reason="Instances come and go; a condition holds the command to those of the group.",
        conditions={"StringLike": {"ssm:resourceTag/aws:autoscaling:groupName": f"{checked.name_prefix}*"}},
    )
    allow_describing(role, "ssm:ListCommandInvocations")
