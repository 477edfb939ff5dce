"""What ``python -m stacks spot_placement_tracker`` can do."""

from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from config.models import CommonSettings
from shared.metric_data import MetricDataError
from spot_placement_tracker.checks import Reading, read
from spot_placement_tracker.dashboards.following import GONE
from spot_placement_tracker.dashboards.layout import is_ours
from spot_placement_tracker.history import known_zones, lines
from spot_placement_tracker.insights import Line, Size, sizes
from spot_placement_tracker.questions import questions_of
from spot_placement_tracker.store import FILE
from stacks.shared.billing import HOURS, MINUTES, BillingUnit
from stacks.shared.command import Answer, Command, CommandError
from stacks.shared.deployed import stack_output, stack_outputs
from stacks.shared.files import UnreadableError, read_text
from stacks.shared.preflight import Clients, Finding, account_findings, looked_at
from stacks.spot_placement_tracker.settings import SpotPlacementTrackerSettings

COST_NOTE = "Zones beyond the ten that EC2 names at a time are billed in addition, as a metric each."
OWN_METRICS = 4
ALARMS = 6
ZONES_NAMED = 10  # EC2 names the ten best
MOST_DATA = 1_000
RESERVED = 2
SPOT, SPOT_QUOTA = "Spot quota", "L-34B43A08"
"""Of vCPUs of standard types (https://docs.aws.amazon.com/ec2/latest/instancetypes/ec2-instance-quotas.html)."""
LEFT_UNRESERVED = 100
"""Lambda keeps so much of an account's concurrency for functions that reserve none
(https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html)."""


