"""What the account has: covered, wasted, unreserved, ending, shared; and who pays for what."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from capacity_planner.account import Assumptions, workloads
from capacity_planner.coverage import Coverage, Measured, coverage, measured, size
from capacity_planner.inventory import Inventory, inventory
from capacity_planner.look.measuring import QUERIES, answers, requests, window
from capacity_planner.planning import plan
from capacity_planner.shapes import Shape
from tests.solutions.capacity_planner.account_answers import (
    NOW,
    THEM,
    US,
    instance,
    reservation,
    reserved,
    savings_plan,
)
from tests.solutions.capacity_planner.given import X

D = Decimal


def found(
    instances: Iterable[Any] = (),
    reservations: Iterable[Any] = (),
    purchases: Iterable[Any] = (),
    plans: Iterable[Any] = (),
) -> Inventory:
    return inventory(US, "us-east-1", instances=instances, reservations=reservations, reserved=purchases, plans=plans)


def seen(inventory_: Inventory, metrics: dict[str, Measured] | None = None, **changes: Any) -> Coverage:
    full = {
        each.id: Measured(D(each.total - each.available) * 24, D(each.available) * 24, 288)
        for each in inventory_.reservations
    }
    given = {"now": NOW, "hours": 24, "notice_days": 45, **changes}
    return coverage(inventory_, full if metrics is None else metrics, **given)


def test_hours_are_covered_wasted_and_unreserved() -> None:
    inside = [instance(number, CapacityReservationId=f"cr-{1:017x}") for number in range(3)]
    young = instance(9, LaunchTime=NOW - timedelta(hours=2, minutes=15))
    look = seen(found([*inside, instance(8), young], [reservation(1, 5, 2)]))
    assert (look.covered, look.wasted, look.unreserved) == (D(72), D(48), D("26.25"))


def test_twenty_four_hours_and_a_quarter_are_24_and_a_quarter_hours() -> None:
    """As AWS bills them: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/capacity-reservations-pricing-billing.html."""
    look = seen(found([instance(1, LaunchTime=NOW - timedelta(hours=24, minutes=15))]), hours=48)
    assert look.unreserved == D("24.25")


def test_an_idle_reservation_beside_what_runs_outside_of_it_is_paid_twice() -> None:
    other_zone, other_kind = instance(8, "us-east-1b"), instance(7, UsageOperation="RunInstances:0002")
    look = seen(found([instance(1), instance(2), instance(3), other_zone, other_kind], [reservation(1, 2, 2)]))
    assert look.doubled == (("m5.large Linux/UNIX in us-east-1a", 2),)
    assert seen(found([other_zone], [reservation(1, 2, 2)])).doubled == ()


@pytest.mark.parametrize(
    "changes",
    [
        {"InstanceLifecycle": "spot"},
        {"tenancy": "host"},
        {"zone": "us-east-1-lax-1a"},
        {"OutpostArn": "arn:aws:outposts:us-east-1:111111111111:outpost/op-1"},
        {"UsageOperation": "", "PlatformDetails": "BeOS"},
    ],
)
def test_what_no_reservation_of_the_region_can_hold_is_left_out_and_said(changes: dict[str, Any]) -> None:
    inventory_ = found([instance(1, **changes)])
    assert not inventory_.running and len(inventory_.left_out) == 1
    assert seen(inventory_).unreserved == 0


def test_what_runs_in_a_reservation_of_another_account_is_covered() -> None:
    theirs = reservation(1, 5, 2, OwnerId=THEM)
    inside = instance(1, CapacityReservationId=theirs["CapacityReservationId"])
    look = seen(found([inside, instance(2)], [theirs]))
    assert (look.covered, look.unreserved) == (D(24), D(24)), "of three that run there, one is ours"


def test_what_runs_in_a_reservation_without_points_is_covered() -> None:
    inside = instance(1, CapacityReservationId=f"cr-{1:017x}")
    look = seen(found([inside], [reservation(1, 5, 4)]), {})
    assert (look.covered, look.wasted, look.unmeasured) == (D(24), D(0), (f"cr-{1:017x}",))


def test_what_does_not_run_is_not_even_mentioned() -> None:
    assert found([instance(1, State={"Name": "stopped"})]).left_out == ()


@pytest.mark.parametrize(
    ("changes", "party", "wasted"),
    [
        ({}, "ours", 24),
        ({"UnusedReservationBillingOwnerId": US}, "ours", 24),
        ({"UnusedReservationBillingOwnerId": THEM}, "others pay the unused hours", 0),
        ({"OwnerId": THEM}, "shared with us", 0),
        ({"OwnerId": THEM, "UnusedReservationBillingOwnerId": US}, "shared, we pay", 24),
    ],
)
def test_who_owns_a_reservation_and_who_pays_its_waste_are_told_apart(
    changes: dict[str, Any], party: str, wasted: int
) -> None:
    inventory_ = found([], [reservation(1, 1, 1, **changes)])
    assert inventory_.reservations[0].party == party
    look = seen(inventory_)
    assert look.wasted == wasted
    assert bool(look.shared) is (party != "ours")


@pytest.mark.parametrize(
    ("changes", "billed", "left_out"),
    [
        ({"State": "active"}, 1, 0),
        ({"State": "cancelling"}, 1, 0),
        ({"State": "expired"}, 0, 0),
        ({"State": "scheduled"}, 0, 0),
        ({"State": "pending"}, 0, 0),
        ({"ReservationType": "capacity-block"}, 0, 1),
        ({"Interruptible": True}, 0, 1),
    ],
)
def test_what_bills_and_what_is_no_waste_of_ours(changes: dict[str, Any], billed: int, left_out: int) -> None:
    inventory_ = found([], [reservation(1, 1, 1, **changes)])
    assert (len(inventory_.reservations), len(inventory_.left_out)) == (billed, left_out)


def test_a_cancelling_reservation_has_no_room_for_what_runs_outside() -> None:
    assert seen(found([instance(1)], [reservation(1, 1, 1, State="cancelling")])).doubled == ()


def test_what_ends_within_the_notice_is_named_with_what_is_lost() -> None:
    soon, late = NOW + timedelta(days=45), NOW + timedelta(days=46)
    inventory_ = found(
        [],
        [reservation(1, 3, 0, EndDate=soon, EndDateType="limited"), reservation(2, 3, 0, EndDate=late)],
        [reserved(1, 4, zone="us-east-1a", End=soon), reserved(2, 4, End=soon), reserved(3, 4, End=late)],
        [savings_plan(1, "0.5", end=soon.isoformat().replace("+00:00", "Z"))],
    )
    ending = {each.what: each.lost for each in seen(inventory_).ending}
    assert len(ending) == 4
    assert "running instances stay, unreserved" in ending[f"cr-{1:017x} (m5.large in us-east-1a)"]
    assert ending["ri-1 (4 m5.large in us-east-1a)"].startswith("the capacity and the discount;")
    assert ending["ri-2 (4 m5.large in the Region)"] == "the discount"


def test_other_states_and_other_plans_do_not_count() -> None:
    inventory_ = found(
        [],
        [],
        [reserved(1, 1, State="retired"), reserved(2, 1, State="queued")],
        [savings_plan(1, "1", state="queued"), savings_plan(2, "1", "SageMaker"), savings_plan(3, "1", "Database")],
    )
    assert not inventory_.reserved and not inventory_.plans


@pytest.mark.parametrize(
    ("platform", "operation"),
    [
        ("Linux with SQL Server Standard (Amazon VPC)", "RunInstances:0004"),
        ("Windows with SQL Server Web (Amazon VPC)", "RunInstances:0202"),
        ("Red Hat Enterprise Linux with HA (Amazon VPC)", "RunInstances:1010"),
    ],
)
def test_a_purchase_names_its_platform_in_its_own_words(platform: str, operation: str) -> None:
    look = seen(found([instance(1, UsageOperation=operation)], [], [reserved(1, 1, ProductDescription=platform)]))
    assert [paid.count for paid in look.paid] == [1] and look.idle == ()


def test_a_purchase_of_an_unknown_platform_is_left_out_and_said() -> None:
    inventory_ = found([instance(1)], [], [reserved(1, 1, ProductDescription="BeOS")])
    assert inventory_.left_out == (("purchases of Reserved Instances of BeOS", 1),)
    assert seen(inventory_).idle == ()


def test_zonal_reserved_instances_hold_what_runs_in_their_zone_only() -> None:
    purchases = [reserved(1, 2, zone="us-east-1a"), reserved(2, 2, zone="us-east-1b")]
    look = seen(found([instance(1), instance(2), instance(3)], [], purchases))
    assert (look.covered, look.unreserved) == (D(48), D(24))
    assert look.idle == (("ri-2: 2 of 2 in us-east-1b", 2),)


def test_a_zonal_reserved_instance_pays_nothing_inside_a_reservation() -> None:
    inside = instance(1, CapacityReservationId=f"cr-{1:017x}")
    look = seen(found([inside], [reservation(1, 1, 0)], [reserved(1, 1, zone="us-east-1a")]))
    assert look.paid == () and look.idle == (("ri-1: 1 of 1 in us-east-1a", 1),)


def test_a_regional_linux_reserved_instance_pays_other_sizes_of_its_family_the_smallest_first() -> None:
    small = [instance(number, InstanceType="m5.large") for number in range(3)]
    large = [instance(9, InstanceType="m5.2xlarge")]
    look = seen(found([*small, *large], [], [reserved(1, 1, InstanceType="m5.2xlarge")]))
    assert [(paid.shape.instance_type, paid.count) for paid in look.paid] == [("m5.large", 3)]


@pytest.mark.parametrize(
    ("purchase", "runs"),
    [
        ({"ProductDescription": "Windows"}, {"UsageOperation": "RunInstances:0002"}),
        ({"InstanceTenancy": "dedicated"}, {"tenancy": "dedicated"}),
        ({"ProductDescription": "Red Hat Enterprise Linux"}, {"UsageOperation": "RunInstances:0010"}),
    ],
)
def test_other_platforms_and_tenancies_are_not_flexible_in_size(purchase: dict[str, Any], runs: dict[str, Any]) -> None:
    big = reserved(1, 1, InstanceType="m5.xlarge", **purchase)
    assert seen(found([instance(1, **runs)], [], [big])).paid == ()
    same = reserved(1, 1, **purchase)
    assert len(seen(found([instance(1, **runs)], [], [same])).paid) == 1


@pytest.mark.parametrize("family", ["g4dn", "g5", "g4ad", "g5g", "g6", "g6e", "gr6", "p5", "inf1", "inf2", "u7i-6tb"])
def test_families_without_flexibility(family: str) -> None:
    purchase = reserved(1, 1, InstanceType=f"{family}.2xlarge")
    assert seen(found([instance(1, InstanceType=f"{family}.xlarge")], [], [purchase])).paid == ()


def test_a_regional_reserved_instance_pays_unused_hours_after_what_runs() -> None:
    look = seen(
        found([instance(1)], [reservation(1, 3, 3)], [reserved(1, 3, ProductDescription="Linux/UNIX (Amazon VPC)")])
    )
    assert [paid.count for paid in look.paid] == [3]


@pytest.mark.parametrize(
    ("name", "factor"), [("t3.nano", "0.25"), ("m5.large", "4"), ("m5.xlarge", "8"), ("m5.24xlarge", "192")]
)
def test_normalization_factors(name: str, factor: str) -> None:
    assert size(Shape(name, "us-east-1")) == D(factor)


# --- measuring --------------------------------------------------------------------------------------------------------


def test_wasted_hours_are_a_twelfth_of_the_points_and_a_gap_is_neither_0_nor_full() -> None:
    assert measured([1.0] * 6, [3.0] * 6) == Measured(D("0.5"), D("1.5"), 6)
    gap = answers(
        [
            {"Label": "UsedInstanceCount cr-1", "Values": [1.0, 1.0]},
            {"Label": "AvailableInstanceCount cr-1", "Values": [2.0]},
            {"Label": "AvailableInstanceCount cr-1", "Values": [2.0]},
            {"Label": "UsedInstanceCount cr-2", "Values": []},
            {"Label": "AvailableInstanceCount cr-2", "Values": []},
        ]
    )
    assert {name: (each.points, each.wasted) for name, each in gap.items()} == {"cr-1": (2, D(4) / 12)}
    look = seen(found([], [reservation(1, 1, 1)]), {})
    assert look.wasted == 0 and look.unmeasured == (f"cr-{1:017x}",)


def test_requests_have_at_most_so_many_queries_and_whole_periods() -> None:
    made = list(requests([f"cr-{number}" for number in range(400)], NOW, 24))
    assert [len(each["MetricDataQueries"]) for each in made] == [QUERIES, 300]
    assert len({query["Id"] for query in made[0]["MetricDataQueries"]}) == QUERIES
    start, end = window(NOW, 24)
    assert (end.minute, end - start) == (50, timedelta(hours=24))


@pytest.mark.parametrize("minutes", range(10))
def test_points_that_come_ten_minutes_late_are_in_exactly_one_window(minutes: int) -> None:
    """EC2 publishes every five minutes; a look sees only periods that ended ten minutes before it."""
    now = NOW + timedelta(minutes=minutes)
    start, end = window(now, 1)
    assert timedelta(minutes=10) <= now - end < timedelta(minutes=15)
    assert window(now + timedelta(hours=1), 1)[0] == end and end - start == timedelta(hours=1)


# --- the account as workloads -----------------------------------------------------------------------------------------


def test_what_runs_becomes_workloads_and_what_is_owned_pays_first() -> None:
    runs = [instance(number, "us-east-1a" if number % 2 else "us-east-1b") for number in range(10)]
    inventory_ = found(runs, [], [reserved(1, 2)], [savings_plan(1, "0.13", "EC2Instance"), savings_plan(2, "0.15")])
    (workload,) = workloads(inventory_, seen(inventory_), X, Assumptions(months=12))
    assert (workload.count, workload.zones) == (10, {"us-east-1a": 5, "us-east-1b": 5})
    (planned,) = plan([workload], X, NOW.date()).workloads
    assert planned.stages[0].stage.workload.count == 10 - 2 - 2 - 2


def test_a_commitment_is_shared_out_once() -> None:
    second = Shape("m5.xlarge", "us-east-1")
    prices = X.with_cards({second: replace(next(iter(X.cards.values())), shape=second)})
    runs = [instance(1), instance(2), instance(3, InstanceType="m5.xlarge"), instance(4, InstanceType="m5.xlarge")]
    inventory_ = found(runs, [], [], [savings_plan(1, "0.225")])
    read = workloads(inventory_, seen(inventory_), prices, Assumptions())
    planned = plan(read, prices, NOW.date()).workloads
    assert sum(each.stages[0].stage.workload.count for each in planned if each.stages) == 1


def test_a_plan_of_another_family_or_region_pays_nothing() -> None:
    plans = [
        savings_plan(1, "9", "EC2Instance", ec2InstanceFamily="c5"),
        savings_plan(2, "9", "EC2Instance", region="eu-west-1"),
    ]
    inventory_ = found([instance(1)], [], [], plans)
    (workload,) = workloads(inventory_, seen(inventory_), X, Assumptions())
    assert not workload.owned


def test_a_plan_whose_rate_nobody_knows_is_no_reason_to_buy_another() -> None:
    card = next(iter(X.cards.values()))
    prices = X.with_cards(
        {card.shape: replace(card, plans={key: of for key, of in card.plans.items() if "ec2" in key[0]})}
    )
    inventory_ = found([instance(1)], [], [], [savings_plan(1, "9")])
    (workload,) = workloads(inventory_, seen(inventory_), prices, Assumptions())
    (planned,) = plan([workload], prices, NOW.date()).workloads
    assert planned.stages == [] and planned.problems == ["m5.large Linux/UNIX in us-east-1: savings_plans.compute"]


def test_of_equal_savings_the_lowest_rate_is_paid_first() -> None:
    large, (card,) = Shape("c5.2xlarge", "us-east-1"), X.cards.values()
    dear = replace(card, shape=large, on_demand=D("0.20"), plans={key: 2 * of for key, of in card.plans.items()})
    prices = X.with_cards({large: dear})
    inventory_ = found([instance(1), instance(2, InstanceType="c5.2xlarge")], [], [], [savings_plan(1, "0.15")])
    owned = {each.shape: each.owned for each in workloads(inventory_, seen(inventory_), prices, Assumptions())}
    assert [each.commitment for each in owned[card.shape]] == [D("0.075")]
    assert owned[large] == (), "half of the larger one is paid, which is not an instance"
