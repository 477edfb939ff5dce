"""The function: all pages, measured waste, kept prices, one message for one event, and every failure visible."""

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from capacity_planner.health import SUMMARY
from capacity_planner.look import handler
from capacity_planner.store import LATEST, PRICES, Store, incomplete, report_key
from shared.metric_data import MetricDataError
from tests.solutions.capacity_planner.account_answers import NOW, US, instance, reservation, reserved, savings_plan
from tests.solutions.capacity_planner.given import X
from tests.solutions.capacity_planner.price_answers import UNUSED, USED, Pricing, SavingsPlans, both, refused
from tests.solutions.capacity_planner.test_health import LINES, event

Json = dict[str, Any]
SCHEDULED = {"id": "11111111-2222-3333-4444-555555555555", "source": "aws.events", "detail": {}}
ENV = {
    "ACCOUNT": US,
    "AWS_REGION": "us-east-1",
    "BUCKET": "reports",
    "METRIC_NAMESPACE": "Capacity Planner",
    "PLANNER": "stack",
    "TOPIC_ARN": "arn:aws:sns:us-east-1:111111111111:reports",
    "EVERY_HOURS": "24",
    "NOTICE_DAYS": "45",
    "PRICE_DAYS": "7",
    "ASSUMED": json.dumps({"hours_a_week": 168, "months": 36, "strict": True, "may_change": []}),
}


class Pages:
    """A paginator of fixed pages."""

    def __init__(self, pages: list[Json]) -> None:
        self._pages = pages

    def paginate(self, **_: Any) -> Iterator[Json]:
        yield from self._pages


