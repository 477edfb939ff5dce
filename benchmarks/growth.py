"""Time, memory and calls of what plans over ever more things: linear, and the largest within two seconds."""

import time
import tracemalloc
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from benchmarks.measured import Measured
from benchmarks.sheet import Sheet

GROWTH_LIMIT = 2.0
"""How much more time each thing of the largest number may take than of the smallest: linear is 1."""
SECONDS_LIMIT = 2.0
"""For the largest number; of processor time, which other programs change least."""
RUNS = 2


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
class Growing:
    """What is run for ever more things.

    Attributes:
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
        """Times each number twice and takes the shorter; memory in a run of its own, which tracemalloc slows down."""
        rows, texts = list[dict[str, Any]](), []
        seconds, each = 0.0, list[float]()
        for count in self.counts:
            best = min((self.run(count) for _ in range(RUNS)), key=lambda ran: ran.seconds)
            tracemalloc.start()
            self.run(count)
            peak = tracemalloc.get_traced_memory()[1] / 2**20
            tracemalloc.stop()
            seconds = best.seconds
            each.append(seconds / count)
            total = sum(best.calls.values())
            row = {self.things: count, self.planned: best.planned, "seconds": seconds, "peak_mib": peak}
            rows.append({**row, "calls": dict(best.calls)})
            per_thousand = f"{1000 * total / count:.1f}" if total else "none"
            figures = (f"{seconds:.2f}", f"{1e6 * each[-1]:.1f}", f"{peak:.0f}")
            texts.append((f"{count:,}", f"{best.planned:,}", *figures, per_thousand))
        growth = each[-1] / each[0]
        above = [f"{self.name}: each of the most takes {growth:.1f} times as long"] if growth > GROWTH_LIMIT else []
        if seconds > SECONDS_LIMIT:
            above.append(f"{self.name}: {seconds:.1f} s")
        columns = (self.things, self.planned, "s", "µs each", "peak, MiB", "AWS calls per 1,000")
        about = (
            f"Each of the most takes {growth:.2f} times as long as each of the fewest (limit {GROWTH_LIMIT:g}); "
            f"the most take {seconds:.2f} s of processor time (limit {SECONDS_LIMIT:g})."
        )
        return Measured(self.name, Sheet(self.name, columns, texts), about, rows, above)
