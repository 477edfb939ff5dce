"""Schedules of EventBridge Scheduler, whose first run may come with the second in which they are made."""

from aws_cdk import Stack
from aws_cdk import aws_scheduler as scheduler
from constructs import IDependable

ROLE_OF_A_TARGET = "SchedulerRoleForTarget"
"""What the CDK calls the role that it makes for a target, in the stack and not in the schedule."""


def act_after_rights(schedule: scheduler.Schedule, *roles: IDependable) -> None:
    """Makes a schedule after the policies by which it acts: those of its own role, or of the one that the CDK made."""
    found = [child for child in Stack.of(schedule).node.children if child.node.id.startswith(ROLE_OF_A_TARGET)]
    schedule.node.add_dependency(*(roles or found))
