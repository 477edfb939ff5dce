"""Time, memory and calls of what plans over ever more things: linear, and the largest within two seconds."""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.alone import alone, peak
from benchmarks.measured import Measured
from benchmarks.sheet import Sheet
from benchmarks.timing import REPOSITORY

GROWTH_LIMIT = 2.0
"""How much more time each thing of the largest number may take than of the smallest: linear is 1."""
SECONDS_LIMIT = 2.0
"""For the largest number; of processor time, which other programs change least."""
ROUNDS = 3


@dataclass(frozen=True)
class Ran:
    """One run.

    Attributes:
        seconds: of processor time.
        planned: what came of it.
        calls: to AWS, by operation.
    """

    seconds: float
    planned: int
    calls: Mapping[str, int]


def timed(work: Callable[[], int], calls: Mapping[str, int] | None = None) -> Ran:
    """Runs *work*, which returns what it planned; *calls* counts while it runs."""
    started = time.process_time()
    planned = work()
    return Ran(time.process_time() - started, planned, calls or {})


@dataclass(frozen=True)
class Figures:
    """What the runs with one number of things have found.

    Attributes:
        seconds: of the quickest.
        peak: MiB that the process of a run needed more than before it; of the run that needed most.
        calls: to AWS, all operations.
    """

    count: int
    seconds: float
    peak: float
    planned: int
    calls: int


@dataclass(frozen=True)
class Growing:
    """What is run for ever more things.

    Attributes:
        name: of its module in this package.
        things: what they are, in the plural.
        planned: what comes of them, in the plural.
        counts: how many, from few to many.
        run: one run with so many.
    """

    name: str
    things: str
    planned: str
    counts: tuple[int, ...]
    run: Callable[[int], Ran]

    def measure(self) -> Measured:
        """Runs it in a process that has nothing else in memory, and judges what that finds."""
        command = [sys.executable, "-m", "benchmarks.planner", self.name]
        found = subprocess.run(command, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True, check=True).stdout
        return self.judged([Figures(**each) for each in json.loads(found)])

    def figures(self) -> list[Figures]:
        """Runs each number in turn, and that some times: what the machine does meanwhile meets all of them."""
        self.run(self.counts[0] // 10)  # imports the planner
        runs: list[list[dict[str, Any]]] = [[] for _ in self.counts]
        for _ in range(ROUNDS):
            for count, ran in zip(self.counts, runs, strict=True):
                ran.append(alone(self._one, count))
        return [
            Figures(count, min(one["seconds"] for one in ran), max(one["peak"] for one in ran), *ran[0]["found"])
            for count, ran in zip(self.counts, runs, strict=True)
        ]

    def _one(self, count: int) -> dict[str, Any]:
        before = peak()
        ran = self.run(count)
        return {"seconds": ran.seconds, "peak": peak() - before, "found": (ran.planned, sum(ran.calls.values()))}

    def judged(self, found: Sequence[Figures]) -> Measured:
        """The table, and what is above its limit."""
        each = [1e6 * one.seconds / one.count for one in found]
        growth, seconds = each[-1] / each[0], found[-1].seconds
        above = [f"{self.name}: each of the most takes {growth:.1f} times as long"] if growth > GROWTH_LIMIT else []
        if seconds > SECONDS_LIMIT:
            above.append(f"{self.name}: {seconds:.1f} s")
        texts = [
            (
                *(f"{one.count:,}", f"{one.planned:,}", f"{one.seconds:.2f}", f"{micros:.1f}", f"{one.peak:.0f}"),
                f"{1000 * one.calls / one.count:.1f}" if one.calls else "none",
            )
            for one, micros in zip(found, each, strict=True)
        ]
        columns = (self.things, self.planned, "s", "µs each", "peak, MiB", "AWS calls per 1,000")
        about = (
            f"Each of the most takes {growth:.2f} times as long as each of the fewest (limit {GROWTH_LIMIT:g}); the "
            f"most take {seconds:.2f} s of processor time (limit {SECONDS_LIMIT:g}). Shortest of {ROUNDS} runs, in "
            "turn, each in a process of its own; peak is the memory that it needed more than before."
        )
        rows = [
            {self.things: one.count, self.planned: one.planned, "seconds": one.seconds, "peak_mib": one.peak}
            | {"calls": one.calls}
            for one in found
        ]
        return Measured(self.name, Sheet(self.name, columns, texts), about, rows, above)
