"""Times two commands at the same time, so that a machine whose speed drifts treats both alike."""

import os
import statistics
import subprocess
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
    # A Node that a busy machine has not ended within jsii's five seconds is missing from its parent's time.
    whole = [max(column) / 2 for column in zip(*times, strict=True)]
    times = [both for both in times if both[0] >= whole[0] and both[1] >= whole[1]] or times
    return Pair(
        statistics.median(a for a, _ in times),
        statistics.median(b for _, b in times),
        statistics.median(a / b for a, b in times),
    )


def _seconds(ours: Sequence[str], other: Sequence[str], variables: Mapping[str, str] | None) -> tuple[float, float]:
    environment = {**os.environ, **(variables or {})}
    quiet = subprocess.DEVNULL
    running = [
        subprocess.Popen(command, cwd=REPOSITORY, env=environment, stdout=quiet, stderr=quiet)
        for command in (ours, other)
    ]
    first, second = map(_processor_time, running)
    return first, second


def _processor_time(process: "subprocess.Popen[bytes]") -> float:
    """Waits for a process; the time includes that of its children which it has waited for, as Node."""
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, process.args)
    return used.ru_utime + used.ru_stime
