"""EventBridge -> EC2 Auto Scaling: completes the launching hook of an instance whose checks have passed or failed.

If it is asked to, the schedule also looks at the instances in service, and sets one unhealthy whose checks have failed
so many times in a row; a table remembers how often.

Three events say that an instance may be ready: its hook begins to wait, a tag of it changes, a minute has passed. Each
of them may come first, twice, late or never. So none is believed: every one leads to the same look at what is now, and
only an instance that waits is judged. A hook can be completed once; who comes second is told so by EC2 Auto Scaling.
"""

import json
import logging
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from custom_health_checks.checker.looks import LOOKS, SERVICES, Clients, Instance, ProbeError
from custom_health_checks.checker.request import Request, request_of
from custom_health_checks.checker.service import IN_SERVICE, fails, to_replace
from custom_health_checks.checker.verdict import Verdict, together
from custom_health_checks.checker.waiting import Action, Member, action_for
from shared.aws import client

logger = logging.getLogger(__name__)


T = TypeVar("T")
AT_ONCE = 32
"""So many instances are looked at together: 500 that do not answer for 15 s take four of the five minutes."""
FORGOTTEN_AFTER = 86_400  # seconds; the table forgets what is not looked at any more


class UnknownInstanceError(LookupError):
    """The group has an instance that EC2 does not show, or not yet."""


class LookError(RuntimeError):
    """Some instances could not be looked at; the others were."""


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


def lambda_handler(event: Any, context: Any) -> dict[str, list[str]]:
    """Looks where the event says, by the rules of the environment."""
    rules = Rules(
        group_prefix=os.environ["GROUP_PREFIX"],
        hook_name=os.environ["HOOK_NAME"],
        checks=json.loads(os.environ["CHECKS"]),
        heartbeat=int(os.environ["HEARTBEAT_SECONDS"]),
        longest=int(os.environ["LONGEST_WAIT_SECONDS"]),
        warm_pool=os.environ["WARM_POOL"] == "true",
        unhealthy_after=int(os.environ["UNHEALTHY_AFTER"]),
        failures_table=os.environ["FAILURES_TABLE"],
    )
    return check(client, rules, request_of(event), now=datetime.now(UTC))


def check(clients: Clients, rules: Rules, request: Request, *, now: datetime) -> dict[str, list[str]]:
    """Judges every instance of the request that waits, and those in service if the rules say so.

    Returns:
        Ids of the instances by what was done.

    Raises:
        LookError: when an instance could not be looked at. All others were, and the event may come again.
        botocore.exceptions.ClientError: when it cannot be found out who waits.
    """
    done: dict[str, list[str]] = {}
    faults: list[str] = []
    members = _members(clients("autoscaling"), rules, request)
    wait = [member for member in members if member.waits_in(rules.group_prefix)]
    for member, action in _each(clients, rules, wait, lambda one: treat(clients, rules, one, now), faults, now):
        done.setdefault(action.value, []).append(member.instance_id)
    if request.group and rules.unhealthy_after:
        done |= _watch(clients, rules, members, faults, now)
    if faults:
        raise LookError("; ".join(faults))
    return done


def _members(autoscaling: Any, rules: Rules, request: Request) -> list[Member]:
    """Returns the instances of the request, each once."""
    found = _of_group(autoscaling, rules, request.group) if request.group else _of_ids(autoscaling, request)
    return list({member.instance_id: member for member in found}.values())


