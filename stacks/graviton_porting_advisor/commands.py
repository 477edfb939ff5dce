"""What ``python -m stacks graviton_porting_advisor`` can do."""

import json
import sys
import uuid
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from config.models import CommonSettings
from stacks.graviton_porting_advisor.settings import GravitonPortingAdvisorSettings, Source
from stacks.shared.billing import BillingUnit
from stacks.shared.command import Answer, Command, CommandError
from stacks.shared.deployed import stack_output
from stacks.shared.preflight import Clients, Finding, account_findings, looked_at

COST_NOTE = "For a month without builds on demand; each build bills its minutes."
LAMBDAS = Path(__file__).parents[2] / "lambdas"
ALARMS = 4
TAKEN_AT_ONCE = 6
"""Factor on the builds that may run at a time: five times as many may wait. StartBuild refuses more, which then wait in
the stack's own line.
https://docs.aws.amazon.com/codebuild/latest/userguide/builds-working.html"""
WEEKS, HOURS = 730 / 168, 730
TOTALS = 4
# Five connections, each polling every 20 seconds: https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html
POLLS = 5 * HOURS * 3600 / 20


def idle_month(common: CommonSettings, settings: GravitonPortingAdvisorSettings) -> Iterator[BillingUnit]:
    """The billing units of a month in which every source is scanned once a week, as by default."""
    sources = len(settings.sources)
    yield BillingUnit("alarm_month", ALARMS, "alarms")
    yield BillingUnit("dashboard_month", 1, "dashboard")
    yield BillingUnit("custom_metric_month", TOTALS * sources + 1, "totals of each source, and scans that did not pass")
    yield BillingUnit("sqs_request", POLLS, "Lambda's polls of the queue")
    if settings.schedule:
        yield BillingUnit("codebuild_build", WEEKS * sources, "minutes of a build of each source a week")
        yield BillingUnit("scheduler_invocation", WEEKS, "the schedule")
        yield BillingUnit(
            "lambda_request", WEEKS * (1 + 3 * sources), "Start, Report, and Start again when a build has ended"
        )


def findings(common: CommonSettings, settings: GravitonPortingAdvisorSettings, clients: Clients) -> Iterator[Finding]:
    """Finds what would stop a deployment or the first scan."""
    yield from account_findings(common, clients)
    yield looked_at("builds", lambda: _image(settings, clients))
    yield looked_at("builds at a time", lambda: _taken_at_once(settings, clients))
    for source in settings.sources:
        if source.connection_arn:
            yield looked_at(source.place.label, lambda source=source: _connection(source, clients))  # type: ignore[misc]
        elif source.place.provider == "codecommit":
            yield looked_at(source.place.label, lambda source=source: _repository(source, clients))  # type: ignore[misc]
        elif source.place.provider == "s3":
            yield looked_at(source.place.label, lambda source=source: _objects(source, clients))  # type: ignore[misc]


def _own_image(image: str, clients: Clients) -> Finding:
    host, _, name = image.partition("/")
    repository, _, wanted = name.partition("@" if "@" in name else ":")
    which = {"imageDigest": wanted} if "@" in name else {"imageTag": wanted}
    try:
        clients("ecr").describe_images(registryId=host.split(".")[0], repositoryName=repository, imageIds=[which])
    except ClientError as error:
        if error.response["Error"]["Code"] not in ("ImageNotFoundException", "RepositoryNotFoundException"):
            raise
        return Finding("builds", "problem", f"{image} does not exist", "Push it, or correct image")
    return Finding("builds", "ok", f"{image} exists")


def _image(settings: GravitonPortingAdvisorSettings, clients: Clients) -> Finding:
    if settings.image:
        return _own_image(settings.image, clients)
    platforms = clients("codebuild").list_curated_environment_images()["platforms"]
    images = {
        image["name"] for platform in platforms for language in platform["languages"] for image in language["images"]
    }
    machine = "aarch64-standard:3.0" if settings.arm else "x86_64-standard:5.0"
    if f"aws/codebuild/amazonlinux-{machine}" in images:
        return Finding("builds", "ok", f"amazonlinux-{machine} is offered here")
    fix = "Set arm: false; the counts are the same" if settings.arm else "Choose another Region"
    return Finding("builds", "problem", f"this Region does not list amazonlinux-{machine}", fix)


def _taken_at_once(settings: GravitonPortingAdvisorSettings, clients: Clients) -> Finding:
    """Whether CodeBuild accepts as many builds as are started at a time; refused ones wait and are tried again."""
    what, needed = "builds at a time", min(settings.builds_at_once, len(settings.sources))
    name = (
        f"Concurrently running builds for {'ARM' if settings.arm else 'Linux'}/{settings.compute.title()} environment"
    )
    pages = clients("service-quotas").get_paginator("list_service_quotas").paginate(ServiceCode="codebuild")
    quotas = {each["QuotaName"]: each["Value"] for page in pages for each in page["Quotas"]}
    most = TAKEN_AT_ONCE * quotas[name]
    if needed <= most:
        return Finding(what, "ok", f"{needed} of the {most:g} that may run or wait")
    fix = f'Set builds_at_once: {max(1, round(most))}, or request more in Service Quotas, AWS CodeBuild, "{name}"'
    return Finding(what, "problem", f"{needed} are started at a time, but only {most:g} may run or wait", fix)


def _connection(source: Source, clients: Clients) -> Finding:
    found = clients("codeconnections").get_connection(ConnectionArn=source.connection_arn)["Connection"]
    if found["ConnectionStatus"] != "AVAILABLE":
        says = f"its connection is {found['ConnectionStatus']}"
        return Finding(source.place.label, "problem", says, "Confirm it in the console")
    return Finding(source.place.label, "ok", "its connection is available")


