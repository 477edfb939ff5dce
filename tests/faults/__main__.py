"""`python -m tests.faults [part of a name ...]`: runs the cases and prints them; fails when one ends badly."""

import sys
from collections import Counter
from pathlib import Path

from rich.console import Console
from rich.table import Table

from emulator.fullmodel import full_model

STYLES = {"done": "green", "visibly failed": "yellow", "BAD": "bold red"}


def main(parts: list[str]) -> int:
    """Runs the cases whose name has all of these parts in it and returns the exit status."""
    # The functions are imported as in Lambda, where `lambdas` is the root.
    sys.path.insert(0, str(Path(__file__).parents[2] / "lambdas"))
    from tests.faults.running import generated, run
    from tests.faults.subject import registered
    from tests.faults.wire import laboratory

    full_model.install()  # in tests/conftest.py for pytest

    table = Table("handler", "call or event", "fault", "outcome", "detail")
    verdicts: Counter[str] = Counter()
    with laboratory():
        for subject in registered():
            for case in generated(subject):
                if not all(part in str(case) for part in parts):
                    continue
                outcome = run(case)
                verdicts[outcome.verdict.value] += 1
                style = STYLES[outcome.verdict.value]
                verdict = f"[{style}]{outcome.verdict.value}[/]"
                table.add_row(subject.name, case.where, case.what, verdict, _short(outcome.detail))
            table.add_section()
    # Into a file or a pipe a row is one line, whatever the width of the window.
    console = Console() if sys.stdout.isatty() else Console(width=220)
    console.print(table)
    console.print(", ".join(f"{count} {verdict}" for verdict, count in verdicts.items()) or "no such case")
    return 1 if verdicts["BAD"] or not verdicts else 0


def _short(detail: str) -> str:
    """Returns the first sixty characters, with nothing in them that rich would take for its markup."""
    return detail.replace("[", r"\[")[:60]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
