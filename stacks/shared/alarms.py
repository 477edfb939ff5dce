"""Alarms that say what to do, to one topic."""

from typing import Required, TypedDict, Unpack, cast

from aws_cdk import Acknowledgment, ArnFormat, Duration, Validations
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from stacks.shared.solution import SolutionStack

_ABOVE = cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD
_BELOW = cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD


class AlarmWords(TypedDict, total=False):
    """What an alarm says, and after how many data points.

    Attributes:
        says: what has happened; the README has a section ``Alarm: <construct id in words>`` that says what to do.
        minutes: data points in a row that ring the alarm, 1 unless given; minutes where the metric's period is one.
        about: names that section instead of the construct id, where several alarms share it.
    """

    says: Required[str]
    minutes: int
    about: str | None


def errors_of(function: lambda_.IFunction, minutes: int = 1) -> cloudwatch.Metric:
    """How often a function has failed in a minute, or in several."""
    return function.metric_errors(period=Duration.minutes(minutes), statistic=cloudwatch.Stats.SUM)


def runs_of(function: lambda_.IFunction, period: Duration) -> cloudwatch.Metric:
    """How often a function has run in a period: the sign of life of one that a schedule starts."""
    return function.metric_invocations(period=period, statistic=cloudwatch.Stats.SUM)


def waiting_in(queue: sqs.IQueue) -> cloudwatch.Metric:
    """The most messages that have waited in a queue within a minute."""
    return queue.metric_approximate_number_of_messages_visible(
        period=Duration.minutes(1), statistic=cloudwatch.Stats.MAXIMUM
    )


def published(namespace: str, name: str, *, by: tuple[str, str], period: Duration) -> cloudwatch.Metric:
    """The largest value of a metric that a function publishes, under its one dimension."""
    dimension, value = by
    return cloudwatch.Metric(
        namespace=namespace,
        metric_name=name,
        dimensions_map={dimension: value},
        statistic=cloudwatch.Stats.MAXIMUM,
        period=period,
    )


