"""State machine -> here, one call a step: begin, start, follow, verify, check, finish, and give-up when one failed.

Each step may be repeated: what it does it finds done the second time. It returns the whole state, in which ``step`` is
what comes next and ``status`` is ``running``, ``failed`` or ``done``.
"""

import logging
import os
import time
from collections.abc import Callable, Mapping
from typing import Any

from root_volume_replacement.instances import OptIn
from root_volume_replacement.ledger import Ledger
from root_volume_replacement.replacement.ec2 import Ec2
from root_volume_replacement.replacement.request import requested
from root_volume_replacement.replacement.steps import Limits, Replacement, State
from shared.aws import client

logger = logging.getLogger(__name__)


def lambda_handler(event: Any, context: Any) -> State:
    """Does one step; the event is ``{"step", "execution", "request", "state"}``."""
    environment = os.environ
    if not isinstance(event, Mapping) or not isinstance(event.get("execution"), str):
        raise ValueError(f"not an input of the state machine: {event!r:.200}")
    ec2 = client("ec2")
    replacement = Replacement(
        Ec2(ec2),
        Ledger(client("dynamodb"), environment["TABLE_NAME"]),
        execution=event["execution"],
        opt_in=OptIn(environment["OPT_IN_KEY"], environment["OPT_IN_VALUE"]),
        limits=Limits(
            int(environment["POLL_SECONDS"]),
            int(environment["TASK_SECONDS"]),
            int(environment["CHECKS_SECONDS"]),
            int(environment["SETTLE_SECONDS"]),
        ),
        delete_old=environment["OLD_VOLUME"] == "delete",
        running=_running,
        report=_reporter(environment["REPORT_TOPIC_ARN"]),
        now=int(time.time()),
    )
    steps: dict[str, Callable[[State], State]] = {
        "start": replacement.start,
        "follow": replacement.follow,
        "verify": replacement.verify,
        "check": replacement.check,
        "finish": replacement.finish,
        "give-up": replacement.give_up,
    }
    step, state = event.get("step"), event.get("state")
    if step == "begin":
        result = replacement.begin(requested(event.get("request")), state if isinstance(state, Mapping) else {})
    elif step in steps and isinstance(state, Mapping):
        result = steps[str(step)](dict(state))
    else:
        raise ValueError(f"step must be one of begin, {', '.join(steps)}, with its state; got {step!r}")
    logger.info("did a step", extra={"did": step, **result})
    return result


def _running(execution: str) -> str:
    """Status of another execution; one that is not known any more ended long ago."""
    states = client("stepfunctions")
    try:
        return str(states.describe_execution(executionArn=execution)["status"])
    except states.exceptions.ExecutionDoesNotExist:
        return "ABORTED"


def _reporter(topic: str) -> Callable[[str, str], None]:
    def report(subject: str, message: str) -> None:
        client("sns").publish(TopicArn=topic, Subject=subject[:100], Message=message)

    return report
