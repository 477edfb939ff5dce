"""How much work waits for each instance. No AWS in here.

The post's equation (2), https://aws.amazon.com/blogs/compute/scaling-an-asg-using-target-tracking-with-a-dynamic-sqs-target/,
completed for a group with nothing in service.
"""

from collections.abc import Iterable

IN_SERVICE = "InService"
"""The one lifecycle state in which an instance takes messages: those that start, stand by or drain do not count
(https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-lifecycle.html)."""


def in_service(lifecycle_states: Iterable[str]) -> int:
    """Returns how many instances of a group take messages, from the lifecycle state of each."""
    return sum(state == IN_SERVICE for state in lifecycle_states)


def backlog_per_instance(visible: int, in_service: int) -> float:
    """Returns the BPI: messages that wait for one instance (unit: messages per instance).

    Args:
        visible: messages that can be received now; those in flight are somebody's work already.
        in_service: instances in service. With none the backlog counts as that of one: the metric stays a number, and
            grows with the queue, where a division by zero would leave the policy without data.

    Raises:
        ValueError: when a count is negative.
    """
    _refuse_negative(visible, in_service)
    return visible / max(in_service, 1)


def backlog_without_instances(visible: int, in_service: int) -> int:
    """Returns the messages that nobody is there to take (unit: messages); 0 as soon as one instance is in service.

    A step policy leaves zero instances by it: no document promises that target tracking does.

    Raises:
        ValueError: when a count is negative.
    """
    _refuse_negative(visible, in_service)
    return 0 if in_service else visible


def _refuse_negative(visible: int, in_service: int) -> None:
    if visible < 0 or in_service < 0:
        raise ValueError(f"counts are not negative: visible={visible}, in_service={in_service}")
