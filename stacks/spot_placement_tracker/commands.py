"""What ``python -m stacks spot_placement_tracker`` can do."""

from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from config.models import CommonSettings
from shared.metric_data import MetricDataError
from spot_placement_tracker.checks import Reading, read
from spot_placement_tracker.history import known_zones, lines
from spot_placement_tracker.insights import Line, Size, sizes
from spot_placement_tracker.questions import questions_of
from spot_placement_tracker.store import FILE
from stacks.shared.billing import HOURS, MINUTES, BillingUnit
from stacks.shared.command import Answer, Command, CommandError
from stacks.shared.deployed import stack_output
from stacks.shared.files import UnreadableError, read_text
from stacks.shared.preflight import Clients, Finding, account_findings
from stacks.spot_placement_tracker.checks import SLUG, findings_of
from stacks.spot_placement_tracker.settings import SpotPlacementTrackerSettings

COST_NOTE = "Zones beyond the ten that EC2 names at a time are billed in addition, as a metric each."
OWN_METRICS = 4
ALARMS = 6
ZONES_NAMED = 10  # EC2 names the ten best
MOST_DATA = 1_000


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
    yield from findings_of(common, settings, clients)


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
    address = stack_output(common.stack_name(SLUG), "FileAddress", clients)
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


COMMANDS = (
    Command("validate", "checks a file of dashboards and configurations, without AWS", _validate, _validate_arguments),
    Command("report", "best hour, best day and largest size of each configuration", _report, _report_arguments),
)
