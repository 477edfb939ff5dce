"""The instances of a request, as EC2 Auto Scaling and EC2 show them; many are looked at together."""

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from custom_health_checks.checker.looks import SERVICES, Clients, Instance, ProbeError
from custom_health_checks.checker.request import Request
from custom_health_checks.checker.waiting import Member
from shared.faults import FAILED

logger = logging.getLogger(__name__)

T = TypeVar("T")
AT_ONCE = 32
"""So many instances are looked at together: 500 that do not answer for 15 s take four of the five minutes."""


class UnknownInstanceError(LookupError):
    """The group has an instance that EC2 does not show, or not yet."""


@dataclass(frozen=True)
class Rules:
    """What the stack has set.

    Attributes:
        group_prefix: what the name of the one group begins with.
        unhealthy_after: failed looks in a row after which an instance in service is set unhealthy; 0: never.
        failures_table: remembers them.
    """

    group_prefix: str
    hook_name: str
    checks: Sequence[Mapping[str, Any]]
    heartbeat: int
    longest: int
    warm_pool: bool
    unhealthy_after: int = 0
    failures_table: str = ""


@dataclass(frozen=True)
class Members:
    """The instances of a request, each once.

    Attributes:
        desired: how many of them the group is to have in service; 0 for a request that names instances.
    """

    found: Sequence[Member]
    desired: int = 0


def members_of(autoscaling: Any, rules: Rules, request: Request) -> Members:
    """Returns the instances of the request."""
    return _of_group(autoscaling, rules, request.group) if request.group else Members(_of_ids(autoscaling, request))


def _of_ids(autoscaling: Any, request: Request) -> list[Member]:
    pages = autoscaling.get_paginator("describe_auto_scaling_instances").paginate(
        InstanceIds=list(request.instance_ids)
    )
    return _each_once(
        Member(item["InstanceId"], item["AutoScalingGroupName"], item["LifecycleState"])
        for page in pages
        for item in page["AutoScalingInstances"]
    )


def _of_group(autoscaling: Any, rules: Rules, group: str) -> Members:
    """The instances of the group and of its warm pool, which the group itself does not list."""
    pages = autoscaling.get_paginator("describe_auto_scaling_groups").paginate(AutoScalingGroupNames=[group])
    groups = [one for page in pages for one in page["AutoScalingGroups"]]
    found = [item for one in groups for item in one["Instances"]]
    if rules.warm_pool:
        pages = autoscaling.get_paginator("describe_warm_pool").paginate(AutoScalingGroupName=group)
        found += [item for page in pages for item in page["Instances"]]
    members = _each_once(
        Member(item["InstanceId"], group, item["LifecycleState"], item.get("HealthStatus") != "Unhealthy")
        for item in found
    )
    return Members(members, max((one["DesiredCapacity"] for one in groups), default=0))


def _each_once(members: Iterable[Member]) -> list[Member]:
    return list({member.instance_id: member for member in members}.values())


def each(
    clients: Clients,
    rules: Rules,
    members: Sequence[Member],
    do: Callable[[Member], T],
    faults: list[str],
    now: datetime,
) -> Iterator[tuple[Member, T]]:
    """Does something about many instances together; what fails stops no other and is noted.

    Each sweep begins with others, so that the last ones get their turn even if the time is over before the end.
    """
    for service in {"autoscaling", "ec2", *(SERVICES[one["kind"]] for one in rules.checks)}:
        clients(service)  # made here: the threads share them, and making one is not safe in several
    first = int(now.timestamp()) // 60 * AT_ONCE % max(len(members), 1)
    ordered = [*members[first:], *members[:first]]
    with ThreadPoolExecutor(max_workers=AT_ONCE) as pool:
        for member, running in [(member, pool.submit(do, member)) for member in ordered]:
            try:
                yield member, running.result()
            except (*FAILED, ProbeError, UnknownInstanceError) as fault:
                logger.error("could not look", extra={"instance": member.instance_id, "error": str(fault)})
                faults.append(f"{member.instance_id}: {fault}")


def described(ec2: Any, instance_id: str) -> tuple[Instance, datetime]:
    """Returns an instance, and when it was started last: at its launch, or when it left the warm pool.

    Raises:
        UnknownInstanceError: when EC2 does not show it.
    """
    pages = ec2.get_paginator("describe_instances").paginate(InstanceIds=[instance_id])
    all_found = [item for page in pages for one in page["Reservations"] for item in one["Instances"]]
    if not all_found:
        raise UnknownInstanceError(f"EC2 does not show {instance_id}")
    found = all_found[0]
    tags = {tag["Key"]: tag["Value"] for tag in found.get("Tags", [])}
    return Instance(instance_id, found.get("PrivateIpAddress"), tags), found["LaunchTime"]
