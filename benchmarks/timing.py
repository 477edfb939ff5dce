"""Times two commands in turn, so that a machine whose speed drifts treats both alike."""

import os
import resource
import statistics
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Pair:
    """Two commands, timed in turn, in processor time: what else the machine does changes it least.

    Attributes:
        ours: median of ours in seconds.
        other: median of the other in seconds.
        ratio: median of the ratios of neighbours, ours / other.
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
    """Runs both commands *runs* times in turn.

    Args:
        warm: runs both once before, uncounted.

    Raises:
        subprocess.CalledProcessError: one of them failed.
    """
    times = [(_seconds(ours, variables), _seconds(other, variables)) for _ in range(runs + warm)][warm:]
    # A Node that a busy machine has not ended within jsii's five seconds is missing from its parent's time.
    whole = [max(column) / 2 for column in zip(*times, strict=True)]
    times = [both for both in times if both[0] >= whole[0] and both[1] >= whole[1]] or times
    return Pair(
        statistics.median(a for a, _ in times),
        statistics.median(b for _, b in times),
        statistics.median(a / b for a, b in times),
    )


def _seconds(command: Sequence[str], variables: Mapping[str, str] | None) -> float:
    environment = {**os.environ, **(variables or {})}
    before = resource.getrusage(resource.RUSAGE_CHILDREN)  # with the children of children that have ended, as Node
    subprocess.run(command, cwd=REPOSITORY, env=environment, check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
