"""What a benchmark has found: a table for people, rows for programs, and what is above its limit."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.sheet import Sheet


@dataclass(frozen=True)
class Measured:
    """One table of figures.

    Attributes:
        name: in the report.
        about: one sentence on what was timed, and how.
        rows: the same figures for programs.
        above: what is above its limit, in words; empty: nothing.
    """

    name: str
    sheet: Sheet
    about: str
    rows: Sequence[dict[str, Any]]
    above: Sequence[str] = ()
