"""No handler without a happy path."""

import ast
import re
from pathlib import Path

from tests.faults.subject import registered

LAMBDAS = Path(__file__).parents[2] / "lambdas"


def handler_modules(root: Path) -> set[str]:
    """Returns every module `<slug>.<function>.handler` under a folder that defines `lambda_handler`."""
    found = set()
    for path in root.glob("**/handler.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        if any(isinstance(node, ast.FunctionDef) and node.name == "lambda_handler" for node in tree.body):
            found.add(".".join(path.relative_to(root).with_suffix("").parts))
    return found


def test_every_handler_is_registered_with_a_happy_path() -> None:
    covered = {subject.module for subject in registered()}
    assert handler_modules(LAMBDAS) - covered == set(), "add a world to tests/solutions/<slug>/faults.py"


def test_no_happy_path_is_of_a_handler_that_is_gone() -> None:
    covered = {subject.module for subject in registered() if subject.module}
    assert covered - handler_modules(LAMBDAS) == set()


def test_the_page_of_faults_names_no_handler_that_is_gone() -> None:
    page = (LAMBDAS.parent / "docs" / "faults.md").read_text(encoding="utf-8")
    named = set(re.findall(r"^\| `(.*?)` \|", page, re.MULTILINE))
    assert named and named <= {subject.name for subject in registered()}, "run 'make faults'"


def test_a_new_handler_is_found(tmp_path: Path) -> None:
    folder = tmp_path / "new_solution" / "function"
    folder.mkdir(parents=True)
    (folder / "handler.py").write_text("def lambda_handler(event, context): ...\n", encoding="utf-8")
    assert handler_modules(tmp_path) == {"new_solution.function.handler"}
