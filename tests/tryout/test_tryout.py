"""What ``make try`` says and writes, without deploying anything."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from stacks.catalog import SOLUTIONS, settings_by_slug
from tests.variants import ROOT
from tryout.__main__ import _overridden, _step
from tryout.report import NotRun, SolutionReport, StepReport, print_table, write_json
from tryout.scenario import Scenario, Step, StepFailedError, StepNotRunError, expect, scenario_of, step


def good(**changes: Any) -> SolutionReport:
    report = SolutionReport("any", "default", "any", 3, True, [StepReport("it works", True, "real-code", "seen")])
    report.diff_empty = report.destroyed_clean = True
    for name, value in changes.items():
        setattr(report, name, value)
    return report


def test_everything_passed_is_ok() -> None:
    assert good().ok(strict=True, kept=False)


@pytest.mark.parametrize(
    "changes",
    [
        {"deployed": False},
        {"diff_empty": False},
        {"destroyed_clean": False},
        {"problem": "cdk deploy failed"},
        {"scenario": [StepReport("it works", False, "real-code", "not seen")]},
    ],
)
def test_anything_that_failed_is_not_ok(changes: dict[str, Any]) -> None:
    assert not good(**changes).ok(strict=False, kept=False)


def test_a_step_that_could_not_run_fails_only_when_strict() -> None:
    report = good(steps_not_run=[NotRun("with a database", "mariadbd is not installed")])
    assert report.ok(strict=False, kept=False)
    assert not report.ok(strict=True, kept=False)


def test_what_is_kept_need_not_be_destroyed() -> None:
    assert good(destroyed_clean=False).ok(strict=True, kept=True)


def test_the_report_for_programs_has_the_promised_keys(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    write_json(path, [good()], ok=True)
    report = json.loads(path.read_text(encoding="utf-8"))
    assert report["ok"] is True
    (solution,) = report["solutions"]
    promised = {"slug", "variant", "stack", "resources", "deployed", "scenario", "steps_not_run", "diff_empty"}
    assert promised | {"destroyed_clean", "seconds"} <= set(solution)
    assert solution["scenario"] == [{"step": "it works", "ok": True, "evidence": "real-code", "detail": "seen"}]


def test_the_table_names_what_failed_what_was_not_run_and_what_stayed(capsys: pytest.CaptureFixture[str]) -> None:
    report = good(
        scenario=[StepReport("it works", False, "real-code", "it does not")],
        steps_not_run=[NotRun("with a database", "mariadbd is not installed")],
        left_behind=["sqs QueueUrls forgotten"],
    )
    print_table(Console(width=120), [report], kept=False)
    printed = capsys.readouterr().out
    for words in ("0/1", "it works: it does not", "mariadbd is not installed", "sqs QueueUrls forgotten"):
        assert words in printed


class Example(Scenario):
    """A scenario whose steps stand in the order of the class."""

    @step("works", "real-code")
    def works(self) -> str:
        return "seen"

    @step("fails", "emulated")
    def fails(self) -> str:
        expect(False, "seen something else")
        return ""

    @step("lacks a tool", "our-model")
    def lacks(self) -> str:
        raise StepNotRunError("no tool")

    @step("breaks", "recorded")
    def breaks(self) -> str:
        raise KeyError("gone")


def outcome(method: Callable[[Any], str]) -> SolutionReport:
    report = good(scenario=[])
    _step(Step("a step", "real-code", method), Example(None, "default"), report)  # type: ignore[arg-type]
    return report


def test_the_steps_of_a_scenario_come_in_their_order_with_their_evidence() -> None:
    steps = list(Example(None, "default").steps())  # type: ignore[arg-type]
    assert [(s.title, s.evidence) for s in steps] == [
        ("works", "real-code"),
        ("fails", "emulated"),
        ("lacks a tool", "our-model"),
        ("breaks", "recorded"),
    ]


def test_a_step_passes_fails_or_is_not_run_and_never_ends_the_try_out() -> None:
    assert outcome(Example.works).scenario == [StepReport("a step", True, "real-code", "seen")]
    assert outcome(Example.fails).scenario == [StepReport("a step", False, "real-code", "seen something else")]
    assert outcome(Example.lacks).steps_not_run == [NotRun("a step", "no tool")]
    assert outcome(Example.breaks).scenario == [StepReport("a step", False, "real-code", "KeyError: 'gone'")]


def test_expect_says_what_was_seen() -> None:
    with pytest.raises(StepFailedError, match="7 messages"):
        expect(False, "7 messages")


def test_a_variant_changes_its_solution_and_nothing_of_the_users_account() -> None:
    users = {
        "common": {"prefix": "acme", "region": "eu-central-1", "vpc": {"id": "vpc-01234567"}, "tags": {"a": "b"}},
        "solutions": {"sqs_target_scaling": {"max_instances": 4, "heartbeat_seconds": 30}},
    }
    assert _overridden(users, "sqs_target_scaling", {"heartbeat_seconds": 1}) == {
        "common": {"prefix": "acme", "tags": {"a": "b"}},
        "solutions": {"sqs_target_scaling": {"max_instances": 4, "heartbeat_seconds": 1}},
    }


@pytest.mark.parametrize("slug", [solution.slug for solution in SOLUTIONS])
def test_the_variants_of_every_scenario_are_settings_of_its_solution(slug: str) -> None:
    for settings in scenario_of(slug).variants.values():
        settings_by_slug()[slug].model_validate(settings)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--solution", "sqs_scaling"], "did you mean 'sqs_target_scaling'?"),
        (["--config", "tests/config/bad_config/unknown_key.yaml"], "did you mean 'prefix'?"),
    ],
)
def test_bad_input_is_one_sentence_before_anything_starts(arguments: list[str], says: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tryout.__main__", *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert says in done.stderr and "Traceback" not in done.stderr
    assert done.stdout == ""
