"""Times two commands at the same time, so that a machine whose speed drifts treats both alike."""

import ctypes
import os
import statistics
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
LAMBDAS = REPOSITORY / "lambdas"


MARGIN = 0.05
"""Share of its limit by which a ratio must be below it, so that no further run is needed."""
MOST = 5


@dataclass(frozen=True)
class Pair:
    """Two commands, timed side by side, in processor time: what else the machine does changes it least.

    Attributes:
        ours: median of ours in seconds.
        other: median of the other in seconds.
        ratio: median of the ratios of the runs, ours / other.
        runs: how many there were.
    """

    ours: float
    other: float
    ratio: float
    runs: int


def pair(
    ours: Sequence[str],
    other: Sequence[str],
    *,
    limit: float,
    least: int = 1,
    most: int = MOST,
    variables: Mapping[str, str] | None = None,
) -> Pair:
    """Runs both commands, each time side by side, until their ratio is clearly below the limit.

    Args:
        least, most: runs. Each of them counts, also those that were above the limit.

    Raises:
        subprocess.CalledProcessError: one of them failed.
    """
    times = list[tuple[float, float]]()
    ratio = 0.0
    while len(times) < least or (ratio > limit * (1 - MARGIN) and len(times) < most):
        times.append(_seconds(ours, other, variables))
        ratio = statistics.median(a / b for a, b in times)
    return Pair(statistics.median(a for a, _ in times), statistics.median(b for _, b in times), ratio, len(times))


def _seconds(ours: Sequence[str], other: Sequence[str], variables: Mapping[str, str] | None) -> tuple[float, float]:
    _adopt_orphans()
    environment = {**os.environ, **(variables or {})}
    quiet = subprocess.DEVNULL
    running = [
        subprocess.Popen(command, cwd=REPOSITORY, env=environment, stdout=quiet, stderr=quiet, start_new_session=True)
        for command in (ours, other)
    ]
    first, second = map(_processor_time, running)
    return first, second


def _processor_time(process: "subprocess.Popen[bytes]") -> float:
    """Waits for a process and for what it has left in its group: on a busy machine it does not wait for its Node."""
    _, status, used = os.wait4(process.pid, 0)
    seconds = used.ru_utime + used.ru_stime
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, process.args)
    while True:
        try:
            _, _, used = os.wait4(-process.pid, 0)
        except ChildProcessError:
            return seconds
        seconds += used.ru_utime + used.ru_stime


def _adopt_orphans() -> None:
    """Makes this process the parent of its children's orphans, so that it can wait for them; on Linux."""
    if sys.platform == "linux":
        # https://man7.org/linux/man-pages/man2/PR_SET_CHILD_SUBREAPER.2const.html
        ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)
