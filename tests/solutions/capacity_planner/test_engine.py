"""The arithmetic and the advice: the acceptance cases, AWS's own examples, and laws that hold for any price."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from capacity_planner.advice import limits
from capacity_planner.options import (
    KINDS,
    ON_DEMAND,
    RESERVED,
    WITH_COMPUTE,
    WITH_EC2,
    WITH_REGIONAL,
    ZONAL,
    Option,
    options,
)
from capacity_planner.planning import Planned, plan
from capacity_planner.prices import ALL, COMPUTE, EC2_INSTANCE, NO_UPFRONT, Card, Fee, Prices
from capacity_planner.stages import absorbed
from capacity_planner.workloads import Owned, Workload, later, whole_months
from shared.money import cents, shown
from tests.solutions.capacity_planner.given import TODAY, X, option, planned, stage, workload

D = Decimal
SHAPE = workload().shape
CARD = X.cards[SHAPE]


def recommended(found: Planned) -> Option:
    assert found.recommendation is not None, found.missing
    return found.recommendation.option


def priced(**changes: Any) -> Prices:
    """Price file X with another card."""
    return X.with_cards({SHAPE: replace(CARD, **changes)})


# --- the table of options ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "always", "office_hours", "commitment", "term_cost", "reserves"),
    [
        (ON_DEMAND, "730.00", "260.71", None, None, False),
        (RESERVED, "730.00", "730.00", None, None, True),
        (WITH_COMPUTE, "547.50", "547.50", D("0.75"), "6,570.00", True),
        (WITH_EC2, "474.50", "474.50", D("0.65"), "5,694.00", True),
        (WITH_REGIONAL, "438.00", "438.00", None, "5,256.00", True),
        (ZONAL, "438.00", "438.00", None, "5,256.00", True),
    ],
)
def test_each_option_costs_what_the_table_says(
    kind: str, always: str, office_hours: str, commitment: D | None, term_cost: str | None, reserves: bool
) -> None:
    full, part = option(kind), option(kind, hours_a_week=60)
    assert (shown(full.monthly), shown(part.monthly)) == (always, office_hours)
    assert full.commitment == commitment
    assert (full.term_cost and shown(full.term_cost)) == term_cost
    assert full.offer.reserves_capacity is reserves


def test_only_reservations_and_zonal_reserved_instances_reserve_capacity() -> None:
    found = options(workload(), CARD)
    assert {each.offer.kind for each in found} == {*KINDS}
    assert {each.offer.kind for each in found if not each.offer.reserves_capacity} == {ON_DEMAND}


def test_unused_hours_of_a_reservation_are_told_apart() -> None:
    found = option(RESERVED, hours_a_week=60)
    assert (shown(found.used), shown(found.unused)) == ("260.71", "469.29")


def test_a_reservation_may_be_held_for_a_part_of_the_week() -> None:
    found = option(RESERVED, hours_a_week=60, held_hours_a_week=84)
    assert shown(found.monthly) == "365.00"
    assert recommended(stage(hours_a_week=60, held_hours_a_week=84, months=2)).offer.kind == RESERVED


def test_an_unused_hour_may_have_another_price() -> None:
    found = option(RESERVED, priced(unused=D("0.20")), hours_a_week=84)
    assert (shown(found.used), shown(found.unused)) == ("365.00", "730.00")


def test_a_price_of_unused_hours_that_is_another_one_is_pointed_out() -> None:
    notes = planned(priced(unused=D("0.20"))).notes
    assert any("costs 0.2 USD, a used one 0.1" in note for note in notes)
    assert not any("unused hour" in note for note in planned().notes)


def test_reserved_instances_pay_upfront_and_each_month() -> None:
    found = option(WITH_REGIONAL)
    assert (shown(found.upfront), shown(found.recurring)) == ("2,628.00", "219.00")


@pytest.mark.parametrize(
    ("kind", "use", "hours", "months"),
    [
        (WITH_COMPUTE, "0.75", "126.0", "9.0"),
        (WITH_EC2, "0.65", "109.2", "7.8"),
        (WITH_REGIONAL, "0.60", "100.8", "7.2"),
    ],
)
def test_break_even_is_one_of_use_and_one_of_time(kind: str, use: str, hours: str, months: str) -> None:
    found = option(kind)
    assert found.break_even_use == D(use) and f"{168 * found.break_even_use:.1f}" == hours
    assert found.break_even_months is not None and f"{found.break_even_months:.1f}" == months


def test_a_plan_as_dear_as_on_demand_never_breaks_even() -> None:
    found = option(WITH_EC2, priced(plans={**CARD.plans, (EC2_INSTANCE, 1, NO_UPFRONT): D("0.10")}))
    assert found.break_even_use is None and found.break_even_months is None


def test_three_years_all_upfront() -> None:
    fee = Fee(D("1314.00"), D(0))
    found = option(WITH_REGIONAL, priced(reserved={(3, ALL): fee}), count=1, zones=["us-east-1a"])
    assert fee.effective(3) == D("0.05")
    assert (shown(found.monthly), shown(found.upfront), shown(found.recurring)) == ("36.50", "1,314.00", "0.00")


@pytest.mark.parametrize(
    ("payment", "upfront", "recurring"),
    [("No Upfront", "0.00", "474.50"), ("Partial Upfront", "2,847.00", "237.25"), ("All Upfront", "5,694.00", "0.00")],
)
def test_the_rate_of_a_plan_is_the_effective_one_whatever_is_paid_upfront(
    payment: str, upfront: str, recurring: str
) -> None:
    found = option(WITH_EC2, priced(plans={(EC2_INSTANCE, 1, payment): D("0.065")}))
    assert (shown(found.monthly), shown(found.upfront), shown(found.recurring)) == ("474.50", upfront, recurring)


def test_money_is_rounded_once_and_half_up() -> None:
    assert cents(3 * D("0.0052") * 730) == D("11.39")
    prices = priced(on_demand=D("0.0052"))
    told = plan([workload(count=3)], prices, TODAY).to_json()
    on_demand = next(each for each in told["workloads"][0]["options"] if each["option"] == ON_DEMAND)
    assert on_demand["monthly"] == "11.39"
    assert cents(D("0.005")) == D("0.01") and cents(D("0.0049")) == D("0.00")


# --- what is recommended ----------------------------------------------------------------------------------------------


def test_steady_and_strict_is_a_reservation_with_an_ec2_instance_plan() -> None:
    found = stage(months=36)
    assert recommended(found).offer.kind == WITH_EC2
    assert found.recommendation
    assert "EC2 Instance Savings Plan of 0.65 USD an hour" in found.recommendation.sentence
    assert "474.50 USD a month" in found.recommendation.sentence
    assert "cheapest" not in found.recommendation.sentence, "the Reserved Instance is, and the note says so"
    (said,) = [note for note in found.recommendation.notes if "Reserved Instances" in note]
    assert "36.50 USD a month less" in said and "not recommended" in said


def test_strict_office_hours_keep_the_reservation_and_say_what_on_demand_would_cost() -> None:
    found = stage(hours_a_week=60)
    assert recommended(found).offer.kind == WITH_EC2
    assert found.recommendation
    assert "On-Demand Instances alone would cost 260.71 USD a month and reserve nothing." in found.recommendation.notes


@pytest.mark.parametrize(("hours", "kind", "monthly"), [(60, ON_DEMAND, "260.71"), (110, WITH_EC2, "474.50")])
def test_without_a_strict_need_the_use_decides(hours: int, kind: str, monthly: str) -> None:
    found = stage(hours_a_week=hours, strict=False)
    assert (recommended(found).offer.kind, shown(recommended(found).monthly)) == (kind, monthly)
    assert shown(option(ON_DEMAND, hours_a_week=110).monthly) == "477.98"
    if kind == ON_DEMAND:
        assert found.recommendation
        assert "from 109.2 hours a week, and they run 60; no capacity is reserved" in found.recommendation.sentence


@pytest.mark.parametrize(
    ("months", "kind", "total"), [(2, RESERVED, "1,460.00"), (7, RESERVED, "5,110.00"), (8, WITH_EC2, "5,694.00")]
)
def test_a_short_need_is_a_reservation_alone_until_a_commitment_pays(months: int, kind: str, total: str) -> None:
    found = stage(months=months)
    assert (recommended(found).offer.kind, shown(recommended(found).total)) == (kind, total)
    assert found.recommendation
    if kind == RESERVED:
        assert found.recommendation.cancel_on == later(TODAY, months)
        assert str(found.recommendation.cancel_on) in found.recommendation.sentence
        assert "after 7.8 months" in found.recommendation.sentence
    assert shown(option(RESERVED, months=8).total) == "5,840.00"


@pytest.mark.parametrize("change", ["family", "region", "fargate", "lambda"])
def test_what_may_change_takes_the_compute_plan_although_it_is_dearer(change: str) -> None:
    found = stage(months=36, may_change=[change])
    assert (recommended(found).offer.kind, shown(recommended(found).monthly)) == (WITH_COMPUTE, "547.50")
    assert recommended(found).commitment == D("0.75")
    assert found.recommendation and any("73.00 USD a month" in note for note in found.recommendation.notes)


def test_no_price_of_what_has_to_be_compared_is_no_answer() -> None:
    prices = priced(plans={(COMPUTE, 1, NO_UPFRONT): D("0.075")})
    found = plan([workload(months=36)], prices, TODAY)
    assert not found.to_json()["ok"]
    assert all("savings_plans.ec2-instance.1.No Upfront" in problem for problem in found.problems)
    (only,) = found.workloads[0].stages
    assert only.recommendation is None
    told = [each for each in found.to_json()["workloads"][0]["options"] if each["option"] == WITH_EC2]
    assert all("monthly" not in each and each["missing_price"] for each in told)
    assert recommended(stage(prices, months=36, may_change=["lambda"])).offer.kind == WITH_COMPUTE


def test_an_unknown_shape_has_no_price_and_stops_no_other() -> None:
    found = plan([workload(name="a", type="z9.huge"), workload(name="b")], X, TODAY)
    (problem,) = found.problems
    assert problem.startswith("a: no price for z9.huge Linux/UNIX in us-east-1")
    assert found.workloads[1].stages[0].recommendation


def test_payments_and_years_that_are_not_possible_are_not_recommended() -> None:
    plans = {
        (EC2_INSTANCE, 1, NO_UPFRONT): D("0.07"),
        (EC2_INSTANCE, 1, ALL): D("0.06"),
        (EC2_INSTANCE, 3, ALL): D("0.04"),
    }
    prices = priced(plans=plans)
    assert recommended(stage(prices, months=36)).offer.years == 3
    assert recommended(stage(prices, months=36, max_years=1)).offer.payment == ALL
    found = stage(prices, months=36, payments=[NO_UPFRONT])
    assert (recommended(found).offer.years, recommended(found).offer.payment) == (1, NO_UPFRONT)


def test_a_reserved_instance_is_never_recommended() -> None:
    prices = priced(reserved={(1, NO_UPFRONT): Fee(D(0), D("0.0001"))})
    for changes in ({}, {"strict": False}, {"may_change": ["region"]}, {"months": 1}):
        assert recommended(stage(prices, **changes)).offer.kind not in (WITH_REGIONAL, ZONAL)


def test_purchases_that_aws_does_not_allow_in_a_month_are_said() -> None:
    sixty = workload(count=60, zones=["us-east-1a"])
    assert limits(sixty, ZONAL) == "60 Reserved Instances in one zone; 20 may be bought there in a month"
    assert "20 regional ones" in str(limits(sixty, WITH_REGIONAL))
    assert limits(sixty, WITH_EC2) is None and limits(workload(), ZONAL) is None


def test_a_commitment_is_rounded_up_and_says_so() -> None:
    prices = priced(plans={(EC2_INSTANCE, 1, NO_UPFRONT): D("0.00333")})
    found = stage(prices, count=1, zones=["us-east-1a"])
    assert recommended(found).commitment == D("0.004")
    assert found.recommendation and any("0.49 USD a month more" in note for note in found.recommendation.notes)


# --- what is owned pays first -----------------------------------------------------------------------------------------


def owned(kind: str, count: int, ends: str = "2027-05-25", **more: Any) -> dict[str, Any]:
    return {"kind": kind, "count": count, "ends": ends, **more}


def test_a_regional_reserved_instance_pays_until_its_end_then_a_plan_is_bought() -> None:
    found = planned(months=36, owned=[owned("regional-ri", 10)])
    (only,) = found.stages
    assert only.stage.starts == date(2027, 5, 25) and only.stage.workload.months == 30
    assert recommended(only).offer.kind == WITH_EC2
    assert any("it reserves no capacity: hold Capacity Reservations meanwhile" in note for note in found.notes)
    assert "Reserve 5 in us-east-1a." in found.notes


def test_the_end_of_a_zonal_reserved_instance_loses_capacity_and_discount() -> None:
    found = planned(owned=[owned("zonal-ri", 2, zone="us-east-1a")])
    assert [each.stage.workload.count for each in found.stages] == [8, 2]
    assert any("their capacity and their discount are both lost that day" in note for note in found.notes)
    assert "Reserve 3 in us-east-1a." in found.notes and "Reserve 5 in us-east-1b." in found.notes


def test_a_zonal_reserved_instance_saves_nothing_of_a_reservation_of_its_shape() -> None:
    both = [owned("zonal-ri", 10, zone="us-east-1a"), {"kind": "odcr", "count": 10, "zone": "us-east-1a"}]
    found = planned(zones=["us-east-1a"], owned=both)
    assert any("does not apply to a Capacity Reservation" in note and ", 0 count" in note for note in found.notes)
    (only,) = found.stages
    assert only.stage.workload.count == 10 and shown(recommended(only).monthly) == "474.50"


def test_a_reservation_that_ends_has_to_be_made_again() -> None:
    held = {"kind": "odcr", "count": 5, "zone": "us-east-1a"}
    (stays,) = [note for note in planned(owned=[held]).notes if note.startswith("Held already")]
    (ends,) = [
        note for note in planned(owned=[{**held, "ends": "2027-05-25"}]).notes if note.startswith("Held already")
    ]
    assert "reserve it again before" in ends and "again" not in stays


def test_existing_plans_absorb_load_before_a_new_one() -> None:
    found = planned(owned=[{"kind": "compute-sp", "commitment": "0.45", "ends": "2029-01-01"}])
    (only,) = found.stages
    assert only.stage.workload.count == 4 and recommended(only).commitment == D("0.26")


def test_the_order_is_that_of_billing() -> None:
    given_ = workload(
        owned=[
            {"kind": "compute-sp", "commitment": "0.75", "ends": "2029-01-01"},
            {"kind": "ec2-sp", "commitment": "0.26", "ends": "2029-01-01"},
            owned("regional-ri", 3),
            owned("zonal-ri", 2, zone="us-east-1a"),
        ]
    )
    found = absorbed(given_, CARD, TODAY)
    assert [(each.owned.kind, each.count) for each in found] == [
        ("zonal-ri", 2),
        ("regional-ri", 3),
        ("ec2-sp", 4),
        ("compute-sp", 1),
    ]


def test_what_has_ended_is_ignored_and_said() -> None:
    found = planned(owned=[owned("regional-ri", 10, "2026-11-25")])
    assert found.stages[0].stage.workload.count == 10
    assert any("Ignored, because it ended on 2026-11-25" in note for note in found.notes)


def test_an_owned_plan_without_a_known_rate_is_no_answer() -> None:
    found = planned(priced(plans={}), owned=[{"kind": "ec2-sp", "commitment": "1", "ends": "2029-01-01"}])
    assert found.problems == ["m5.large Linux/UNIX in us-east-1: savings_plans.ec2-instance"]


def test_paid_to_the_end_is_nothing_new() -> None:
    assert planned(owned=[owned("regional-ri", 10, "2029-01-01")]).stages == []


# --- laws -------------------------------------------------------------------------------------------------------------

PRICE = st.decimals("0.0001", "40", places=6)


@given(PRICE, PRICE, PRICE, st.integers(1, 500), st.integers(1, 168), st.integers(1, 60), st.booleans())
@settings(max_examples=150, deadline=None)
def test_the_parts_add_up_and_nothing_cheaper_of_the_candidates_is_left(
    on_demand: D, unused: D, rate: D, count: int, hours: int, months: int, strict: bool
) -> None:
    card = Card(SHAPE, on_demand, unused, {(EC2_INSTANCE, 1, NO_UPFRONT): rate})
    given_ = Workload("w", SHAPE, count, {}, D(hours), months=months, strict=strict)
    (found,) = plan([given_], X.with_cards({SHAPE: card}), TODAY).workloads
    kinds = (RESERVED, WITH_EC2) if strict else (ON_DEMAND, RESERVED, WITH_EC2)
    priced_ = [each for each in found.compared if isinstance(each, Option)]
    best = recommended(found.stages[0])
    assert best.total == min(each.total for each in priced_ if each.offer.kind in kinds)
    assert not strict or best.offer.reserves_capacity
    for each in priced_:
        assert each.used >= 0 and each.unused >= 0
        if each.term_cost is not None:
            assert abs(each.upfront + each.recurring * 12 - each.term_cost) < D("1e-9")
            assert each.commitment is not None and each.commitment >= count * rate


@given(st.dates(date(2020, 1, 1), date(2040, 1, 1)), st.integers(0, 200))
def test_months_are_counted_as_they_are_added(start: date, months: int) -> None:
    assert whole_months(start, later(start, months)) == months


def test_the_whole_of_what_is_owned_is_shown_by_name() -> None:
    assert str(Owned("regional-ri", 3, name="ri-1")) == "3 regional Reserved Instances (ri-1)"
