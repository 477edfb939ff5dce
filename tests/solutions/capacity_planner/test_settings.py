"""What the settings take, and what they make of a price file."""

from pathlib import Path

import pytest

from config.models import CommonSettings
from stacks.capacity_planner.settings import CapacityPlannerSettings
from tests.variants import ROOT


def test_the_defaults_look_daily_at_awss_prices() -> None:
    settings = CapacityPlannerSettings()
    assert (settings.every_hours, settings.notice_days, settings.price_days) == (24, 45, 7)
    assert settings.prices() is None and settings.strict and settings.may_change == ()


def test_a_price_file_is_read_from_the_repository_wherever_the_command_runs(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    prices = CapacityPlannerSettings(price_file="config/capacity_prices.yaml").prices()
    assert prices is not None and len(prices.cards) == 1
    assert (ROOT / "config/capacity_prices.yaml").exists()


@pytest.mark.parametrize("path", ["/etc/passwd", "../prices.yaml", "~/prices.yaml"])
def test_a_path_that_leads_out_of_the_repository_is_refused_and_not_opened(path: str) -> None:
    (problem,) = CapacityPlannerSettings(price_file=path).problems()
    assert problem.key == "price_file" and "below this repository" in problem.message


@pytest.mark.parametrize(
    ("path", "says"),
    [("config", "is a directory"), ("nowhere.yaml", "does not exist"), ("docs/queue_scaling.png", "not UTF-8")],
)
def test_a_file_that_cannot_be_read_gets_a_sentence(path: str, says: str) -> None:
    (problem,) = CapacityPlannerSettings(price_file=path).problems()
    assert says in problem.message


@pytest.mark.parametrize(
    ("region", "needed"), [("us-gov-west-1", True), ("us-iso-east-1", True), ("cn-north-1", False), (None, False)]
)
def test_where_there_is_no_price_list_a_price_file_is_needed(region: str | None, needed: bool) -> None:
    common = CommonSettings(region=region)
    found = list(CapacityPlannerSettings().problems_with(common))
    assert bool(found) is needed
    assert not list(CapacityPlannerSettings(price_file="config/capacity_prices.yaml").problems_with(common))