def idle_month(common: CommonSettings, settings: SpotPlacementTrackerSettings) -> Iterator[BillingUnit]:
    """What bills in a month; zones beyond the ten that EC2 names at a time come on top, as a series each."""
    reading = settings.read()
    questions = questions_of(reading.dashboards)
    series = sum(ZONES_NAMED if question.single_zone else len(question.places()) for question in questions)
    rounds, reports = MINUTES / settings.every_minutes, HOURS / settings.report_every_hours
    yield BillingUnit("custom_metric_month", series + OWN_METRICS, "series of scores, and the tracker's own")
    calls = -(-(series + OWN_METRICS) // MOST_DATA)
    yield BillingUnit("put_metric_data_request", rounds * calls, "rounds")
    yield BillingUnit("get_metric_data_metric", reports * series, "reports")
    yield BillingUnit("dashboard_month", len(reading.dashboards), "dashboards of the file")
    yield BillingUnit("alarm_month", ALARMS, "alarms")
    yield BillingUnit("lambda_request", rounds + reports, "rounds and reports")


def findings(common: CommonSettings, settings: SpotPlacementTrackerSettings, clients: Clients) -> Iterator[Finding]:
    """What would stop a deployment, or leave it without scores."""
    yield from account_findings(common, clients)
    yield looked_at("placement scores", lambda: _scores(settings, clients))
    yield looked_at("types and Regions", lambda: _known(settings, clients))
    yield looked_at(SPOT, lambda: _quota(settings, clients))
    if settings.reserve_concurrency:
        yield looked_at("concurrency", lambda: _concurrency(clients))
    for dashboard in settings.read().dashboards:
        yield looked_at(
            f"dashboard {dashboard.name}",
            lambda name=dashboard.name: _dashboard(common, settings, clients, name),  # type: ignore[misc]
        )


def _scores(settings: SpotPlacementTrackerSettings, clients: Clients) -> Finding:
    """A dry run: it tells whether the call may be made here, and asks no question that would count."""
    (question, *_) = questions_of(settings.read().dashboards)
    try:
        clients("ec2").get_spot_placement_scores(**question.request(), DryRun=True)
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code == "UnsupportedOperation":
            says = "EC2 gives no placement scores in this Region"
            return Finding("placement scores", "problem", says, "Deploy into another one; it can ask about any Region")
        if code != "DryRunOperation":
            raise
    return Finding("placement scores", "ok", "EC2 gives them here; the function has a role of its own")


def _known(settings: SpotPlacementTrackerSettings, clients: Clients) -> Finding:
    """EC2 refuses a whole question for one type or Region that it does not know: InvalidParameterValue.

    Types are asked of this Region; another one may have more, so that an unknown type is no problem for certain.
    """
    questions = questions_of(settings.read().dashboards)
    ec2 = clients("ec2")
    regions = {region["RegionName"] for region in ec2.describe_regions(AllRegions=True)["Regions"]}
    if strange := sorted({region for question in questions for region in question.regions} - regions):
        says = f"no Regions of this partition: {', '.join(strange)}"
        return Finding("types and Regions", "problem", says, "Correct RegionNames; EC2 refuses the whole question")
    wanted = {name for question in questions for name in question.shape.get("InstanceTypes", ())}
    if not wanted:
        return Finding("types and Regions", "ok", f"{len(regions)} Regions are known")
    pages = ec2.get_paginator("describe_instance_types").paginate()
    found = {each["InstanceType"]: each for page in pages for each in page["InstanceTypes"]}
    if no_spot := sorted(name for name in wanted & found.keys() if "spot" not in found[name]["SupportedUsageClasses"]):
        says = f"not offered as Spot Instances: {', '.join(no_spot)}"
        return Finding("types and Regions", "problem", says, "Take them out of InstanceTypes")
    if strange := sorted(wanted - found.keys()):
        says = f"no types of this Region: {', '.join(strange)}"
        return Finding("types and Regions", "unknown", says, "Correct InstanceTypes, unless another Region has them")
    return Finding("types and Regions", "ok", f"{len(wanted)} types are known here")


def _quota(settings: SpotPlacementTrackerSettings, clients: Clients) -> Finding:
    """No score asks for a quota, but it is of use only as far as one may launch."""
    questions = questions_of(settings.read().dashboards)
    asked = max((question.capacity for question in questions if question.unit == "vcpu"), default=0)
    quota = clients("service-quotas").get_service_quota(ServiceCode="ec2", QuotaCode=SPOT_QUOTA)["Quota"]["Value"]
    if asked <= quota:
        return Finding(SPOT, "ok", f"{asked} vCPUs are asked about at most, {quota:g} of standard types allowed here")
    says = f"{asked} vCPUs are asked about, {quota:g} of standard types allowed here: no more can be launched"
    return Finding(SPOT, "unknown", says, f"Ask for more in Service Quotas ({SPOT_QUOTA}), or lower TargetCapacity")


def _concurrency(clients: Clients) -> Finding:
    limits = clients("lambda").get_account_settings()["AccountLimit"]
    left = int(limits["UnreservedConcurrentExecutions"])
    if left < LEFT_UNRESERVED + RESERVED:
        says = f"{left} are unreserved, and {LEFT_UNRESERVED} must stay so"
        return Finding("concurrency", "problem", says, "Set reserve_concurrency: false, or ask for more concurrency")
    return Finding("concurrency", "ok", f"{RESERVED} of {left} would be reserved")


def _dashboard(common: CommonSettings, settings: SpotPlacementTrackerSettings, clients: Clients, name: str) -> Finding:
    what = f"dashboard {name}"
    try:
        body = clients("cloudwatch").get_dashboard(DashboardName=name)["DashboardBody"]
    except ClientError as error:
        if error.response["Error"]["Code"] not in GONE:
            raise
        return Finding(what, "ok", "the name is free")
    address = (stack_outputs(_stack(common), clients) or {}).get("FileAddress")
    if address and is_ours(body, address):
        return Finding(what, "ok", "this stack has written it")
    if settings.take_over_dashboards:
        return Finding(what, "ok", "somebody else's; take_over_dashboards lets the stack overwrite it")
    fix = "Destroy the stack that made it, rename one, or set take_over_dashboards: true; the metrics stay"
    return Finding(what, "problem", "it exists, and this stack has not written it", fix)


# --- validate ---------------------------------------------------------------------------------------------------------


def _validate_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("file", nargs="?", type=Path, help="the file (that of the configuration)")


def _validate(
    options: Namespace, common: CommonSettings, settings: SpotPlacementTrackerSettings, clients: Clients
) -> Answer:
    """Checks a file without AWS."""
    path = options.file or settings.path
    found = _read(path)
    rows = [("problem", *problem.split(": ", 1)) for problem in found.problems]
    rows += [("warning", *warning.split(": ", 1)) for warning in found.warnings]
    questions = questions_of(found.dashboards)
    counts = {
        "dashboards": len(found.dashboards),
        "questions": len(questions),
        "regional_series": sum(len(question.places()) for question in questions),
    }
    notes = (
        []
        if found.problems
        else [
            f"{_counted(counts['dashboards'], 'dashboard')}, {_counted(counts['questions'], 'question')}; "
            f"{_counted(len(found.warnings), 'warning') if found.warnings else 'no problems found'}.",
            "EC2 may limit the new ones of 24 hours, and then refuses others. AWS gives no number, the public "
            "tracker's page says ten. The first ones of the file are asked first.",
        ]
    )
    data = {**counts, "problems": list(found.problems), "warnings": list(found.warnings), "ok": not found.problems}
    return Answer(("", "line", "says"), rows, data, notes, ok=not found.problems)


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}{'s' * (count != 1)}"


