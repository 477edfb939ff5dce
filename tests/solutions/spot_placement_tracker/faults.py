"""The happy paths of the functions of spot_placement_tracker."""

import json
import logging
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from moto.backends import get_backend

from emulator.core.api import serve
from shared.aws import client
from spot_placement_tracker.checks import read
from spot_placement_tracker.store import FILE, PLAN, Plan, Store
from tests.faults.custom_resources import CustomResourceWorld, custom_resource
from tests.faults.subject import Subject, lambda_function, says

BUCKET, ASSETS = "tracked", "assets"
NAMESPACE = "Spot Placement Score Metrics"
FOREIGN = "somebody-elses"
OURS = ("old", "others", "scores")
TEXT = """
- Dashboard: scores
  Sps:
  - ConfigurationName: zones
    InstanceTypes: [m7g.large, c7g.large, r7g.large]
    RegionNames: [us-east-1]
    SingleAvailabilityZone: True
    TargetCapacity: 10
    TargetCapacityUnitType: units
"""
NEW = TEXT.replace("scores", "others").encode()
SCORES = {"use1-az1": 7, "use1-az2": 3}


def scores(_: Mapping[str, Any]) -> dict[str, Any]:
    """What EC2 answers; moto does not know the call."""
    found = [{"Region": "us-east-1", "AvailabilityZoneId": zone, "Score": score} for zone, score in SCORES.items()]
    return {"SpotPlacementScores": found}


serve("ec2", {"get_spot_placement_scores": scores})
logging.getLogger().setLevel(logging.WARNING)  # ministack, which the server imports, sets it to INFO


class TrackedWorld:
    """A stored file of one configuration, and the plan of an older one, with dashboards that nobody wants any more."""

    def __init__(self) -> None:
        client("s3").create_bucket(Bucket=BUCKET)
        store = Store(client("s3"), BUCKET)
        store.put_file(TEXT.encode())
        store.keep(Plan(read(TEXT).dashboards, (), OURS))
        for name in OURS:
            put_dashboard(name, f"from {store.address}")
        put_dashboard(FOREIGN, "by hand")
        self.env: Mapping[str, str] = {
            "BUCKET": BUCKET,
            "METRIC_NAMESPACE": NAMESPACE,
            "TRACKER": "tracker",
            "REPORT_DAYS": "14",
            "EVERY_MINUTES": "5",
            "TAKE_OVER": "false",
            "BUDGET_SECONDS": "200",
            "AWS_REGION": "us-east-1",
        }
        self.event: Any = {"version": "0", "source": "aws.events", "detail-type": "Scheduled Event", "detail": {}}

    def unharmed(self) -> None:
        assert FOREIGN in dashboards(), "a dashboard of somebody else is gone"


class CollectorWorld(TrackedWorld):
    """A round."""

    def invariant(self) -> None:
        assert published("AvailabilityZoneId") == set(SCORES.items()), f"{published('AvailabilityZoneId')}"

    def unharmed(self) -> None:
        super().unharmed()
        untrue = published("AvailabilityZoneId") - set(SCORES.items())
        assert not untrue, f"EC2 never gave {untrue}"


class DashboardsWorld(TrackedWorld):
    """The file has changed, and there are two days of scores."""

    def __init__(self) -> None:
        super().__init__()
        (question,) = read(TEXT).dashboards[0].questions
        now = datetime.now(UTC)
        (place,) = question.zones_of([{**ZONE, "AvailabilityZoneId": "use1-az1"}])
        data = [
            {**question.series(place).datum(5.0), "Timestamp": now - timedelta(hours=hours)} for hours in range(1, 48)
        ]
        client("cloudwatch").put_metric_data(Namespace=NAMESPACE, MetricData=data)

    def invariant(self) -> None:
        assert set(dashboards()) == {"scores", FOREIGN}, f"there are {sorted(dashboards())}"
        assert "use1-az1" in dashboards()["scores"], "the zone that was scored is not drawn"
        assert plan()["problems"] == [] and plan()["written"] == ["scores"], f"{plan()}"

    def unharmed(self) -> None:
        super().unharmed()
        unknown = {*OURS} & set(dashboards()) - {*plan()["written"]}
        assert not unknown, f"nobody knows any more that {unknown} is ours"


ZONE = {"Region": "us-east-1", "DiversificationName": "zones", "UnitType": "units", "TargetCapacity": "10"}


