"""What ``python -m stacks outposts_dashboard`` can do."""

import json
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from config.models import CommonSettings
from stacks.outposts_dashboard.settings import OutpostsDashboardSettings
from stacks.outposts_dashboard.tag_policy import PolicyTooLongError, service_control_policy, tag_policy, text_of
from stacks.shared.billing import HOURS, MINUTES, BillingUnit
from stacks.shared.command import Answer, Command, CommandError
from stacks.shared.files import UnwritableError, write_text
from stacks.shared.preflight import Clients, Finding, account_findings, looked_at

COST_NOTE = "For a month without changes; each further page is one more dashboard."
LAMBDAS = Path(__file__).parents[2] / "lambdas"
ALARMS = {"function": 5, "pipeline": 4}
# Five connections, each asking every 20 seconds: https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html
POLLS = 5 * HOURS * 3600 / 20


def idle_month(common: CommonSettings, settings: OutpostsDashboardSettings) -> Iterator[BillingUnit]:
    """What bills in a month in which nothing is tagged or changed: one dashboard, and the schedule."""
    refreshes = MINUTES / settings.refresh_minutes
    yield BillingUnit("dashboard_month", 1, "dashboard; each further page is one more")
    yield BillingUnit("alarm_month", ALARMS[settings.refresh], "alarms")
    yield BillingUnit("scheduler_invocation", refreshes, "schedule")
    if settings.refresh == "function":
        yield BillingUnit("custom_metric_month", 4, "metrics of the refresh")
        yield BillingUnit("lambda_request", refreshes, "refreshes")
        yield BillingUnit("sqs_request", POLLS, "Lambda's polls of the queue")
    else:
        yield BillingUnit("codebuild_build", 2 * refreshes, "builds of the pipeline, by their minutes")


def findings(common: CommonSettings, settings: OutpostsDashboardSettings, clients: Clients) -> Iterator[Finding]:
    """What would stop a deployment, and what there would be on the dashboards."""
    yield from account_findings(common, clients)
    yield looked_at("Outposts", lambda: _outposts(settings, clients))
    yield looked_at("dashboard name", lambda: _name(common, settings, clients))
    yield looked_at("tagged resources", lambda: _tagged(settings, clients))
    if settings.source.kind == "codecommit":
        yield looked_at("source", lambda: _repository(settings, clients))
    if settings.source.kind == "codeconnections":
        yield looked_at("source", lambda: _connection(settings, clients))


def _outposts(settings: OutpostsDashboardSettings, clients: Clients) -> Finding:
    pages = clients("outposts").get_paginator("list_outposts").paginate(PaginationConfig={"PageSize": 1000})
    states = [each["LifeCycleStatus"] for page in pages for each in page["Outposts"]]
    others = f", {len(settings.other_outposts)} of other accounts" if settings.other_outposts else ""
    if not states and not settings.other_outposts:
        return Finding("Outposts", "ok", "none here: the dashboard shows what is tagged, and no capacity")
    return Finding("Outposts", "ok", f"{len(states)} here, {states.count('ACTIVE')} of them active{others}")


def _name(common: CommonSettings, settings: OutpostsDashboardSettings, clients: Clients) -> Finding:
    name = settings.named(common, settings.dashboard_name)
    pages = clients("cloudwatch").get_paginator("list_dashboards").paginate(DashboardNamePrefix=name)
    taken = {entry["DashboardName"] for page in pages for entry in page.get("DashboardEntries", [])}
    if name not in taken:
        return Finding("dashboard name", "ok", f"{name} is free")
    fix = "If another stack or a person has written it, change dashboard_name or delete that dashboard"
    return Finding("dashboard name", "ok", f"{name} exists already", fix)


def _tagged(settings: OutpostsDashboardSettings, clients: Clients) -> Finding:
    values = list(settings.tag_values[:20])
    answer = clients("resourcegroupstaggingapi").get_resources(
        TagFilters=[{"Key": settings.tag_name, **({"Values": values} if values else {})}], ResourcesPerPage=100
    )
    count = len(answer["ResourceTagMappingList"])
    more = "at least " if answer.get("PaginationToken") else ""
    if not count:
        return Finding("tagged resources", "ok", "none yet", f"Tag what is to be shown with {settings.tag_name}")
    return Finding("tagged resources", "ok", f"{more}{count}")