class World:
    """Every client of the function, with what they were asked."""

    def __init__(self, instances: list[Json], reservations: list[Json], purchases: list[Json] | None = None) -> None:
        self.objects: dict[str, bytes] = {}
        self.metrics: list[Json] = []
        self.messages: list[Json] = []
        self.regions: dict[str, str | None] = {}
        self.plans: list[Json] | Exception = []
        self.pricing, self.rates = Pricing([USED, UNUSED]), SavingsPlans(both("0.065"))
        self._instances, self._reservations = instances, reservations
        self._purchases = purchases or []
        self.exceptions = SimpleNamespace(NoSuchKey=KeyError)

    def client(self, service: str, attempts: int = 5, region: str | None = None) -> Any:
        self.regions[service] = region
        return self.pricing if service == "pricing" else self

    # EC2
    def get_paginator(self, name: str) -> Pages:
        if name == "describe_instances":
            half = len(self._instances) // 2
            parts = [self._instances[:half], self._instances[half:]]
            return Pages([{"Reservations": [{"Instances": [each]} for each in part]} for part in parts])
        if name == "describe_capacity_reservations":
            return Pages([{"CapacityReservations": [each]} for each in self._reservations])
        assert name == "get_metric_data"
        return self  # type: ignore[return-value]

    def describe_reserved_instances(self) -> Json:
        return {"ReservedInstances": self._purchases}

    # CloudWatch
    def paginate(self, MetricDataQueries: list[Json], **_: Any) -> Iterator[Json]:  # noqa: N803
        for query in MetricDataQueries:
            metric, name = query["Label"].split()
            (found,) = [each for each in self._reservations if each["CapacityReservationId"] == name]
            idle = float(found["AvailableInstanceCount"])
            value = idle if metric == "AvailableInstanceCount" else float(found["TotalInstanceCount"]) - idle
            yield {"MetricDataResults": [{"Label": query["Label"], "Values": [value] * 144}]}
            yield {"MetricDataResults": [{"Label": query["Label"], "Values": [value] * 144}]}

    def put_metric_data(self, Namespace: str, MetricData: list[Json]) -> None:  # noqa: N803
        assert Namespace == "Capacity Planner"
        self.metrics += MetricData

    # SNS, S3
    def publish(self, **request: Any) -> None:
        self.messages.append(request)

    def get_object(self, Bucket: str, Key: str) -> Json:  # noqa: N803
        return {"Body": SimpleNamespace(read=lambda: self.objects[Key])} if Key in self.objects else self._gone(Key)

    def _gone(self, key: str) -> Json:
        raise KeyError(key)

    def put_object(self, Bucket: str, Key: str, Body: bytes, ContentType: str) -> None:  # noqa: N803
        self.objects[Key] = Body

    def list_objects_v2(self, Bucket: str, Prefix: str, MaxKeys: int) -> Json:  # noqa: N803
        return {"Contents": [{"Key": key} for key in sorted(self.objects) if key.startswith(Prefix)][:MaxKeys]}

    # Savings Plans
    def describe_savings_plans(self, **request: Any) -> Json:
        if isinstance(self.plans, Exception):
            raise self.plans
        return {"savingsPlans": self.plans, "nextToken": ""}

    def describe_savings_plans_offering_rates(self, **request: Any) -> Json:
        return self.rates.describe_savings_plans_offering_rates(**request)

    def values(self) -> dict[str, float]:
        return {each["MetricName"]: each["Value"] for each in self.metrics}

    def report(self) -> Json:
        found: Json = json.loads(self.objects[LATEST])
        return found


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Runs the function in a world, at noon."""

    class Noon(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return NOW

    monkeypatch.setattr(handler, "datetime", Noon)

    def look(world: World, said: Any = SCHEDULED, **env: str) -> Any:
        for name, value in {**ENV, **env}.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(handler, "client", world.client)
        return handler.lambda_handler(said, SimpleNamespace(aws_request_id="request"))

    return look


def wasteful() -> World:
    return World([instance(number) for number in range(4)], [reservation(1, 3, 2)])


def test_it_measures_publishes_keeps_and_tells(run: Any) -> None:
    world = wasteful()
    done = run(world)
    assert done["told"] and not done["problems"]
    values = world.values()
    assert (values["CoveredHours"], values["WastedHours"], values["UnreservedHours"]) == (24.0, 48.0, 96.0)
    assert (values["IdleWhileUnreserved"], values["EndingSoon"], values["Looks"], values["Problems"]) == (2, 0, 1, 0)
    assert all(each["Dimensions"] == [{"Name": "Planner", "Value": "stack"}] for each in world.metrics)
    (message,) = world.messages
    assert message["Subject"] == "Capacity in us-east-1: 48 reserved hours wasted, 0 ending soon"
    assert "48.0 reserved hours were paid for and not used: 4.80 USD" in message["Message"]
    assert "2 of m5.large Linux/UNIX in us-east-1a" in message["Message"]
    report = world.report()
    assert report["wasted_money"] == {f"cr-{1:017x}": "4.80"}
    assert report["plan"]["workloads"][0]["stages"][0]["recommended"]["option"] == "ODCR + EC2 Instance Savings Plan"
    assert json.loads(world.objects[report_key(NOW, SCHEDULED["id"])]) == report  # type: ignore[arg-type]


def test_the_same_event_again_tells_nothing_twice(run: Any) -> None:
    world = wasteful()
    run(world)
    again = run(world)
    assert not again["told"] and len(world.messages) == 1 and world.values()["Looks"] == 1


def test_twelve_hundred_instances_in_pages(run: Any) -> None:
    world = World([instance(number) for number in range(1_200)], [])
    run(world)
    assert world.values()["UnreservedHours"] == 1_200 * 24
    assert world.report()["plan"]["workloads"][0]["count"] == 1_200


def test_nothing_to_say_is_no_message(run: Any) -> None:
    world = World([instance(1, CapacityReservationId=f"cr-{1:017x}")], [reservation(1, 1, 0)])
    done = run(world)
    assert not done["told"] and not world.messages and world.values()["Looks"] == 1 and LATEST in world.objects


def test_a_hint_of_health_is_told_beside_what_was_measured(run: Any) -> None:
    named = LINES[0].partition(" ")[0]
    world = World([], [reservation(1, 4, 3, CapacityReservationId=named)])
    run(world, event(SUMMARY, list(LINES)))
    text = world.messages[0]["Message"]
    assert f"{named}: 15.0% used over seven days; in this window 25% used" in text
    assert "cr-0fedcba9876543210: 0.0% used over seven days; not measured here" in text


def test_what_ends_soon_rings_and_is_named(run: Any) -> None:
    world = World([], [], [reserved(1, 4, zone="us-east-1a", End=NOW + timedelta(days=10))])
    run(world)
    assert world.values()["EndingSoon"] == 1
    assert "the capacity and the discount;" in world.messages[0]["Message"]


# --- prices -----------------------------------------------------------------------------------------------------------


def test_prices_are_kept_with_their_date_and_read_again_when_they_are_old(run: Any) -> None:
    world = wasteful()
    run(world)
    assert json.loads(world.objects[PRICES])["date"] == "2026-11-25"
    run(world, {"id": "second"})
    assert len(world.pricing.requests) == 1
    old = json.loads(world.objects[PRICES]) | {"date": "2026-11-18"}
    world.objects[PRICES] = json.dumps(old).encode()
    run(world, {"id": "third"})
    assert len(world.pricing.requests) == 2
    assert json.loads(world.objects[PRICES])["date"] == "2026-11-25"


def test_a_missing_shape_is_added_and_the_set_keeps_its_older_date(run: Any) -> None:
    world = wasteful()
    kept = {"currency": "USD", "date": "2026-11-20", "source": "kept", "prices": []}
    world.objects[PRICES] = json.dumps(kept).encode()
    run(world)
    stored = json.loads(world.objects[PRICES])
    assert stored["date"] == "2026-11-20" and len(stored["prices"]) == 1


def test_old_prices_are_better_than_none_and_look_old(run: Any) -> None:
    world = wasteful()
    world.objects[PRICES] = json.dumps(X.to_json()).encode()
    world.pricing = Pricing(refused("ThrottlingException"))
    done = run(world)
    assert any("1 of 1 price cards are from 2026-11-01" in problem for problem in done["problems"])
    assert "read on 2026-11-01, 24 days ago" in world.messages[0]["Message"]
    assert world.values()["Problems"] == len(done["problems"]) == 2


def test_one_price_that_cannot_be_read_again_stays_beside_the_new_ones_and_the_set_looks_old(run: Any) -> None:
    world = World([instance(1), instance(2, InstanceType="m5.xlarge")], [])
    run(world)
    kept = json.loads(world.objects[PRICES])
    cards = [{**card, "type": kind} for card in kept["prices"][:1] for kind in ("m5.large", "m5.xlarge")]
    world.objects[PRICES] = json.dumps({**kept, "date": "2026-11-01", "prices": cards}).encode()
    answers, get = {"m5.large": [USED, UNUSED]}, world.pricing.get_products

    def one_refused(**request: Any) -> Json:
        kind = next(each["Value"] for each in request["Filters"] if each["Field"] == "instanceType")
        if kind not in answers:
            raise refused("ThrottlingException")
        return get(**request)

    world.pricing.get_products = one_refused  # type: ignore[method-assign]
    done = run(world, {"id": "second"})
    assert "1 of 2 price cards are from 2026-11-01; no newer ones were readable" in done["problems"]
    stored = json.loads(world.objects[PRICES])
    assert stored["date"] == "2026-11-01" and {card["type"] for card in stored["prices"]} == {"m5.large", "m5.xlarge"}
    assert all(each["stages"][0]["recommended"] for each in world.report()["plan"]["workloads"])


def test_without_a_price_no_number_is_invented(run: Any) -> None:
    world = wasteful()
    world.pricing = Pricing(refused("AccessDeniedException"))
    done = run(world)
    assert done["problems"] and "AccessDeniedException" in done["problems"][0]
    report = world.report()
    assert report["wasted_money"] == {}
    assert report["plan"]["workloads"][0]["stages"][0]["recommended"] is None
    assert "48.0 hours, no price" in world.messages[0]["Message"]


def test_prices_that_cannot_be_read_back_are_read_anew(run: Any) -> None:
    world = wasteful()
    world.objects[PRICES] = b"{broken"
    assert not run(world)["problems"]
    assert json.loads(world.objects[PRICES])["currency"] == "USD"


@pytest.mark.parametrize(
    ("region", "pricing", "plans"),
    [("eu-west-1", "us-east-1", "us-east-1"), ("cn-northwest-1", "cn-northwest-1", "cn-north-1")],
)
def test_prices_are_asked_where_the_partition_has_them(run: Any, region: str, pricing: str, plans: str) -> None:
    world = World([], [])
    run(world, AWS_REGION=region)
    assert (world.regions["pricing"], world.regions["savingsplans"], world.regions["ec2"]) == (pricing, plans, None)


def test_a_price_file_stands_for_awss_prices(run: Any) -> None:
    world = wasteful()
    world.objects["x.json"] = json.dumps(X.to_json()).encode()
    run(world, PRICE_FILE="assets/x.json", AWS_REGION="us-east-1")
    assert not world.pricing.requests and world.report()["plan"]["prices"]["source"] == "invented numbers"


def test_a_partition_without_a_price_list_says_so(run: Any) -> None:
    world = World([], [])
    done = run(world, AWS_REGION="us-gov-west-1")
    assert done["problems"] == ["there is no Price List in aws-us-gov; set price_file"]
    assert "savingsplans" not in world.regions


# --- failures ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "error", [refused("InternalServerException"), EndpointConnectionError(endpoint_url="https://savingsplans")]
)
def test_without_savings_plans_the_look_goes_on_and_says_so(run: Any, error: Exception) -> None:
    world = wasteful()
    world.plans = error
    done = run(world)
    assert any(problem.startswith("Savings Plans:") for problem in done["problems"])
    assert world.values()["WastedHours"] == 48 and world.values()["Problems"] == 1


def test_plans_of_all_pages_are_known(run: Any) -> None:
    world = wasteful()
    world.plans = [savings_plan(1, "0.13", "EC2Instance")]
    run(world)
    assert any(
        "EC2 Instance Savings Plan of 0.130 an hour" in note or "0.13 an hour" in note
        for note in world.report()["plan"]["workloads"][0]["notes"]
    )


def test_a_look_that_could_not_see_everything_is_repeated_with_its_event(run: Any) -> None:
    world = wasteful()
    world.plans = refused("InternalServerException")
    key = run(world)["report"]
    assert LATEST in world.objects and key not in world.objects
    assert json.loads(world.objects[incomplete(key)])["problems"], "its report is kept all the same"
    world.plans = []
    assert run(world)["told"] and key in world.objects


@pytest.mark.parametrize("status", ["InternalError", "Forbidden"])
def test_points_that_cloudwatch_does_not_have_are_not_points_that_are_missing(run: Any, status: str) -> None:
    world = wasteful()
    answer = [{"MetricDataResults": [{"Label": "UsedInstanceCount cr-1", "StatusCode": status, "Values": []}]}]
    world.paginate = lambda **_: iter(answer)  # type: ignore[method-assign]
    with pytest.raises(MetricDataError, match=f"{status} for UsedInstanceCount cr-1"):
        run(world)
    assert not world.metrics and not world.messages and LATEST not in world.objects


def test_a_compute_plan_may_pay_elsewhere_and_the_report_says_so(run: Any) -> None:
    world = wasteful()
    run(world)
    assert world.report()["caveats"] == []
    world.plans = [savings_plan(1, "0.15")]
    run(world, {"id": "second"})
    (said,) = world.report()["caveats"]
    assert said in world.messages[-1]["Message"] and "other Regions, Fargate and Lambda" in said


def test_a_message_that_could_not_be_sent_is_sent_again(run: Any) -> None:
    world = wasteful()
    send, world.publish = world.publish, lambda **_: (_ for _ in ()).throw(refused("Throttled"))  # type: ignore[method-assign]
    with pytest.raises(ClientError):
        run(world)
    world.publish = send  # type: ignore[method-assign]
    assert run(world)["told"]


@pytest.mark.parametrize("said", [None, [], "text", 7, {}])
def test_an_event_that_is_none_still_means_that_it_is_time(run: Any, said: Any) -> None:
    world = wasteful()
    assert run(world, said)["report"].endswith("/request.json")


def test_reports_are_below_their_day() -> None:
    assert report_key(NOW, "e") == "reports/2026/11/25/e.json"
    assert date(2026, 11, 25) == NOW.astimezone(UTC).date()


def test_the_store_says_none_of_what_is_not_there() -> None:
    world = World([], [])
    store = Store(world, "reports")
    assert store.prices() is None and not store.has("reports/x.json")
    world.objects["reports/x.json.old"] = b"{}"
    assert not store.has("reports/x.json")
