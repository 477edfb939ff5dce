"""What ``python -m stacks spinnaker_server_groups`` can do."""

import json
import os
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from config.models import CommonSettings
from stacks.shared.billing import HOURS, BillingUnit, instance_hours
from stacks.shared.command import Answer, Command, CommandError
from stacks.shared.preflight import Clients, Finding, common_findings
from stacks.spinnaker_server_groups.bodies import ServerGroupNameError
from stacks.spinnaker_server_groups.checks import own_findings
from stacks.spinnaker_server_groups.deployed_place import bodies_of
from stacks.spinnaker_server_groups.gate import Gate, task_id
from stacks.spinnaker_server_groups.health import ROOT_GIB
from stacks.spinnaker_server_groups.posting import ACTIONS, ON_A_SERVER_GROUP, Ended, Posting, bodies_for
from stacks.spinnaker_server_groups.settings import SpinnakerServerGroupsSettings

COST_NOTE = (
    "The native group at its desired size, with its On-Demand share rounded up, since EC2 does not say how it rounds. "
    "What Spinnaker creates is billed in addition."
)
TOKEN_VARIABLE = "SPINNAKER_TOKEN"  # noqa: S105 - the variable's name
LONGEST_MINUTES = 90  # one step of clouddriver may take an hour


def idle_month(common: CommonSettings, settings: SpinnakerServerGroupsSettings) -> Iterator[BillingUnit]:
    """The billing units of a month in which the group keeps its size and nobody calls the page."""
    if settings.native_group:
        on_demand = settings.on_demand(settings.desired_instances)
        spot = settings.desired_instances - on_demand
        yield BillingUnit("on_demand_instance_hour", on_demand * HOURS, "On-Demand instances of the group")
        yield BillingUnit("spot_instance_hour", spot * HOURS, "Spot Instances of the group")
        yield BillingUnit("gp3_gib_month", ROOT_GIB * settings.desired_instances, "root volumes of the group")
        yield BillingUnit("application_load_balancer_hour", HOURS, "load balancer")
    nat = common.vpc is None and settings.network == "nat"
    addresses = _balancer_addresses(common, settings) + nat
    yield BillingUnit("public_ipv4_hour", HOURS * addresses, "addresses of the load balancer and the NAT gateway")
    yield BillingUnit("nat_gateway_hour", HOURS * nat, "NAT gateway")
    if settings.host:
        yield instance_hours(settings.host.instance_type, HOURS, "Spinnaker host")
        yield BillingUnit("gp3_gib_month", settings.host.volume_gib, "root volume of the Spinnaker host")
    alarms = 3 * settings.native_group + (settings.host is not None)
    yield BillingUnit("alarm_month", alarms, "alarms; one that compares two metrics counts as two")


def _balancer_addresses(common: CommonSettings, settings: SpinnakerServerGroupsSettings) -> int:
    if not settings.native_group or settings.is_internal(common):
        return 0
    return len(settings.public_subnet_ids) if common.vpc else settings.zones


def findings(common: CommonSettings, settings: SpinnakerServerGroupsSettings, clients: Clients) -> Iterator[Finding]:
    """Finds what would stop a deployment, or Spinnaker afterwards."""
    yield from common_findings(common, clients, settings.zones)
    yield from own_findings(common, settings, clients)


# --- bodies and post --------------------------------------------------------------------------------------------------


def _action_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("action", choices=ACTIONS, help="what Spinnaker should do")
    parser.add_argument("--server-group", help=f"name such as demoapp-v000, for {', '.join(ON_A_SERVER_GROUP)}")


def _post_arguments(parser: ArgumentParser) -> None:
    _action_arguments(parser)
    _minutes_argument(parser)


def _follow_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("task", help="id of the task, as 'post' and 'tasks' print it")
    _minutes_argument(parser)


def _minutes_argument(parser: ArgumentParser) -> None:
    help_ = f"minutes to wait for the end of a task ({LONGEST_MINUTES})"
    parser.add_argument("--minutes", type=float, default=LONGEST_MINUTES, help=help_)


def _bodies(
    options: Namespace, common: CommonSettings, settings: SpinnakerServerGroupsSettings, clients: Clients
) -> Answer:
    """Prints what ``post`` would post; nothing but read calls to AWS leaves this machine."""
    of = bodies_of(common, settings, clients)
    requests = _requests(options, of)
    return Answer((), (), requests, lines=[json.dumps(body, indent=2) for body in requests])


