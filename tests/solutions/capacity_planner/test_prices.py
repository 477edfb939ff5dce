"""Prices: exactly one SKU or none, both price APIs page by page, and price files that keep what is written."""

import itertools
import json
import sys
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import boto3
import pytest
import yaml
from botocore.exceptions import ClientError
from botocore.validate import validate_parameters

from capacity_planner import plan_rates, price_list
from capacity_planner.price_file import PricesError, read_prices
from capacity_planner.price_list import AmbiguousPriceError, listed
from capacity_planner.price_source import ENDPOINTS, EndlessPagesError, PriceSource, partition_of
from capacity_planner.shapes import Shape
from stacks.capacity_planner.settings import read_price_file
from stacks.shared.exact_yaml import load_exact
from tests.solutions.capacity_planner.given import TODAY, X
from tests.solutions.capacity_planner.price_answers import (
    ALLOCATED,
    BESIDE,
    UNUSED,
    USED,
    Pricing,
    SavingsPlans,
    both,
    rate,
    refused,
    reserved_term,
    sku,
)

D = Decimal
SHAPE = Shape("m5.large", "us-east-1")
TYPES = ("BoxUsage:m5.large", "UnusedBox:m5.large")


def source(pricing: Any, plans: Any = None, currency: str = "USD") -> PriceSource:
    return PriceSource(pricing, plans, currency, (ClientError,))


# --- the Price List ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("order", list(itertools.permutations([USED, UNUSED, ALLOCATED])))
def test_three_skus_of_a_reservation_are_one_price_in_any_order(order: tuple[str, ...]) -> None:
    found = listed(order, SHAPE, "USD")
    assert (found.used, found.unused) == (D("0.10"), D("0.10"))
    assert found.usage_types == TYPES


@pytest.mark.parametrize("turned", [False, True])
def test_what_lies_beside_the_right_sku_is_not_taken(turned: bool) -> None:
    items = [*BESIDE, USED, UNUSED, ALLOCATED]
    assert listed(reversed(items) if turned else items, SHAPE, "USD").used == D("0.10")


def test_a_windows_price_is_not_that_of_a_licence_that_is_brought_along() -> None:
    windows, own = sku("W", "0.1920000000", operation="RunInstances:0002"), BESIDE[-1]
    shape = Shape("m5.large", "us-east-1", "RunInstances:0002")
    for items in ([windows, own], [own, windows]):
        assert listed(items, shape, "USD").used == D("0.192")
    assert listed([own], Shape("m5.large", "us-east-1", "RunInstances:0800"), "USD").used == D("0.10")
    wrong = sku("X", "0.1", operation="RunInstances:0002", licenseModel="Bring your own license")
    assert listed([wrong], shape, "USD").used is None


def test_dedicated_instances_have_skus_of_their_own() -> None:
    unused = sku(
        "U", "0.1", tenancy="Dedicated", capacitystatus="UnusedCapacityReservation", usagetype="USE1-UnusedDed:m5.large"
    )
    found = listed([BESIDE[0], unused], Shape("m5.large", "us-east-1", tenancy="dedicated"), "USD")
    assert (found.used, found.unused) == (D("0.13"), D("0.1"))
    assert found.usage_types == ("DedicatedUsage:m5.large", "USE1-UnusedDed:m5.large")


def test_two_skus_are_no_price() -> None:
    with pytest.raises(AmbiguousPriceError, match=r"2 SKUs are Used: OTHER, USED"):
        listed([USED, sku("OTHER", "0.2")], SHAPE, "USD")


@pytest.mark.parametrize("price", [None, "0.0000000000"])
def test_no_term_and_a_price_of_0_are_no_price(price: str | None) -> None:
    assert listed([sku("U", price)], SHAPE, "USD").used is None
    assert listed([], SHAPE, "USD").used is None


def test_a_price_of_another_currency_is_no_price() -> None:
    china = sku("U", "0.7", currency="CNY")
    assert listed([china], SHAPE, "USD").used is None
    assert listed([china], SHAPE, "CNY").used == D("0.7")


@pytest.mark.parametrize(("key", "value"), [("unit", "Quantity"), ("endRange", "750"), ("beginRange", "1")])
def test_a_price_that_is_not_of_every_hour_is_refused(key: str, value: str) -> None:
    product = json.loads(USED)
    (term,) = product["terms"]["OnDemand"].values()
    next(iter(term["priceDimensions"].values()))[key] = value
    with pytest.raises(AmbiguousPriceError):
        listed([json.dumps(product)], SHAPE, "USD")


def test_two_prices_of_one_sku_are_refused() -> None:
    product = json.loads(USED)
    (term,) = product["terms"]["OnDemand"].values()
    product["terms"]["OnDemand"]["other"] = term
    with pytest.raises(AmbiguousPriceError):
        listed([json.dumps(product)], SHAPE, "USD")


