"""What is under way, for whoever watches."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

Show = Callable[[int, str], object]
"""Takes the number of a lane and what it does."""


@contextmanager
def shown(console: Console) -> Iterator[Show]:
    """A line for each lane; where nobody watches, a line for each thing."""
    if not console.is_terminal:
        yield lambda lane, text: console.print(f"try: {text}", soft_wrap=True, highlight=False)
        return
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    room = console.width - 12  # the spinner and the clock
    with Progress(*columns, console=console, transient=True) as progress:
        tasks: dict[int, TaskID] = {}

        def show(lane: int, text: str) -> None:
            if lane not in tasks:
                tasks[lane] = progress.add_task("")
            progress.update(tasks[lane], description=text[:room])

        yield show


class Remaining:
    """How many are done, and how long the others may take.

    Args:
        weights: how much each is to do, in whatever unit.
    """

    def __init__(self, weights: float, count: int) -> None:
        self._weights, self._count = weights, count
        self._done_weights, self._done, self._began = 0.0, 0, time.monotonic()

    def one_more(self, weight: float, under_way: float = 0) -> str:
        """One of this weight is done; others of these weights together are under way: on average, half of them is done.

        The longest come first: without those that are under way the first estimates would be far too long.
        """
        self._done += 1
        self._done_weights += weight
        left = (time.monotonic() - self._began) * (self._weights / (self._done_weights + under_way / 2) - 1)
        after = f", about {left / 60:.1f} minutes left" if self._done < self._count else ""
        return f"{self._done} of {self._count} done{after}"
