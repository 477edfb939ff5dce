"""What happens when EC2 reclaims an instance: two functions, the rules that call them, and the delay in between."""

from aws_cdk import Duration
from aws_cdk import aws_autoscaling as autoscaling
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from stacks.shared.auto_scaling import allow_on_group
from stacks.shared.grants import allow_describing, allow_metrics
from stacks.shared.python_function import PythonFunction
from stacks.shared.queue import QueueWithDeadLetters, read_by
from stacks.shared.solution import SolutionStack
from stacks.shared.table import Table
from stacks.spot_asg.group import LEAVE_HOOK
from stacks.spot_asg.settings import SpotAsgSettings

TERMINATION_SECONDS = 30
RECEIVES = 5


class Interruptions(Construct):
    """Notices -> target groups and metrics, at once; terminations -> the hook, once the instance has had its time.

    Attributes:
        functions: Notices and Termination.
        lost: the queue of the events that no function could take.
    """

    def __init__(
        self,
        scope: SolutionStack,
        construct_id: str,
        settings: SpotAsgSettings,
        *,
        group: autoscaling.AutoScalingGroup,
        target_group_arns: list[str],
    ) -> None:
        super().__init__(scope, construct_id)
        self._group = group
        leaving = QueueWithDeadLetters(
            scope,
            "Leaving",
            visibility_seconds=6 * TERMINATION_SECONDS,  # as Lambda advises
            max_receives=RECEIVES,
            delay_seconds=settings.leave_seconds,
        )
        self.lost = leaving.dead_letters
        self.functions: list[lambda_.Function] = [
            self._notices(scope, settings, target_group_arns),
            self._termination(scope, settings, leaving),
        ]

    def _notices(self, scope: SolutionStack, settings: SpotAsgSettings, target_group_arns: list[str]) -> PythonFunction:
        # Remembers which notices were counted, so that one that comes twice counts once.
        table = Table(scope, scope, "Taken", key="notice", expires="expires_at")
        notices = PythonFunction(
            scope,
            "Notices",
            handler="notices",
            description="Deregisters instances that EC2 interrupts, and counts its notices",
            environment={
                "GROUP_NAME": self._group.auto_scaling_group_name,
                "NOTICES_TABLE": table.table_name,
                "METRIC_NAMESPACE": settings.metric_namespace,
            },
            timeout_seconds=60,
        )
        role = notices.own_role
        allow_describing(role, "autoscaling:DescribeAutoScalingGroups")
        if target_group_arns:
            actions = ["elasticloadbalancing:DeregisterTargets"]
            role.add_to_policy(iam.PolicyStatement(actions=actions, resources=target_group_arns))
        table.allow(role, "dynamodb:GetItem", "dynamodb:PutItem")
        allow_metrics(role, settings.metric_namespace)
        # SqsDestination would grant kms:GenerateDataKey* and kms:ReEncrypt*.
        self.lost.grants.actions(role, ["sqs:SendMessage"], key_actions=["kms:Decrypt", "kms:GenerateDataKey"])
        lambda_.CfnEventInvokeConfig(
            self,
            "NoticesRetries",
            function_name=notices.function_name,
            qualifier="$LATEST",
            maximum_retry_attempts=2,
            destination_config=lambda_.CfnEventInvokeConfig.DestinationConfigProperty(
                on_failure=lambda_.CfnEventInvokeConfig.OnFailureProperty(destination=self.lost.queue_arn)
            ),
        )
        events.Rule(
            self,
            "SpotNotices",
            description="Every Spot notice of the Region; the function knows its own group's instances",
            event_pattern=events.EventPattern(
                source=["aws.ec2"],
                detail_type=["EC2 Spot Instance Interruption Warning", "EC2 Instance Rebalance Recommendation"],
            ),
            targets=[targets.LambdaFunction(notices, dead_letter_queue=self.lost, max_event_age=Duration.hours(1))],
        )
        return notices

    def _termination(
        self, scope: SolutionStack, settings: SpotAsgSettings, leaving: QueueWithDeadLetters
    ) -> PythonFunction:
        names = {
            "GROUP_NAME": self._group.auto_scaling_group_name,
            "HOOK_NAME": LEAVE_HOOK,
            "METRIC_NAMESPACE": settings.metric_namespace,
        }
        termination = PythonFunction(
            scope,
            "Termination",
            handler="termination",
            description="Completes the hook of instances that had their time to leave; counts short lives",
            environment=names,
            timeout_seconds=TERMINATION_SECONDS,
        )
        allow_on_group(scope, termination.own_role, self._group, "autoscaling:CompleteLifecycleAction")
        allow_describing(termination.own_role, "ec2:DescribeInstances")
        allow_metrics(termination.own_role, settings.metric_namespace)
        read_by(termination, leaving.queue, batch_size=10, report_batch_item_failures=True)
        events.Rule(
            self,
            "Terminations",
            description="Instances of the group that wait in their terminating hook",
            event_pattern=events.EventPattern(
                source=["aws.autoscaling"],
                detail_type=["EC2 Instance-terminate Lifecycle Action"],
                detail={"AutoScalingGroupName": [names["GROUP_NAME"]], "LifecycleHookName": [LEAVE_HOOK]},
            ),
            targets=[targets.SqsQueue(leaving.queue, dead_letter_queue=self.lost)],
        )
        events.Rule(
            self,
            "Endings",
            description="Instances that the group has terminated, however they came to it",
            event_pattern=events.EventPattern(
                source=["aws.autoscaling"],
                detail_type=["EC2 Instance Terminate Successful"],
                detail={"AutoScalingGroupName": [names["GROUP_NAME"]]},
            ),
            targets=[targets.SqsQueue(leaving.queue, dead_letter_queue=self.lost)],
        )
        return termination
