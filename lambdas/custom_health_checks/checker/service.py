"""Instances in service whose checks do not pass any more, and which of them is replaced. No AWS in here.

https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-health-checks.html
"""

from collections.abc import Mapping, Sequence

from custom_health_checks.checker.verdict import Verdict

IN_SERVICE = "InService"
SETTLED = {IN_SERVICE, "Standby", "EnteringStandby", "Warmed:Stopped", "Warmed:Running", "Warmed:Hibernated"}
"""States in which no instance of the group is on its way in or out."""


def fails(verdict: Verdict) -> bool:
    """Whether a look at an instance in service counts against it: whatever let it in holds no more."""
    return verdict is not Verdict.PASSED


def to_replace(failures: Mapping[str, int], most: int, *, states: Sequence[str], desired: int) -> str | None:
    """Returns the instance that is set unhealthy now, None for none.

    One at a time, and only while the whole group is settled and complete: where all fail at once, it is more likely the
    check, and replacing everything would help nobody. Then no successor passes its checks either, and in the pause
    between two of them, which EC2 Auto Scaling makes longer where hooks fail consistently, the group is settled, but
    smaller than desired (https://docs.aws.amazon.com/autoscaling/ec2/userguide/lifecycle-hooks.html).

    Args:
        failures: failed looks in a row of the instances in service.
        most: so many give an instance up.
        states: of each member of the group.
        desired: how many members the group is to have in service.
    """
    if not set(states) <= SETTLED or states.count(IN_SERVICE) < desired:
        return None
    worst = max(failures, key=lambda name: (failures[name], name), default=None)
    return worst if worst is not None and failures[worst] >= most else None
