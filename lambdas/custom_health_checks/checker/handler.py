"""EventBridge -> EC2 Auto Scaling: completes the launching hook of an instance whose checks have passed or failed.

If the settings ask for it, the schedule also looks at the instances in service, and sets one unhealthy whose checks
have failed several times in a row; a table remembers how often.

Three events say that an instance may be ready: its hook begins to wait, a tag of it changes, a minute has passed. Each
of them may come first, twice, late or never. So none is trusted: every one leads to the same look at the present state,
and only an instance that waits is judged. A hook can be completed once; EC2 Auto Scaling tells the second caller so.
"""

import json
import logging
import os
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError

from custom_health_checks.checker.looks import LOOKS, Clients
from custom_health_checks.checker.members import Rules, described, each, members_of
from custom_health_checks.checker.request import Request, request_of
from custom_health_checks.checker.serving import watch
from custom_health_checks.checker.verdict import Verdict, together
from custom_health_checks.checker.waiting import Action, Member, action_for
from shared.aws import client

logger = logging.getLogger(__name__)


class LookError(RuntimeError):
    """Some instances could not be looked at; the others were."""


def lambda_handler(event: Any, context: Any) -> dict[str, list[str]]:
    """Looks at the instances that the event names, by the rules of the environment."""
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
        botocore.exceptions.ClientError: when it cannot be found out which instances wait.
    """
    done: dict[str, list[str]] = {}
    faults: list[str] = []
    members = members_of(clients("autoscaling"), rules, request)
    wait = [member for member in members.found if member.waits_in(rules.group_prefix)]
    for member, action in each(clients, rules, wait, lambda one: treat(clients, rules, one, now), faults, now):
        done.setdefault(action.value, []).append(member.instance_id)
    if request.group and rules.unhealthy_after:
        done |= watch(clients, rules, members, faults, now)
    if faults:
        raise LookError("; ".join(faults))
    return done


def treat(clients: Clients, rules: Rules, member: Member, now: datetime) -> Action:
    """Judges one instance that waits, and does what follows.

    Raises:
        botocore.exceptions.ClientError: when a call is refused, or has failed five times.
        ProbeError: when the prober has failed.
        UnknownInstanceError: when EC2 does not show the instance.
    """
    instance, started = described(clients("ec2"), member.instance_id)
    verdict = together(LOOKS[one["kind"]](one, instance, clients) for one in rules.checks)
    waited = (now - started).total_seconds()
    action = action_for(verdict, waited=waited, heartbeat=rules.heartbeat, longest=rules.longest)
    told = tell(clients("autoscaling"), rules, member, action)
    facts = {"instance": member.instance_id, "state": member.state, "verdict": verdict.value, "action": action.value}
    level = logging.WARNING if verdict is Verdict.FAILED else logging.INFO
    logger.log(level, "looked", extra={**facts, "waited": round(waited), "first": told})
    return action


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
