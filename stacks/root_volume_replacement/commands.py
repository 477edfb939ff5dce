"""What ``python -m stacks root_volume_replacement`` can do."""

import json
import sys
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from config.models import CommonSettings
from stacks.root_volume_replacement.settings import RootVolumeReplacementSettings
from stacks.shared.billing import BillingUnit
from stacks.shared.command import Answer, Command, CommandError
from stacks.shared.deployed import stack_output
from stacks.shared.preflight import Clients, Finding, common_findings, looked_at

COST_NOTE = "For a month without replacements; snapshots and kept volumes are billed by their size in addition."
LAMBDAS = Path(__file__).parents[2] / "lambdas"
ALARMS = 5
RUNS = 30
POLL_SECONDS = 5


def idle_month(common: CommonSettings, settings: RootVolumeReplacementSettings) -> Iterator[BillingUnit]:
    """What bills in a month in which nothing is created or replaced. Snapshots and old volumes bill by their size."""
    yield BillingUnit("alarm_month", ALARMS, "alarms")
    yield BillingUnit("lambda_request", RUNS, "clean-up, once a day")
    yield BillingUnit("scheduler_invocation", RUNS, "clean-up, once a day")


def findings(common: CommonSettings, settings: RootVolumeReplacementSettings, clients: Clients) -> Iterator[Finding]:
    """What would stop a deployment, and whether any instance has opted in."""
    yield from common_findings(common, clients, zones=0)
    yield looked_at("opted in", lambda: _opted_in(settings, clients))


def _opted_in(settings: RootVolumeReplacementSettings, clients: Clients) -> Finding:
    tag = settings.opt_in
    pages = (
        clients("ec2")
        .get_paginator("describe_instances")
        .paginate(Filters=[{"Name": f"tag:{tag.key}", "Values": [tag.value]}])
    )
    count = sum(len(group["Instances"]) for page in pages for group in page["Reservations"])
    if not count:
        return Finding("opted in", "ok", "no instance yet", f"Tag an instance with {tag.key}={tag.value}")
    return Finding("opted in", "ok", f"{count} instances")


def replace(
    options: Namespace, common: CommonSettings, settings: RootVolumeReplacementSettings, clients: Clients
) -> Answer:
    """Starts a replacement of one instance or of a fleet, and follows it if asked to."""
    request, machine = _request(options)
    states = clients("stepfunctions")
    arn = _output(common, clients, machine)
    execution = states.start_execution(stateMachineArn=arn, input=json.dumps(request))["executionArn"]
    found = states.describe_execution(executionArn=execution)
    while options.wait and found["status"] == "RUNNING":
        time.sleep(POLL_SECONDS)
        found = states.describe_execution(executionArn=execution)
    says = " ".join(filter(None, [found.get("error"), found.get("cause")]))
    data = {"execution": execution, "status": found["status"], "says": says}
    ok = found["status"] in ("RUNNING", "SUCCEEDED")
    notes = [] if options.wait else ["It runs in your account; --wait follows it, and tells by its exit status."]
    return Answer(("execution", "status", "says"), [list(data.values())], data, notes, ok)


def plan(
    options: Namespace, common: CommonSettings, settings: RootVolumeReplacementSettings, clients: Clients
) -> Answer:
    """Plans the clean-up with your permissions and by the code of the function. Deletes nothing."""
    sys.path.insert(0, str(LAMBDAS))  # the modules of the functions
    from root_volume_replacement.clean_up.plan import plan as planned
    from root_volume_replacement.clean_up.reading import read_account
    from root_volume_replacement.instances import OptIn
    from root_volume_replacement.ledger import Ledger

    wanted = settings.clean_up
    ledger = Ledger(clients("dynamodb"), _output(common, clients, "LedgerTable"))
    account = read_account(clients("ec2"), ledger, OptIn(settings.opt_in.key, settings.opt_in.value))
    found = planned(account, keep=wanted.keep, grace=3600 * wanted.grace_hours, now=int(time.time()))
    rows = [(item.kind, item.id, item.instance_id, item.why) for item in found.deletions]
    kept = [f"kept: {count} ({reason})" for reason, count in sorted(found.kept.items())]
    keys = "deletes them at its next run" if settings.cleans_up else "does not delete them: it is a dry run"
    data = {"deletions": [dict(zip(("kind", "id", "instance", "why"), row, strict=True)) for row in rows]}
    return Answer(("", "what", "of", "why"), rows, {**data, "kept": dict(found.kept)}, [*kept, f"The function {keys}."])


def _request(options: Namespace) -> tuple[Mapping[str, Any], str]:
    if (options.instance is None) == (options.tag is None):
        raise CommandError("name an --instance, or a fleet by its --tag KEY=VALUE")
    request: dict[str, Any] = {"to": options.to}
    for key in ("snapshot", "image", "volume"):
        if (value := getattr(options, key)) is not None:
            request[f"{key}_id"] = value
    if options.instance:
        return {**request, "instance_id": options.instance}, "ReplacementMachineArn"
    key, sign, value = options.tag.partition("=")
    if not sign or not key:
        raise CommandError(f"--tag must be KEY=VALUE, got {options.tag!r}")
    return {**request, "tag": {"key": key, "value": value}}, "FleetMachineArn"


def _output(common: CommonSettings, clients: Clients, name: str) -> str:
    return stack_output(common.stack_name("root_volume_replacement"), name, clients)


def _replace_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--instance", help="id of the instance")
    parser.add_argument("--tag", help="KEY=VALUE: all running opted-in instances with this tag, in waves")
    parser.add_argument(
        "--to", required=True, choices=("launch-state", "latest-snapshot", "snapshot", "image", "volume")
    )
    parser.add_argument("--snapshot", help="id of the snapshot, with --to snapshot")
    parser.add_argument("--image", help="id of the image, with --to image")
    parser.add_argument("--volume", help="id of a detached volume, with --to volume: the old one, to go back to it")
    parser.add_argument("--wait", action="store_true", help="follow it to its end; exit status 1 if it fails")


COMMANDS = (
    Command("replace", "replaces the root volume of an instance, or of a fleet", replace, _replace_arguments),
    Command("plan", "what the clean-up would delete, and why", plan),
)
