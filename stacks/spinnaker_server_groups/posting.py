"""The actions on Spinnaker's server groups, each one or more tasks in order."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from stacks.shared.command import CommandError
from stacks.spinnaker_server_groups.bodies import Bodies
from stacks.spinnaker_server_groups.gate import Gate, UnansweredError
from stacks.spinnaker_server_groups.task import GOES_ON, made_server_groups

Json = dict[str, Any]

ON_A_SERVER_GROUP = ("modify", "disable", "enable", "destroy")
ACTIONS = ("application", "load-balancer", "server-group", *ON_A_SERVER_GROUP, "clean-up")
CACHE_SECONDS, CACHE_POLL_SECONDS = 600.0, 10.0


@dataclass(frozen=True)
class Ended:
    """A task that has succeeded.

    Attributes:
        what: its description.
        task_id: its id.
        server_groups: names of those it has made.
    """

    what: str
    task_id: str
    server_groups: tuple[str, ...]


def bodies_for(action: str, bodies: Bodies, server_groups: list[str]) -> list[Json]:
    """The bodies of an action.

    Args:
        server_groups: for ``clean-up``, those that it destroys; for an action on one, that one.
    """
    if action == "clean-up":
        return bodies.clean_up(server_groups)
    if action in ON_A_SERVER_GROUP:
        (name,) = server_groups
        return [getattr(bodies, action)(name)]
    return [getattr(bodies, action.replace("-", "_"))()]


class Posting:
    """Posts bodies to a Gate and follows each to its end before the next.

    Args:
        seconds: longest wait for one task.
        told: called with each line of progress.
        wait: sleeps; tests pass their own.
    """

    def __init__(
        self,
        gate: Gate,
        bodies: Bodies,
        *,
        seconds: float,
        told: Callable[[str], None],
        wait: Callable[[float], None] = time.sleep,
    ) -> None:
        self._gate, self._bodies = gate, bodies
        self._seconds, self._told, self._wait = seconds, told, wait

    def one_after_the_other(self, requests: list[Json]) -> Iterator[Ended]:
        """Posts tasks until one fails."""
        for body in requests:
            yield self._through(body)

    def clean_up(self) -> Iterator[Ended]:
        """Destroys every server group, then deletes load balancer and application.

        Spinnaker refuses to delete an application while its cache knows a server group, so this waits for the cache.
        A server group elsewhere, which cannot be destroyed from here, stops the clean-up before it begins. So does a
        running task: it may make a server group that the cache does not know yet and that would be left over.

        Raises:
            CommandError: something stops it, or a task fails.
        """
        if under_way := self._under_way():
            raise CommandError(f"tasks of Spinnaker are still running: {under_way}; follow them to their end first")
        names = self.server_groups()
        *destroy, balancer, application = self._bodies.clean_up(names)
        yield from self.one_after_the_other(destroy)
        if names:
            self._until_forgotten()
        yield from self.one_after_the_other([balancer, application])

    def server_groups(self) -> list[str]:
        """Names of the application's server groups in the account and the Region.

        Raises:
            CommandError: it has some elsewhere.
        """
        application, account = self._bodies.settings.application, self._bodies.settings.account_name
        found = self._gate.get(f"/applications/{application}/serverGroups?cloudProvider=aws")
        if not isinstance(found, list):
            raise UnansweredError(f"{self._gate.address} answers with something that is not a list of server groups")
        here = (account, self._bodies.place.region)
        elsewhere = [group for group in found if (group.get("account"), group.get("region")) != here]
        if elsewhere:
            names = ", ".join(f"{g.get('name')} ({g.get('account')}, {g.get('region')})" for g in elsewhere)
            raise CommandError(f"{application} has server groups elsewhere: {names}; destroy these first, in Deck")
        return sorted(str(group["name"]) for group in found)

    def _under_way(self) -> str:
        application = self._bodies.settings.application
        found = self._gate.get(f"/applications/{application}/tasks?limit=20&statuses={','.join(sorted(GOES_ON))}")
        if not isinstance(found, list):
            raise UnansweredError(f"{self._gate.address} answers with something that is not a list of tasks")
        return ", ".join(f"{task.get('id')} ({task.get('name')}, {task.get('status')})" for task in found)

    def _through(self, body: Json) -> Ended:
        task_id = self._gate.post(body)
        self._told(f"{body['description']}: task {task_id}")
        task = self._gate.follow(task_id, seconds=self._seconds, told=lambda status: self._told(f"  {status}"))
        made = made_server_groups(task, self._bodies.place.region)
        return Ended(body["description"], task_id, tuple(made) if body["job"][0]["type"] == "createServerGroup" else ())

    def _until_forgotten(self) -> None:
        left = CACHE_SECONDS
        while names := self.server_groups():
            if left <= 0:
                raise CommandError(
                    f"Spinnaker's cache still knows {', '.join(names)} after {CACHE_SECONDS / 60:g} minutes, and "
                    "would not delete the application; run clean-up again later"
                )
            self._wait(CACHE_POLL_SECONDS)
            left -= CACHE_POLL_SECONDS
