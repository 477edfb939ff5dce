"""The model of target tracking against what the pages that it cites say."""

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.models.target_tracking import Alarms, Capacity, TargetTracking, desired_capacity

OUT, IN = 3, 15  # datapoints of the two alarms
STEADY = Capacity(desired=4, warm=4, warming=0, minimum=1, maximum=10)
VALUES = st.floats(min_value=0, max_value=1e9)


def policy(*values: float | None, target: float = 50, scale_in: bool = True, share: float = 0) -> TargetTracking:
    """A policy that has seen these datapoints, the newest last."""
    tracking = TargetTracking(target, scale_in=scale_in, scale_in_share=share)
    for value in values:
        tracking.alarms.observe(value)
    return tracking


# Examples of the user guide


def test_adding_one_and_a_half_instances_is_rounded_up_to_two() -> None:
    """The page: to come from above 50 percent to 50 takes 1.5 instances more, so two are added."""
    three = replace(STEADY, desired=3, warm=3)
    assert policy(*[75] * OUT).wanted(three) == 3 + 2


def test_removing_one_and_a_half_instances_is_rounded_down_to_one() -> None:
    """The page: removing 1.5 instances would bring the metric above 50 percent, so just one is removed."""
    three = replace(STEADY, desired=3, warm=3)
    assert policy(*[25] * IN).wanted(three) == 3 - 1


def test_the_posts_backlog_of_42_messages_takes_four_instances_and_of_46_longer_ones_eight() -> None:
    one = replace(STEADY, desired=1, warm=1)
    assert policy(47, 45, 42, target=12).wanted(one) == 4
    assert policy(48, 47, 46, target=6).wanted(one) == 8


def test_a_target_hit_exactly_is_not_missed_by_the_arithmetic() -> None:
    three = replace(STEADY, desired=3, warm=3)
    assert policy(*[0.7] * OUT, target=0.3).wanted(three) == 7  # 3 * 0.7 / 0.3 is 7.000000000000001


# Alarms


@pytest.mark.parametrize(
    ("values", "wanted"),
    [
        ([51, 51], 4),
        ([50, 50, 50], 4),
        ([51, 51, 51], 5),
        ([51, 49, 51, 51], 4),
        ([51, None, 51], 4),
        ([51, 51, None], 4),
        ([51, 51, 51, None, 51, 51, 51], 5),
        ([], 4),
    ],
)
def test_scale_out_takes_three_datapoints_above_the_target_without_a_gap(
    values: list[float | None], wanted: int
) -> None:
    assert policy(*values).wanted(STEADY) == wanted


@pytest.mark.parametrize(
    ("values", "wanted"),
    [
        ([30.0] * 14, 4),
        ([30.0] * 15, 3),
        ([45.0] * 15, 4),  # exactly 10 % below is not more than that
        ([44.0] * 15, 4),  # below, and four instances are still needed
        ([30.0] * 14 + [46.0] + [30.0] * 14, 4),
        ([30.0] * 14 + [None] + [30.0] * 14, 4),
        ([None] * 15, 4),
        ([0.0] * 15, 3),
    ],
)
def test_scale_in_takes_fifteen_datapoints_well_below_the_target_without_a_gap(
    values: list[float | None], wanted: int
) -> None:
    assert policy(*values).wanted(STEADY) == wanted


def test_the_datapoints_are_compared_with_the_target_of_now() -> None:
    tracking = policy(9, 9, 9, target=12)
    assert tracking.wanted(STEADY) == 4
    tracking.target = 6
    assert tracking.wanted(STEADY) == 6


def test_no_instance_holds_a_target_of_zero_so_it_takes_all_there_can_be() -> None:
    assert policy(1, 1, 1, target=0).wanted(STEADY) == STEADY.maximum
    assert policy(*[0] * IN, target=0).wanted(STEADY) == STEADY.desired


def test_the_newest_datapoint_is_none_before_there_is_one() -> None:
    assert Alarms().newest is None


# Warm-up, launching, terminating


def test_instances_that_warm_up_count_as_launched_and_not_as_serving() -> None:
    warming = replace(STEADY, desired=5, warm=3, warming=2)
    assert policy(*[75] * OUT).wanted(warming) == 5  # 3 * 1.5 = 4.5
    assert policy(*[150] * OUT).wanted(warming) == 9


@pytest.mark.parametrize("capacity", [replace(STEADY, warm=3, warming=1), replace(STEADY, warm=3)])
def test_scale_in_waits_while_an_instance_warms_up_or_is_launched(capacity: Capacity) -> None:
    assert policy(*[0] * IN).wanted(capacity) == capacity.desired


def test_scale_in_counts_what_is_terminating() -> None:
    """The page: "we consider instances that are terminating as part of the current capacity"."""
    assert policy(*[25] * IN, share=1).wanted(STEADY) == 2
    assert policy(*[25] * IN, share=1).wanted(replace(STEADY, terminating=2)) == 3


