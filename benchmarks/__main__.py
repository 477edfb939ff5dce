"""``make bench``: speed of the app and of the functions, as ratios of one run."""

import argparse
import contextlib
import io
import json
import sys
import time
from collections import Counter
from collections.abc import Sequence
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

from rich.console import Console
from rich.table import Table

from benchmarks.timing import REPOSITORY, pair
from stacks.catalog import UnknownSolutionError, named, names_in
from stacks.series import SOLUTIONS, Solution

LAMBDAS = REPOSITORY / "lambdas"
SYNTH_RUNS = 3
IMPORT_RUNS = 3
SYNTH_LIMIT = 1.1
IMPORT_LIMIT = 1.3

Rows = list[dict[str, Any]]


def main(arguments: Sequence[str] | None = None) -> int:
    """Prints the tables and writes .local/bench-report.json.

    Returns:
        1 if a ratio is above its limit; with --quick, which times everything once, only if something fails.
    """
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--solution", default="", help="only these, separated by commas or blanks")
    parser.add_argument(
        "--quick", action="store_true", help="one run of one solution: shows that it works, not how fast"
    )
    options = parser.parse_args(arguments)
    try:
        wanted = [named(name) for name in names_in(options.solution)] or list(SOLUTIONS)
    except UnknownSolutionError as error:
        print(f"bench: {error}", file=sys.stderr)
        return 2
    if options.quick:
        wanted = wanted[:1]
    began = time.monotonic()
    sys.path.insert(0, str(LAMBDAS))
    console = Console() if sys.stdout.isatty() else Console(width=160)
    report: dict[str, Rows] = {
        "synth": _synth(console, wanted, quick=options.quick),
        "functions": _functions(console, wanted, quick=options.quick),
    }
    linear = True
    for solution in wanted:
        if find_spec(f"benchmarks.{solution.slug}"):  # what only this solution measures
            console.print()
            rows, ok = import_module(f"benchmarks.{solution.slug}").measure(console)
            report[solution.slug] = rows
            linear = linear and ok
    path = REPOSITORY / ".local" / "bench-report.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    slow = [] if options.quick else [r for r in [*report["synth"], *report["functions"]] if r["ratio"] > r["limit"]]
    names = ", ".join(str(row.get("solution") or row["function"]) for row in slow)
    console.print(f"\n{'above the limit: ' + names if slow else 'nothing is above its limit'}; ", end="")
    console.print(f"{time.monotonic() - began:.0f} seconds; report: {path.relative_to(REPOSITORY)}")
    return 1 if slow or not linear else 0


def _synth(console: Console, wanted: Sequence[Solution], *, quick: bool) -> Rows:
    """The app with one solution against an app that has only its stack."""
    table = Table("app.py -c only=", "s", "one-stack app, s", "ratio", "limit", box=None)
    rows = []
    with console.status("") as status:
        for number, solution in enumerate(wanted):
            status.update(f"timing the app with {solution.slug}")
            commands = [sys.executable, "app.py"], [sys.executable, "-m", "benchmarks.one_stack_app", solution.slug]
            variables = {"CDK_CONTEXT_JSON": _context(solution.slug)}
            # The first reads the files that all share. One run is enough, unless it is above the limit.
            timed = pair(*commands, runs=1, variables=variables, warm=number == 0 and not quick)
            if timed.ratio > SYNTH_LIMIT and not quick:
                timed = pair(*commands, runs=SYNTH_RUNS, variables=variables, warm=False)
            seconds = (f"{timed.ours:.2f}", f"{timed.other:.2f}", f"{timed.ratio:.2f}", str(SYNTH_LIMIT))
            table.add_row(solution.slug, *seconds)
            rows.append({"solution": solution.slug, "ratio": timed.ratio, "limit": SYNTH_LIMIT})
    console.print(table)
    console.print("seconds of processor time", style="dim")
    return rows


def _functions(console: Console, wanted: Sequence[Solution], *, quick: bool) -> Rows:
    """The import of each function against that of boto3 alone, its package, and the AWS calls of its happy path."""
    slugs = {"shared", *(solution.slug for solution in wanted)}
    modules = [".".join(path.relative_to(LAMBDAS).with_suffix("").parts) for path in LAMBDAS.glob("*/*/handler.py")]
    modules = sorted(module for module in modules if module.split(".")[0] in slugs)
    table = Table("function", "import, s", "import boto3, s", "ratio", "limit", "zip, KiB", "calls", box=None)
    rows = []
    with console.status("") as status:
        calls = _calls(modules)
        for number, module in enumerate(modules):
            name = module.removesuffix(".handler")
            status.update(f"timing the import of {name}")
            commands = [sys.executable, "-c", f"import {module}"], [sys.executable, "-c", "import boto3"]
            variables, runs = {"PYTHONPATH": str(LAMBDAS)}, 1 if quick else IMPORT_RUNS
            timed = pair(*commands, runs=runs, variables=variables, warm=number == 0 and not quick)
            if timed.ratio > IMPORT_LIMIT and not quick:  # a quarter of a second is easily disturbed: once more
                timed = pair(*commands, runs=3 * runs, variables=variables, warm=False)
            size = _zip_bytes(module.split(".")[0]) / 1024
            seconds = (f"{timed.ours:.2f}", f"{timed.other:.2f}", f"{timed.ratio:.2f}", str(IMPORT_LIMIT))
            listed = ", ".join(f"{count} {call}" for call, count in calls[module].items()) or "none"
            table.add_row(name, *seconds, f"{size:.1f}", listed)
            row = {"ratio": timed.ratio, "limit": IMPORT_LIMIT, "zip_kib": size, "calls": calls[module]}
            rows.append({"function": module, **row})
    console.print()
    console.print(table)
    return rows


def _context(slug: str) -> str:
    """What the CLI hands to app.py: the flags of cdk.json, and the selection."""
    flags = json.loads((REPOSITORY / "cdk.json").read_text(encoding="utf-8"))["context"]
    return json.dumps({**flags, "only": slug})


def _zip_bytes(slug: str) -> int:
    """Size of what PythonFunction packs for a solution, in bytes."""
    packed = io.BytesIO()
    with ZipFile(packed, "w", ZIP_DEFLATED) as archive:
        for folder in dict.fromkeys(("shared", slug)):
            for path in sorted(Path(LAMBDAS / folder).rglob("*.py")):
                archive.write(path, path.relative_to(LAMBDAS))
    return len(packed.getvalue())


def _calls(modules: Sequence[str]) -> dict[str, dict[str, int]]:
    """The AWS calls of each handler on its longest happy path, as the fault harness records them; {} for none."""
    from emulator.fullmodel import full_model
    from tests.faults.running import record
    from tests.faults.subject import registered
    from tests.faults.world.wire import laboratory

    full_model.install()
    found: dict[str, Counter[str]] = {module: Counter() for module in modules}
    silence = io.StringIO()  # what the handlers log
    with laboratory(), contextlib.redirect_stdout(silence), contextlib.redirect_stderr(silence):
        for subject in registered():
            if subject.module in found:
                counts = Counter(call.operation for call in record(subject)[0])
                found[subject.module] = max(found[subject.module], counts, key=Counter.total)
    return {module: dict(counts) for module, counts in found.items()}


if __name__ == "__main__":
    sys.exit(main())