def _requests(options: Namespace, of: Any) -> list[dict[str, Any]]:
    name: str | None = options.server_group
    if options.action in ON_A_SERVER_GROUP and not name:
        raise CommandError(f"{options.action} needs --server-group NAME, as Deck or 'post server-group' names it")
    if name and options.action not in (*ON_A_SERVER_GROUP, "clean-up"):
        raise CommandError(f"{options.action} takes no --server-group; remove it, Spinnaker names the next one")
    try:
        return bodies_for(options.action, of, [name] if name else [])
    except ServerGroupNameError as error:
        raise CommandError(str(error)) from None


def _post(
    options: Namespace, common: CommonSettings, settings: SpinnakerServerGroupsSettings, clients: Clients
) -> Answer:
    """Posts the tasks of an action, each once, and follows each to its end."""
    of = bodies_of(common, settings, clients)
    if options.action == "clean-up" and options.server_group:
        raise CommandError("clean-up takes no --server-group, because it destroys all; for one use destroy")
    requests = _requests(options, of)
    posting = Posting(_gate(settings, clients), of, seconds=options.minutes * 60, told=_tell)
    ended = list(posting.clean_up() if options.action == "clean-up" else posting.one_after_the_other(requests))
    return _answer(ended)


def _answer(ended: list[Ended]) -> Answer:
    made = [name for task in ended for name in task.server_groups]
    return Answer(
        ("task", "done"),
        [[task.task_id, task.what] for task in ended],
        {"tasks": [asdict(task) for task in ended], "ok": True},
        notes=[f"\nSpinnaker has made {', '.join(made)}."] if made else [],
    )


def _follow(
    options: Namespace, common: CommonSettings, settings: SpinnakerServerGroupsSettings, clients: Clients
) -> Answer:
    found = task_id(options.task)
    task = _gate(settings, clients).follow(found, seconds=options.minutes * 60, told=_tell)
    return Answer(("task", "status"), [[found, str(task["status"])]], {"task": found, "status": task["status"]})


def _tasks(
    options: Namespace, common: CommonSettings, settings: SpinnakerServerGroupsSettings, clients: Clients
) -> Answer:
    """The application's tasks, to see whether one has arrived."""
    gate = _gate(settings, clients)
    found = gate.get(f"/applications/{settings.application}/tasks?limit={options.limit}")
    tasks = [task for task in found if isinstance(task, dict)] if isinstance(found, list) else []
    rows = [[str(task.get(key, "")) for key in ("id", "status", "name")] for task in tasks]
    data = [dict(zip(("id", "status", "name"), row, strict=True)) for row in rows]
    notes = [] if rows else [f"Spinnaker has no tasks of {settings.application}."]
    return Answer(("task", "status", "what"), rows, data, notes=notes)


def _tasks_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--limit", type=int, default=20, help="number of the newest tasks to list (20)")


def _gate(settings: SpinnakerServerGroupsSettings, clients: Clients) -> Gate:
    return Gate(settings.gate_url, _token(settings, clients))


def _token(settings: SpinnakerServerGroupsSettings, clients: Clients) -> str | None:
    """The token from the environment or Secrets Manager: an argument would show in the list of processes."""
    if token := os.environ.get(TOKEN_VARIABLE):
        return token.strip()
    if settings.token_secret_arn is None:
        return None
    secret = clients("secretsmanager").get_secret_value(SecretId=settings.token_secret_arn)
    return str(secret["SecretString"]).strip()


def _tell(what: str) -> None:
    print(what, file=sys.stderr)


COMMANDS = (
    Command(
        name="bodies",
        help="print the requests to Gate, Spinnaker's API, for one action",
        run=_bodies,
        arguments=_action_arguments,
    ),
    Command(
        name="post",
        help="post the requests of one action to Gate, and follow each to its end",
        run=_post,
        arguments=_post_arguments,
    ),
    Command(name="follow", help="follow a task of Spinnaker to its end", run=_follow, arguments=_follow_arguments),
    Command(name="tasks", help="list the application's tasks in Spinnaker", run=_tasks, arguments=_tasks_arguments),
)
