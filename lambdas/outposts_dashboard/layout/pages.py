"""Blocks on as many dashboards as CloudWatch's limits require, each linked to its neighbours. No AWS in here."""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from zlib import crc32

from outposts_dashboard.discovery import SECTIONS
from outposts_dashboard.layout import capacity, panels
from outposts_dashboard.layout.widgets import Block, Item, Widget, explorers, plain, text
from outposts_dashboard.wanted import Wanted

# https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_limits.html
MOST_WIDGETS = 500
MOST_METRICS = 2_500
LONGEST_NAME = 255

Panel = Callable[[Sequence[Item], Wanted, str, str], Iterator[Block]]
PANELS: Mapping[str, tuple[str, Panel]] = {
    "outposts": ("Outposts capacity", capacity.outposts),
    "ec2": ("EC2 instances", panels.ec2),
    "load_balancers": ("Application Load Balancers", panels.load_balancers),
    "s3": ("S3 buckets", panels.s3),
    "auto_scaling": ("Auto Scaling groups", panels.auto_scaling),
    "rds": ("RDS databases", panels.rds),
}


@dataclass(frozen=True)
class Dashboard:
    """A name and the body that belongs to it."""

    name: str
    body: str


@dataclass
class _Page:
    blocks: list[Block] = field(default_factory=list)
    widgets: int = 1  # the page's own heading
    metrics: int = 0

    def takes(self, block: Block) -> bool:
        widgets, metrics = _size(block)
        return self.widgets + widgets <= MOST_WIDGETS and self.metrics + metrics <= MOST_METRICS

    def add(self, block: Block) -> None:
        widgets, metrics = _size(block)
        self.blocks.append(block)
        self.widgets += widgets
        self.metrics += metrics


def dashboards(discovery: Mapping[str, Any], wanted: Wanted) -> list[Dashboard]:
    """Every dashboard, the same for the same discovery; at least one, which says so where there is nothing."""
    found: list[Dashboard] = []
    for name, values, sections in _series(discovery, wanted):
        blocks = list(_blocks({**discovery, "sections": sections}, wanted, values))
        found += _paged(name, blocks, wanted)
    return found


def _series(
    discovery: Mapping[str, Any], wanted: Wanted
) -> Iterator[tuple[str, tuple[str, ...], dict[str, list[Item]]]]:
    """One series for everything; or one for each value of the tag, and one for Outposts that no value names."""
    sections: dict[str, list[Item]] = discovery["sections"]
    if not wanted.by_tag_value:
        yield wanted.dashboard_name, wanted.tag_values, sections
        return
    tagged = {item["tag"] for name, items in sections.items() if name != "outposts" for item in items}
    values = sorted(tagged | set(wanted.tag_values))
    ids = {item["id"] for item in sections.get("outposts", [])}
    if not values or ids - set(values):
        unnamed = [item for item in sections.get("outposts", []) if item["id"] not in values]
        yield wanted.dashboard_name, wanted.tag_values, {"outposts": unnamed} if "outposts" in sections else {}
    for value in values:
        own = {
            name: [item for item in items if value == (item["id"] if name == "outposts" else item["tag"])]
            for name, items in sections.items()
        }
        yield f"{wanted.dashboard_name}-{_named(value)}", (value,), own


def _named(value: str) -> str:
    """A tag's value in the letters of a dashboard's name; one that had others is told from its like by a number."""
    safe = re.sub(r"[^A-Za-z0-9_-]", "-", value)[:40]
    return safe if safe == value else f"{safe}-{crc32(value.encode()):08x}"


def _blocks(discovery: Mapping[str, Any], wanted: Wanted, values: tuple[str, ...]) -> Iterator[Block]:
    region, account = discovery["region"], discovery["account"]
    if wanted.explorer:
        yield [[widget] for widget in explorers(wanted.tag_name, values, region=region)]
    failures: Mapping[str, str] = discovery["failures"]
    empty = not failures
    for name in SECTIONS:
        title, panel = PANELS[name]
        if name in failures:
            said = f"## {title}\nCould not be read; the other sections are complete. {plain(failures[name])}"
            yield [[text(said, height=3)]]
            continue
        blocks = panel(discovery["sections"].get(name, []), wanted, region, account)
        for number, block in enumerate(blocks):
            empty = False
            yield block if number else [[text(f"## {title}")], *block]
    if empty:
        which = f"any of {', '.join(plain(value) for value in values)}" if values else "any value"
        said = f"There is no Outpost here, and nothing whose tag {plain(wanted.tag_name)} has {which}."
        yield [[text(f"## Nothing to show yet\n{said} What you tag appears within minutes.", height=3)]]


def _paged(name: str, blocks: Iterable[Block], wanted: Wanted) -> list[Dashboard]:
    pages = [_Page()]
    for block in blocks:
        if not pages[-1].takes(block):
            pages.append(_Page())
        pages[-1].add(block)
    names = [name if number == 1 else f"{name}-page-{number}" for number in range(1, len(pages) + 1)]
    return [
        Dashboard(names[number], _body([[_heading(names, number, wanted)]], *page.blocks))
        for number, page in enumerate(pages)
    ]


def _heading(names: Sequence[str], number: int, wanted: Wanted) -> Widget:
    """The name and number of the page, links to its neighbours, and that it is overwritten."""
    links = []
    for step, word in ((-1, "previous"), (1, "next")):
        if 0 <= number + step < len(names):
            links.append(f"[{word}](#dashboards/dashboard/{names[number + step]})")
    page = f" · page {number + 1} of {len(names)} · {' · '.join(links)}" if len(names) > 1 else ""
    said = f"# {names[0]}{page}\nWritten by {wanted.written_by}; it is overwritten, so do not edit it."
    return text(said, height=2)


def _body(*blocks: Block) -> str:
    """The blocks one below the other. The time range is the post's: a day, with periods that fit it."""
    placed = []
    top = 0
    for row in (row for block in blocks for row in block):
        left = 0
        for widget in row:
            place = {"x": left, "y": top, "width": widget.width, "height": widget.height}
            placed.append({"type": widget.kind, **place, "properties": widget.properties})
            left += widget.width
        top += max(widget.height for widget in row)
    return json.dumps({"start": "-PT24H", "periodOverride": "auto", "widgets": placed}, separators=(",", ":"))


def _size(block: Block) -> tuple[int, int]:
    widgets = [widget for row in block for widget in row]
    return len(widgets), sum(widget.metrics for widget in widgets)
