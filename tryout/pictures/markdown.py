"""The markdown of text widgets, simplified: headings, lists, tables and links as lines of one look each."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

_HEADING = re.compile(r"^(#{1,6})\s+(.*)$")
_LIST = re.compile(r"^\s*(?:[-*+]|(\d+\.))\s+(.*)$")
_RULE = re.compile(r"^\s*\|?[\s:|-]+\|?\s*$")
_LINK = re.compile(r"!?\[([^\]]*)\]\([^)]*\)")
_SIZES = {1: 20, 2: 17, 3: 14}
PIXELS = 12
ROW = 30  # of a table, with its padding and line


@dataclass(frozen=True)
class TextLine:
    """One line before it is wrapped.

    Attributes:
        cells: more than one in a row of a table.
        indent, height: in pixels; a height of 0 is that of the words.
    """

    cells: tuple[str, ...]
    pixels: float = PIXELS
    bold: bool = False
    link: bool = False
    indent: float = 0
    height: float = 0


def parse(markdown: str) -> Iterator[TextLine]:
    """The lines of a text."""
    source = markdown.split("\n")
    for number, line in enumerate(source):
        if heading := _HEADING.match(line):
            yield TextLine((_plain(heading[2]),), _SIZES.get(len(heading[1]), PIXELS), bold=True)
        elif "|" in line and _is_table(source, number):
            if not _RULE.match(line):
                cells = tuple(_plain(cell.strip()) for cell in line.strip().strip("|").split("|"))
                head = number + 1 < len(source) and bool(_RULE.match(source[number + 1])) and "-" in source[number + 1]
                yield TextLine(cells, bold=head, height=ROW)
        elif item := _LIST.match(line):
            yield TextLine((f"{item[1] or '•'} {_plain(item[2])}",), indent=8)
        elif not line.strip():
            yield TextLine(("",), 6)
        else:
            whole = bool(_LINK.fullmatch(line.strip()))
            yield TextLine((_plain(line),), link=whole)


def _is_table(source: list[str], number: int) -> bool:
    """Whether a line with a bar belongs to a block of such lines that has a rule."""
    begin = end = number
    while begin > 0 and "|" in source[begin - 1]:
        begin -= 1
    while end + 1 < len(source) and "|" in source[end + 1]:
        end += 1
    return any(_RULE.match(line) and "-" in line for line in source[begin : end + 1])


def _plain(text: str) -> str:
    """A text without its marks."""
    text = _LINK.sub(r"\1", text)
    text = re.sub(r"(\*\*|__)(.+?)\1", r"\2", text)
    text = re.sub(r"(?<![\w*])\*([^*\s][^*]*)\*(?![\w*])", r"\1", text)
    return re.sub(r"`([^`]*)`", r"\1", text).replace("\\|", "|").strip()
