"""State machine -> here, before each wave: which instances are next, or why there are none.

The instances are chosen once, at the first call; a call that is repeated gives the same answer.
"""

import logging
import os
from collections.abc import Mapping
from typing import Any

from root_volume_replacement.fleet.waves import State, following, requested, waves
from root_volume_replacement.instances import OptIn
from root_volume_replacement.names import filters
from shared.aws import client

logger = logging.getLogger(__name__)


def lambda_handler(event: Any, context: Any) -> State:
    """Returns the next wave; the event is ``{"request", "state", "results"}``, without a state at first."""
    environment = os.environ
    return next_wave(
        client("ec2"),
        event,
        opt_in=OptIn(environment["OPT_IN_KEY"], environment["OPT_IN_VALUE"]),
        wave_size=int(environment["WAVE_SIZE"]),
        most=int(environment["MOST_INSTANCES"]),
        report=lambda subject, message: client("sns").publish(
            TopicArn=environment["REPORT_TOPIC_ARN"], Subject=subject, Message=message
        ),
    )


def next_wave(ec2: Any, event: Any, *, opt_in: OptIn, wave_size: int, most: int, report: Any) -> State:
    """Chooses the instances, or judges the wave that has ended.

    Raises:
        ValueError: when the request is malformed, or fits no running instance, or too many.
        botocore.exceptions.ClientError: when a call is refused, or has failed five times.
    """
    if not isinstance(event, Mapping):
        raise ValueError(f"not an input of the state machine: {event!r:.200}")
    state = event.get("state")
    if not isinstance(state, Mapping):
        request = requested(event.get("request"), wave_size)
        chosen = running(ec2, opt_in, request["tag"])
        if not chosen:
            raise ValueError(f"no running instance with {opt_in.key}={opt_in.value} has the tag {request['tag']}")
        if len(chosen) > most:
            raise ValueError(f"{len(chosen)} instances fit, at most {most} are allowed at once: narrow the tag")
        state = {"request": request, "waves": waves(chosen, request["wave_size"]), "done": [], "failed": []}
    result = following(state, event.get("results") or [])
    if result["status"] != "running":
        words = f"{len(result['done'])} instances replaced, to {result['request']['to']}"
        report(f"Fleet {result['status']}", f"{words}. {result.get('cause', '')}")
    logger.info("chose a wave", extra={"status": result["status"], "wave": result["wave"]})
    return result


def running(ec2: Any, opt_in: OptIn, tag: Mapping[str, str] | None) -> list[str]:
    """Returns the running instances that have opted in and carry the tag, if one is asked for."""
    wanted = {f"tag:{opt_in.key}": opt_in.value, "instance-state-name": "running"}
    by = filters(wanted) + (filters({f"tag:{tag['key']}": tag["value"]}) if tag else [])
    pages = ec2.get_paginator("describe_instances").paginate(Filters=by)
    found = [instance for page in pages for group in page["Reservations"] for instance in group["Instances"]]
    return [instance["InstanceId"] for instance in found if opt_in.chosen_by(instance)]