@pytest.mark.parametrize(("share", "wanted"), [(0, 39), (0.02, 39), (0.1, 36), (1, 1)])
def test_scale_in_is_gradual(share: float, wanted: int) -> None:
    """The page: "scales in more gradually"; by default one instance each time, as in the public figure."""
    forty = replace(STEADY, desired=40, warm=40, maximum=50)
    assert policy(*[0] * IN, share=share).wanted(forty) == wanted
    assert policy(*[0] * IN, share=share).wanted(replace(STEADY, desired=1, warm=1)) == 1


def test_target_tracking_does_not_leave_zero() -> None:
    assert policy(*[99] * OUT).wanted(Capacity(desired=0, warm=0, warming=0, minimum=0, maximum=10)) == 0


# Several policies


def test_any_policy_scales_out_and_the_largest_wins() -> None:
    assert desired_capacity([policy(*[75] * OUT), policy(*[100] * OUT), policy(*[0] * IN)], STEADY) == 8


def test_all_policies_must_be_ready_for_scale_in_and_the_largest_wins() -> None:
    low, lower, steady = policy(*[30] * IN), policy(*[10] * IN), policy(*[48] * IN)
    assert desired_capacity([low, lower], STEADY) == 3
    assert desired_capacity([low, lower, steady], STEADY) == 4
    assert desired_capacity([low, policy()], STEADY) == 4, "one without data is not ready"


def test_a_policy_that_never_scales_in_has_no_say_in_scale_in() -> None:
    quiet = policy(*[48] * IN, scale_in=False)
    assert desired_capacity([policy(*[30] * IN), quiet], STEADY) == 3
    assert desired_capacity([policy(*[0] * IN, scale_in=False)], STEADY) == 4


def test_at_its_maximum_a_group_does_not_scale_in_against_a_policy_that_is_ready_for_scale_out() -> None:
    full = replace(STEADY, desired=10, warm=10)
    assert desired_capacity([policy(*[90] * OUT, scale_in=False), policy(*[0] * IN)], full) == 10


def test_without_policies_nothing_changes() -> None:
    assert desired_capacity([], STEADY) == 4


# Whatever comes


@st.composite
def capacities(draw: st.DrawFn) -> Capacity:
    minimum = draw(st.integers(0, 20))
    maximum = draw(st.integers(minimum, 40))
    desired = draw(st.integers(minimum, maximum))
    in_service = draw(st.integers(0, desired))
    warm = draw(st.integers(0, in_service))
    return Capacity(desired, warm, in_service - warm, minimum, maximum, draw(st.integers(0, 5)))


@st.composite
def policies(draw: st.DrawFn) -> TargetTracking:
    values = draw(st.lists(st.one_of(st.none(), VALUES), max_size=20))
    steady = draw(st.lists(VALUES, max_size=1)) * IN
    return policy(*values, *steady, target=draw(st.floats(0, 1e6)), scale_in=draw(st.booleans()))


@given(st.lists(policies(), max_size=4), capacities())
def test_the_capacity_stays_within_the_limits(found: list[TargetTracking], capacity: Capacity) -> None:
    assert capacity.minimum <= desired_capacity(found, capacity) <= capacity.maximum


@given(st.lists(policies(), max_size=4), capacities())
def test_nothing_is_scaled_in_while_an_instance_warms_up_or_is_launched(
    found: list[TargetTracking], capacity: Capacity
) -> None:
    if capacity.warming or capacity.warm < capacity.desired:
        assert desired_capacity(found, capacity) >= capacity.desired


@given(st.lists(VALUES, min_size=IN, max_size=IN), VALUES, capacities(), st.floats(1e-3, 1e6))
def test_a_higher_metric_never_wants_fewer_instances(
    values: list[float], more: float, capacity: Capacity, target: float
) -> None:
    lower, higher = policy(*values, target=target), policy(*(value + more for value in values), target=target)
    assert lower.wanted(capacity) <= higher.wanted(capacity)


@given(st.lists(policies(), min_size=1, max_size=4), capacities())
def test_the_order_of_the_policies_does_not_matter(found: list[TargetTracking], capacity: Capacity) -> None:
    assert desired_capacity(found, capacity) == desired_capacity(found[::-1], capacity)


@given(policies(), capacities())
def test_a_scale_in_leaves_the_metric_at_its_target_at_most(tracking: TargetTracking, capacity: Capacity) -> None:
    wanted, value = tracking.wanted(capacity), tracking.alarms.newest
    if wanted < capacity.desired and value is not None:
        assert wanted == capacity.minimum or capacity.warm * value / wanted <= tracking.target * (1 + 1e-6) + 1e-6
        assert not math.isnan(value)
