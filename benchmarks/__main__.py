"""``make bench``: speed of the app, of the commands and of the functions, as ratios of one run."""

import argparse
import json
import sys
import time
from collections.abc import Iterator, Sequence
from importlib import import_module
from importlib.util import find_spec

from rich.console import Console
from rich.status import Status

from benchmarks import commands, document, functions, synth
from benchmarks.growth import Growing
from benchmarks.measured import Measured
from benchmarks.timing import LAMBDAS, REPOSITORY
from stacks.catalog import UnknownSolutionError, named, names_in
from stacks.series import SOLUTIONS, Solution

REPORT = REPOSITORY / ".local" / "bench-report.json"
PAGE = REPOSITORY / "docs" / "benchmarks.md"


def main(arguments: Sequence[str] | None = None) -> int:
    """Prints the tables and writes .local/bench-report.json; a whole run also writes docs/benchmarks.md.

    Returns:
        1 if something is above its limit; with --quick, which times everything once, only if something fails.
    """
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--solution", default="", help="only these, separated by commas or blanks")
    parser.add_argument(
        "--quick", action="store_true", help="one run of one solution: shows that it works, not how fast"
    )
    options = parser.parse_args(arguments)
    try:
        wanted = [named(name) for name in names_in(options.solution)]
    except UnknownSolutionError as error:
        print(f"bench: {error}", file=sys.stderr)
        return 2
    whole = not wanted and not options.quick
    wanted = wanted or list(SOLUTIONS)
    began, found = time.monotonic(), list[Measured]()
    console = Console() if sys.stdout.isatty() else Console(width=160)
    with console.status("") as status:
        for measured in _measured(wanted[:1] if options.quick else wanted, status, whole=whole, quick=options.quick):
            console.print(measured.sheet.rich())
            console.print(measured.about, style="dim")
            console.print()
            found.append(measured)
    seconds = time.monotonic() - began
    REPORT.parent.mkdir(exist_ok=True)
    REPORT.write_text(json.dumps({each.name: each.rows for each in found}, indent=2) + "\n", encoding="utf-8")
    if whole:
        document.write(PAGE, found, seconds)
    above = [] if options.quick else [text for each in found for text in each.above]
    console.print(f"above the limit: {'; '.join(above)}" if above else "nothing is above its limit", highlight=False)
    console.print(f"{seconds:.0f} seconds; report: {REPORT.relative_to(REPOSITORY)}", highlight=False)
    return 1 if above else 0


def _measured(wanted: Sequence[Solution], status: Status, *, whole: bool, quick: bool) -> Iterator[Measured]:
    sys.path.insert(0, str(LAMBDAS))
    yield synth.each_solution(wanted, status.update, quick=quick)
    if whole:
        status.update("timing the app with all solutions")
        yield synth.all_solutions()
        status.update("timing the commands")
        yield commands.first_lines()
    yield functions.functions(wanted, status.update)
    for solution in wanted:
        if find_spec(f"benchmarks.{solution.slug}"):  # what only this solution measures
            status.update(f"measuring {solution.slug}")
            growing: Growing = import_module(f"benchmarks.{solution.slug}").GROWING
            yield growing.measure()


if __name__ == "__main__":
    sys.exit(main())
