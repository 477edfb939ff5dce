"""EventBridge -> state machine -> here, again and again: one look at a volume that may deserve a snapshot.

The state machine waits between the looks, so that no function's time is spent on waiting. A look may be repeated,
and two executions may look at the same volume: the snapshot is found by its tags before it is created, and whoever
creates it has claimed that in the table first, because CreateSnapshot has no client token.
"""

import logging
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError, HTTPClientError

from root_volume_replacement.instances import OptIn, may_show_root_later, root_volume_id
from root_volume_replacement.ledger import Ledger
from root_volume_replacement.names import (
    REPLACE_SNAPSHOT,
    ROOT_VOLUME_OF,
    SNAPSHOT_CAUSE,
    TRUE,
    filters,
    tag_list,
)
from root_volume_replacement.snapshot.request import Request, requested
from root_volume_replacement.waiting import seconds_until_next
from shared.aws import client

logger = logging.getLogger(__name__)

CLAIM_SECONDS = 300
"""A claim this old is abandoned: the function that made it ended after a minute."""
KEEP_CLAIM_SECONDS = 7 * 86_400
GONE_SECONDS = 3600
"""A snapshot that EC2 has not shown for so long has been deleted."""
PAUSES = (2.0, 4.0, 8.0)
"""Seconds before each further attempt at a snapshot: EC2 shows what it has made a little later."""

State = dict[str, Any]


@dataclass(frozen=True)
class Rules:
    """What the stack's settings say."""

    opt_in: OptIn
    poll_seconds: int
    attach_seconds: int


def lambda_handler(event: Any, context: Any) -> State:
    """Takes one look; the event is ``{"event": what EventBridge sent, "before": the last look, "started": epoch}``."""
    environment = os.environ
    return look(
        client("ec2"),
        _impatient(),
        Ledger(client("dynamodb"), environment["TABLE_NAME"]),
        event,
        rules=Rules(
            OptIn(environment["OPT_IN_KEY"], environment["OPT_IN_VALUE"]),
            int(environment["POLL_SECONDS"]),
            int(environment["ATTACH_SECONDS"]),
        ),
        holder=context.aws_request_id,
        now=int(time.time()),
        pause=time.sleep,
    )


def look(
    ec2: Any,
    impatient: Any,
    ledger: Ledger,
    event: Any,
    *,
    rules: Rules,
    holder: str,
    now: int,
    pause: Callable[[float], None],
) -> State:
    """Returns what the state machine does next: ``wait``, ``done`` or ``failed``.

    Raises:
        ValueError: when the event is none of those that ask for a snapshot.
        botocore.exceptions.ClientError: when a call is refused, or has failed five times.
    """
    if not isinstance(event, Mapping):
        raise ValueError(f"not an input of the state machine: {event!r:.200}")
    request = requested(event.get("event"))
    before = event["before"] if isinstance(event.get("before"), Mapping) else {}
    state: State = {key: before[key] for key in ("volume_id", "instance_id", "snapshot_id", "since") if key in before}
    state = {"since": now, **state, "cause": request.cause}
    state["wait_seconds"] = seconds_until_next(now - state["since"], rules.poll_seconds)
    result = _follow(ec2, state, now) if "snapshot_id" in state else _find(ec2, ledger, request, state, rules, now)
    if result is None:  # a root volume, opted in, attached, and without this snapshot
        result = _take(ec2, impatient, ledger, state, holder, now, pause)
    logger.info("looked at a volume", extra=result)
    return result


def _find(ec2: Any, ledger: Ledger, request: Request, state: State, rules: Rules, now: int) -> State | None:
    late = now - state["since"] >= rules.attach_seconds
    volume_id = state.get("volume_id") or request.volume_id
    if volume_id is None:
        instance = _instance(ec2, str(request.instance_id))
        volume_id = root_volume_id(instance) if instance else None
        if volume_id is None:
            seen = f"{request.instance_id} shows no root volume on EBS"
            if may_show_root_later(instance) and not late:
                return {**state, "next": "wait", "outcome": seen}
            return _without(state, request, "NoRootVolume", seen)
    state["volume_id"] = volume_id
    volume = _first(ec2, "describe_volumes", "Volumes", {"volume-id": volume_id})
    if volume is None and late:
        return _without(state, request, "NoVolume", "the volume is gone")
    attachments = [item for item in (volume or {}).get("Attachments", []) if item["State"] in ("attaching", "attached")]
    instance = _instance(ec2, attachments[0]["InstanceId"]) if attachments else None
    if instance and not rules.opt_in.chosen_by(instance):
        # The event of a tag that opts an instance in may be here before EC2 shows the tag.
        seen = "its instance has not opted in"
        if request.opted_in and not late:
            return {**state, "next": "wait", "outcome": seen}
        return _without(state, request, "NotOptedIn", seen)
    # The attachment says where the volume is; the mapping of a starting instance may be empty, and after a replacement
    # it may still name the old volume: https://docs.aws.amazon.com/ec2/latest/devguide/eventual-consistency.html
    if instance and attachments[0]["Device"] != instance.get("RootDeviceName"):
        return _without(state, request, "NoRootVolume", "a data volume")
    if not attachments:
        if late:
            return _without(state, request, "NoRootVolume", "it was not attached in time, so it is no root volume")
        return {**state, "next": "wait", "outcome": "not attached yet"}
    shown = root_volume_id(instance) if instance else None
    if instance is None or shown != volume_id:
        seen = f"{volume_id} is attached to {attachments[0]['InstanceId']}, which shows {shown or 'no root volume'}"
        if late:
            return {**state, "next": "failed", "error": "RootUnclear", "cause_of_failure": seen}
        return {**state, "next": "wait", "outcome": seen}
    state["instance_id"] = instance["InstanceId"]
    if found := _taken(ec2, state):
        return _known(ledger, state, found)
    return None


