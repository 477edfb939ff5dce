"""Which instances wait, and what is done about each. No AWS in here.

https://docs.aws.amazon.com/autoscaling/ec2/userguide/lifecycle-hooks-overview.html and, for the warm pool,
https://docs.aws.amazon.com/autoscaling/ec2/userguide/warm-pool-instance-lifecycle.html: an instance that goes through a
warm pool waits for a launching hook twice, first in Warmed:Pending:Wait and, started again, in Pending:Wait.
"""

from dataclasses import dataclass
from enum import StrEnum

from custom_health_checks.checker.verdict import Verdict

WAITS = {"Pending:Wait", "Warmed:Pending:Wait"}
"""The lifecycle states in which a launching hook holds an instance."""

LOOK_SECONDS = 60
"""So often the schedule looks at every instance that waits."""


class Action(StrEnum):
    """What the function does about an instance; the first two are results of CompleteLifecycleAction."""

    CONTINUE = "CONTINUE"
    ABANDON = "ABANDON"
    HEARTBEAT = "heartbeat"
    NOTHING = "nothing"


@dataclass(frozen=True)
class Member:
    """An instance of a group, in the state that EC2 Auto Scaling says it is in."""

    instance_id: str
    group: str
    state: str
    is_healthy: bool = True

    def waits_in(self, group_prefix: str) -> bool:
        """Whether a launching hook of one of our groups holds it now."""
        return self.group.startswith(group_prefix) and self.state in WAITS


def action_for(verdict: Verdict, *, waited: float, heartbeat: int, longest: int) -> Action:
    """Returns what to do about an instance that waits.

    Args:
        waited: seconds since its start.
        heartbeat: seconds that a heartbeat renews.
        longest: seconds that it may wait in all; no heartbeat is sent whose time would end after that.
    """
    if verdict is Verdict.PASSED:
        return Action.CONTINUE
    if verdict is Verdict.FAILED:
        return Action.ABANDON
    # One heartbeat in every half of the time-out is enough, so that one may be lost; two looks fall into the window.
    due = waited % (heartbeat / 2) < 2 * LOOK_SECONDS
    wanted = longest > heartbeat and waited <= longest - heartbeat
    return Action.HEARTBEAT if due and wanted else Action.NOTHING
