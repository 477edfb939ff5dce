"""What the settings of spot_placement_tracker derive, and what they make of its file."""

from pathlib import Path

import pytest

from config.loader import ConfigError, load
from config.models import CommonSettings
from stacks.catalog import settings_by_slug
from stacks.spot_placement_tracker.settings import SpotPlacementTrackerSettings
from tests.variants import ROOT


def test_the_defaults_are_the_public_trackers() -> None:
    settings = SpotPlacementTrackerSettings()
    assert settings.every_minutes == 5
    assert settings.metric_namespace == "Spot Placement Score Metrics"
    assert settings.report_days == 14


def test_a_path_is_below_the_repository_wherever_the_command_runs(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    assert SpotPlacementTrackerSettings().path == ROOT / "config/spot_placement_tracker.yaml"
    assert SpotPlacementTrackerSettings().read().problems == ()
    assert SpotPlacementTrackerSettings(file=f"{tmp_path}/a.yaml").path == tmp_path / "a.yaml"


def test_a_file_that_is_no_text_is_told_so(tmp_path: Path) -> None:
    (tmp_path / "scores.yaml").write_bytes(b"\xff\xfe")
    settings = SpotPlacementTrackerSettings(file=f"{tmp_path}/scores.yaml")
    ((key, says),) = settings.problems_with(CommonSettings())
    assert key == "file" and says.endswith("is not UTF-8 text: byte 0 cannot be read")


def test_a_solution_that_is_off_needs_no_file() -> None:
    assert SpotPlacementTrackerSettings(enabled=False, file="nowhere").problems_with(CommonSettings()) == []


def test_problems_of_the_file_are_told_beside_those_of_others(tmp_path: Path) -> None:
    config = tmp_path / "config.yaml"
    config.write_text(
        f"common: {{vpc: {{id: vpc-0123456789abcdef0, subnet_ids: [subnet-0123456789abcdef0]}}}}\n"
        f"solutions: {{spot_placement_tracker: {{file: {tmp_path}/none}}, spot_asg: {{load_balancer: true}}}}\n",
        encoding="utf-8",
    )
    with pytest.raises(ConfigError) as raised:
        load(config, settings_by_slug())
    assert "solutions.spot_placement_tracker.file" in str(raised.value) and "spot_asg.load_balancer" in str(
        raised.value
    )
