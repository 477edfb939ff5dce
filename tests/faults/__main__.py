"""`python -m tests.faults [--solution SLUG] [part of a name ...]`: runs the cases; fails when one ends badly.

What the handlers log, and the exceptions that they let out on purpose, goes to .local/faults.log.
"""

import argparse
import contextlib
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from emulator.fullmodel import full_model
from stacks.catalog import UnknownSolutionError, named, names_in
from tests.models import read_once

ROOT = Path(__file__).parents[2]
LOG = ROOT / ".local" / "faults.log"
STYLES = {"done": "green", "visibly failed": "yellow", "BAD": "bold red"}


def main(arguments: Sequence[str]) -> int:
    """Runs the cases whose name has all of these parts in it and returns the exit status."""
    parser = argparse.ArgumentParser(prog="make faults", description=__doc__)
    parser.add_argument("parts", nargs="*", help="only the cases whose name has all of these in it")
    parser.add_argument("--solution", default="", help="only the functions of these, separated by commas or blanks")
    parser.add_argument(
        "--into", type=Path, help="write a line for each handler there, if all cases ran and none is bad"
    )
    options = parser.parse_args(arguments)
    try:
        slugs = {named(name).slug for name in names_in(options.solution)}
    except UnknownSolutionError as error:
        print(f"faults: {error}", file=sys.stderr)
        return 2
    # Into a file or a pipe a row is one line, whatever the width of the window.
    console = Console() if sys.stdout.isatty() else Console(width=220)
    began = time.monotonic()
    with _logged(), Progress(console=Console(file=sys.__stderr__), transient=True) as progress:
        table, by_handler = _run(slugs, options.parts, progress)
    console.print(table)
    verdicts = sum(by_handler.values(), Counter[str]())
    if options.into and not slugs and not options.parts and not verdicts["BAD"]:
        options.into.write_text(_page(by_handler), encoding="utf-8")
    seconds = time.monotonic() - began
    counts = ", ".join(f"{count} {verdict}" for verdict, count in verdicts.items()) or "no such case"
    console.print(
        f"{counts}; {seconds:.0f} seconds; what the handlers logged: {LOG.relative_to(ROOT)}", highlight=False
    )
    return 1 if verdicts["BAD"] or not verdicts else 0


def _run(slugs: set[str], parts: Sequence[str], progress: Progress) -> tuple[Table, dict[str, Counter[str]]]:
    # The functions are imported as in Lambda, where `lambdas` is the root.
    sys.path.insert(0, str(ROOT / "lambdas"))
    from tests.faults.running import generated, run
    from tests.faults.subject import registered
    from tests.faults.world.wire import laboratory

    full_model.install()  # in tests/conftest.py for pytest
    read_once()

    table = Table("handler", "call or event", "fault", "outcome", "detail")
    by_handler: dict[str, Counter[str]] = {}
    with laboratory():
        subjects = [each for each in registered() if not slugs or each.name.split(".")[0] in slugs]
        task = progress.add_task("", total=len(subjects))
        for subject in subjects:
            progress.update(task, description=subject.name)
            for case in generated(subject):
                if not all(part in str(case) for part in parts):
                    continue
                outcome = run(case)
                by_handler.setdefault(subject.name, Counter())[outcome.verdict.value] += 1
                style = STYLES[outcome.verdict.value]
                verdict = f"[{style}]{outcome.verdict.value}[/]"
                table.add_row(subject.name, case.where, case.what, verdict, _short(outcome.detail))
            table.add_section()
            progress.advance(task)
    return table, by_handler


_INTRODUCTION = """# What every handler does when an AWS call fails

Every call of every function is throttled, denied, timed out, answered with an error, late or twice, and every event
comes twice or broken. A handler either completes, or fails where an alarm or a dead-letter queue sees it; a case in
which it loses something without a word would fail `make faults`, which runs the cases and writes this page.

"""


def _page(by_handler: dict[str, Counter[str]]) -> str:
    """A line for each handler."""
    rows = ["| handler | cases | completes | fails visibly |", "| --- | --- | --- | --- |"]
    for name, counts in by_handler.items():
        done, failed = counts["done"], counts["visibly failed"]
        rows.append(f"| `{name}` | {done + failed} | {done} | {failed} |")
    whole = sum(by_handler.values(), Counter[str]())
    rows.append(f"| all | {whole.total()} | {whole['done']} | {whole['visibly failed']} |")
    return _INTRODUCTION + "\n".join(rows) + "\n"


@contextlib.contextmanager
def _logged() -> Iterator[None]:
    """Keeps the screen for the table: 500 tracebacks of handlers that fail on purpose look like a crash."""
    LOG.parent.mkdir(exist_ok=True)
    with LOG.open("w", encoding="utf-8") as log, contextlib.redirect_stdout(log), contextlib.redirect_stderr(log):
        hook = sys.unraisablehook
        sys.unraisablehook = _unraisable
        try:
            yield
        finally:
            sys.unraisablehook = hook


def _unraisable(problem: Any) -> None:
    print(f"ignored: {problem.err_msg or 'exception in'} {problem.object!r}: {problem.exc_value!r}", file=sys.stderr)


def _short(detail: str) -> str:
    """Returns the first sixty characters, with nothing in them that rich would take for its markup."""
    return detail.replace("[", r"\[")[:60]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
