"""Which instances lose their protection, and how. No AWS in here."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

AT_ONCE = 50
"""Instances that one SetInstanceProtection takes
(https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_SetInstanceProtection.html)."""

_SETTLED = {"InService", "EnteringStandby", "Standby"}
_WAITING = {"Pending:Wait", "Warmed:Pending:Wait"}


@dataclass(frozen=True)
class Protected:
    """The ids of protected instances, by what can be done about them.

    Attributes:
        settled: in service or on standby: the protection can be taken away.
        waiting: held by the launching hook, and given up, whether EC2 Auto Scaling calls them protected already or not:
            SetInstanceProtection refuses them, and in service they would be protected.
        launching: on their way to one or the other.
    """

    settled: list[str]
    waiting: list[str]
    launching: list[str]


def protected(instances: Iterable[dict[str, Any]]) -> Protected:
    """Sorts the protected instances of a group. Those that are terminating have nothing to lose.

    "Instance scale-in protection starts when the instance state is InService":
    https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-instance-protection.html
    """
    found = [
        (item["InstanceId"], item["LifecycleState"])
        for item in instances
        if item.get("ProtectedFromScaleIn") or item["LifecycleState"] in _WAITING
    ]
    return Protected(
        settled=[name for name, state in found if state in _SETTLED],
        waiting=[name for name, state in found if state in _WAITING],
        launching=[name for name, state in found if state in ("Pending", "Pending:Proceed")],
    )


def batches(ids: list[str]) -> Iterator[list[str]]:
    """Yields the ids, as many at a time as one call takes."""
    for first in range(0, len(ids), AT_ONCE):
        yield ids[first : first + AT_ONCE]
