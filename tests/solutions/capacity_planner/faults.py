"""The happy paths of the function of capacity_planner."""

import json
import logging
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from moto.backends import get_backend

from capacity_planner.store import LATEST, PRICES, REPORTS
from emulator.core.api import serve
from shared.aws import client
from tests.faults.subject import Subject, lambda_function, says
from tests.faults.world.wire import OURS
from tests.solutions.capacity_planner.account_answers import reservation, reserved
from tests.solutions.capacity_planner.price_answers import UNUSED, USED, both
from tests.solutions.capacity_planner.test_health import LINES, event

ACCOUNT, BUCKET, NAMESPACE = "123456789012", "looked", "Capacity Planner"
RESERVATION = LINES[0].partition(" ")[0]
RUNNING = 2
USED_PRICE = "0.1"


def reservations(_: Mapping[str, Any]) -> dict[str, Any]:
    """One reservation of ours, three quarters of it idle; moto does not know the call."""
    return {"CapacityReservations": [reservation(1, 4, 3, CapacityReservationId=RESERVATION, OwnerId=ACCOUNT)]}


def purchases(_: Mapping[str, Any]) -> dict[str, Any]:
    """One purchase that ends soon; moto does not know the call."""
    return {"ReservedInstances": [reserved(1, 1, zone="us-east-1b", End=datetime.now(UTC) + timedelta(days=9))]}


serve("ec2", {"describe_capacity_reservations": reservations, "describe_reserved_instances": purchases})
OURS["pricing.GetProducts"] = lambda _: {"PriceList": [USED, UNUSED]}
OURS["savingsplans.DescribeSavingsPlansOfferingRates"] = lambda _: {"searchResults": both("0.065"), "nextToken": ""}
OURS["savingsplans.DescribeSavingsPlans"] = lambda _: {"savingsPlans": [], "nextToken": ""}
logging.getLogger().setLevel(logging.WARNING)  # ministack, which the server imports, sets it to INFO


class LookWorld:
    """Two instances that run outside of a reservation of four, of which one is used."""

    def __init__(self) -> None:
        client("s3").create_bucket(Bucket=BUCKET)
        topic = client("sns").create_topic(Name="reports")["TopicArn"]
        client("ec2").run_instances(ImageId="ami-12345678", MinCount=RUNNING, MaxCount=RUNNING, InstanceType="m5.large")
        for reservation_ in get_backend("ec2")[ACCOUNT]["us-east-1"].reservations.values():
            for instance in reservation_.instances:
                instance.usage_operation = "RunInstances"
        now = datetime.now(UTC)
        dimensions = [{"Name": "CapacityReservationId", "Value": RESERVATION}]
        data = [
            {
                "MetricName": name,
                "Dimensions": dimensions,
                "Value": value,
                "Timestamp": now - timedelta(minutes=minutes),
            }
            for minutes in range(20, 80, 5)
            for name, value in (("UsedInstanceCount", 1.0), ("AvailableInstanceCount", 3.0))
        ]
        client("cloudwatch").put_metric_data(Namespace="AWS/EC2CapacityReservations", MetricData=data)
        assumed = {"hours_a_week": 168, "months": 12, "strict": True, "may_change": []}
        old = {"currency": "USD", "date": "2026-01-01", "source": "an old look", "prices": []}
        client("s3").put_object(Bucket=BUCKET, Key=PRICES, Body=json.dumps(old).encode())
        self.env: Mapping[str, str] = {
            "ACCOUNT": ACCOUNT,
            "AWS_REGION": "us-east-1",
            "BUCKET": BUCKET,
            "METRIC_NAMESPACE": NAMESPACE,
            "PLANNER": "planner",
            "TOPIC_ARN": topic,
            "EVERY_HOURS": "24",
            "NOTICE_DAYS": "45",
            "PRICE_DAYS": "7",
            "ASSUMED": json.dumps(assumed),
        }
        self.event: Any = {
            "id": "e-1",
            "version": "0",
            "source": "aws.events",
            "detail-type": "Scheduled Event",
            "detail": {},
        }

    def invariant(self) -> None:
        assert published() >= WANTED, f"published is {published()}"
        assert LATEST in objects() and any(name.startswith(REPORTS) for name in objects()), f"kept is {[*objects()]}"
        assert USED_PRICE in prices(), f"the prices are {prices()}"
        report = json.loads(objects()[LATEST].value)
        assert report["wasted_hours"] == "3.00" and not report["problems"], f"{report}"
        assert sent(), "nobody was told"

    def unharmed(self) -> None:
        untrue = {each for each in published() if each[0] in dict(WANTED)} - WANTED
        assert not untrue, f"nobody has measured {untrue}"
        assert prices() <= {USED_PRICE}, f"nobody has said {prices()}"


WANTED = {("WastedHours", 3.0), ("CoveredHours", 1.0), ("EndingSoon", 1.0)}


class HintWorld(LookWorld):
    """AWS Health points to the reservation."""

    def __init__(self) -> None:
        super().__init__()
        self.event = event("AWS_EC2_ODCR_UNDERUTILIZATION_NOTIFICATION_SUMMARY", list(LINES))


def published() -> set[tuple[str, float]]:
    """Names and values of the planner's own metrics."""
    data = get_backend("cloudwatch")[ACCOUNT]["us-east-1"].metric_data
    return {(datum.name, float(datum.value)) for datum in data if datum.namespace == NAMESPACE}


def prices() -> set[str]:
    """On-Demand prices that are kept."""
    return {card["on_demand"] for card in json.loads(objects()[PRICES].value)["prices"]}


def objects() -> dict[str, Any]:
    """What the bucket holds."""
    return dict(get_backend("s3")[ACCOUNT]["aws"].buckets[BUCKET].keys.items())


def sent() -> int:
    """Messages that the topic got."""
    topics = get_backend("sns")[ACCOUNT]["us-east-1"].topics.values()
    return sum(len(topic.sent_notifications) for topic in topics)


SUBJECTS: list[Subject] = [
    # Missing prices or plans are no error of the function: it says so, and an alarm tells.
    lambda_function("capacity_planner.look", LookWorld, tells=says("problems")),
    lambda_function("capacity_planner.look", HintWorld, case="hint", tells=says("problems")),
]
