"""What a verification says at its end: what was observed, beside what make try has modelled."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from rich.console import Console

from tryout.report import NotRun, SolutionReport, StepReport, write_json
from tryout.verify.account import Account
from tryout.verify.report import Observed, modelled

ACCOUNT = cast("Account", SimpleNamespace(account="123456789012", region="eu-central-1"))


def report(**changes: Any) -> SolutionReport:
    played = [
        StepReport("it works", True, "our-model", "9 of 9 in an account"),
        StepReport("new", True, "real-code", "x"),
    ]
    made = SolutionReport("any", "default", "verify-any", 3, True, played, [NotRun("an hour later", "moves the clock")])
    made.diff_empty = made.destroyed_clean = True
    for name, value in changes.items():
        setattr(made, name, value)
    return made


@pytest.fixture
def tried(tmp_path: Path) -> Path:
    """The report of make try: the same variant, and another one."""
    path = tmp_path / "try-report.json"
    step = StepReport("it works", True, "our-model", "6 of 9")
    other = StepReport("new", False, "our-model", "of another variant")
    write_json(
        path,
        [SolutionReport("any", "default", "any", scenario=[step]), SolutionReport("any", "b", "any", scenario=[other])],
        ok=True,
        as_shipped=True,
        commit="",
    )
    return path


def test_observed_stands_beside_modelled_in_json_and_in_the_table(
    tried: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    observed = Observed(report(), ACCOUNT, modelled(report(), tried))
    observed.write(tmp_path / "verify-report.json")
    told = json.loads((tmp_path / "verify-report.json").read_text(encoding="utf-8"))
    assert told["steps"][0] == {
        "step": "it works",
        "observed": {"ok": True, "detail": "9 of 9 in an account"},
        "modelled": {"ok": True, "detail": "6 of 9", "evidence": "our-model"},
    }
    assert told["steps"][1]["modelled"] is None
    assert told["not_run"] == [{"step": "an hour later", "why": "moves the clock"}] and told["ok"]
    observed.show(Console(width=160))
    printed = capsys.readouterr().out
    for words in ("9 of 9 in an account", "6 of 9 (our-model)", "not tried here: make try", "not run: moves the clock"):
        assert words in printed


def test_without_a_report_of_make_try_nothing_is_modelled(tmp_path: Path) -> None:
    assert modelled(report(), tmp_path / "missing.json") == {}
    (tmp_path / "broken.json").write_text("[", encoding="utf-8")
    assert modelled(report(), tmp_path / "broken.json") == {}


def test_where_nothing_was_deployed_nothing_is_said_to_be_destroyed(capsys: pytest.CaptureFixture[str]) -> None:
    found = report(deployed=False, problem="cdk deploy failed")
    for begun, words in ((False, "nothing was deployed"), (True, "everything is destroyed")):
        Observed(found, ACCOUNT, {}, begun).show(Console(width=160))
        assert f"minutes; {words}\n" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"left_behind": ["log group x"], "destroyed_clean": False}, "left behind: log group x"),
        ({"problem": "interrupted"}, "interrupted"),
        ({"diff_empty": False}, "cdk diff is not empty"),
        ({"destroyed_clean": False}, "not everything is known to be destroyed"),
        ({"scenario": [StepReport("it works", False, "our-model", "AccessDenied")]}, "failed: AccessDenied"),
    ],
)
def test_what_went_wrong_is_said_and_is_not_ok(
    changes: dict[str, Any], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    observed = Observed(report(**changes), ACCOUNT, {})
    observed.show(Console(width=160))
    assert words in capsys.readouterr().out and not observed.ok
