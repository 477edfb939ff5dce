"""Synthesizes every variant in a process that ends, so that no test holds a CDK library and its Node.

``python -m tests.synthesis FOLDER`` writes ``<variant>/<slug>.json``, ``<variant>/assembly`` and ``checks.json``: what
CloudFormation Validate and cdk-nag find before anything is acknowledged, and what is acknowledged. Beside them the
exports, and the templates of tests/prepared.py, which nothing checks.
"""

import gc
import json
import sys
from dataclasses import asdict
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from stacks.series import SOLUTIONS, STACK_SET
from tests import prepared, variants
from tests.conformance.updates.looking import unchecked_types
from tests.conformance.updates.states import template

PREFIXES = {"CloudFormation Validate": "CloudFormation-Validate::"}
"""A rule of the library's own validation is acknowledged under a name that begins with this."""

EXPORTS, STATES = "exports", "states "
"""What is made beside the variants: all exports at once, and the states of tests/prepared.py by solution."""

FIRST = (variants.DEFAULT, EXPORTS)
"""What each of the processes begins with: two processes, so that a comparison of the two shows what a seed changes."""


WITH_FILES = (variants.DEFAULT, "enterprise", variants.STACK_SETS)
"""Variants of which tests read the files of functions and layers; the others leave them where they are."""


def app_for(variant: str, outdir: Path) -> Any:
    """The app of all solutions that have the variant, with the feature flags of cdk.json."""
    from aws_cdk import App

    flags = json.loads((variants.ROOT / "cdk.json").read_text(encoding="utf-8"))["context"]
    if variant not in WITH_FILES:
        flags["aws:cdk:disable-asset-staging"] = True  # names and templates are the same
    app = App(context=flags, outdir=str(outdir), builtin_cloud_formation_validation=True, tree_metadata=False)
    if variant == variants.STACK_SETS:
        from app import build

        return build(app, variants.configuration(variant))
    config = variants.configuration(variant)
    for solution in SOLUTIONS:
        if variant in variants.variants_of(solution.slug):
            solution.build(app, config.common, config.solutions[solution.slug])
    return app


def main() -> int:
    """Two processes, each with a language kernel, take what waits, the largest first, so that both end together."""
    folder = Path(sys.argv[1])
    (folder / "states").mkdir(parents=True)
    names = sorted(
        {variants.STACK_SETS, *(variant for variant, _ in variants.every())}, key=lambda name: -_stacks(name)
    )
    context = get_context("spawn")
    waiting = context.SimpleQueue()
    for task in (*names, *(f"{STATES}{solution.slug}" for solution in SOLUTIONS)):
        if task not in FIRST:
            waiting.put(task)
    running = [context.Process(target=_work, args=(folder, first, waiting)) for first in FIRST]
    for process in running:
        waiting.put("")
        process.start()
    for process in running:
        process.join()
    if any(process.exitcode for process in running):
        return 1
    checks: dict[str, list[Any]] = {"found": [], "acknowledged": []}
    for name in names:
        for kind, entries in json.loads((folder / f"{name}.checks.json").read_text(encoding="utf-8")).items():
            checks[kind] += entries
    (folder / "checks.json").write_text(json.dumps(checks), encoding="utf-8")
    return 0


def _stacks(variant: str) -> int:
    return sum(name == variant for name, _ in variants.every())


def _work(folder: Path, task: str, waiting: Any) -> None:
    """Makes one thing after another until nothing waits."""
    from aws_cdk import Validations

    gc.set_threshold(100_000, 10, 10)  # as in tests/conftest.py
    acknowledged: list[tuple[str, str]] = []
    _note_acknowledgements(Validations, acknowledged)
    while task:
        if task == EXPORTS:
            _export(folder / "exported")
        elif task.startswith(STATES):
            _prepare(folder, task.removeprefix(STATES))
        else:
            _synthesize(folder, task, acknowledged)
        task = waiting.get()


def _synthesize(folder: Path, name: str, acknowledged: list[tuple[str, str]]) -> None:
    from app import check

    acknowledged.clear()
    assembly = folder / name / "assembly"
    try:
        check(app_for(name, assembly)).synth()
    except RuntimeError as error:
        if "ValidationFailed" not in str(error):
            raise
    manifest = json.loads((assembly / "manifest.json").read_text(encoding="utf-8"))
    for artifact in manifest["artifacts"].values():
        if artifact["type"] == "aws:cloudformation:stack":
            source = assembly / artifact["properties"]["templateFile"]
            target = folder / name / f"{artifact['properties']['tags']['solution']}.json"
            target.write_text(json.dumps(json.loads(source.read_text(encoding="utf-8")), indent=1), encoding="utf-8")
    if name == variants.STACK_SETS:  # the stacks in the accounts are made on the way, and judged elsewhere
        acknowledged[:] = [each for each in acknowledged if STACK_SET in each[0].partition("/")[0]]
    report = {"found": _findings(assembly), "acknowledged": sorted({*acknowledged})}
    (folder / f"{name}.checks.json").write_text(json.dumps(report), encoding="utf-8")


def _prepare(folder: Path, slug: str) -> None:
    """Makes what single tests look at."""
    with unchecked_types():
        for state in prepared.states(slug):
            path = prepared.file_of(state, folder)
            path.write_text(json.dumps(template(state.text)), encoding="utf-8")


def _export(folder: Path) -> None:
    """Exports every solution, for the comparison with what is deployed."""
    from stacks.export.template import exported, text_of

    config = variants.configuration(variants.DEFAULT)
    for solution in SOLUTIONS:
        own = folder / solution.slug
        own.mkdir(parents=True)
        found = exported(solution, config.common, config.solutions[solution.slug], own / "assets")
        (own / "template.json").write_text(text_of(found.template), encoding="utf-8")
        (own / "export.json").write_text(json.dumps({**asdict(found), "template": None}), encoding="utf-8")


def _note_acknowledgements(validations: Any, acknowledged: list[tuple[str, str]]) -> None:
    """Notes acknowledgements down instead of making them, so that every finding is reported."""
    original = validations.of

    def of(scope: Any) -> Any:
        found = original(scope)
        found.acknowledge = lambda *rules: acknowledged.extend((scope.node.path, rule.id) for rule in rules)
        return found

    validations.of = staticmethod(of)


def _findings(assembly: Path) -> list[tuple[str, str]]:
    """What the checks have found, but for what our own stacks warn their users of."""
    report = json.loads((assembly / "validation-report.json").read_text(encoding="utf-8"))
    ours = tuple(f"Annotation::{solution.slug}:" for solution in SOLUTIONS)
    return sorted(
        {
            (construct["constructPath"], f"{PREFIXES.get(plugin['pluginName'], '')}{violation['ruleName']}")
            for plugin in report["pluginReports"]
            for violation in plugin["violations"]
            if not violation["ruleName"].startswith(ours)
            for construct in violation["violatingConstructs"]
        }
    )


if __name__ == "__main__":
    sys.exit(main())
