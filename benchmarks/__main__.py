"""``make bench``: speed of the app and of the functions, as ratios of one run."""

import io
import json
import sys
from collections import Counter
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

from rich.console import Console
from rich.table import Table

from benchmarks.timing import REPOSITORY, pair
from stacks.catalog import SOLUTIONS

LAMBDAS = REPOSITORY / "lambdas"
SYNTH_RUNS = 5
IMPORT_RUNS = 9
SYNTH_LIMIT = 1.1
IMPORT_LIMIT = 1.3


def main() -> int:
    """Prints the tables and writes .local/bench-report.json.

    Returns:
        1 if a ratio is above its limit.
    """
    sys.path.insert(0, str(LAMBDAS))
    console = Console() if sys.stdout.isatty() else Console(width=160)
    report: dict[str, list[dict[str, object]]] = {"synth": [], "functions": []}
    with console.status("timing the app"):
        app = Table("app.py -c only=", "s", "one-stack app, s", "ratio", "limit", box=None)
        for solution in SOLUTIONS:
            timed = pair(
                [sys.executable, "app.py"],
                [sys.executable, "-m", "benchmarks.one_stack_app", solution.slug],
                runs=SYNTH_RUNS,
                variables={"CDK_CONTEXT_JSON": _context(solution.slug)},
            )
            app.add_row(
                solution.slug, f"{timed.ours:.2f}", f"{timed.other:.2f}", f"{timed.ratio:.2f}", str(SYNTH_LIMIT)
            )
            report["synth"].append({"solution": solution.slug, "ratio": timed.ratio, "limit": SYNTH_LIMIT})
    console.print(app)
    with console.status("timing the functions"):
        functions = Table("function", "import, s", "import boto3, s", "ratio", "limit", "zip, KiB", "calls", box=None)
        for path in sorted(LAMBDAS.glob("*/*/handler.py")):
            module = ".".join(path.relative_to(LAMBDAS).with_suffix("").parts)
            timed = pair(
                [sys.executable, "-c", f"import {module}"],
                [sys.executable, "-c", "import boto3"],
                runs=IMPORT_RUNS,
                variables={"PYTHONPATH": str(LAMBDAS)},
            )
            size = _zip_bytes(module.split(".")[0]) / 1024
            calls = _calls(module.removesuffix(".handler"))
            functions.add_row(
                module.removesuffix(".handler"),
                f"{timed.ours:.2f}",
                f"{timed.other:.2f}",
                f"{timed.ratio:.2f}",
                str(IMPORT_LIMIT),
                f"{size:.1f}",
                ", ".join(f"{count} {call}" for call, count in calls.items()),
            )
            report["functions"].append(
                {"function": module, "ratio": timed.ratio, "limit": IMPORT_LIMIT, "zip_kib": size, "calls": calls}
            )
    console.print()
    console.print(functions)
    linear = True
    for solution in SOLUTIONS:
        if find_spec(f"benchmarks.{solution.slug}"):  # what only this solution measures
            console.print()
            rows, ok = import_module(f"benchmarks.{solution.slug}").measure(console)
            report[solution.slug] = rows
            linear = linear and ok
    path = REPOSITORY / ".local" / "bench-report.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    timed_rows = [*report["synth"], *report["functions"]]
    slow = [row for row in timed_rows if float(str(row["ratio"])) > float(str(row["limit"]))]
    return 1 if slow or not linear else 0


def _context(slug: str) -> str:
    """What the CLI hands to app.py: the flags of cdk.json, and the selection."""
    flags = json.loads((REPOSITORY / "cdk.json").read_text(encoding="utf-8"))["context"]
    return json.dumps({**flags, "only": slug})


def _zip_bytes(slug: str) -> int:
    """Size of what PythonFunction packs for a solution, in bytes."""
    packed = io.BytesIO()
    with ZipFile(packed, "w", ZIP_DEFLATED) as archive:
        for folder in ("shared", slug):
            for path in sorted(Path(LAMBDAS / folder).rglob("*.py")):
                archive.write(path, path.relative_to(LAMBDAS))
    return len(packed.getvalue())


def _calls(name: str) -> dict[str, int]:
    """The AWS calls of the function's happy path, as the fault harness records them."""
    from tests.faults.running import record
    from tests.faults.subject import registered
    from tests.faults.wire import laboratory

    subject = next(subject for subject in registered() if subject.name == name)
    with laboratory():
        calls, _ = record(subject)
    return dict(Counter(call.operation for call in calls))


if __name__ == "__main__":
    sys.exit(main())
