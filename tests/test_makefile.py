"""The Makefile: its variables reach the programs, and nothing that is misspelt runs everything."""

import os
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TARGETS = re.findall(r"^([a-z]+):.*## ", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)


def make(*arguments: str) -> "subprocess.CompletedProcess[str]":
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    command = ["make", "-n", *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("arguments", "passed"),
    [
        (["try", "CONFIG=config/prod.yaml"], "--config 'config/prod.yaml'"),
        (["try", "VARIANT=metric-math", "SOLUTION=a b"], "--solution 'a b' --variant 'metric-math'"),
        (["try", "PORT=4566", "KEEP=1"], "--port '4566' --keep"),
        (["try", "BREAK=all"], "--break 'all'"),
        (["try", "STRICT=1", "EXPORT=1"], "--strict --export"),
        (["try", "EVENTUAL=1"], "--eventual"),
        (["try", "SOLUTION=it's"], r"--solution 'it'\''s'"),
        (["pictures", "SOLUTION=a,b", "FRESH=1"], "--solution 'a,b' --fresh"),
        (["bench", "QUICK=1"], "--quick"),
        (["lifecycle", "SOLUTION=a", "QUICK=1"], "--solution 'a' --quick"),
        (["faults", "SOLUTION=a"], "--solution 'a'"),
        (["verify", "SOLUTION=a", "PROFILE=p", "REGION=r", "YES=1"], "--solution 'a' --profile 'p' --region 'r' --yes"),
        (["mutate", "SOLUTION=a", "FRESH=1"], "--solution 'a' --fresh"),
        (["new", "SLUG=zone-counter"], "tests/solutions/zone_counter"),
    ],
)
def test_variables_reach_the_program(arguments: list[str], passed: str) -> None:
    ended = make(*arguments)
    assert ended.returncode == 0
    assert passed in re.sub(r"[ \t\\\n]+(?!'')", " ", ended.stdout) or passed in ended.stdout


def test_a_new_solution_comes_with_all_documents_that_the_tests_compare() -> None:
    written = [line for line in make("docs").stdout.splitlines() if "python -m" in line]
    assert written and set(written) <= set(make("new", "SLUG=zone_counter").stdout.splitlines())


@pytest.mark.parametrize("variable", ["solution=x", "SOLUTIONS=x", "Keep=1"])
def test_an_unknown_variable_is_refused(variable: str) -> None:
    ended = make("try", variable)
    assert ended.returncode == 2 and f"unknown variable: {variable.split('=')[0]}" in ended.stderr


def test_how_many_examples_are_tried_can_be_said() -> None:
    assert make("test", "EXAMPLES=100").returncode == 0


@pytest.mark.parametrize("variable", ["SOLUTION=", "SOLUTION= ", "CONFIG=", "EXAMPLES="])
def test_an_empty_variable_is_refused(variable: str) -> None:
    ended = make("try", variable)
    assert ended.returncode == 2 and f"{variable.split('=')[0]} is empty" in ended.stderr


@pytest.mark.parametrize("target", TARGETS)
def test_every_target_has_a_recipe_and_ci_runs_it(target: str) -> None:
    assert make(target).returncode == 0
    ci = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    ran_elsewhere = {
        "help",
        "install",
        "look",  # minutes in a browser: .github/workflows/site.yml
        "new",  # tests/test_new.py
        "upgrade",  # moves the pins: by hand, once a month; tests/test_upgrade.py
        "snapshots",
        "lock",
        "clean",
        "evidence",  # of a commit that is to be shown: by hand, after make try
        "recording",  # the same
        "mutate",  # as long as make try, whose calls it replays
    }  # by make itself, or because they change the checkout
    assert target in ran_elsewhere or re.search(rf"^(\.venv/bin/python -m \S+ )?make {target}\b", ci, re.MULTILINE), (
        f".ci/run has no make {target}"
    )
