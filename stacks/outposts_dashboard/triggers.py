"""What starts a refresh: changed tags, instances and groups that change, and a schedule."""

from math import ceil

from aws_cdk import Duration
from aws_cdk import aws_events as events
from aws_cdk import aws_scheduler as scheduler
from constructs import Construct, IDependable

from stacks.outposts_dashboard.settings import OutpostsDashboardSettings

MINUTES_OF_A_DAY = 1_440
DAYS_OF_AN_ALARM = 7
"""How far an alarm can look back, by periods of a day at most
(https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html)."""


def silence(refresh_minutes: int) -> tuple[Duration, int]:
    """Period and number of periods without a refresh after which the schedule counts as broken: three rounds of it."""
    minutes = min(refresh_minutes, MINUTES_OF_A_DAY)
    return Duration.minutes(minutes), min(ceil(refresh_minutes / minutes) + 2, DAYS_OF_AN_ALARM)


class Triggers(Construct):
    """The rules and the schedule.

    Args:
        target: what a rule starts.
        scheduled: what the schedule starts.
        tags_only: whether the post's rule is all there is: a pipeline takes minutes, and instances that a group starts
            with the tag change tags too.
        commits: of a source that starts the pipeline by no means of its own: the event of a pushed change.
        role: by which the schedule acts.
        after: what must be there before anything is started, and is deleted only after that cannot happen any more.

    Attributes:
        rules: all of them, the post's first, on changed tags.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        settings: OutpostsDashboardSettings,
        *,
        target: events.IRuleTarget,
        scheduled: scheduler.IScheduleTarget,
        tags_only: bool,
        commits: events.EventPattern | None = None,
        role: IDependable,
        after: IDependable,
    ) -> None:
        super().__init__(scope, construct_id)
        patterns: list[tuple[str, str, events.EventPattern]] = [
            (
                # https://docs.aws.amazon.com/tag-editor/latest/userguide/tag-monitor.html
                "Tags",
                "The tag of a resource has been set, changed or removed",
                events.EventPattern(
                    source=["aws.tag"],
                    detail_type=["Tag Change on Resource"],
                    detail={"changed-tag-keys": [settings.tag_name]},
                ),
            ),
        ]
        if not tags_only:
            patterns += [
                (
                    # https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instance-state-change-notifications.html
                    "Instances",
                    "An instance has started, stopped or been terminated; the event contains no tags",
                    events.EventPattern(
                        source=["aws.ec2"],
                        detail_type=["EC2 Instance State-change Notification"],
                        detail={"state": ["running", "stopped", "terminated"]},
                    ),
                ),
                (
                    # https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-event-reference.html
                    "Scaling",
                    "A group has more or fewer instances",
                    events.EventPattern(
                        source=["aws.autoscaling"],
                        detail_type=["EC2 Instance Launch Successful", "EC2 Instance Terminate Successful"],
                    ),
                ),
            ]
        if commits:
            patterns.append(("Commits", "The branch of the source has changed", commits))
        self.rules = [
            events.Rule(self, name, description=description, event_pattern=pattern, targets=[target])
            for name, description, pattern in patterns
        ]
        for rule in self.rules:
            rule.node.add_dependency(after)
        schedule = scheduler.Schedule(
            self,
            "Schedule",
            description="For changes without events: Outposts, their types, group metrics",
            schedule=scheduler.ScheduleExpression.rate(Duration.minutes(settings.refresh_minutes)),
            target=scheduled,
        )
        schedule.node.add_dependency(after)
        schedule.node.add_dependency(role)  # its policy too: the first run may come at once