def _repository(source: Source, clients: Clients) -> Finding:
    name = source.place.name
    try:
        clients("codecommit").get_repository(repositoryName=name)
    except ClientError as error:
        if error.response["Error"]["Code"] != "RepositoryDoesNotExistException":
            raise
        return Finding(source.place.label, "problem", f"there is no repository {name} here", "Correct its location")
    return Finding(source.place.label, "ok", "the repository exists")


def _objects(source: Source, clients: Clients) -> Finding:
    place = source.place
    found = clients("s3").list_objects_v2(Bucket=place.bucket, Prefix=place.key, MaxKeys=1).get("Contents", [])
    if not found or not (place.key.endswith("/") or found[0]["Key"] == place.key):
        return Finding(place.label, "problem", "it does not exist", "Upload it, or correct its location")
    return Finding(place.label, "ok", "it exists")


def scan(
    options: Namespace, common: CommonSettings, settings: GravitonPortingAdvisorSettings, clients: Clients
) -> Answer:
    """Starts a scan of some sources or of all, with the stack's function."""
    stack = _stack(common)
    known = _projects(stack, clients)
    chosen = {label: project for label, project in known.items() if not options.source or label in options.source}
    if unknown := sorted(set(options.source) - set(known)):
        raise CommandError(f"{stack} does not scan {', '.join(unknown)}; it scans {', '.join(sorted(known))}")
    event = {"projects": list(chosen.values()), "run": str(uuid.uuid4())}
    function = stack_output(stack, "StartFunction", clients)
    answer = clients("lambda").invoke(FunctionName=function, Payload=json.dumps(event).encode())
    said = json.loads(answer["Payload"].read() or b"null")
    if "FunctionError" in answer:
        raise CommandError(f"not all were started: {said.get('errorMessage')}")
    rows = [[label, build or "waits for its turn"] for label, build in zip(chosen, said["builds"], strict=True)]
    return Answer(("source", "build"), rows, said, ["A notification is sent when a build has ended."])


def report(
    options: Namespace, common: CommonSettings, settings: GravitonPortingAdvisorSettings, clients: Clients
) -> Answer:
    """The newest result of each source, with a link that is signed with the reader's role."""
    sys.path.insert(0, str(LAMBDAS))  # the functions' modules
    from graviton_porting_advisor.report.handler import signed

    stack = _stack(common)
    bucket = stack_output(stack, "ReportsBucket", clients)
    role = stack_output(stack, "ReaderRoleArn", clients)
    sources = {source.place.label: source.place.slug for source in settings.sources}
    if unknown := sorted(set(options.source) - set(sources)):
        raise CommandError(f"the settings have no source {', '.join(unknown)}; they have {', '.join(sorted(sources))}")
    rows, data, lines = [], [], []
    region = clients("sts").meta.region_name
    for label, slug in sources.items():
        if options.source and label not in options.source:
            continue
        found = _newest(clients, bucket, f"reports/{slug}/")
        if found is None:
            rows.append([label, "never scanned", "", ""])
            data.append({"source": label, "result": None})
            continue
        prefix, result = found
        link = signed(clients("sts"), role, bucket, f"{prefix}report.html", settings.link_minutes, region=region)
        rows.append([label, result["result"], str(result["issues"]), f"{link.minutes} min" if link else "no link"])
        data.append({**result, "link": link.url if link else None, "until": link.until.isoformat() if link else None})
        if link and result["files"]:
            lines += [f"{label}:", link.url]
    notes = ["A link opens without signing in. When S3 answers ExpiredToken, run this again for a new link."]
    ok = all(item.get("passed", True) for item in data)
    return Answer(("source", "result", "issues", "link works for"), rows, data, notes, ok=ok, lines=lines)


def _newest(clients: Clients, bucket: str, prefix: str) -> tuple[str, Mapping[str, Any]] | None:
    s3 = clients("s3")
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    results = [item for page in pages for item in page.get("Contents", []) if item["Key"].endswith("/result.json")]
    if not results:
        return None
    key = max(results, key=lambda item: item["LastModified"])["Key"]
    found: Mapping[str, Any] = json.loads(s3.get_object(Bucket=bucket, Key=key)["Body"].read())
    return key.removesuffix("result.json"), found


def _projects(stack: str, clients: Clients) -> dict[str, str]:
    """The deployed projects by their sources' labels."""
    pages = clients("cloudformation").get_paginator("list_stack_resources").paginate(StackName=stack)
    names = [
        item["PhysicalResourceId"]
        for page in pages
        for item in page["StackResourceSummaries"]
        if item["ResourceType"] == "AWS::CodeBuild::Project" and item.get("PhysicalResourceId")
    ]
    found = clients("codebuild").batch_get_projects(names=names)["projects"] if names else []
    labels = {}
    for project in found:
        variables = {item["name"]: item["value"] for item in project["environment"]["environmentVariables"]}
        labels[variables["SOURCE"]] = project["name"]
    return labels


def _stack(common: CommonSettings) -> str:
    return common.stack_name("graviton_porting_advisor")


def _source_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("source", nargs="*", default=[], help="source such as github/owner/name; without any: all")


COMMANDS: tuple[Command, ...] = (
    Command("scan", "start a scan of some sources, or of all", scan, _source_arguments),
    Command("report", "the newest results, with links to the reports", report, _source_arguments),
)