def test_reserved_instances_are_the_standard_ones_of_one_and_three_years() -> None:
    terms = {
        **reserved_term(1, "No Upfront", "0.065"),
        **reserved_term(3, "All Upfront", "0.0000000000", "1314"),
        **reserved_term(1, "Partial Upfront", "0.03", "262.80", kind="convertible"),
        **reserved_term(5, "No Upfront", "0.01"),
        **reserved_term(3, "Partial Upfront", "0.02"),
    }
    found = listed([sku("U", "0.1", reserved=terms)], SHAPE, "USD").reserved
    assert {key: fee.effective(key[0]) for key, fee in found.items()} == {
        (1, "No Upfront"): D("0.065"),
        (3, "All Upfront"): D("0.05"),
    }


# --- the rates of Savings Plans ---------------------------------------------------------------------------------------


def test_rates_are_by_plan_term_and_payment() -> None:
    results = [
        *both("0.065"),
        *both("0.041", years=3, payment="All Upfront"),
        *both("0.075", plan="Compute"),
        *both("0.157", operation="RunInstances:0002"),
        rate("0.5", plan="SageMaker"),
        *both("0.01", years=2),
        *both("0.4", currency="CNY"),
    ]
    wanted = {
        ("ec2-instance", 1, "No Upfront"): D("0.065"),
        ("ec2-instance", 3, "All Upfront"): D("0.041"),
        ("compute", 1, "No Upfront"): D("0.075"),
    }
    for each in (results, results[::-1]):
        assert plan_rates.rates(each, SHAPE, TYPES, "USD") == wanted


def test_windows_rates_are_those_of_windows_in_any_order() -> None:
    results = [*both("0.157", operation="RunInstances:0002"), *both("0.065", operation="RunInstances:0800")]
    shape = Shape("m5.large", "us-east-1", "RunInstances:0002")
    for each in (results, results[::-1]):
        assert set(plan_rates.rates(each, shape, TYPES, "USD").values()) == {D("0.157")}


def test_a_second_rate_is_an_error_and_the_same_again_is_not() -> None:
    with pytest.raises(AmbiguousPriceError):
        plan_rates.rates([*both("0.065"), rate("0.066")], SHAPE, TYPES, "USD")
    assert plan_rates.rates([*both("0.065"), *both("0.065")], SHAPE, TYPES, "USD")


def test_used_and_unused_hours_must_have_one_rate() -> None:
    different = [rate("0.065"), rate("0.07", usageType="UnusedBox:m5.large")]
    with pytest.raises(AmbiguousPriceError):
        plan_rates.rates(different, SHAPE, TYPES, "USD")
    assert plan_rates.rates([rate("0.065")], SHAPE, TYPES, "USD") == {}


# --- page by page -----------------------------------------------------------------------------------------------------


def test_the_price_on_page_two_is_found_and_an_empty_token_ends_the_list() -> None:
    pricing, plans = Pricing([ALLOCATED, *BESIDE], [USED, UNUSED]), SavingsPlans([rate("0.9", years=5)], both("0.065"))
    card = source(pricing, plans).card(SHAPE)
    assert (card.on_demand, card.plans["ec2-instance", 1, "No Upfront"]) == (D("0.10"), D("0.065"))
    assert len(pricing.requests) == len(plans.requests) == 2


def test_an_absent_token_ends_the_list_too() -> None:
    plans = SavingsPlans(both("0.065"), last={})
    assert source(Pricing([USED, UNUSED]), plans).card(SHAPE).plans and len(plans.requests) == 1


def test_a_token_that_comes_again_is_an_error() -> None:
    with pytest.raises(EndlessPagesError):
        source(Pricing([USED, UNUSED]), SavingsPlans(both("0.065"), last={"nextToken": "0"})).card(SHAPE)


def test_a_list_whose_token_has_expired_begins_again() -> None:
    pricing = Pricing([USED], refused("ExpiredNextTokenException"), [UNUSED])
    card = source(pricing).card(SHAPE)
    assert (card.on_demand, card.unused) == (D("0.10"), D("0.10"))
    assert [request.get("NextToken") for request in pricing.requests] == [None, "1", None, "1"]


def test_a_shape_that_cannot_be_read_stops_no_other() -> None:
    pricing = Pricing(refused("AccessDeniedException"), [USED, UNUSED])
    prices, problems = source(pricing).prices([Shape("a1.large", "us-east-1"), SHAPE], TODAY)
    assert [*prices.cards] == [SHAPE] and "AccessDeniedException" in problems[0] and "a1.large" in problems[0]
    assert prices.read_on == TODAY and prices.currency == "USD"


@pytest.mark.parametrize(
    ("service", "operation", "request_"),
    [
        ("pricing", "GetProducts", price_list.request(SHAPE)),
        ("savingsplans", "DescribeSavingsPlansOfferingRates", plan_rates.request(SHAPE, TYPES)),
    ],
)
def test_requests_fit_the_service_models(service: str, operation: str, request_: dict[str, Any]) -> None:
    model = boto3.client(service, region_name="us-east-1").meta.service_model.operation_model(operation)
    validate_parameters(request_, model.input_shape)


