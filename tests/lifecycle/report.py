"""What ``make lifecycle`` found out: a table for people, JSON for programs."""

import json
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text


@dataclass
class Stage:
    """One part of a life.

    Attributes:
        said: what it has looked at, in a few words.
        findings: what is wrong; none is a pass.
        not_tried: what the embedded AWS cannot try, with the reason.
    """

    name: str
    seconds: float = 0
    said: str = ""
    findings: list[str] = field(default_factory=list)
    not_tried: list[str] = field(default_factory=list)


@dataclass
class Life:
    """The stages of one solution."""

    slug: str
    stages: list[Stage] = field(default_factory=list)
    seconds: float = 0

    @property
    def findings(self) -> list[str]:
        """Of every stage."""
        return [f"{stage.name}: {finding}" for stage in self.stages for finding in stage.findings]

    @contextmanager
    def stage(self, name: str) -> Iterator[Stage]:
        """A stage that is timed; what goes wrong in it is a finding, and the next stages are not begun."""
        stage, began = Stage(name), time.monotonic()
        self.stages.append(stage)
        try:
            yield stage
        finally:
            stage.seconds = round(time.monotonic() - began, 1)


def print_lives(console: Console, lives: Sequence[Life]) -> None:
    """One table a solution, and below it every finding."""
    for life in lives:
        table = Table(box=None, header_style="bold", pad_edge=False, title_justify="left")
        table.title = f"{life.slug}, {life.seconds:.0f} s"
        for heading in ("stage", "seconds", "verdict", ""):
            table.add_column(heading, justify="right" if heading == "seconds" else "left", no_wrap=heading != "")
        for stage in life.stages:
            verdict = Text(f"{len(stage.findings)} findings", "red") if stage.findings else Text("ok", "green")
            table.add_row(stage.name, f"{stage.seconds:.1f}", verdict, stage.said)
        console.print(table)
        for stage in life.stages:
            for why in stage.not_tried:
                console.print(Text(f"  not tried: {why}", "yellow"), soft_wrap=True)
        for finding in life.findings:
            console.print(Text(f"  {finding}", "red"), soft_wrap=True)


def write_json(path: Path, lives: Sequence[Life], *, minutes: float) -> None:
    """The report for programs."""
    ok = not any(life.findings for life in lives)
    path.parent.mkdir(exist_ok=True)
    found = {"ok": ok, "minutes": round(minutes, 1), "solutions": [asdict(life) for life in lives]}
    path.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
