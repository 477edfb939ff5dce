"""Which instances the reservations cover, for any zones, required size, reservations and lost zone."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stacks.odcr_asg.placement import next_zone, per_zone, place

ZONES = st.integers(2, 6).map(lambda count: tuple("abcdef"[:count]))
SIZES = st.integers(1, 120)


# The post's own numbers


def test_the_post_reserves_three_in_each_of_three_zones() -> None:
    assert per_zone(6, 3) == 3


@pytest.mark.parametrize(
    ("wanted", "lost", "covered", "uncovered"), [(6, "", 6, 0), (12, "", 9, 3), (7, "c", 6, 1), (6, "c", 6, 0)]
)
def test_the_posts_tests_come_out_as_in_the_post(wanted: int, lost: str, covered: int, uncovered: int) -> None:
    found = place(wanted, {"a": 3, "b": 3, "c": 3}, lost)
    assert (found.covered_in_all, found.uncovered_in_all) == (covered, uncovered)


def test_two_zones_reserve_everything_twice_and_one_zone_survives_nothing() -> None:
    assert per_zone(6, 2) == 6
    with pytest.raises(ValueError, match="2 zones or more, got 1"):
        per_zone(6, 1)


# The plan


@given(required=SIZES, zones=ZONES, data=st.data())
def test_the_plan_covers_all_required_instances_whichever_zone_is_lost(
    required: int, zones: tuple[str, ...], data: st.DataObject
) -> None:
    reserved = dict.fromkeys(zones, per_zone(required, len(zones)))
    assert place(required, reserved, data.draw(st.sampled_from(zones))).uncovered_in_all == 0


@given(required=SIZES, zones=ZONES)
def test_one_reservation_less_in_each_zone_would_not(required: int, zones: tuple[str, ...]) -> None:
    reserved = dict.fromkeys(zones, per_zone(required, len(zones)) - 1)
    assert place(required, reserved, zones[:1]).uncovered_in_all > 0


@given(required=SIZES, zones=ZONES, data=st.data())
def test_it_holds_however_the_instances_were_spread_before(
    required: int, zones: tuple[str, ...], data: st.DataObject
) -> None:
    """AWS does not say how it spreads over zones that all have room; what survives a loss does not depend on it."""
    count = per_zone(required, len(zones))
    before: Counter[str] = Counter()
    for _ in range(required):
        before[data.draw(st.sampled_from([zone for zone in zones if before[zone] < count]))] += 1
    lost = data.draw(st.sampled_from(zones))
    left = {zone: before[zone] for zone in zones if zone != lost}
    free = {zone: count - instances for zone, instances in left.items()}
    assert before[lost] <= sum(free.values())


# Any reservations


@given(wanted=st.integers(0, 120), zones=ZONES, data=st.data())
def test_nothing_is_lost_invented_or_covered_twice(wanted: int, zones: tuple[str, ...], data: st.DataObject) -> None:
    reserved = {zone: data.draw(st.integers(0, 30)) for zone in zones}
    lost = data.draw(st.lists(st.sampled_from(zones), unique=True, max_size=len(zones) - 1))
    found = place(wanted, reserved, lost)
    usable = set(zones) - set(lost)
    assert set(found.instances) == usable
    assert sum(found.instances.values()) == wanted
    assert all(found.covered[zone] <= reserved[zone] for zone in usable)
    assert found.covered_in_all == min(wanted, sum(reserved[zone] for zone in usable))


@given(wanted=st.integers(0, 120), zones=ZONES, count=st.integers(0, 30))
def test_equal_reservations_spread_the_instances_evenly(wanted: int, zones: tuple[str, ...], count: int) -> None:
    instances = place(wanted, dict.fromkeys(zones, count)).instances.values()
    assert max(instances) - min(instances) <= 1


def test_with_every_zone_lost_there_is_no_answer() -> None:
    with pytest.raises(ValueError, match="no zone is left"):
        place(1, {"a": 1}, ["a"])


def test_the_next_instance_goes_where_a_reservation_is_free_also_into_a_fuller_zone() -> None:
    assert next_zone({"a": 5, "b": 0}, {"a": 1, "b": 0}) == "a"
    assert next_zone({"a": 5, "b": 0}, {"a": 0, "b": 0}) == "b"
