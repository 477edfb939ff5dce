"""Small pieces of Markdown and HTML that several pages have."""

from collections.abc import Iterable, Sequence
from html import escape


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table; a bar within a cell is escaped."""
    lines = [f"| {' | '.join(head)} |", f"|{' --- |' * len(head)}"]
    lines += [f"| {' | '.join(cell.replace('|', BAR).replace(NEWLINE, ' ') for cell in row)} |" for row in rows]
    return "\n".join(lines) + "\n"


BAR, NEWLINE, NOTHING = "\\|", "\n", "-"


def command(text: str) -> str:
    """A command to copy."""
    return f"```sh\n{text}\n```\n"


def chips(words: Iterable[str], kind: str) -> str:
    """Words in small frames, in one line of HTML."""
    return "".join(f'<span class="chip chip-{kind}">{escape(word)}</span>' for word in words)


def sentence(text: str) -> str:
    """With a capital letter at its beginning."""
    return text[:1].upper() + text[1:]


def plural(count: int, noun: str) -> str:
    """A count with its noun."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"
