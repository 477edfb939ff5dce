"""Instances that were given up, and how to tell that none passes."""

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_events as events
from constructs import Construct

from stacks.custom_health_checks.group import CheckedGroup
from stacks.custom_health_checks.settings import CustomHealthChecksSettings
from stacks.shared.queue import UnreadQueue
from stacks.shared.solution import SolutionStack

MOST_MINUTES = 1440  # of a metric's period
SLACK_MINUTES = 5  # for the launch itself


class GivenUp(Construct):
    """A rule on launches that did not succeed, and a queue that keeps their events, with the reasons, for two weeks.

    A rule counts what it has matched only if it has a target:
    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-monitoring.html

    Attributes:
        rule: the rule.
    """

    def __init__(self, scope: SolutionStack, construct_id: str, checked: CheckedGroup) -> None:
        super().__init__(scope, construct_id)
        queue = UnreadQueue(scope, self, "Launches")
        self.rule = events.CfnRule(
            self,
            "Rule",
            description="An instance of the group was given up at its launch",
            # https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-event-reference.html
            event_pattern={
                "source": ["aws.autoscaling"],
                "detail-type": ["EC2 Instance Launch Unsuccessful"],
                "detail": {"AutoScalingGroupName": [{"prefix": checked.name_prefix}]},
            },
            targets=[{"arn": queue.queue_arn, "id": "Launches"}],
        )
        queue.let_rules_send(self.rule.attr_arn)


def never_passed(
    settings: CustomHealthChecksSettings, checked: CheckedGroup, given_up: events.CfnRule
) -> cloudwatch.MathExpression:
    """1 if for longer than an instance may wait the group was too small, and launches failed.

    Either alone says little: a rolling update is smaller for long, and one instance may be given up. The waiting ones
    cannot be counted: between one that is given up and the next there is none.
    """
    minutes = min(-(-settings.longest_wait // 60) + SLACK_MINUTES, MOST_MINUTES)
    period = Duration.minutes(minutes)

    def of_group(name: str, statistic: str) -> cloudwatch.Metric:
        return cloudwatch.Metric(
            namespace="AWS/AutoScaling",
            metric_name=name,
            dimensions_map={"AutoScalingGroupName": checked.group.auto_scaling_group_name},
            statistic=statistic,
            period=period,
        )

    failed = cloudwatch.Metric(
        namespace="AWS/Events",
        metric_name="TriggeredRules",
        dimensions_map={"RuleName": given_up.ref},
        statistic=cloudwatch.Stats.SUM,
        period=period,
    )
    least, most = cloudwatch.Stats.MINIMUM, cloudwatch.Stats.MAXIMUM
    used = {
        "failed": failed,
        "wanted": of_group("GroupDesiredCapacity", least),
        "serving": of_group("GroupInServiceInstances", most),
    }
    smaller = "wanted > serving"
    if settings.warm_pool:
        used |= {
            "pool": of_group("WarmPoolDesiredCapacity", least),
            "warmed": of_group("WarmPoolWarmedCapacity", most),
        }
        smaller = f"({smaller} OR FILL(pool, 0) > FILL(warmed, 0))"
    return cloudwatch.MathExpression(
        expression=f"IF(FILL(failed, 0) > 0 AND {smaller}, 1, 0)",
        label="launches failed, and none passed",
        using_metrics=dict(used),
        period=period,
    )
