"""A page of the site, and the parts that the README of a solution is cut into."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[1]
_FENCE = re.compile(r"^(```+|~~~+)")
_HEADING = re.compile(r"^(#{1,6}) (.+?)\s*$")


@dataclass(frozen=True)
class Page:
    """One Markdown file below the site's sources.

    Attributes:
        path: for example ``solutions/spot_asg/alarms.md``.
        text: Markdown whose links are already the site's.
        description: one sentence for search engines.
        label: what the navigation calls it.
        hide: parts of the layout that it does without, ``navigation`` or ``toc``.
        boost: how much rather the search names it than another page; 0: never, since other pages say the same.
    """

    path: str
    title: str
    text: str
    description: str
    label: str = ""
    hide: tuple[str, ...] = ()
    boost: float = 1

    @property
    def source(self) -> str:
        """The file, with what the generator wants to know on top."""
        front = [f"title: {_quoted(self.title)}", f"description: {_quoted(self.description)}"]
        if self.hide:
            front.append(f"hide: [{', '.join(self.hide)}]")
        if not self.boost:
            front.append("search: {exclude: true}")
        elif self.boost != 1:
            front.append(f"search: {{boost: {self.boost:g}}}")
        return "---\n" + "\n".join(front) + "\n---\n\n" + self.text.strip() + "\n"


@dataclass
class Section:
    """A heading with everything up to the next one of its level."""

    level: int
    title: str
    lines: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """With the heading."""
        return "\n".join(self.lines).strip() + "\n"

    @property
    def body(self) -> str:
        """Without the heading."""
        return "\n".join(self.lines[1:]).strip() + "\n"

    @property
    def anchors(self) -> list[str]:
        """Of the section and of those within it."""
        return [anchor(title) for _, title in headings("\n".join(self.lines))]


def anchor(title: str) -> str:
    """What GitHub calls a heading, and the site too."""
    return re.sub(r"[^\w -]", "", title).strip().lower().replace(" ", "-")


def headings(text: str) -> Iterator[tuple[int, str]]:
    """Level and title of every heading outside of code."""
    for _, heading in _lines(text):
        if heading:
            yield len(heading[1]), heading[2]


def sections(text: str) -> tuple[str, list[Section]]:
    """What stands before the first heading of level 2, without the title, and the sections of that level."""
    before: list[str] = []
    found: list[Section] = []
    for line, heading in _lines(text):
        if heading and len(heading[1]) == 1:
            continue
        if heading and len(heading[1]) == 2:
            found.append(Section(2, heading[2]))
        (found[-1].lines if found else before).append(line)
    return "\n".join(before).strip() + "\n", found


def _lines(text: str) -> Iterator[tuple[str, re.Match[str] | None]]:
    """Each line, with the heading that it is."""
    fence = ""
    for line in text.splitlines():
        mark = _FENCE.match(line)
        if mark and not fence:
            fence = mark[1]
        elif mark and line.startswith(fence):
            fence = ""
        yield line, None if fence or mark else _HEADING.match(line)


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