def _read(path: Path) -> Reading:
    try:
        return read(read_text(path))
    except UnreadableError as error:
        raise CommandError(str(error)) from None


# --- report -----------------------------------------------------------------------------------------------------------


def _report_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--days", type=int, help="how far to look back, 1 to 63 (report_days)")


def _report(
    options: Namespace, common: CommonSettings, settings: SpotPlacementTrackerSettings, clients: Clients
) -> Answer:
    """Reads what was published of the deployed file, and tells the best hour, day and size of each series."""
    days = options.days or settings.report_days
    if not 1 <= days <= 63:
        raise CommandError(f"--days must be 1 to 63, got {days}")
    address = stack_output(_stack(common), "FileAddress", clients)
    bucket = address.removeprefix("s3://").partition("/")[0]
    body = clients("s3").get_object(Bucket=bucket, Key=FILE)["Body"].read()
    reading = read(body.decode(errors="replace"))
    if reading.problems:
        raise CommandError("\n".join(f"{address}:{problem}" for problem in reading.problems))
    questions = questions_of(reading.dashboards)
    cloudwatch = clients("cloudwatch")
    zones = known_zones(cloudwatch, settings.metric_namespace, questions)
    try:
        found = lines(cloudwatch, settings.metric_namespace, questions, zones, now=datetime.now(UTC), days=days)
    except MetricDataError as error:
        raise CommandError(f"{error}; try again") from None
    told = [line for line in found if line.profile.count]
    several = sizes(found)
    notes = [f"Averages of {days} days; hours in UTC.", *map(_sized, several)]
    data = {
        "days": days,
        "series": [_line_data(line) for line in told],
        "sizes": [_size_data(size) for size in several],
    }
    return Answer(
        ("configuration", "where", "hours of data", "score", "lowest", "best hour", "best day"),
        [
            (
                line.question.title,
                str(line.place),
                str(line.profile.count),
                f"{line.profile.mean:.1f}",
                f"{line.profile.lowest:.1f}",
                str(line.profile.best_hour()),
                str(line.profile.best_day()),
            )
            for line in told
        ],
        {**data, "ok": bool(told)},
        notes if told else [f"No score was published in {days} days."],
        ok=bool(told),
    )


def _sized(size: Size) -> str:
    keeps = "" if size.largest is None else "the score is kept by "
    asked = ", ".join(map(str, size.of))
    return f"{size.question.name}, {size.place}: of {asked} {size.question.unit}, {keeps}{size}."


def _line_data(line: Line) -> dict[str, Any]:
    profile = line.profile
    return {
        "configuration": line.question.name,
        "capacity": line.question.capacity,
        "unit": line.question.unit,
        **asdict(line.place),
        "hours_of_data": profile.count,
        "score": round(profile.mean, 2),
        "lowest": round(profile.lowest, 2),
        "best_hour": asdict(profile.best_hour()),
        "best_day": asdict(profile.best_day()),
    }


def _size_data(size: Size) -> dict[str, Any]:
    return {
        "configuration": size.question.name,
        "unit": size.question.unit,
        **asdict(size.place),
        "sizes": list(size.of),
        "largest": size.largest,
        "not_answered": list(size.unknown),
    }


def _stack(common: CommonSettings) -> str:
    return common.stack_name("spot_placement_tracker")


COMMANDS = (
    Command("validate", "checks a file of dashboards and configurations, without AWS", _validate, _validate_arguments),
    Command("report", "best hour, best day and largest size of each configuration", _report, _report_arguments),
)
