"""A good file loads; a bad one is answered with every problem, in words that say what to do."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.loader import ConfigError, load
from config.models import CommonSettings
from config.reading import LARGEST_FILE
from stacks.catalog import UnknownSolutionError, select, settings_by_slug
from stacks.series import SOLUTIONS
from stacks.sqs_target_scaling.settings import SqsTargetScalingSettings
from tests.variants import ROOT

BAD = sorted((ROOT / "tests").rglob("bad_config/*.yaml"))


def refusal(path: Path) -> str:
    with pytest.raises(ConfigError) as raised:
        load(path, settings_by_slug())
    return str(raised.value)


@pytest.mark.parametrize("path", BAD, ids=lambda path: f"{path.parents[1].name}-{path.stem}")
def test_a_bad_file_gets_its_exact_answer(path: Path) -> None:
    answer = refusal(path).replace(f"{path.parent}/", "")
    assert answer + "\n" == path.with_suffix(".txt").read_text(encoding="utf-8")


def test_a_missing_file_a_directory_and_a_huge_file_get_one_sentence(tmp_path: Path) -> None:
    huge = tmp_path / "huge.yaml"
    huge.write_text("#" * 1024 * 1024, encoding="utf-8")
    binary = tmp_path / "binary.yaml"
    binary.write_bytes(b"\xff\xfe\x00")
    assert refusal(tmp_path / "none.yaml").startswith(f"{tmp_path}/none.yaml does not exist")
    assert refusal(tmp_path).startswith(f"{tmp_path} is a directory")
    assert refusal(huge) == f"{huge} is larger than {LARGEST_FILE // 1024} KiB; is it the right file?"
    assert "not UTF-8" in refusal(binary)


def test_an_absent_section_has_its_defaults(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text("common: {prefix: acme}\n", encoding="utf-8")
    config = load(path, settings_by_slug())
    assert config.common.prefix == "acme"
    assert config.solutions["sqs_target_scaling"] == SqsTargetScalingSettings()


@given(st.text(max_size=200))
def test_whatever_the_text_is_the_answer_is_a_config_or_a_config_error(text: str) -> None:
    path = Path(ROOT / ".local" / "hypothesis-config.yaml")
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8", errors="ignore")
    try:
        load(path, settings_by_slug())
    except ConfigError as error:
        assert "Traceback" not in str(error)


def test_the_app_ends_with_a_sentence_and_no_traceback() -> None:
    # Two configurations, one process: the CDK takes seconds to start.
    code = """
import json, os, runpy, sys
for context in ({"config": "tests/config/bad_config/unknown_key.yaml"}, {"only": "sqs_target_scalling"}):
    os.environ["CDK_CONTEXT_JSON"] = json.dumps(context)
    try:
        runpy.run_path("app.py", run_name="__main__")
    except SystemExit as ended:
        print(json.dumps(ended.code))
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0 and "Traceback" not in done.stderr, done.stderr
    key, slug = map(json.loads, done.stdout.splitlines())
    assert "did you mean 'prefix'?" in key
    assert "did you mean 'sqs_target_scaling'?" in slug


# Which solutions are built


def test_nothing_wanted_is_everything() -> None:
    assert select(SOLUTIONS, CommonSettings(), []) == list(SOLUTIONS)


@pytest.mark.parametrize(
    "pattern", ["sqs_target_scaling", "acme-sqs-target-scaling", "acme-sqs-*", "*", "acme-sqs-target-scalin?", "{a,b}"]
)
def test_a_solution_is_wanted_by_slug_stack_name_or_glob(pattern: str) -> None:
    common = CommonSettings(prefix="acme")
    assert "sqs_target_scaling" in [solution.slug for solution in select(SOLUTIONS, common, [pattern])]


@pytest.mark.parametrize("pattern", ["sqs", "other-sqs-target-scaling", "x*"])
def test_a_pattern_that_matches_nothing_is_an_error_that_lists_the_names(pattern: str) -> None:
    with pytest.raises(UnknownSolutionError, match=r"there are: .*sqs-target-scaling"):
        select(SOLUTIONS, CommonSettings(), [pattern])


@pytest.mark.parametrize(
    ("context", "wanted"),
    [
        ({}, []),
        ({"aws:cdk:bundling-stacks": ["**"]}, []),
        ({"aws:cdk:bundling-stacks": []}, []),
        ({"aws:cdk:bundling-stacks": ["sqs-*"]}, ["sqs-*"]),
        ({"only": "a, b", "aws:cdk:bundling-stacks": ["**"]}, ["a", "b"]),
    ],
)
def test_the_selection_comes_from_the_cli_or_from_the_context(context: dict[str, Any], wanted: list[str]) -> None:
    from aws_cdk import App

    from app import selection

    assert selection(App(context=context)) == wanted


def test_checking_the_configuration_imports_neither_a_stack_nor_the_cdk() -> None:
    code = (
        "import sys; from pathlib import Path; from config.loader import load; "
        "from stacks.catalog import settings_by_slug; load(Path('config/config.yaml'), settings_by_slug()); "
        "print([name for name in sys.modules if name.endswith('.stack') or name == 'aws_cdk'])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
