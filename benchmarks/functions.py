"""Each function: its import against that of boto3 alone, its memory, package and the AWS calls of its happy path."""

import contextlib
import io
import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

from benchmarks import imports
from benchmarks.measured import Measured
from benchmarks.sheet import Sheet
from benchmarks.timing import LAMBDAS, REPOSITORY
from stacks.series import Solution

LIMIT = 1.2
AT_ONCE = 2


def functions(wanted: Sequence[Solution], status: Callable[[str], None]) -> Measured:
    """Measures every handler of the wanted solutions, and of what all share."""
    slugs = {"shared", *(solution.slug for solution in wanted)}
    modules = [".".join(path.relative_to(LAMBDAS).with_suffix("").parts) for path in LAMBDAS.glob("*/*/handler.py")]
    modules = sorted(module for module in modules if module.split(".")[0] in slugs)
    status("recording the happy paths")
    calls, texts, rows = _calls(modules), [], []
    status("timing the imports")
    for module, found in _imports(modules).items():
        name = module.removesuffix(".handler")
        boto3 = found["boto3"]
        seconds = boto3 + found["beyond"] if found["common"] else found["seconds"]
        ratio, memory = seconds / boto3, round(found["peak"])
        size = _zip_bytes(module.split(".")[0]) / 1024
        listed = ", ".join(f"{count} {call}" for call, count in calls[module].items()) or "none"
        figures = (f"{seconds:.2f}", f"{boto3:.2f}", f"{ratio:.2f}", str(LIMIT), f"{memory}")
        texts.append((name, *figures, f"{size:.1f}", listed))
        row = {"ratio": ratio, "limit": LIMIT, "peak_mib": memory, "zip_kib": size, "calls": calls[module]}
        rows.append({"function": name, **row})
    columns = ("function", "import, s", "import boto3, s", "ratio", "limit", "peak, MiB", "zip, KiB", "calls")
    return Measured(
        "functions",
        Sheet("Functions", columns, texts),
        "Start of Python and import, in seconds of processor time. That of boto3 is the median of "
        f"{imports.TIMES} runs, anew for every {imports.EVERY} functions; what a function takes beyond it is the "
        f"median of {imports.ROUNDS} runs in processes that have boto3 already. A function without boto3 is timed as a "
        "whole, once. Peak is the memory of a process after the import; calls are those of the longest happy path.",
        rows,
        [f"{row['function']}: {row['ratio']:.2f} times boto3" for row in rows if float(str(row["ratio"])) > LIMIT],
    )


def _imports(modules: Sequence[str]) -> dict[str, dict[str, Any]]:
    """What benchmarks.imports finds, two processes at once, so that both processors have work."""
    variables = {**os.environ, "PYTHONPATH": os.pathsep.join((str(REPOSITORY), str(LAMBDAS)))}
    command = [sys.executable, "-m", "benchmarks.imports"]
    running = [
        subprocess.Popen([*command, *modules[start::AT_ONCE]], env=variables, stdout=subprocess.PIPE, text=True)
        for start in range(AT_ONCE)
    ]
    found = dict[str, dict[str, Any]]()
    for process in running:
        lines = process.communicate()[0].splitlines()
        if process.returncode:
            raise subprocess.CalledProcessError(process.returncode, process.args)
        found |= {figures["module"]: figures for figures in map(json.loads, lines)}
    return {module: found[module] for module in modules}


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
