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


@dataclass(frozen=True)
class Pair:
    """Two commands, timed side by side, in processor time: what else the machine does changes it least.

    Attributes:
        ours: median of ours in seconds.
        other: median of the other in seconds.
        ratio: median of the ratios of the runs, ours / other.
    """

    ours: float
    other: float
    ratio: float


def pair(
    ours: Sequence[str],
    other: Sequence[str],
    *,
    runs: int,
    variables: Mapping[str, str] | None = None,
    warm: bool = True,
) -> Pair:
    """Runs both commands *runs* times, each time side by side.

    Args:
        warm: runs both once before, uncounted.

    Raises:
        subprocess.CalledProcessError: one of them failed.
    """
    times = [_seconds(ours, other, variables) for _ in range(runs + warm)][warm:]
    return Pair(
        statistics.median(a for a, _ in times),
        statistics.median(b for _, b in times),
        statistics.median(a / b for a, b in times),
    )


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