def _each(
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
    for service in {"autoscaling", "ec2", *(SERVICES[each["kind"]] for each in rules.checks)}:
        clients(service)  # made here: the threads share them, and making one is not safe in several
    first = int(now.timestamp()) // 60 * AT_ONCE % max(len(members), 1)
    ordered = [*members[first:], *members[:first]]
    with ThreadPoolExecutor(max_workers=AT_ONCE) as pool:
        for member, running in [(member, pool.submit(do, member)) for member in ordered]:
            try:
                yield member, running.result()
            except (ClientError, BotoCoreError, ProbeError, UnknownInstanceError) as fault:
                logger.error("could not look", extra={"instance": member.instance_id, "error": str(fault)})
                faults.append(f"{member.instance_id}: {fault}")


def _watch(
    clients: Clients, rules: Rules, members: Sequence[Member], faults: list[str], now: datetime
) -> dict[str, list[str]]:
    """Counts failed looks at the instances in service, and sets the worst unhealthy once there are too many."""
    serving = [m for m in members if m.state == IN_SERVICE and m.is_healthy and m.group.startswith(rules.group_prefix)]
    table = clients("dynamodb")
    pages = table.get_paginator("scan").paginate(TableName=rules.failures_table, ConsistentRead=True)
    counted = {item["instance_id"]["S"] for page in pages for item in page["Items"]}

    def count(member: Member) -> int:
        instance, _ = described(clients("ec2"), member.instance_id)
        if fails(together(LOOKS[each["kind"]](each, instance, clients) for each in rules.checks)):
            return _failed(table, rules, member, now)
        if member.instance_id in counted:
            table.delete_item(TableName=rules.failures_table, Key={"instance_id": {"S": member.instance_id}})
        return 0

    failures = {m.instance_id: number for m, number in _each(clients, rules, serving, count, faults, now) if number}
    unhealthy = to_replace(failures, rules.unhealthy_after, states=[m.state for m in members])
    if any(not member.is_healthy for member in members):  # it is replaced first
        unhealthy = None
    if unhealthy:
        clients("autoscaling").set_instance_health(
            InstanceId=unhealthy, HealthStatus="Unhealthy", ShouldRespectGracePeriod=True
        )
        logger.warning("set unhealthy", extra={"instance": unhealthy, "failures": failures[unhealthy]})
    return {
        **({"failing": sorted(failures)} if failures else {}),
        **({"Unhealthy": [unhealthy]} if unhealthy else {}),
    }


def _failed(table: Any, rules: Rules, member: Member, now: datetime) -> int:
    """Counts one failed look, once a minute however often the schedule's event comes; returns how many there are."""
    key = {"instance_id": {"S": member.instance_id}}
    minute = str(int(now.timestamp()) // 60)
    try:
        written = table.update_item(
            TableName=rules.failures_table,
            Key=key,
            UpdateExpression="ADD failures :one SET looked = :minute, expires = :expires",
            ConditionExpression="attribute_not_exists(looked) OR looked < :minute",
            ExpressionAttributeValues={
                ":one": {"N": "1"},
                ":minute": {"N": minute},
                ":expires": {"N": str(int(now.timestamp()) + FORGOTTEN_AFTER)},
            },
            ReturnValues="ALL_NEW",
        )["Attributes"]
    except ClientError as error:
        if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
            raise
        written = table.get_item(TableName=rules.failures_table, Key=key, ConsistentRead=True).get("Item", {})
    return int(written.get("failures", {"N": "0"})["N"])


def _of_ids(autoscaling: Any, request: Request) -> Iterator[Member]:
    pages = autoscaling.get_paginator("describe_auto_scaling_instances").paginate(
        InstanceIds=list(request.instance_ids)
    )
    for page in pages:
        for item in page["AutoScalingInstances"]:
            yield Member(item["InstanceId"], item["AutoScalingGroupName"], item["LifecycleState"])


def _of_group(autoscaling: Any, rules: Rules, group: str | None) -> Iterator[Member]:
    """The instances of the group and of its warm pool, which the group itself does not list."""
    pages = autoscaling.get_paginator("describe_auto_scaling_groups").paginate(AutoScalingGroupNames=[group])
    found = [item for page in pages for each in page["AutoScalingGroups"] for item in each["Instances"]]
    if rules.warm_pool:
        pages = autoscaling.get_paginator("describe_warm_pool").paginate(AutoScalingGroupName=group)
        found += [item for page in pages for item in page["Instances"]]
    for item in found:
        yield Member(item["InstanceId"], str(group), item["LifecycleState"], item.get("HealthStatus") != "Unhealthy")


def treat(clients: Clients, rules: Rules, member: Member, now: datetime) -> Action:
    """Judges one instance that waits, and does what follows.

    Raises:
        botocore.exceptions.ClientError: when a call is refused, or has failed five times.
        ProbeError: when the prober has failed.
        UnknownInstanceError: when EC2 does not show the instance.
    """
    instance, started = described(clients("ec2"), member.instance_id)
    verdict = together(LOOKS[each["kind"]](each, instance, clients) for each in rules.checks)
    waited = (now - started).total_seconds()
    action = action_for(verdict, waited=waited, heartbeat=rules.heartbeat, longest=rules.longest)
    told = tell(clients("autoscaling"), rules, member, action)
    facts = {"instance": member.instance_id, "state": member.state, "verdict": verdict.value, "action": action.value}
    level = logging.WARNING if verdict is Verdict.FAILED else logging.INFO
    logger.log(level, "looked", extra={**facts, "waited": round(waited), "first": told})
    return action


def described(ec2: Any, instance_id: str) -> tuple[Instance, datetime]:
    """Returns an instance, and when it was started last: at its launch, or when it left the warm pool.

    Raises:
        UnknownInstanceError: when EC2 does not show it.
    """
    pages = ec2.get_paginator("describe_instances").paginate(InstanceIds=[instance_id])
    all_found = [item for page in pages for each in page["Reservations"] for item in each["Instances"]]
    if not all_found:
        raise UnknownInstanceError(f"EC2 does not show {instance_id}")
    found = all_found[0]
    tags = {tag["Key"]: tag["Value"] for tag in found.get("Tags", [])}
    return Instance(instance_id, found.get("PrivateIpAddress"), tags), found["LaunchTime"]


def tell(autoscaling: Any, rules: Rules, member: Member, action: Action) -> bool:
    """Completes the hook or renews its time-out; returns False if the hook does not wait any more.

    Raises:
        botocore.exceptions.ClientError: when it is refused for another reason.
    """
    names = {
        "AutoScalingGroupName": member.group,
        "LifecycleHookName": rules.hook_name,
        "InstanceId": member.instance_id,
    }
    try:
        if action in (Action.CONTINUE, Action.ABANDON):
            autoscaling.complete_lifecycle_action(**names, LifecycleActionResult=action.value)
        elif action is Action.HEARTBEAT:
            autoscaling.record_lifecycle_action_heartbeat(**names)
    except ClientError as refused:
        error = refused.response["Error"]
        # Another delivery was quicker, or the time-out. The same code also says that there is no such group or hook.
        if error["Code"] == "ValidationError" and "No active Lifecycle Action" in error.get("Message", ""):
            return False
        raise
    return True
