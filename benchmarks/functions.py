"""Each function: its import against that of boto3 alone, its memory, package and the AWS calls of its happy path."""

import contextlib
import io
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

from benchmarks.measured import Measured
from benchmarks.sheet import Sheet
from benchmarks.timing import REPOSITORY, pair
from stacks.series import Solution

LAMBDAS = REPOSITORY / "lambdas"
LIMIT = 1.2
RUNS = 3
# Linux hands the peak of a parent on to its child: the parent is a small one.
SMALL = "import subprocess, sys; sys.exit(subprocess.run([sys.executable, '-c', sys.argv[1]]).returncode)"
PEAK = """
import resource, sys
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # in KiB, on macOS in bytes
print(peak // (2**20 if sys.platform == "darwin" else 2**10))
"""


def functions(wanted: Sequence[Solution], status: Callable[[str], None], *, quick: bool) -> Measured:
    """Measures every handler of the wanted solutions, and of what all share."""
    slugs = {"shared", *(solution.slug for solution in wanted)}
    modules = [".".join(path.relative_to(LAMBDAS).with_suffix("").parts) for path in LAMBDAS.glob("*/*/handler.py")]
    modules = sorted(module for module in modules if module.split(".")[0] in slugs)
    status("recording the happy paths")
    calls, texts, rows = _calls(modules), [], []
    for number, module in enumerate(modules):
        name = module.removesuffix(".handler")
        status(f"timing the import of {name}")
        commands = [sys.executable, "-c", f"import {module}"], [sys.executable, "-c", "import boto3"]
        variables, runs = {"PYTHONPATH": str(LAMBDAS)}, 1 if quick else RUNS
        timed = pair(*commands, runs=runs, variables=variables, warm=number == 0 and not quick)
        if timed.ratio > LIMIT and not quick:  # a quarter of a second is easily disturbed: once more
            timed = pair(*commands, runs=3 * runs, variables=variables, warm=False)
        memory = _peak(module)
        size = _zip_bytes(module.split(".")[0]) / 1024
        listed = ", ".join(f"{count} {call}" for call, count in calls[module].items()) or "none"
        figures = (f"{timed.ours:.2f}", f"{timed.other:.2f}", f"{timed.ratio:.2f}", str(LIMIT), f"{memory}")
        texts.append((name, *figures, f"{size:.1f}", listed))
        row = {"ratio": timed.ratio, "limit": LIMIT, "peak_mib": memory, "zip_kib": size, "calls": calls[module]}
        rows.append({"function": name, **row})
    columns = ("function", "import, s", "import boto3, s", "ratio", "limit", "peak, MiB", "zip, KiB", "calls")
    return Measured(
        "functions",
        Sheet("Functions", columns, texts),
        "Import in seconds of processor time; peak is the memory after it; calls are those of the longest happy path.",
        rows,
        [f"{row['function']}: {row['ratio']:.2f} times boto3" for row in rows if float(str(row["ratio"])) > LIMIT],
    )


def _peak(module: str) -> int:
    """The largest memory of a process that imports the module, in MiB."""
    command = [sys.executable, "-c", SMALL, f"import {module}\n{PEAK}"]
    found = subprocess.run(command, env={"PYTHONPATH": str(LAMBDAS)}, capture_output=True, text=True, check=True)
    return int(found.stdout)


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
