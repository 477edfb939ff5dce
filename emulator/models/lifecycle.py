"""Lifecycle hooks of Auto Scaling groups (our model): who waits, for what, until when. No AWS and no clock in here.

Follows https://docs.aws.amazon.com/autoscaling/ec2/userguide/lifecycle-hooks-overview.html: a hook puts an instance
into ``Pending:Wait`` or ``Terminating:Wait``, where it "remains in a wait state until you either complete the lifecycle
action, or the timeout period ends"; "you can restart the timeout period by recording a heartbeat".
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field

# https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_LifecycleHook.html: "The maximum is 172800 seconds (48
# hours) or 100 times HeartbeatTimeout, whichever is smaller."
LONGEST_WAIT = 172_800
MOST_HEARTBEATS = 100

LAUNCHING = "autoscaling:EC2_INSTANCE_LAUNCHING"
TERMINATING = "autoscaling:EC2_INSTANCE_TERMINATING"


@dataclass(frozen=True)
class Hook:
    """A lifecycle hook as PutLifecycleHook describes it; times in seconds."""

    name: str
    transition: str
    heartbeat_timeout: int
    default_result: str

    @property
    def global_timeout(self) -> int:
        """The longest that heartbeats can stretch one wait."""
        return min(LONGEST_WAIT, MOST_HEARTBEATS * self.heartbeat_timeout)


@dataclass
class Action:
    """One hook that one instance waits for; times are epoch seconds."""

    hook: Hook
    token: str
    started: float
    deadline: float

    def heartbeat(self, now: float) -> None:
        """Starts the time-out anew, up to the hook's global time-out."""
        self.deadline = min(now + self.hook.heartbeat_timeout, self.started + self.hook.global_timeout)


@dataclass
class Wait:
    """An instance in a wait state: it proceeds when none of its actions is open any more.

    Attributes:
        transition: ``LAUNCHING`` or ``TERMINATING``.
        abandoned: some action ended with ABANDON; a launching instance is then terminated.
    """

    group: str
    instance_id: str
    transition: str
    actions: dict[str, Action] = field(default_factory=dict)
    abandoned: bool = False

    def complete(self, hook_name: str, result: str) -> None:
        """Ends one action with CONTINUE or ABANDON.

        "If the instance is terminating, both abandon and continue allow the instance to terminate. However, abandon
        stops any remaining actions, such as other lifecycle hooks, and continue allows any other lifecycle hooks to
        complete"; if it is launching, "abandon indicates that your custom actions were unsuccessful, and that Amazon
        EC2 Auto Scaling can terminate the instance"
        (https://docs.aws.amazon.com/autoscaling/ec2/userguide/completing-lifecycle-hooks.html).
        """
        self.actions.pop(hook_name, None)
        if result == "ABANDON":
            self.abandoned = True
            self.actions.clear()


class Waits:
    """All waiting instances of one account and Region."""

    def __init__(self) -> None:
        self._waits: dict[str, Wait] = {}

    def begin(self, group: str, instance_id: str, hooks: Sequence[Hook], now: float) -> list[Action]:
        """Lets an instance wait for *hooks* of one transition; returns the actions, to be announced with their tokens.

        What it waited for before is over: an instance that leaves while it was launching is not launching any more.
        """
        wait = Wait(group, instance_id, hooks[0].transition)
        for hook in hooks:
            wait.actions[hook.name] = Action(hook, str(uuid.uuid4()), now, now + hook.heartbeat_timeout)
        self._waits[instance_id] = wait
        return list(wait.actions.values())

    def action(self, group: str, hook_name: str, instance_id: str | None, token: str | None) -> tuple[Wait, Action]:
        """The open action that an instance id or a token names.

        Raises ``LookupError`` when there is none: the instance does not wait, or the action was completed or timed out.
        """
        for wait in self._waits.values():
            found = wait.actions.get(hook_name)
            if wait.group == group and found and (wait.instance_id == instance_id or (token and found.token == token)):
                return wait, found
        raise LookupError(f"No active Lifecycle Action found with instance ID {instance_id or token}")

    def expire(self, now: float) -> None:
        """Gives every action whose time is over its default result."""
        for wait in self._waits.values():
            for action in list(wait.actions.values()):
                if now >= action.deadline:
                    wait.complete(action.hook.name, action.hook.default_result)

    def age(self, seconds: float) -> None:
        """Moves the beginning and the end of every action into the past."""
        for wait in self._waits.values():
            for action in wait.actions.values():
                action.started -= seconds
                action.deadline -= seconds

    def finished(self) -> list[Wait]:
        """Takes out the waits that have no open action left."""
        done = [wait for wait in self._waits.values() if not wait.actions]
        for wait in done:
            del self._waits[wait.instance_id]
        return done

    def forget(self, instance_id: str) -> None:
        """The instance is gone."""
        self._waits.pop(instance_id, None)
