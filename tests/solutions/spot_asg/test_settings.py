"""What the settings of spot_asg derive."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stacks.spot_asg.settings import NOTICE_SECONDS, WATCH_SECONDS, OffPeakSettings, SpotAsgSettings

TARGET_GROUP = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup/web/0123456789abcdef"


def test_the_defaults_are_what_the_post_recommends() -> None:
    settings = SpotAsgSettings()
    assert settings.allocation_strategy == "price-capacity-optimized"
    assert settings.types == () and settings.attributes.vcpu.min == 2
    assert settings.generations == ("current", "previous")
    assert settings.on_demand_percentage == settings.on_demand_base == 0
    assert settings.zones >= 2


@given(st.integers(0, 20), st.integers(0, 99), st.integers(0, 30))
def test_of_any_size_the_base_is_on_demand_and_the_share_of_the_rest_is_rounded_up(
    base: int, percent: int, size: int
) -> None:
    settings = SpotAsgSettings(on_demand_base=base, on_demand_percentage=percent, max_instances=30)
    rest = max(0, size - base)
    assert settings.on_demand(size) == min(base, size) + math.ceil(rest * percent / 100)
    assert settings.on_demand(size) <= size


def test_without_target_groups_an_instance_that_goes_serves_nobody() -> None:
    assert SpotAsgSettings().leave_seconds == WATCH_SECONDS + 30
    assert SpotAsgSettings(load_balancer=True).leave_seconds == WATCH_SECONDS + 60 + 30
    assert SpotAsgSettings(target_group_arns=(TARGET_GROUP,)).serve_seconds == 60


@given(drain=st.integers(0, 110), stop=st.integers(1, 110), balanced=st.booleans())
def test_whatever_is_accepted_fits_into_the_warning(drain: int, stop: int, balanced: bool) -> None:
    settings = SpotAsgSettings(drain_seconds=drain, stop_seconds=stop, load_balancer=balanced)
    if list(settings.problems()):
        assert (drain if balanced else 0) + stop > NOTICE_SECONDS - 2 * WATCH_SECONDS
    else:
        assert WATCH_SECONDS + settings.leave_seconds <= NOTICE_SECONDS


@pytest.mark.parametrize(("time", "cron"), [("20:00", "0 20 * * *"), ("06:30", "30 6 * * *"), ("00:05", "5 0 * * *")])
def test_a_time_of_the_day_is_a_daily_recurrence(time: str, cron: str) -> None:
    assert OffPeakSettings(begins=time, ends="12:00").recurrence(time) == cron


def test_a_score_is_for_what_may_be_spot_unless_it_says_otherwise() -> None:
    assert SpotAsgSettings(max_instances=10, on_demand_base=2, on_demand_percentage=50).scored_capacity == 4
    assert SpotAsgSettings.model_validate({"score": {"capacity": 70}}).scored_capacity == 70
