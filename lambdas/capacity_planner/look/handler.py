"""Every day, and when AWS Health points to a reservation: looks at the account and reports. It buys nothing.

An event says only that it is time, or which reservations Health considers hardly used. A repeated event finds its own
report, and nothing is sent twice.
"""

import json
import logging
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from capacity_planner.account import Assumptions, workloads
from capacity_planner.coverage import coverage
from capacity_planner.health import hints
from capacity_planner.inventory import Inventory, inventory
from capacity_planner.look.measuring import answers, requests
from capacity_planner.planning import plan
from capacity_planner.price_file import read_prices
from capacity_planner.price_source import CURRENCIES, ENDPOINTS, PLAN_ENDPOINTS, PriceSource, pages, partition_of
from capacity_planner.prices import Prices
from capacity_planner.report import Report
from capacity_planner.shapes import Shape
from capacity_planner.store import Store, incomplete, report_key
from shared.aws import client
from shared.metric_data import results

logger = logging.getLogger(__name__)
Json = dict[str, Any]
RUNNING = [{"Name": "instance-state-name", "Values": ["running"]}]


@dataclass(frozen=True)
class Settings:
    """The settings that the stack passes on.

    Attributes:
        hours: the length of the window, which is the time between two looks.
        price_days: the age in days at which prices are read again.
        price_file: bucket and key of prices that replace AWS's; None: AWS's price APIs are called.
    """

    account: str
    region: str
    namespace: str
    planner: str
    topic: str
    hours: int
    notice_days: int
    price_days: int
    assumed: Assumptions
    price_file: tuple[str, str] | None

    @classmethod
    def of_environment(cls) -> "Settings":
        """Reads the environment."""
        env = os.environ
        assumed = json.loads(env["ASSUMED"])
        file = env.get("PRICE_FILE", "").partition("/")
        return cls(
            account=env["ACCOUNT"],
            region=env["AWS_REGION"],
            namespace=env["METRIC_NAMESPACE"],
            planner=env["PLANNER"],
            topic=env["TOPIC_ARN"],
            hours=int(env["EVERY_HOURS"]),
            notice_days=int(env["NOTICE_DAYS"]),
            price_days=int(env["PRICE_DAYS"]),
            assumed=Assumptions(**{**assumed, "may_change": tuple(assumed["may_change"])}),
            price_file=(file[0], file[2]) if file[2] else None,
        )


def lambda_handler(event: Any, context: Any) -> Json:
    """Looks, publishes the metrics, stores the report and sends it."""
    settings, now = Settings.of_environment(), datetime.now(UTC)
    store = Store(client("s3"), os.environ["BUCKET"])
    name = event.get("id") if isinstance(event, dict) else None
    key = report_key(now, str(name or context.aws_request_id))
    if store.has(key):
        logger.info("told already", extra={"report": key})
        return {"report": key, "told": False}
    report = look(settings, store, hints(event), now)
    client("cloudwatch").put_metric_data(Namespace=settings.namespace, MetricData=report.counts(settings.planner))
    if report.worth_telling:
        client("sns").publish(TopicArn=settings.topic, Subject=report.subject(), Message=report.text())
    # A look that could not see everything is repeated when its event is delivered again.
    store.keep_report(incomplete(key) if report.problems else key, report.to_json())
    for problem in report.problems:
        logger.error("could not be looked at", extra={"problem": problem})
    return {"report": key, "told": report.worth_telling, "problems": list(report.problems)}


def look(settings: Settings, store: Store, said: dict[str, str], now: datetime) -> Report:
    """Takes one look.

    Raises:
        botocore.exceptions.ClientError: EC2 or CloudWatch cannot be called. Without Savings Plans or prices the look
            continues and reports that.
        MetricDataError: CloudWatch did not answer for a reservation, which is not the same as no points.
    """
    problems: list[str] = []
    found = read_inventory(settings, problems)
    ids = [each.id for each in found.reservations]
    measured = answers(_results(ids, now, settings.hours))
    seen = coverage(found, measured, now=now, hours=settings.hours, notice_days=settings.notice_days)
    shapes = {each.shape for each in found.running} | {each.shape for each in found.reservations}
    prices = read_price_cards(settings, store, shapes, now, problems)
    planned = plan(workloads(found, seen, prices, settings.assumed), prices, now.date())
    return Report(now, found, seen, planned, said, problems)


def read_inventory(settings: Settings, problems: list[str]) -> Inventory:
    """All pages of the four lists."""
    ec2 = client("ec2")
    instances = ec2.get_paginator("describe_instances").paginate(Filters=RUNNING)
    reservations = ec2.get_paginator("describe_capacity_reservations").paginate()
    return inventory(
        settings.account,
        settings.region,
        instances=[each for page in instances for group in page["Reservations"] for each in group["Instances"]],
        reservations=[each for page in reservations for each in page["CapacityReservations"]],
        reserved=ec2.describe_reserved_instances()["ReservedInstances"],  # this list has no pages
        plans=_or_problem(lambda: _plans(settings.region), "Savings Plans", problems) or [],
    )


def _plans(region: str) -> list[Json]:
    endpoint = PLAN_ENDPOINTS.get(partition_of(region))
    if endpoint is None:
        return []
    call = client("savingsplans", region=endpoint).describe_savings_plans
    return list(pages(call, "savingsPlans", states=["active"]))


def _results(ids: list[str], now: datetime, hours: int) -> Iterator[Json]:
    for request in requests(ids, now, hours):
        yield from results(client("cloudwatch"), **request)


def read_price_cards(
    settings: Settings, store: Store, shapes: set[Shape], now: datetime, problems: list[str]
) -> Prices:
    """Prices from the price file, from the bucket while they are recent, else from AWS; old ones rather than none."""
    if settings.price_file is not None:
        bucket, key = settings.price_file
        return read_prices(json.loads(client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()))
    today, partition = now.date(), partition_of(settings.region)
    kept = store.prices()
    young = kept is not None and (today - kept.read_on).days < settings.price_days
    missing = shapes - kept.cards.keys() if kept is not None and young else shapes
    if kept is not None and not missing:
        return kept
    if partition not in ENDPOINTS:
        problems.append(f"there is no Price List in {partition}; set price_file")
        return Prices(CURRENCIES.get(partition, "USD"), today, "nowhere")
    fresh, failed = source(partition).prices(missing, today)
    problems += failed
    stale = set() if kept is None else missing & kept.cards.keys() - fresh.cards.keys()
    if kept is not None and stale:
        problems.append(
            f"{len(stale)} of {len(shapes)} price cards are from {kept.read_on}; no newer ones were readable"
        )
    # Old cards together with today's get the older date: prices never look newer than they are.
    prices = kept.with_cards(fresh.cards) if kept is not None and (young or stale) else fresh
    if fresh.cards:
        store.keep_prices(prices)
    return prices


def source(partition: str) -> PriceSource:
    """AWS's prices of a partition."""
    plans = PLAN_ENDPOINTS.get(partition)
    return PriceSource(
        client("pricing", region=ENDPOINTS[partition]),
        client("savingsplans", region=plans) if plans else None,
        CURRENCIES[partition],
        (ClientError, BotoCoreError),
    )


def _or_problem(read: Callable[[], list[Json]], what: str, problems: list[str]) -> list[Json] | None:
    try:
        return read()
    except (ClientError, BotoCoreError) as error:
        problems.append(f"{what}: {error}")
        return None