def test_every_filter_that_is_needed_is_asked_with() -> None:
    fields = {each["Field"]: each["Value"] for each in price_list.request(SHAPE)["Filters"]}
    assert fields == {
        "instanceType": "m5.large",
        "regionCode": "us-east-1",
        "locationType": "AWS Region",
        "operation": "RunInstances",
        "tenancy": "Shared",
        "marketoption": "OnDemand",
    }


@pytest.mark.parametrize(
    ("region", "partition"),
    [("eu-west-1", "aws"), ("cn-north-1", "aws-cn"), ("us-gov-west-1", "aws-us-gov"), ("us-iso-east-1", "aws-iso")],
)
def test_the_price_list_is_asked_where_its_partition_has_it(region: str, partition: str) -> None:
    assert partition_of(region) == partition
    endpoint = ENDPOINTS.get(partition)
    if endpoint:
        client = boto3.client("pricing", region_name=endpoint)
        assert endpoint in client.meta.endpoint_url and region != endpoint


# --- price files ------------------------------------------------------------------------------------------------------


def test_a_price_file_is_written_and_read_without_a_change(tmp_path: Path) -> None:
    path = tmp_path / "prices.json"
    path.write_text(json.dumps(X.to_json()), encoding="utf-8")
    assert read_price_file(path) == X


def test_numbers_of_a_file_are_what_is_written() -> None:
    assert load_exact("0.1") == D("0.1") and isinstance(load_exact("0.1"), Decimal)
    text = "{currency: USD, date: 2026-11-01, prices: [{type: m5.large, region: us-east-1, on_demand: 0.1}]}"
    assert read_prices(load_exact(text)).cards[SHAPE].on_demand == D("0.1")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[]", "must be a mapping"),
        ("{currency: USD, date: 2026-11-01}", "prices: must be a list"),
        ("{currency: USD, date: 2026-11-01, prices: [1]}", "prices.0.type: must be a mapping"),
        ("{currency: USD, date: 2026-11-01, price: []}", "price: unknown key"),
        (
            "{currency: USD, date: 2026-11-01, prices: [{type: a, region: b}, {type: a, region: b}]}",
            "prices.1: a Linux/UNIX in b already has a card",
        ),
        ("{currency: USD, date: 2026-11-01, prices: [{type: a, region: b, platform: BeOS}]}", "an EC2 platform"),
        ("{currency: USD, date: 2026-11-01, prices: [{type: a, region: b, on_demand: .nan}]}", "at least 0"),
        ("{currency: USD, date: 2026-11-01, prices: [{type: a, region: b, on_demand: true}]}", "at least 0"),
        ("{currency: USD, date: 2026-11-01, prices: [{type: a, region: b, on_demand: 1e30}]}", "at most 1000000"),
        ("{currency: USD, date: soon, prices: []}", "date: must be the day the prices were read"),
        (
            "{currency: USD, date: 2026-11-01, prices: [{type: a, region: b, reserved: {1: {No Upfront: 2}}}]}",
            "reserved.1.No Upfront: must be a mapping",
        ),
        (
            "{currency: USD, date: 2026-11-01, prices: [{type: a, region: b, reserved: {1: {Later: {hourly: 2}}}}]}",
            "must be one of No Upfront",
        ),
    ],
)
def test_a_wrong_price_file_gets_a_sentence(text: str, says: str) -> None:
    with pytest.raises(PricesError) as raised:
        read_prices(load_exact(text))
    assert says in str(raised.value)


def test_the_time_of_prices_is_their_day() -> None:
    found = read_prices(load_exact("{currency: USD, date: 2026-11-01T12:00:00Z, prices: []}"))
    assert found.said(date(2026, 11, 2)).endswith("read on 2026-11-01, 1 day ago.")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("on_demand: 0.1\non_demand: 0.2", "on_demand is on line 1 and on line 2; keep one"),
        ("prices: [{a: 1, b: 2, a: 3}]", "a is on line 1 and on line 1"),
        ("date: 2026-13-45", "month must be in 1..12"),
    ],
)
def test_what_yaml_would_take_without_a_word_or_not_at_all(text: str, says: str) -> None:
    with pytest.raises(yaml.YAMLError, match=says):
        load_exact(text)


def test_levels_that_python_does_not_hold_get_a_sentence() -> None:
    before = sys.getrecursionlimit()  # others may have raised it, to where this takes a quarter of a minute
    sys.setrecursionlimit(1_000)
    try:
        with pytest.raises(yaml.YAMLError, match="recursion"):
            load_exact("[" * 1_000)
    finally:
        sys.setrecursionlimit(before)


def test_one_anchor_in_two_places_is_no_key_twice() -> None:
    assert load_exact("{a: &p {x: 1}, b: *p}") == {"a": {"x": 1}, "b": {"x": 1}}
    assert load_exact("") is None


def test_old_prices_look_old() -> None:
    assert X.said(date(2026, 11, 25)) == "Prices in USD from invented numbers, read on 2026-11-01, 24 days ago."
    assert X.said(date(2026, 11, 1)) == "Prices in USD from invented numbers, read on 2026-11-01."