def _without(state: State, request: Request, error: str, why: str) -> State:
    """Ends without a snapshot: that is right for most new volumes, and a failure if somebody has asked for one."""
    if request.asked_for:
        what = state.get("volume_id") or request.instance_id
        return {**state, "next": "failed", "error": error, "cause_of_failure": f"{what}: {why}"}
    return {**state, "next": "done", "outcome": why}


def _take(
    ec2: Any, impatient: Any, ledger: Ledger, state: State, holder: str, now: int, pause: Callable[[float], None]
) -> State:
    key = f"claim#{state['volume_id']}#{state['cause']}"
    facts: State = {"at": now, "expires_at": now + KEEP_CLAIM_SECONDS}
    other = ledger.claim(key, holder, **facts)
    if other and now - other["at"] >= CLAIM_SECONDS:
        other = ledger.claim(key, holder, instead_of=other, **facts)
    if other:
        return {**state, "next": "wait", "outcome": "another execution takes it"}
    return _known(ledger, state, _create(ec2, impatient, state, pause))


def _create(ec2: Any, impatient: Any, state: State, pause: Callable[[float], None]) -> Mapping[str, Any]:
    """Creates the snapshot once. A lost answer may have been a success: it is looked for before it is tried again."""
    tags = {REPLACE_SNAPSHOT: TRUE, ROOT_VOLUME_OF: state["instance_id"], SNAPSHOT_CAUSE: state["cause"]}
    for seconds in (*PAUSES, None):
        try:
            created: Mapping[str, Any] = impatient.create_snapshot(
                VolumeId=state["volume_id"],
                Description=f"Root volume of {state['instance_id']}, to restore it to",
                TagSpecifications=[{"ResourceType": "snapshot", "Tags": tag_list(tags)}],
            )
            return created
        except (ClientError, HTTPClientError) as error:
            if seconds is None or not _may_pass(error):
                raise
            pause(seconds)
        if found := _taken(ec2, state):
            return found
    raise AssertionError("the last attempt returns or raises")


def _may_pass(error: ClientError | HTTPClientError) -> bool:
    if isinstance(error, HTTPClientError):
        return True
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    return status >= 500 or error.response["Error"]["Code"] in ("RequestLimitExceeded", "Throttling")


def _known(ledger: Ledger, state: State, snapshot: Mapping[str, Any]) -> State:
    """Writes the snapshot down as ours, before anything else is done with it."""
    state["snapshot_id"] = snapshot["SnapshotId"]
    ledger.record(
        snapshot["SnapshotId"],
        instance_id=state["instance_id"],
        volume_id=state["volume_id"],
        at=int(snapshot["StartTime"].timestamp()),
    )
    return _judged(state, snapshot)


def _follow(ec2: Any, state: State, now: int) -> State:
    """A snapshot of ours that EC2 does not show was made just now, or somebody has deleted it; it is not made again."""
    snapshot = _first(ec2, "describe_snapshots", "Snapshots", {"snapshot-id": state["snapshot_id"]})
    if snapshot is None and now - state["since"] >= GONE_SECONDS:
        return {**state, "next": "done", "outcome": "somebody has deleted the snapshot"}
    return _judged(state, snapshot or {"State": "pending"})


def _judged(state: State, snapshot: Mapping[str, Any]) -> State:
    status = snapshot["State"]
    if status == "completed":
        return {**state, "next": "done", "outcome": "the snapshot is complete"}
    if status == "error":
        cause = f"{state['snapshot_id']} of {state['volume_id']}: {snapshot.get('StateMessage') or 'no reason given'}"
        return {**state, "next": "failed", "error": "SnapshotFailed", "cause_of_failure": cause}
    return {**state, "next": "wait", "outcome": f"the snapshot is {status}"}


def _taken(ec2: Any, state: State) -> Mapping[str, Any] | None:
    wanted = {
        "volume-id": state["volume_id"],
        f"tag:{REPLACE_SNAPSHOT}": TRUE,
        f"tag:{SNAPSHOT_CAUSE}": state["cause"],
    }
    pages = ec2.get_paginator("describe_snapshots").paginate(OwnerIds=["self"], Filters=filters(wanted))
    found = [item for page in pages for item in page["Snapshots"] if item["State"] != "error"]
    return min(found, key=lambda item: (item["StartTime"], item["SnapshotId"])) if found else None


def _instance(ec2: Any, instance_id: str) -> Mapping[str, Any] | None:
    reservation = _first(ec2, "describe_instances", "Reservations", {"instance-id": instance_id})
    return reservation["Instances"][0] if reservation else None


def _first(ec2: Any, operation: str, key: str, by: Mapping[str, str]) -> Mapping[str, Any] | None:
    """The one thing that a filter finds; a filter that finds nothing is no error, as an unknown id would be."""
    pages = ec2.get_paginator(operation).paginate(Filters=filters(by))
    return next((item for page in pages for item in page[key]), None)


@cache
def _impatient() -> Any:
    """A client that tries once: what it repeats would be another snapshot."""
    return boto3.client("ec2", config=Config(retries={"total_max_attempts": 1}, connect_timeout=3, read_timeout=15))