class Alarms(Construct):
    """The stack's alarms and the topic that hears them: the one of ``common.alarm_topic_arn`` or a new one.

    A new topic is named in the output ``AlarmTopicArn``.
    """

    def __init__(self, scope: SolutionStack, construct_id: str) -> None:
        super().__init__(scope, construct_id)
        self._stack = scope
        arn = scope.common.alarm_topic_arn
        self.topic: sns.ITopic
        if arn:
            self.topic = sns.Topic.from_topic_arn(self, "Topic", arn)
        else:
            self.topic = sns.Topic(self, "Topic", enforce_ssl=True, master_key=scope.encryption_key)
            self._let_alarms_publish(scope)
            scope.output("AlarmTopicArn", self.topic.topic_arn, "Subscribe here to hear the alarms")

    def _let_alarms_publish(self, stack: SolutionStack) -> None:
        """Allows what the default policy of a topic allows, and which the one that insists on TLS replaces.

        https://docs.aws.amazon.com/sns/latest/dg/sns-access-policy-use-cases.html
        """
        # CloudFormation begins an alarm's name with the stack's, of which it cuts off nothing below half of the 255
        # characters, but makes one hyphen of two
        # (https://github.com/aws-cloudformation/cloudformation-cli-python-plugin, identifier_utils.py).
        named = f"{stack.stack_name.replace('--', '*')}-*"
        alarms = stack.format_arn(
            service="cloudwatch", resource="alarm", resource_name=named, arn_format=ArnFormat.COLON_RESOURCE_NAME
        )
        self.topic.add_to_resource_policy(
            iam.PolicyStatement(
                sid="AlarmsPublish",
                principals=[iam.ServicePrincipal("cloudwatch.amazonaws.com")],
                actions=["sns:Publish"],
                resources=[self.topic.topic_arn],
                conditions={
                    "StringEquals": {"aws:SourceAccount": stack.account},
                    "ArnLike": {"aws:SourceArn": alarms},
                },
            )
        )

    def when_above(
        self, construct_id: str, metric: cloudwatch.IMetric, threshold: float, **words: Unpack[AlarmWords]
    ) -> cloudwatch.Alarm:
        """Alarms when data points are above the threshold; missing data is no alarm."""
        return self._alarm(construct_id, metric, threshold, _ABOVE, **words)

    def when_below(
        self, construct_id: str, metric: cloudwatch.IMetric, threshold: float, **words: Unpack[AlarmWords]
    ) -> cloudwatch.Alarm:
        """Alarms when data points are below the threshold; missing data is no alarm."""
        return self._alarm(construct_id, metric, threshold, _BELOW, **words)

    def when_silent(
        self, construct_id: str, metric: cloudwatch.Metric, *, says: str, rounds: int, about: str | None = None
    ) -> cloudwatch.Alarm:
        """Alarms after so many periods without a data point, or with 0: for what a schedule does.

        A missing period counts as 0: of a disabled rule, or of a function that is throttled. FILL gives nothing before
        the first point, and once the last one is too old; the alarm then stays as it is, and so is silent until then.
        https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html

        Args:
            rounds: at most a week of periods, and a day of those below an hour
                (https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html).
        """
        filled = cloudwatch.MathExpression(
            expression="FILL(seen, 0)", using_metrics={"seen": metric}, period=metric.period
        )
        alarm = self.when_below(construct_id, filled, 1, says=says, minutes=rounds, about=about)
        cast(cloudwatch.CfnAlarm, alarm.node.default_child).treat_missing_data = "ignore"
        return alarm

    def hear(self, rule: events.Rule, sentence: str, *, about: str) -> None:
        """Sends the topic a sentence for each event of a rule.

        The topic's policy allows it, without a condition and without a role, as AWS asks for topics of the account
        (https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-resource-based.html); that of a topic of yours
        is not ours to change. One of another account takes a role, which is not made here: settings that need this
        refuse such a topic (``CommonSettings.topic_of_others``), and ``check`` looks (``preflight.topic_of_rules``).

        Args:
            about: names the section of the README that says what to do, as the construct id of an alarm does.
        """
        told = events.RuleTargetInput.from_text(f"{sentence}. {self._what_to_do(about)}")
        rule.add_target(targets.SnsTopic(self.topic, message=told))
        common = self._stack.common
        if common.alarm_topic_arn and not (common.account and common.region):
            Validations.of(rule).acknowledge(
                Acknowledgment(
                    id="Annotation::@aws-cdk/aws-events:ruleUnresolvedEnvironment",
                    reason="Whether the topic is of the account and Region of the deployment, without which no event "
                    "reaches it, check looks.",
                )
            )

    def _what_to_do(self, about: str) -> str:
        words = "".join(f"-{letter.lower()}" if letter.isupper() else letter for letter in about)
        return f"What to do: {self._stack.runbook(f'alarm{words}')}"

    def on_errors(self, *functions: lambda_.IFunction) -> None:
        """Alarms as soon as one of the functions fails; each has its section ``Alarm: <function> errors``."""
        for function in functions:
            name = function.node.id
            self.when_above(f"{name}Errors", errors_of(function), 0, says=f"The function {name} has failed")

    def _alarm(
        self,
        construct_id: str,
        metric: cloudwatch.IMetric,
        threshold: float,
        operator: cloudwatch.ComparisonOperator,
        *,
        says: str,
        minutes: int = 1,
        about: str | None = None,
    ) -> cloudwatch.Alarm:
        alarm = cloudwatch.Alarm(
            self,
            construct_id,
            metric=metric,
            threshold=threshold,
            comparison_operator=operator,
            evaluation_periods=minutes,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
            alarm_description=f"{says}. {self._what_to_do(about or construct_id)}",
        )
        alarm.add_alarm_action(actions.SnsAction(self.topic))
        return alarm