class StoringWorld(CustomResourceWorld, TrackedWorld):
    """A deployment with another file."""

    def __init__(self) -> None:
        TrackedWorld.__init__(self)
        env = self.env
        CustomResourceWorld.__init__(self)
        self.env = env
        client("s3").create_bucket(Bucket=ASSETS)
        client("s3").put_object(Bucket=ASSETS, Key="new", Body=NEW)
        properties = {
            "Bucket": BUCKET,
            "SourceBucket": ASSETS,
            "SourceKey": "new",
            "MetricNamespace": NAMESPACE,
            "Tracker": "tracker",
            "ReportDays": "14",
            "EveryMinutes": "5",
            "TakeOver": "false",
            "KeepData": "false",
        }
        self.event |= {
            "PhysicalResourceId": BUCKET,
            "ResourceProperties": properties,
            "OldResourceProperties": {**properties, "SourceKey": "old"},
        }

    def invariant(self) -> None:
        CustomResourceWorld.invariant(self)
        assert set(dashboards()) == {"others", FOREIGN}, f"there are {sorted(dashboards())}"

    def unharmed(self) -> None:
        TrackedWorld.unharmed(self)
        answer = self.answer()
        done = "zones" in dashboards()["others"]
        # The next report follows the file as this does, and has an alarm.
        kept = client("s3").get_object(Bucket=BUCKET, Key=FILE)["Body"].read() == NEW
        assert not answer or answer["Status"] != "SUCCESS" or done or kept, "it said so, and nothing will write them"


class EndingWorld(StoringWorld):
    """The end of the stack."""

    def __init__(self) -> None:
        super().__init__()
        self.event["RequestType"] = "Delete"
        del self.event["OldResourceProperties"]

    def invariant(self) -> None:
        CustomResourceWorld.invariant(self)
        assert set(dashboards()) == {FOREIGN}, f"left are {sorted(dashboards())}"
        assert not objects(), f"left are {objects()}"

    def unharmed(self) -> None:
        TrackedWorld.unharmed(self)
        known = PLAN in objects() or not {*OURS} & set(dashboards())
        assert known, "the plan is gone, and dashboards that it knew are not"


def put_dashboard(name: str, text: str) -> None:
    """Writes a dashboard with a text."""
    widget = {"type": "text", "x": 0, "y": 0, "width": 24, "height": 2, "properties": {"markdown": text}}
    client("cloudwatch").put_dashboard(DashboardName=name, DashboardBody=json.dumps({"widgets": [widget]}))


def dashboards() -> dict[str, str]:
    """The body of every dashboard; a look costs nothing there."""
    found = get_backend("cloudwatch")["123456789012"]["us-east-1"].dashboards
    return {name: str(dashboard.body) for name, dashboard in found.items()}


def objects() -> dict[str, Any]:
    """The tracker's objects in the bucket."""
    keys = get_backend("s3")["123456789012"]["aws"].buckets[BUCKET].keys
    return {key: keys[key] for key in (FILE, PLAN) if key in keys}


def plan() -> dict[str, Any]:
    """The plan as it is stored."""
    found: dict[str, Any] = json.loads(objects()[PLAN].value)
    return found


def published(dimension: str) -> set[tuple[str, float]]:
    """Every value of the series that have a dimension, with its value there."""
    return {
        (each.value, datum.value)
        for datum in get_backend("cloudwatch")["123456789012"]["us-east-1"].metric_data
        for each in datum.dimensions
        if datum.namespace == NAMESPACE and each.name == dimension
    }


def failed(result: Any) -> bool:
    """Whether CloudFormation was told of a failure."""
    return bool(result == "FAILED")


SUBJECTS: list[Subject] = [
    # What EC2 refuses is no error of the function: it publishes how many, and an alarm tells.
    lambda_function("spot_placement_tracker.collector", CollectorWorld, tells=says("refused")),
    lambda_function("spot_placement_tracker.dashboards", DashboardsWorld),
    # An update that CloudWatch refuses ends well, and the next report, which has an alarm, follows the file.
    replace(
        custom_resource("spot_placement_tracker.deployment", StoringWorld, " (stores)", tells=failed),
        comes_again=lambda _: None,
    ),
    custom_resource("spot_placement_tracker.deployment", EndingWorld, " (ends)", tells=failed),
]
