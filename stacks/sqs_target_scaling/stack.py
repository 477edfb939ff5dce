"""Workers behind an SQS queue that scale so that every message is done within an acceptable latency.

Post: https://aws.amazon.com/blogs/compute/scaling-an-asg-using-target-tracking-with-a-dynamic-sqs-target/
"""

from aws_cdk import Duration, Fn
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from config.models import CommonSettings
from stacks.series import Solution
from stacks.shared.alarms import Alarms, runs_of
from stacks.shared.python_function import PythonFunction
from stacks.shared.queue import QueueWithDeadLetters
from stacks.shared.solution import SolutionStack
from stacks.shared.table import Table
from stacks.sqs_target_scaling.dashboard import QueueDashboard
from stacks.sqs_target_scaling.demand import Demand
from stacks.sqs_target_scaling.dynamic_target import DynamicTarget
from stacks.sqs_target_scaling.metric_math import MetricMath
from stacks.sqs_target_scaling.metrics import QueueMetrics
from stacks.sqs_target_scaling.settings import HEARTBEATS_VISIBLE, SqsTargetScalingSettings
from stacks.sqs_target_scaling.workers import Workers

ROUNDS_OF_SILENCE = 10
WEEK_MINUTES = 7 * 24 * 60
"""What an alarm looks back at most: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html."""


class SqsTargetScalingStack(SolutionStack):
    """Queue -> workers -> results, and the strategy that decides how many workers there are."""

    def __init__(
        self, scope: Construct, solution: Solution, common: CommonSettings, settings: SqsTargetScalingSettings
    ) -> None:
        super().__init__(scope, solution, common)
        work = QueueWithDeadLetters(
            self,
            "Work",
            visibility_seconds=HEARTBEATS_VISIBLE * settings.heartbeat_seconds,
            max_receives=settings.max_receives,
        )
        results = Table(self, self, "Results", key="message_id", expires="expires_at")
        workers = Workers(self, "Workers", settings, queue=work.queue, results=results)
        metrics = QueueMetrics(settings.metric_namespace, queue=work.queue, group=workers.group)
        testing = self._testing_function(settings, work)

        strategy: DynamicTarget | Demand | MetricMath
        if settings.strategy == "dynamic-target":
            strategy = DynamicTarget(self, "DynamicTarget", settings, metrics, queue=work.queue, group=workers.group)
        elif settings.strategy == "demand":
            strategy = Demand(self, "Demand", settings, metrics, queue=work.queue, group=workers.group)
        else:
            strategy = MetricMath(self, "MetricMath", settings, metrics, group=workers.group)

        alarms = self._alarms(settings, metrics, work, [testing, *strategy.functions])
        for function, minutes in strategy.functions.items():
            alarms.when_silent(
                f"{function.node.id}Silent",
                runs_of(function, Duration.minutes(minutes)),
                rounds=min(ROUNDS_OF_SILENCE, WEEK_MINUTES // minutes),
                says=f"The function {function.node.id} has not run for a while, and the group scales badly",
                about="FunctionSilent",
            )
        dashboard = QueueDashboard(
            self,
            "Dashboard",
            metrics,
            latency_seconds=settings.acceptable_latency_seconds,
            scaling=strategy.graph,
        )
        self._outputs(settings, work, workers, testing, dashboard)

    def _testing_function(self, settings: SqsTargetScalingSettings, work: QueueWithDeadLetters) -> PythonFunction:
        testing = PythonFunction(
            self,
            "Testing",
            handler="testing",
            description="Sends messages with a processing duration of your choice",
            environment={
                "QUEUE_URL": work.queue.queue_url,
                "MESSAGE_COUNT": str(settings.test_messages),
                "DURATION_SECONDS": str(settings.test_duration_seconds),
            },
            timeout_seconds=300,
        )
        work.queue.grants.actions(testing, ["sqs:SendMessage"], key_actions=["kms:Decrypt", "kms:GenerateDataKey"])
        return testing

    def _alarms(
        self,
        settings: SqsTargetScalingSettings,
        metrics: QueueMetrics,
        work: QueueWithDeadLetters,
        functions: list[lambda_.Function],
    ) -> Alarms:
        alarms = Alarms(self, "Alarms")
        alarms.when_above(
            "DeadLetters", metrics.dead_letters(work.dead_letters), 0, says="Messages are in the dead-letter queue"
        )
        alarms.when_above(
            "Latency",
            metrics.oldest_message,
            settings.acceptable_latency_seconds,
            says=f"The oldest message waits longer than {settings.acceptable_latency_seconds} s",
            minutes=3,
        )
        alarms.on_errors(*functions)
        return alarms

    def _outputs(
        self,
        settings: SqsTargetScalingSettings,
        work: QueueWithDeadLetters,
        workers: Workers,
        testing: lambda_.Function,
        dashboard: QueueDashboard,
    ) -> None:
        payload = f'{{"messages": {settings.test_messages}, "duration_seconds": {settings.test_duration_seconds}}}'
        self.output("QueueUrl", work.queue.queue_url, "Send work here")
        self.output("DeadLettersUrl", work.dead_letters.queue_url, "Dead-letter queue")
        self.output("GroupName", workers.group.auto_scaling_group_name, "Auto Scaling group of the workers")
        self.output("TestingFunction", testing.function_name, "Sends test messages")
        self.output("DashboardUrl", dashboard.url, "Backlog, instances, durations and latency through time")
        self.output(
            "StartTest",
            Fn.join(
                "",
                [
                    f"aws lambda invoke --region {self.region} --function-name {testing.function_name} ",
                    f"--cli-binary-format raw-in-base64-out --payload '{payload}' /dev/stdout",
                ],
            ),
            "Starts a test with AWS CLI version 2",
        )
