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


@pytest.mark.parametrize("path", ["/etc/passwd", "../other/scores.yaml", "config/../../scores.yaml", "~/scores.yaml"])
def test_a_path_that_leads_out_of_the_repository_is_refused_and_not_opened(path: str) -> None:
    (problem,) = SpotPlacementTrackerSettings(file=path).problems_with(CommonSettings())
    assert problem.key == "file" and "below this repository" in problem.message


@pytest.mark.parametrize(
    ("file", "says"),
    [
        ("benchmarks/binary", "UTF-8 text; byte 0 cannot be read"),
        ("config", "a file, not a directory"),
        ("nowhere", "an existing file"),
    ],
)
def test_a_file_that_cannot_be_read_gets_a_sentence(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, file: str, says: str
) -> None:
    (tmp_path / "config").mkdir()
    (tmp_path / "benchmarks").mkdir()
    (tmp_path / "benchmarks/binary").write_bytes(b"\xff\xfe")
    monkeypatch.setattr("stacks.spot_placement_tracker.settings.ROOT", tmp_path)
    (problem,) = SpotPlacementTrackerSettings(file=file).problems_with(CommonSettings())
    assert problem.key == "file" and says in problem.message


def test_a_solution_that_is_disabled_needs_no_file(tmp_path: Path) -> None:
    config = tmp_path / "config.yaml"
    config.write_text("solutions: {spot_placement_tracker: {enabled: false, file: nowhere}}", encoding="utf-8")
    assert not load(config, settings_by_slug()).solutions["spot_placement_tracker"].enabled


def test_problems_of_the_file_are_told_beside_those_of_others(tmp_path: Path) -> None:
    config = tmp_path / "config.yaml"
    config.write_text(
        "common: {vpc: {id: vpc-0123456789abcdef0, subnet_ids: [subnet-0123456789abcdef0]}}\n"
        "solutions: {spot_placement_tracker: {file: none}, spot_asg: {load_balancer: true}}\n",
        encoding="utf-8",
    )
    with pytest.raises(ConfigError) as raised:
        load(config, settings_by_slug())
    assert "solutions.spot_placement_tracker.file" in str(raised.value) and "spot_asg.load_balancer" in str(
        raised.value
    )


@pytest.mark.parametrize(("region", "told"), [("us-gov-west-1", 1), ("eu-west-1", 0), (None, 0)])
def test_regions_of_another_partition_than_the_stacks_are_told(region: str | None, told: int) -> None:
    found = list(SpotPlacementTrackerSettings().problems_with(CommonSettings(region=region)))
    assert len(found) == told and all(each.warning and "partition" in each.message for each in found)
