"""Where this program prints to people."""

from rich.console import Console
from rich.table import Table
from rich.text import Text

WIDE = 240  # columns, for a file or a pipe

# Names, tags and messages come from outside: what looks like markup in them is text.
console = Console(markup=False, highlight=False)


def print_wide(what: Table | Text) -> None:
    """Prints a table; into a file or a pipe a row is one line, whatever the width of the window."""
    if console.is_terminal:
        console.print(what)
    else:
        Console(markup=False, highlight=False, width=WIDE).print(what)
