"""docs/benchmarks.md: what a whole run of ``make bench`` found, with machine and date."""

import os
import platform
from collections.abc import Sequence
from datetime import UTC, date, datetime
from importlib.metadata import version
from pathlib import Path

from benchmarks.measured import Measured

HEAD = """# Benchmarks

`make bench` writes this page: ratios and figures of one run, with the limits that it holds them against.
"""


def write(path: Path, found: Sequence[Measured], seconds: float) -> None:
    """Writes the page."""
    path.write_text(page(found, seconds, machine(), datetime.now(UTC).date()), encoding="utf-8")


def page(found: Sequence[Measured], seconds: float, made_on: str, day: date) -> str:
    """The page: one chapter for each table."""
    above = [text for each in found for text in each.above]
    verdict = f"Above its limit: {'; '.join(above)}." if above else "Nothing is above its limit."
    lines = [HEAD, f"{day.isoformat()}, {made_on}; the run took {seconds:.0f} seconds. {verdict}", ""]
    for each in found:
        lines += [f"## {each.sheet.title}", "", each.about, "", each.sheet.markdown(), ""]
    return "\n".join(lines)


def machine() -> str:
    """Processor, system and versions, in one line."""
    cores = os.cpu_count() or 1
    system = f"{platform.system()} {platform.machine()}, {cores} core{'s' * (cores > 1)}"
    versions = ", ".join(f"{name} {version(name)}" for name in ("aws-cdk-lib", "boto3"))
    return f"{system}, Python {platform.python_version()}, {versions}"
