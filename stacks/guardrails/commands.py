"""What ``python -m stacks`` offers for guardrails: what they would have denied, files of them, attaching, detaching."""

import datetime
import json
from argparse import ArgumentParser, Namespace
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from config.models import CommonSettings
from stacks.guardrails import attachment, cloudtrail, files
from stacks.guardrails.judge import Json
from stacks.guardrails.settings import GuardrailSettings
from stacks.shared.billing import BillingUnit
from stacks.shared.command import Answer, Command, CommandError
from stacks.shared.files import UnwritableError, write_text
from stacks.shared.preflight import Clients

HISTORY_DAYS = 30


def idle_month(common: CommonSettings, settings: GuardrailSettings) -> Iterator[BillingUnit]:
    """What bills in a month: Organizations has no charge, so the unit is there to be seen."""
    yield BillingUnit("service_control_policy_month", len(settings.policies), "policies; AWS Organizations is free")


def guardrail_commands(slug: str) -> tuple[Command, ...]:
    """The commands of one of the solutions."""

    def stack(common: CommonSettings) -> str:
        return "-".join(filter(None, [common.prefix, slug.replace("_", "-")]))

    def attach(options: Namespace, common: CommonSettings, settings: GuardrailSettings, clients: Clients) -> Answer:
        return _attach(options, slug, stack(common), settings, clients)

    def detach(options: Namespace, common: CommonSettings, settings: GuardrailSettings, clients: Clients) -> Answer:
        return _detach(stack(common), clients)

    def write(options: Namespace, common: CommonSettings, settings: GuardrailSettings, clients: Clients) -> Answer:
        return _write(options, stack(common), settings)

    return (
        Command("dry-run", "what recorded calls these policies would have denied", _dry_run, _dry_run_arguments),
        Command(
            "attach", "attach to the next target; without --yes only says what it would do", attach, _attach_arguments
        ),
        Command("detach", "detach every policy from every target, in one step", detach),
        Command(
            "files", "write the policies for Control Tower and the Landing Zone Accelerator", write, _write_arguments
        ),
    )


# --- dry-run ----------------------------------------------------------------------------------------------------------


def _dry_run_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--events", type=Path, action="append", help="file of CloudTrail events; several are possible")
    parser.add_argument(
        "--days", type=int, default=HISTORY_DAYS, help="of the account's event history (30, at most 90)"
    )
    parser.add_argument("--region", action="append", help="look at these Regions' histories, not the configured one's")
    parser.add_argument("--management-account", help="its calls no policy limits; else asked of Organizations")


def _dry_run(options: Namespace, common: CommonSettings, settings: GuardrailSettings, clients: Clients) -> Answer:
    if not 1 <= options.days <= 90:
        raise CommandError("--days must be 1 to 90; CloudTrail's event history has no more")
    management = options.management_account
    if options.events:
        records = _read(options.events)
    else:
        management = management or _management_account(clients)
        records = _history(options.days, options.region, clients)

    @cache
    def documents(partition: str) -> list[Json]:
        return [json.loads(policy.text(settings.partition or partition)) for policy in settings.policies]

    looked_at_calls = 0
    counted: Counter[tuple[str, str, str, str, str]] = Counter()
    for call in cloudtrail.judged(documents, records, management):
        looked_at_calls += 1
        if call.verdict.decision != "passes":
            verdict, principal = call.verdict, call.request.principal or "unknown"
            missing = ", ".join(verdict.missing)
            counted[verdict.decision, call.request.action, principal, ", ".join(verdict.sids), missing] += 1
    rows = [
        (str(count), *found)
        for found, count in sorted(counted.items(), key=lambda item: (item[0][0] != "denied", -item[1]))
    ]
    denied = sum(count for found, count in counted.items() if found[0] == "denied")
    unsure = sum(counted.values()) - denied
    notes = [f"{looked_at_calls} calls that succeeded: {denied} would have been denied, {unsure} may have been"]
    if management is None:
        notes.append("The management account is not known (--management-account); its calls are judged like others.")
    if not options.events:
        notes.append(
            "The event history has no data events: writes to S3, DynamoDB, SQS, ... need a trail and --events."
        )
    columns = ("calls", "verdict", "action", "principal", "statement", "not known")
    data = {
        "calls": looked_at_calls,
        "denied": denied,
        "may_be_denied": unsure,
        "rows": [dict(zip((name.replace(" ", "_") for name in columns), row, strict=True)) for row in rows],
    }
    return Answer(columns, rows, data, notes, ok=not denied)


def _read(paths: list[Path]) -> Iterator[dict[str, Any]]:
    try:
        for path in paths:
            yield from cloudtrail.read(path)
    except cloudtrail.UnreadableEventsError as error:
        raise CommandError(str(error)) from None


def _history(days: int, regions: list[str] | None, clients: Clients) -> Iterator[dict[str, Any]]:
    """Management events that change something.

    https://docs.aws.amazon.com/awscloudtrail/latest/userguide/view-cloudtrail-events.html
    """
    end = datetime.datetime.now(datetime.UTC)
    for client in [clients("cloudtrail", region) for region in regions or []] or [clients("cloudtrail")]:
        pages = client.get_paginator("lookup_events").paginate(
            LookupAttributes=[{"AttributeKey": "ReadOnly", "AttributeValue": "false"}],
            StartTime=end - datetime.timedelta(days=days),
            EndTime=end,
        )
        for page in pages:
            for event in page["Events"]:
                yield json.loads(event["CloudTrailEvent"])