def _repository(settings: OutpostsDashboardSettings, clients: Clients) -> Finding:
    name, branch = settings.source.repository, settings.source.branch
    try:
        clients("codecommit").get_branch(repositoryName=name, branchName=branch)
    except ClientError as error:
        if error.response["Error"]["Code"] not in ("RepositoryDoesNotExistException", "BranchDoesNotExistException"):
            raise
        return Finding("source", "problem", f"no branch {branch} in a repository {name}", "Push this checkout to it")
    return Finding("source", "ok", f"branch {branch} of {name}")


def _connection(settings: OutpostsDashboardSettings, clients: Clients) -> Finding:
    arn = settings.source.connection_arn
    status = clients("codeconnections").get_connection(ConnectionArn=arn)["Connection"]["ConnectionStatus"]
    if status != "AVAILABLE":
        return Finding("source", "problem", f"the connection is {status}", "Confirm it in the console")
    return Finding("source", "ok", f"{settings.source.repository} by a connection that is available")


def preview(
    options: Namespace, common: CommonSettings, settings: OutpostsDashboardSettings, clients: Clients
) -> Answer:
    """Reads the account with your permissions and lays the dashboards out with the function's code; writes none."""
    sys.path.insert(0, str(LAMBDAS))  # the modules of the functions
    from outposts_dashboard.discovery import discover
    from outposts_dashboard.layout.pages import dashboards
    from outposts_dashboard.wanted import Wanted

    wanted = Wanted.read(settings.wanted(common, f"stack {common.stack_name('outposts_dashboard')}"))
    sts = clients("sts")
    account = sts.get_caller_identity()["Account"]
    faults = (ClientError, BotoCoreError)
    found = discover(clients, wanted, region=sts.meta.region_name, account=account, faults=faults)
    shown = dashboards(found, wanted)
    written: list[str] = []
    for dashboard in shown if options.output else ():
        text = json.dumps(json.loads(dashboard.body), indent=2) + "\n"
        written += _write(options.output / f"{dashboard.name}.json", text)
    rows = [[each.name, str(len(json.loads(each.body)["widgets"]))] for each in shown]
    counts = ", ".join(f"{len(items)} of {name}" for name, items in found["sections"].items() if items) or "nothing"
    failed = [f"{name} could not be read: {reason}" for name, reason in found["failures"].items()]
    data: dict[str, Any] = {"discovery": found, "dashboards": {each.name: json.loads(each.body) for each in shown}}
    return Answer(("dashboard", "widgets"), rows, data, [f"Found {counts}.", *written, *failed], ok=not failed)


def write_tag_policy(
    options: Namespace, common: CommonSettings, settings: OutpostsDashboardSettings, clients: Clients
) -> Answer:
    """Writes one of the policies to a file, or shows it."""
    policy = service_control_policy(settings) if options.scp else tag_policy(settings)
    try:
        text = text_of("service control policy" if options.scp else "tag policy", policy)
    except PolicyTooLongError as error:
        raise CommandError(str(error)) from None
    notes = [
        *(_write(options.output, text) if options.output else ["--output FILE writes it."]),
        "Nothing is attached. Try it on one account first: it applies to every resource there, not only on an Outpost.",
        "It denies creation without the tag in the same call; the tag policy limits the values that are set later. "
        "A tool that creates a bucket and then tags it is denied: try yours, CloudFormation included."
        if options.scp
        else "It lets untagged resources pass; --scp writes a service control policy that denies them.",
    ]
    lines = [] if options.output else text.splitlines()
    return Answer((), (), policy, notes, lines=lines)


def _write(path: Path, text: str) -> list[str]:
    """Writes a file and says so, and which folders it took."""
    try:
        created = write_text(path, text)
    except UnwritableError as error:
        raise CommandError(str(error)) from None
    return [f"Created the folder {folder}." for folder in reversed(created)] + [f"Written to {path}."]


def _preview_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--output", type=Path, help="folder to write the bodies to, a file for each dashboard")


def _policy_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--output", type=Path, help="file to write it to")
    parser.add_argument("--scp", action="store_true", help="the service control policy that denies creation without it")


COMMANDS = (
    Command("preview", "what the dashboards would show now; writes nothing to AWS", preview, _preview_arguments),
    Command("tag-policy", "a tag policy that enforces the tag; attaches nothing", write_tag_policy, _policy_arguments),
)
