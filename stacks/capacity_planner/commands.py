"""What ``python -m stacks capacity_planner`` can do. Nothing in here buys or reserves anything."""

import json
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import yaml
from botocore.exceptions import BotoCoreError, ClientError

from capacity_planner.options import Option
from capacity_planner.planning import NOT_COUNTED, Plan
from capacity_planner.planning import plan as planned
from capacity_planner.price_file import PricesError
from capacity_planner.price_source import CURRENCIES, ENDPOINTS, PLAN_ENDPOINTS, PriceSource, pages, partition_of
from capacity_planner.prices import Prices
from capacity_planner.shapes import Shape
from capacity_planner.store import LATEST
from capacity_planner.workload_file import WorkloadsError, read_workloads
from capacity_planner.workloads import Workload
from config.models import CommonSettings
from stacks.capacity_planner.settings import ROOT, CapacityPlannerSettings, read_price_file
from stacks.capacity_planner.tables import limits_of, option_row, plan_rows, sentences, unpriced
from stacks.shared.billing import HOURS, BillingUnit
from stacks.shared.command import Answer, Command, CommandError
from stacks.shared.deployed import stack_output
from stacks.shared.exact_yaml import load_exact
from stacks.shared.files import UnreadableError, UnwritableError, read_text, write_text
from stacks.shared.preflight import Clients, Finding, account_findings, looked_at
from stacks.shared.session import region_of

COST_NOTE = "Each reservation of the account adds two metrics that a look reads."
ACTIVE = [{"Name": "state", "Values": ["active"]}]
ALARMS = 6
METRICS = 7


# --- cost and check ---------------------------------------------------------------------------------------------------


def idle_month(common: CommonSettings, settings: CapacityPlannerSettings) -> Iterator[BillingUnit]:
    """The billing units of a month in an account without reservations."""
    looks = Decimal(HOURS) / settings.every_hours
    yield BillingUnit("custom_metric_month", METRICS, "metrics that a look publishes")
    yield BillingUnit("put_metric_data_request", looks, "looks")
    yield BillingUnit("alarm_month", ALARMS, "alarms")
    yield BillingUnit("lambda_request", looks, "looks")


def findings(common: CommonSettings, settings: CapacityPlannerSettings, clients: Clients) -> Iterator[Finding]:
    """Finds what would stop a deployment or leave it without prices."""
    yield from account_findings(common, clients)
    region = region_of(common).name
    yield looked_at("prices", lambda: _prices_finding(region, settings, clients))
    yield looked_at("Savings Plans", lambda: _plans_finding(region, clients))
    yield looked_at("reservations", lambda: _reservations_finding(region, clients))


def _prices_finding(region: str, settings: CapacityPlannerSettings, clients: Clients) -> Finding:
    if (prices := settings.prices()) is not None:
        return Finding("prices", "ok", f"{settings.price_file}: {len(prices.cards)} price cards from {prices.read_on}")
    partition = partition_of(region)
    if partition not in ENDPOINTS:
        return Finding("prices", "problem", f"there is no Price List in {partition}", "Set price_file")
    answer = clients("pricing", ENDPOINTS[partition]).get_products(
        ServiceCode="AmazonEC2",
        FormatVersion="aws_v1",
        MaxResults=1,
        Filters=[{"Type": "TERM_MATCH", "Field": "regionCode", "Value": region}],
    )
    if not answer["PriceList"]:
        return Finding("prices", "problem", f"the Price List has no prices of {region}", "Set price_file")
    return Finding("prices", "ok", f"the Price List has prices of {region}")


def _plans_finding(region: str, clients: Clients) -> Finding:
    endpoint = PLAN_ENDPOINTS.get(partition_of(region))
    if endpoint is None:
        return Finding("Savings Plans", "unknown", "there are none in this partition", "Plan without Savings Plans")
    found = list(pages(clients("savingsplans", endpoint).describe_savings_plans, "savingsPlans", states=["active"]))
    return Finding("Savings Plans", "ok", f"{len(found)} are active")


def _reservations_finding(region: str, clients: Clients) -> Finding:
    """AWS Health's events come to the Region of the reservation, and this stack is in one Region."""
    listed = clients("ec2").get_paginator("describe_capacity_reservations").paginate(Filters=ACTIVE)
    count = sum(len(page["CapacityReservations"]) for page in listed)
    says = f"{count} in {region}; deploy the stack in every Region that holds reservations"
    return Finding("reservations", "ok", says)


# --- plan and compare -------------------------------------------------------------------------------------------------


def _plan_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("file", type=Path, help="YAML or JSON file of workloads")
    parser.add_argument("--prices", type=Path, help="price file; without it: price_file, else AWS's price APIs")
    parser.add_argument("--save-prices", type=Path, help="write the prices that were used as a price file")
    parser.add_argument("--date", type=date.fromisoformat, help="the day on which the plan begins; without it: today")


def _compare_arguments(parser: ArgumentParser) -> None:
    _plan_arguments(parser)
    parser.add_argument("--workload", help="compare only this workload")


def _plan(options: Namespace, common: CommonSettings, settings: CapacityPlannerSettings, clients: Clients) -> Answer:
    """What to do for each workload, and why."""
    found, problems = _planned(options, common, settings, clients)
    return Answer(
        ("workload", "from", "instances", "recommended", "a month", "upfront", "total"),
        [row for each in found.workloads for row in plan_rows(each)],
        {**found.to_json(), "price_problems": problems},
        [*sentences(found), *problems, found.prices.said(found.today), NOT_COUNTED],
        ok=not found.problems,
    )


