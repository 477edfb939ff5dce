"""What ``make try`` says and writes, without deploying anything."""

import json
import signal
import subprocess
import sys
from argparse import Namespace
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
import yaml
from rich.console import Console

from config.models import CommonSettings
from stacks.catalog import settings_by_slug
from stacks.series import SOLUTIONS
from tests.variants import ROOT
from tryout.__main__ import main
from tryout.pictures.__main__ import _why_none
from tryout.report import NotRun, SolutionReport, StepReport, print_table, write_json
from tryout.run.keeping import environment
from tryout.run.plan import overridden, trials
from tryout.run.session import lanes_for
from tryout.scenario import StepFailedError, expect, scenario_of
from tryout.trial import Trial


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
    write_json(path, [good()], ok=True, as_shipped=True, commit="")
    report = json.loads(path.read_text(encoding="utf-8"))
    assert report["ok"] is True
    (solution,) = report["solutions"]
    promised = {"slug", "variant", "stack", "resources", "deployed", "scenario", "steps_not_run", "diff_empty"}
    assert promised | {"destroyed_clean", "seconds"} <= set(solution)
    assert solution["scenario"] == [{"step": "it works", "ok": True, "evidence": "real-code", "detail": "seen"}]


def test_a_report_comes_back_from_another_process_as_it_was() -> None:
    report = good(steps_not_run=[NotRun("with a database", "mariadbd is not installed")], seconds=1.5)
    assert SolutionReport.from_json(json.loads(json.dumps(asdict(report)))) == report


@pytest.mark.parametrize(
    ("changes", "verdict"),
    [
        ({}, "1 of 1 steps passed"),
        ({"steps_not_run": [NotRun("with a database", "mariadbd is not installed")]}, "1 of 2 steps passed"),
        ({"deployed": False}, "failed: not deployed"),
        ({"problem": "cdk deploy failed"}, "failed: cdk deploy failed"),
        ({"scenario": [StepReport("it works", False, "real-code", "no")]}, "failed: it works"),
        ({"diff_empty": False}, "failed: cdk diff is not empty"),
        ({"left_behind": ["sqs QueueUrls forgotten"]}, "failed: left behind are sqs QueueUrls forgotten"),
    ],
)
def test_whoever_watches_is_told_in_a_few_words(changes: dict[str, Any], verdict: str) -> None:
    assert good(**changes).verdict == verdict


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


def test_expect_says_what_was_seen() -> None:
    with pytest.raises(StepFailedError, match="7 messages"):
        expect(False, "7 messages")


def test_a_variant_changes_its_solution_and_nothing_of_the_users_account() -> None:
    users = {
        "common": {"prefix": "acme", "region": "eu-central-1", "vpc": {"id": "vpc-01234567"}, "tags": {"a": "b"}},
        "solutions": {"sqs_target_scaling": {"max_instances": 4, "heartbeat_seconds": 30}},
    }
    assert overridden(users, "sqs_target_scaling", {"heartbeat_seconds": 1}) == {
        "common": {"prefix": "acme", "tags": {"a": "b"}},
        "solutions": {"sqs_target_scaling": {"max_instances": 4, "heartbeat_seconds": 1}},
    }


@pytest.mark.parametrize("slug", [solution.slug for solution in SOLUTIONS])
def test_the_variants_of_every_scenario_are_settings_of_its_solution(slug: str) -> None:
    for settings in scenario_of(slug).variants.values():
        settings_by_slug()[slug].model_validate(settings)


@pytest.mark.parametrize(
    ("options", "trials", "lanes"),
    [
        ({}, 28, 2),
        ({}, 1, 1),
        ({"lanes": 4}, 28, 4),
        ({"lanes": 0}, 28, 1),
        ({"keep": True}, 14, 1),
        ({"port": 4566}, 28, 1),
    ],
)
def test_whoever_keeps_it_or_names_its_port_has_one_embedded_aws(
    options: dict[str, Any], trials: int, lanes: int
) -> None:
    given = Namespace(**{"keep": False, "port": None, "lanes": 2, **options})
    assert lanes_for(given, trials) == lanes


def test_the_driver_and_the_scenarios_load_neither_the_library_nor_what_draws_pictures() -> None:
    """And as a process, the program says in a sentence what is wrong before anything starts."""
    program = """
import runpy, sys
import tryout.run.lane, tryout.run.session
from stacks.series import SOLUTIONS
from tryout.scenario import scenario_of
for solution in SOLUTIONS:
    scenario_of(solution.slug)
print([name for name in sys.modules if name in ("aws_cdk", "matplotlib") or name.startswith("tryout.pictures")])
runpy.run_module("tryout", run_name="__main__", alter_sys=True)
"""
    command = [sys.executable, "-c", program, "--solution", "sqs_scaling"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "[]\n")
    assert "did you mean 'sqs_target_scaling'?" in done.stderr and done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "ends", "says"),
    [
        (["--config", "tests/config/bad_config/unknown_key.yaml"], 1, "did you mean 'prefix'?"),
        (
            ["--solution", "spot_asg", "--variant", "none"],
            1,
            "spot_asg has no variant 'none'; there are balanced, types",
        ),
        (["--port", "22222222"], 2, "must be a number from 1 to 65535, got '22222222'"),
    ],
)
def test_bad_input_is_one_sentence_before_anything_starts(
    arguments: list[str],
    ends: int,
    says: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(sys, "argv", ["tryout", *arguments])
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    try:
        ended: object = main()
    except SystemExit as refused:
        ended = refused.code
    printed = capsys.readouterr()
    assert ended == ends and says in printed.err and printed.out == ""


def test_an_export_is_made_without_the_prefix_that_its_stack_has(tmp_path: Path) -> None:
    config = tmp_path / "config.yaml"
    config.write_text("common: {tags: {team: a}}\n", encoding="utf-8")
    wanted = [solution for solution in SOLUTIONS if solution.slug == "custom_health_checks"]
    first, *_ = trials(config, CommonSettings(), wanted, tmp_path, None, first_only=True, exported=True)
    made, played = (yaml.safe_load(path.read_text(encoding="utf-8")) for path in (first.export_config, first.config))
    assert first.stack == "elsewhere-custom-health-checks" and played["common"].pop("prefix") == "elsewhere"
    assert made == played and made["common"] == {"tags": {"team": "a"}}
    assert Trial.from_json(json.loads(json.dumps(first.to_json()))) == first and "exported" in first.name


def test_another_terminal_gets_the_environment_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "env.sh"
    path.write_text(environment({"AWS_REGION": "us-east-1", "ODD": "it's $HOME"}), encoding="utf-8")
    script = f'source {path}; echo "$AWS_REGION|$ODD|${{PATH%%:*}}"'
    printed = subprocess.run(["/bin/bash", "-c", script], capture_output=True, text=True, check=True).stdout
    assert printed == f"us-east-1|it's $HOME|{ROOT / '.venv/bin'}\n"


def test_a_solution_without_a_dashboard_is_not_called_a_failure() -> None:
    assert _why_none(["local_zone_guardrails"]) == "local_zone_guardrails: this solution has no dashboard"
    assert "see what failed above" in _why_none(["local_zone_guardrails", "sqs_target_scaling"])
