"""What make evidence keeps of a report, and what it refuses."""

import json
from pathlib import Path

import pytest

from tryout.run import evidence

PASSED = {"step": "deployed", "ok": True, "evidence": "emulated", "detail": ""}
SOLUTION = {
    "slug": "spot_asg", "variant": "types", "resources": 12, "diff_empty": True, "destroyed_clean": True,
    "scenario": [PASSED], "steps_not_run": [{"step": "php", "why": "no php"}],
}  # fmt: skip
REPORT = {"ok": True, "as_shipped": True, "commit": "c" * 40, "solutions": [SOLUTION]}


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(evidence, "REPORT", tmp_path / "report.json")
    monkeypatch.setattr(evidence, "EVIDENCE", tmp_path / "evidence.json")
    monkeypatch.setattr(evidence, "REPOSITORY", tmp_path)
    return tmp_path


def test_a_variant_takes_the_place_of_what_was_there_and_others_stay(files: Path) -> None:
    (files / "evidence.json").write_text(
        json.dumps({"sqs_target_scaling": {"demand": {"commit": "a"}}, "spot_asg": {"types": {"commit": "a"}}})
    )
    (files / "report.json").write_text(json.dumps(REPORT))
    assert evidence.main() == 0
    found = json.loads((files / "evidence.json").read_text())
    assert list(found) == ["spot_asg", "sqs_target_scaling"], "in the order of the catalogue"
    assert found["sqs_target_scaling"]["demand"]["commit"] == "a"
    assert found["spot_asg"]["types"]["commit"] == "c" * 40
    assert found["spot_asg"]["types"]["steps"] == [{"step": "deployed", "evidence": "emulated"}]
    assert found["spot_asg"]["types"]["not_run"] == [{"step": "php", "why": "no php"}]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"ok": False}, "something has failed"),
        ({"as_shipped": False}, "BREAK= or CONFIG="),
        ({"commit": ""}, "not those of a commit"),
    ],
)
def test_a_report_that_proves_nothing_of_a_commit_is_refused(
    files: Path, capsys: pytest.CaptureFixture[str], change: dict[str, object], says: str
) -> None:
    (files / "report.json").write_text(json.dumps({**REPORT, **change}))
    assert evidence.main() == 1
    assert says in capsys.readouterr().err
    assert not (files / "evidence.json").exists()


def test_without_a_report_it_says_what_to_run(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert evidence.main() == 1
    assert "run make try first" in capsys.readouterr().err
