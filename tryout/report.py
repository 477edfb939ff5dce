"""What ``make try`` found out: a table for people, JSON for programs."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from tryout.steps import Evidence


@dataclass
class StepReport:
    """A step that ran."""

    step: str
    ok: bool
    evidence: Evidence
    detail: str


@dataclass
class NotRun:
    """A step that could not run here."""

    step: str
    why: str


@dataclass
class SolutionReport:
    """One variant of one solution.

    Attributes:
        resources: how many the stack has.
        seconds: from its deployment to the end of its destruction.
        problem: what stopped it, if something did.
        left_behind: what was there after its destruction and not before its deployment.
        wait_for_deletion: keys of KMS whose deletion has begun with it, and takes days on AWS as well.
    """

    slug: str
    variant: str
    stack: str
    resources: int = 0
    deployed: bool = False
    scenario: list[StepReport] = field(default_factory=list)
    steps_not_run: list[NotRun] = field(default_factory=list)
    diff_empty: bool = False
    destroyed_clean: bool = False
    seconds: float = 0
    problem: str = ""
    left_behind: list[str] = field(default_factory=list)
    wait_for_deletion: list[str] = field(default_factory=list)

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> "SolutionReport":
        """As another process has sent it."""
        scenario = [StepReport(**each) for each in found["scenario"]]
        not_run = [NotRun(**each) for each in found["steps_not_run"]]
        return cls(**{**found, "scenario": scenario, "steps_not_run": not_run})

    @property
    def verdict(self) -> str:
        """In a few words, for whoever watches."""
        failed = [step.step for step in self.scenario if not step.ok]
        if self.problem or not self.deployed:
            return f"failed: {self.problem or 'not deployed'}"
        if failed:
            return f"failed: {failed[0]}"
        if not self.diff_empty:
            return "failed: cdk diff is not empty"
        if self.left_behind:
            return f"failed: left behind are {', '.join(self.left_behind)}"
        return f"{len(self.scenario)} of {len(self.scenario) + len(self.steps_not_run)} steps passed"

    def ok(self, *, strict: bool, kept: bool) -> bool:
        """Whether everything passed; a step that was not run fails only if strict."""
        return (
            self.deployed
            and self.diff_empty
            and (kept or self.destroyed_clean)
            and not self.problem
            and all(step.ok for step in self.scenario)
            and not (strict and self.steps_not_run)
        )


def write_json(path: Path, reports: list[SolutionReport], *, ok: bool, as_shipped: bool, commit: str) -> None:
    """Writes the report for programs.

    Args:
        as_shipped: nothing was broken on purpose, and the configuration was the repository's.
        commit: of the sources that were tried; empty if none has them as they were.
    """
    solutions = [asdict(report) for report in reports]
    found = {"ok": ok, "as_shipped": as_shipped, "commit": commit, "solutions": solutions}
    text = json.dumps(found, indent=2)
    path.write_text(text + "\n", encoding="utf-8")


def print_table(console: Console, reports: list[SolutionReport], *, kept: bool) -> None:
    """Prints one line a variant, and below what failed or was not run."""
    table = Table(box=None, header_style="bold", pad_edge=False)
    for heading in ("solution", "variant"):
        table.add_column(heading, no_wrap=True)
    for heading in ("resources", "deployed", "steps", "not run", "diff", "destroyed", "seconds"):
        table.add_column(heading, justify="right", no_wrap=True)
    for report in reports:
        passed = sum(step.ok for step in report.scenario)
        table.add_row(
            report.slug,
            report.variant,
            str(report.resources),
            _mark(report.deployed, "yes", "no"),
            _mark(bool(report.scenario) and passed == len(report.scenario), f"{passed}/{len(report.scenario)}"),
            Text(str(len(report.steps_not_run)), style="yellow" if report.steps_not_run else ""),
            _mark(report.diff_empty, "empty", "differs"),
            Text("kept", style="yellow") if kept else _mark(report.destroyed_clean, "clean", "unclean"),
            f"{report.seconds:.1f}",
        )
    console.print()
    console.print(table)
    for report in reports:
        _print_troubles(console, report)


def _mark(good: bool, yes: str, no: str | None = None) -> Text:
    return Text(yes if good or no is None else no, style="green" if good else "red")


def _print_troubles(console: Console, report: SolutionReport) -> None:
    name = f"{report.slug} ({report.variant})"
    if report.problem:
        console.print(f"[red]{name}:[/] {report.problem}", soft_wrap=True)
    for step in report.scenario:
        if not step.ok:
            console.print(f"[red]{name}: failed:[/] {step.step}: {step.detail}", soft_wrap=True)
    for not_run in report.steps_not_run:
        console.print(f"[yellow]{name}: not run:[/] {not_run.step}: {not_run.why}", soft_wrap=True)
    if report.wait_for_deletion:
        console.print(f"{name}: pending deletion, 7 to 30 days: {', '.join(report.wait_for_deletion)}", soft_wrap=True)
    if report.left_behind:
        console.print(f"[red]{name}: left behind:[/] {', '.join(report.left_behind)}", soft_wrap=True)
