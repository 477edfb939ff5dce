"""An hour under Savings Plans: the acceptance cases, and AWS's own examples, Fargate and Lambda included."""

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from capacity_planner.plan_hour import Hour, Usage, an_hour
from capacity_planner.prices import COMPUTE, EC2_INSTANCE
from shared.money import shown

D = Decimal
RATE = D("0.075")


def units(*numbers: int) -> tuple[D, ...]:
    """Numbers as an hour has them."""
    return tuple(map(D, numbers))


def reserved_hour(running: int, reserved: int, commitment: D, rate: D, used: D, unused: D) -> Hour:
    """An hour of reserved instances of one shape: those that run, and those that are held for nobody."""
    idle = max(0, reserved - running)
    return an_hour(
        [Usage(D(running), used, {COMPUTE: rate}), Usage(D(idle), unused, {COMPUTE: rate})], {COMPUTE: commitment}
    )


@pytest.mark.parametrize(
    ("commitment", "running", "reserved", "cost", "wasted"),
    [
        ("0.45", 10, 10, "0.85", "0"),
        ("0.45", 5, 10, "0.85", "0"),
        ("0.45", 5, 0, "0.45", "0.075"),
        ("0.30", 10, 10, "0.90", "0"),
    ],
)
def test_a_commitment_pays_what_runs_first_then_what_is_reserved(
    commitment: str, running: int, reserved: int, cost: str, wasted: str
) -> None:
    found = reserved_hour(running, reserved, D(commitment), RATE, D("0.10"), D("0.10"))
    assert (found.cost, found.wasted) == (D(cost), D(wasted))


def test_twenty_reserved_and_fifteen_running_are_fifteen_used_and_five_unused() -> None:
    """https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/capacity-reservations-pricing-billing.html."""
    assert reserved_hour(15, 20, D(0), RATE, D("0.10"), D("0.10")).cost == D("2.00")
    assert reserved_hour(15, 20, D(0), RATE, D("0.10"), D(0)).cost == D("1.50")


def test_a_reservation_of_five_hours_of_which_one_is_empty() -> None:
    """The same page: m4.large at 0.10, reserved for five hours, the first one empty; it runs an hour longer."""
    hours = [reserved_hour(int(hour > 0), int(hour < 5), D(0), RATE, D("0.10"), D("0.10")).cost for hour in range(6)]
    assert sum(hours) == D("0.10") + 5 * D("0.10")


# --- https://docs.aws.amazon.com/savingsplans/latest/userguide/sp-applying.html ---------------------------------------


def r5(count: int) -> Usage:
    """r5.4xlarge of Linux."""
    return Usage(D(count), D("1.00"), {COMPUTE: D("0.70"), EC2_INSTANCE: D("0.60")})


# An EC2 Instance Savings Plan of the page is one of r5, so m5 has no rate of it.
VCPU = Usage(D(400), D("0.04"), {COMPUTE: D("0.03")})
GIGABYTES = Usage(D(1_600), D("0.004"), {COMPUTE: D("0.003")})
M5_WINDOWS = Usage(D(1), D("10.00"), {COMPUTE: D("8.20")})
DURATION = Usage(D(1_500_000), D("0.000015"), {COMPUTE: D("0.00001275")})  # 1 million requests x 0.5 GB x 3 s
REQUESTS = Usage(D(1), D("0.20"), {COMPUTE: D("0.20")})
OTHERS = (VCPU, GIGABYTES, M5_WINDOWS, DURATION, REQUESTS)


def on_demand(hour: Hour, commitment: str) -> str:
    """What the page calls the On-Demand charges."""
    return shown(hour.cost - D(commitment))


def test_scenario_1_a_compute_plan_pays_everything() -> None:
    found = an_hour([r5(4), *OTHERS], {COMPUTE: D(50)})
    assert (shown(found.cost), shown(D(50) - found.wasted)) == ("50.00", "47.13")
    assert shown(an_hour([r5(4), *OTHERS], {}).cost) == "59.10"


def test_scenario_2_the_highest_saving_comes_first() -> None:
    found = an_hour([r5(4), *OTHERS], {COMPUTE: D(2)})
    assert f"{found.covered[0]:.1f}" == "2.9" and found.covered[1:] == units(0, 0, 0, 0, 0)
    assert on_demand(found, "2") == "56.24"


def test_scenario_3_of_equal_savings_the_lowest_rate_comes_first() -> None:
    found = an_hour([r5(4), *OTHERS], {COMPUTE: D("19.60")})
    assert found.covered == units(4, 400, 1_600, 0, 0, 0) and found.wasted == 0
    assert on_demand(found, "19.60") == "32.70"
    part = an_hour([r5(4), *OTHERS], {COMPUTE: D("7.60")})
    assert part.covered == units(4, 0, 1_600, 0, 0, 0), "gigabytes come before vCPU"


def test_scenario_4_reserved_instances_come_before_plans() -> None:
    found = an_hour([r5(4 - 2), *OTHERS], {COMPUTE: D("18.20")})
    assert found.wasted == 0 and on_demand(found, "18.20") == "32.70"


def test_scenario_5_an_ec2_instance_plan_comes_before_a_compute_plan() -> None:
    found = an_hour([r5(4), *OTHERS], {EC2_INSTANCE: D(3), COMPUTE: D("16.80")})
    assert found.covered == units(4, 400, 1_600, 0, 0, 0) and found.wasted == D("0.60")
    assert on_demand(found, "19.80") == "32.70"


def test_the_older_example_of_the_page_with_fargate() -> None:
    """c5.9xlarge of Linux, c5.24xlarge of Windows, 10 vCPU and 5 GB of Fargate: 25.00, and 7.00 for both c5."""
    c5 = Usage(D(1), D(4), {COMPUTE: D(2), EC2_INSTANCE: D(1)})
    windows = Usage(D(1), D(10), {COMPUTE: D(8), EC2_INSTANCE: D(6)})
    fargate = (Usage(D(10), D("1.50"), {COMPUTE: D(1)}), Usage(D(5), D(2), {COMPUTE: D(1)}))
    everything = an_hour([c5, windows, *fargate], {COMPUTE: D(25)})
    assert (everything.cost, everything.wasted) == units(25, 0)
    instances = an_hour([c5, windows, *fargate], {EC2_INSTANCE: D(7)})
    assert instances.covered == units(1, 1, 0, 0)
    assert (instances.wasted, instances.cost) == units(0, 7 + 15 + 10)


# --- laws -------------------------------------------------------------------------------------------------------------

PRICE = st.decimals("0.0001", "40", places=6)


@given(st.integers(0, 50), st.integers(0, 50), PRICE, PRICE, PRICE, st.decimals("0", "100", places=3))
@settings(deadline=None)
def test_a_commitment_is_spent_or_wasted_and_never_both(
    running: int, reserved: int, rate: D, used: D, unused: D, commitment: D
) -> None:
    hour = reserved_hour(running, reserved, commitment, rate, used, unused)
    spent = sum(hour.covered, D(0)) * rate
    assert abs(spent + hour.wasted - commitment) < D("1e-15") * (1 + commitment)
    everything = units(running, max(0, reserved - running))
    assert all(paid <= most for paid, most in zip(hour.covered, everything, strict=True))
    if hour.wasted:
        assert hour.covered == everything