def _compare(options: Namespace, common: CommonSettings, settings: CapacityPlannerSettings, clients: Clients) -> Answer:
    """Every option of every workload, as if nothing were owned."""
    found, problems = _planned(options, common, settings, clients, only=options.workload)
    return Answer(
        ("workload", "option", "reserves", "a month", "used", "unused", "upfront", "an hour", "total", "break-even"),
        [option_row(each.workload, option) for each in found.workloads for option in each.compared],
        {**found.to_json(), "price_problems": problems},
        [
            *(f"{each.workload.name}: {said}" for each in found.workloads for said in limits_of(each)),
            *unpriced(found),
            *problems,
            found.prices.said(found.today),
            NOT_COUNTED,
        ],
        ok=any(isinstance(option, Option) for each in found.workloads for option in each.compared),
    )


def _planned(
    options: Namespace,
    common: CommonSettings,
    settings: CapacityPlannerSettings,
    clients: Clients,
    only: str | None = None,
) -> tuple[Plan, list[str]]:
    workloads = _workloads(options.file, common)
    if only is not None:
        names = [workload.name for workload in workloads]
        workloads = [workload for workload in workloads if workload.name == only]
        if not workloads:
            raise CommandError(f"--workload {only!r} is not in {options.file}; there are: {', '.join(names)}")
    today = options.date or datetime.now(UTC).date()
    prices, problems = _prices(options, settings, clients, {workload.shape for workload in workloads}, today)
    if options.save_prices:
        try:
            write_text(options.save_prices, json.dumps(prices.to_json(), indent=2) + "\n")
        except UnwritableError as error:
            raise CommandError(str(error)) from None
    return planned(workloads, prices, today), problems


def _workloads(path: Path, common: CommonSettings) -> list[Workload]:
    try:
        return read_workloads(load_exact(read_text(path)), common.region)
    except UnreadableError as error:
        raise CommandError(str(error)) from None
    except yaml.YAMLError as error:
        raise CommandError(f"{path} is not valid YAML: {getattr(error, 'problem', error)}") from None
    except WorkloadsError as error:
        raise CommandError("\n".join(f"{path}: {line}" for line in str(error).splitlines())) from None


def _prices(
    options: Namespace, settings: CapacityPlannerSettings, clients: Clients, shapes: set[Shape], today: date
) -> tuple[Prices, list[str]]:
    file = options.prices or (ROOT / settings.price_file if settings.price_file else None)
    if file is not None:
        try:
            return read_price_file(file), []
        except UnreadableError as error:
            raise CommandError(str(error)) from None
        except PricesError as error:
            raise CommandError("\n".join(f"{file}: {line}" for line in str(error).splitlines())) from None
    partitions = {partition_of(shape.region) for shape in shapes}
    if len(partitions) > 1:
        raise CommandError(
            "the workloads are in several partitions, whose currencies differ; plan each partition separately"
        )
    (partition,) = partitions
    if partition not in ENDPOINTS:
        raise CommandError(f"there is no Price List in {partition}; name a price file with --prices FILE")
    plans = PLAN_ENDPOINTS.get(partition)
    source = PriceSource(
        clients("pricing", ENDPOINTS[partition]),
        clients("savingsplans", plans) if plans else None,
        CURRENCIES[partition],
        (ClientError, BotoCoreError),
    )
    return source.prices(shapes, today)


# --- report -----------------------------------------------------------------------------------------------------------


def _report(options: Namespace, common: CommonSettings, settings: CapacityPlannerSettings, clients: Clients) -> Answer:
    """The latest look of the deployed function."""
    address = stack_output(_stack(common), "ReportsAddress", clients)
    bucket = address.removeprefix("s3://").partition("/")[0]
    s3 = clients("s3")
    try:
        found: dict[str, Any] = json.loads(s3.get_object(Bucket=bucket, Key=LATEST)["Body"].read())
    except s3.exceptions.NoSuchKey:
        raise CommandError("there is no report yet; invoke the function of the output LookFunction") from None
    rows = [(name, found[name]) for name in ("covered_hours", "wasted_hours", "unreserved_hours")]
    return Answer(
        ("what", "found"),
        [*((name.replace("_", " "), value) for name, value in rows), *_listed(found)],
        found,
        [f"A look at {found['at']}, over {found['hours']} hours.", *found["problems"]],
        ok=not found["problems"],
    )


def _listed(found: dict[str, Any]) -> Iterator[Sequence[str]]:
    yield from (("ends soon", f"{each['ends']}: {each['what']}; lost: {each['lost']}") for each in found["ending"])
    yield from (("paid twice", f"{count} of {what}") for what, count in found["idle_while_unreserved"].items())
    yield from (("wasted", f"{name}: {money}") for name, money in found["wasted_money"].items())
    yield from (("shared", f"{name}: {said}") for name, said in found["shared"].items())


def _stack(common: CommonSettings) -> str:
    return common.stack_name("capacity_planner")


COMMANDS = (
    Command("plan", "what to reserve and how to pay for each workload of a file", _plan, _plan_arguments),
    Command("compare", "every option of each workload of a file", _compare, _compare_arguments),
    Command("report", "the latest look of the deployed function", _report),
)
