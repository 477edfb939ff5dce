"""Times two commands in turn, so that a machine whose speed drifts treats both alike."""

import os
import statistics
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Pair:
    """Two commands, timed in turn.

    Attributes:
        ours: median of ours in seconds.
        other: median of the other in seconds.
        ratio: median of the ratios of neighbours, ours / other.
    """

    ours: float
    other: float
    ratio: float


def pair(ours: Sequence[str], other: Sequence[str], *, runs: int, variables: Mapping[str, str] | None = None) -> Pair:
    """Runs both commands once uncounted and then *runs* times in turn.

    Raises:
        subprocess.CalledProcessError: one of them failed.
    """
    times: list[tuple[float, float]] = []
    for run in range(runs + 1):
        seconds = (_seconds(ours, variables), _seconds(other, variables))
        if run:
            times.append(seconds)
    return Pair(
        statistics.median(a for a, _ in times),
        statistics.median(b for _, b in times),
        statistics.median(a / b for a, b in times),
    )


def _seconds(command: Sequence[str], variables: Mapping[str, str] | None) -> float:
    environment = {**os.environ, **(variables or {})}
    started = time.perf_counter()
    subprocess.run(command, cwd=REPOSITORY, env=environment, check=True, capture_output=True)
    return time.perf_counter() - started
