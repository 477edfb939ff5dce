"""How long somebody waits for the first line of a command."""

import subprocess
import sys
import time

from benchmarks.measured import Measured
from benchmarks.sheet import Sheet
from benchmarks.timing import REPOSITORY

COMMANDS: dict[tuple[str, ...], float] = {("-m", "stacks"): 0.5, ("-m", "stacks", "config"): 1.0}
"""Seconds that each may take at most."""
RUNS, MOST = 5, 20


def first_lines() -> Measured:
    """Times each command from its start to its first output, and takes the shortest of some runs, of more if above."""
    texts, rows, above = [], [], []
    for arguments, limit in COMMANDS.items():
        runs = [_first_line(arguments) for _ in range(RUNS)]
        while min(runs) > limit and len(runs) < MOST:
            runs.append(_first_line(arguments))
        seconds = min(runs)
        command = " ".join(("python", *arguments))
        texts.append((f"`{command}`", f"{seconds:.2f}", f"{limit:g}", str(len(runs))))
        rows.append({"command": command, "seconds": seconds, "limit": limit, "runs": len(runs)})
        if seconds > limit:
            above.append(f"{command}: {seconds:.2f} s")
    return Measured(
        "commands",
        Sheet("Commands", ("command", "s to the first line", "limit", "runs"), texts),
        "Seconds that pass, the shortest of the runs: other programs make it longer, nothing makes it shorter.",
        rows,
        above,
    )


def _first_line(arguments: tuple[str, ...]) -> float:
    started = time.perf_counter()
    command = [sys.executable, *arguments]
    with subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
        assert process.stdout
        process.stdout.readline()
        seconds = time.perf_counter() - started
        process.stdout.read()
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    return seconds
