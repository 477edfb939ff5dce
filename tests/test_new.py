"""``make new``: what it writes is a solution, and what it cannot write it refuses."""

import shutil
import sys
from pathlib import Path

import pytest

from scripts.new import RefusedError, files, main
from tests import new_solution
from tests.new_solution import SLUG, python, synthesized
from tests.variants import ROOT


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """In a folder that is called like the solution, as a checkout may be."""
    return new_solution.house(tmp_path_factory.mktemp("new") / SLUG)


def test_it_is_formatted_and_nothing_of_the_example_is_left(house: Path) -> None:
    new = [house / path.relative_to(ROOT) for path in files(SLUG, ROOT)]
    assert [path for path in new if "instance_counter" in path.read_text(encoding="utf-8")] == []
    assert {path.parent for path in new if path.suffix == ".py"} == {p.parent for p in new if p.name == "__init__.py"}
    written = [str(path) for path in (*new, house / "stacks" / "series.py") if path.suffix == ".py"]
    for command in (("check",), ("format", "--check")):
        ended = python(house, "-m", "ruff", *command, *written)
        assert ended.returncode == 0, ended.stdout


def test_its_types_are_strict(house: Path) -> None:
    new = [str(path.relative_to(ROOT)) for path in files(SLUG, ROOT) if path.suffix == ".py"]
    # Of its own files alone, in a second: make check has those that they import.
    alone = (
        "--follow-imports=skip",
        "--ignore-missing-imports",
        "--allow-subclassing-any",
        "--allow-untyped-decorators",
        f"--cache-dir={ROOT / '.local' / 'types-of-new'}",  # beside that of make check, whose options are others
    )
    ended = python(house, "-m", "mypy", *alone, *new)
    assert ended.returncode == 0, ended.stdout + ended.stderr


def test_its_stack_is_synthesized_with_the_checks_and_the_program_knows_it(house: Path) -> None:
    ended = synthesized(house, validated=False)
    assert ended.returncode == 0 and "the number of instances" in ended.stdout, ended.stderr


def test_it_says_what_comes_next_and_writes_nothing_then(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["new.py", "--next", "other-counter"])
    assert main() == 0
    assert "-k other_counter" in capsys.readouterr().out
    assert not (ROOT / "stacks" / "other_counter").exists()


def test_one_test_fails_until_the_promises_are_tested() -> None:
    (text,) = (text for path, text in files(SLUG, ROOT).items() if path.name == "test_stack.py")
    assert "pytest.fail(" in text


@pytest.mark.parametrize("slug", ["", "Zone", "zone counter", "9zones", "zone__counter", "class", "x" * 41, "../zone"])
def test_what_is_no_slug_is_refused(slug: str) -> None:
    with pytest.raises(RefusedError, match=r"^SLUG must be snake_case .* got"):
        files(slug, ROOT)


@pytest.mark.parametrize("slug", ["spot_asg", "shared", "guardrails"])
def test_what_is_taken_is_refused(slug: str) -> None:
    with pytest.raises(RefusedError, match=f"^SLUG '{slug}' is taken: stacks/{slug} is there"):
        files(slug, ROOT)


def test_what_a_deleted_solution_leaves_compiled_does_not_take_its_name(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "scripts" / "new_solution", tmp_path / "scripts" / "new_solution")
    compiled = tmp_path / "stacks" / SLUG / "__pycache__"
    compiled.mkdir(parents=True)
    (compiled / "stack.cpython-311.pyc").write_bytes(b"")
    assert tmp_path / "stacks" / SLUG / "stack.py" in files(SLUG, tmp_path)