def _management_account(clients: Clients) -> str | None:
    """None where the caller may not ask, or there is no organization yet."""
    try:
        account: str = clients("organizations").describe_organization()["Organization"]["MasterAccountId"]
    except ClientError:
        return None
    return account


# --- attach and detach ------------------------------------------------------------------------------------------------


def _attach_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--yes", action="store_true", help="do it")
    parser.add_argument("--all", action="store_true", help="all targets, not only the next")


def _attach(options: Namespace, slug: str, stack: str, settings: GuardrailSettings, clients: Clients) -> Answer:
    if not settings.targets:
        raise CommandError("no targets are named; nothing is attached unless the configuration names them")
    organizations = clients("organizations")
    ids = attachment.deployed(clients("cloudformation"), stack)
    partition = settings.partition or clients("sts").get_caller_identity()["Arn"].split(":")[1]
    attachment.assert_current(organizations, settings.policies, ids, partition)
    stages = list(attachment.stages(organizations, settings, ids))
    now = stages if options.all else stages[:1]
    for stage in now if options.yes else ():
        attachment.attach(organizations, stage, settings.scp_max_per_target)
    reverted = attachment.reverted(organizations, now) if options.yes and now else []
    done = "attached" if options.yes else "would attach"
    rows = [(stage.target, ", ".join(stage.lacking), done if stage in now else "later") for stage in stages]
    data = [
        {"target": stage.target, "policies": list(stage.lacking), "what": row[2]}
        for stage, row in zip(stages, rows, strict=True)
    ]
    if not stages:
        notes = ["Every target has every policy."]
    elif options.yes:
        notes = [f"Watch for AccessDenied before the next stage. Back: python -m stacks {slug} detach"]
    else:
        notes = ["Nothing was done. Look at dry-run first, then repeat with --yes."]
    notes += [f"Taken off again by somebody within seconds: {each}. See the README: files." for each in reverted]
    surplus = attachment.surplus(organizations, settings, ids)
    notes += [f"Still on {target}, which is no target of it: {name}. Detach it there." for name, target in surplus]
    return Answer(("target", "policies", "what"), rows, data, notes, ok=not reverted)


def _detach(stack: str, clients: Clients) -> Answer:
    ids = attachment.deployed(clients("cloudformation"), stack)
    done, failed = attachment.detach_everywhere(clients("organizations"), ids)
    nothing = [] if done or failed else ["No policy was attached anywhere."]
    notes = [*nothing, *failed, "Empty targets in the configuration, or the next change of them attaches again."]
    data = {"detached": [{"policy": name, "target": target} for name, target in done], "failed": failed}
    return Answer(("policy", "detached from"), done, data, notes, ok=not failed)


# --- files ------------------------------------------------------------------------------------------------------------


def _write_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--out", type=Path, required=True, help="folder to write to")
    parser.add_argument(
        "--partition", default="aws", help="for Control Tower, where the setting partition is null (aws)"
    )
    parser.add_argument(
        "--ou",
        action="append",
        default=[],
        help="unit to attach to, nested as Parent/Child; with subnets_by_target TARGET=UNIT; none: attached to nothing",
    )


def _write(options: Namespace, stack: str, settings: GuardrailSettings) -> Answer:
    sizes = {}
    units, by_target = _units(options.ou, settings)
    partition = settings.partition or options.partition
    for path, text in files.files(stack, settings, units, partition, by_target).items():
        target = options.out / path
        try:
            write_text(target, text)
        except UnwritableError as error:
            raise CommandError(str(error)) from None
        sizes[str(target)] = len(text)
    data = [{"file": path, "characters": size} for path, size in sizes.items()]
    notes = [f"{len(sizes)} files, {sum(sizes.values()):,} characters."]
    notes += [
        f"{path} is of an earlier time, under a name that no policy has any more: delete it, and take its entry out of "
        "your manifest or configuration, or that policy stays in force beside the others."
        for path in _of_earlier_times(stack, set(sizes))
    ]
    return Answer((), (), data, notes, lines=list(sizes))


def _of_earlier_times(stack: str, written: set[str]) -> list[str]:
    """Policies of this stack's name in the folders that were just written to, but not written now."""
    folders = {Path(path).parent for path in written if path.endswith(".json")}
    found = {str(path) for folder in folders for path in folder.glob(f"{stack}-*.json")}
    return sorted(found - written)


def _units(named: list[str], settings: GuardrailSettings) -> tuple[list[str], dict[str, list[str]]]:
    """The units for all policies, and those of each target, as Parent/Child.

    Raises:
        CommandError: a unit cannot be told to be a target's.
    """
    units: list[str] = []
    by_target: dict[str, list[str]] = {}
    for each in named:
        target, equals, unit = each.rpartition("=")
        if equals and target not in settings.subnets_by_target:
            raise CommandError(f"--ou {each}: {target} is no target of subnets_by_target")
        where = by_target.setdefault(target, []) if equals else units
        where.append(unit.replace(":", "/"))
    if units and settings.subnets_by_target:
        known = ", ".join(f"{target}={units[0]}" for target in settings.subnets_by_target)
        raise CommandError(
            f"--ou {units[0]}: each unit has its own subnets, and those of another would leave none; "
            f"say whose it is: {known}"
        )
    return units, by_target
