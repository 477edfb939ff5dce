"""The role by which EventBridge Scheduler starts a target, and leaves in a queue what it could not start."""

from aws_cdk import aws_iam as iam
from constructs import Construct

from stacks.shared.solution import SolutionStack


class SchedulerRole(iam.Role):
    """Assumed by the schedules of this account that are in no group of their own.

    Scheduler sends dead letters by the role of the schedule, so that it is the role which needs the key of an encrypted
    queue, and no statement for Scheduler in the key's policy would help
    (https://docs.aws.amazon.com/scheduler/latest/UserGuide/configuring-schedule-dlq.html). The CDK's targets allow the
    role to send, but not to use a key that is imported.
    """

    def __init__(self, stack: SolutionStack, scope: Construct, construct_id: str) -> None:
        group = stack.format_arn(service="scheduler", resource="schedule-group", resource_name="default")
        # As the CDK's own: https://docs.aws.amazon.com/scheduler/latest/UserGuide/cross-service-confused-deputy-prevention.html
        conditions = {"StringEquals": {"aws:SourceAccount": stack.account, "aws:SourceArn": group}}
        super().__init__(
            scope,
            construct_id,
            assumed_by=iam.ServicePrincipal("scheduler.amazonaws.com", conditions=conditions),
        )
        if stack.encryption_key:
            stack.encryption_key.grant(self, "kms:Decrypt", "kms:GenerateDataKey")
