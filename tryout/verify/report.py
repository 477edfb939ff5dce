"""What a verification found out: observed in the account beside modelled by ``make try``, for people and programs."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from tryout.paths import REPORT
from tryout.report import SolutionReport
from tryout.verify.account import Account

Json = dict[str, Any]


def modelled(report: SolutionReport, tried: Path = REPORT) -> Mapping[str, Json]:
    """What ``make try`` has seen last of the same variant, by the titles of its steps; nothing, if it was not tried."""
    try:
        solutions = json.loads(tried.read_text(encoding="utf-8"))["solutions"]
    except (OSError, ValueError, LookupError):
        return {}
    return {
        step["step"]: {"ok": step["ok"], "detail": step["detail"], "evidence": step["evidence"]}
        for one in solutions
        if (one["slug"], one["variant"]) == (report.slug, report.variant)
        for step in one["scenario"]
    }


@dataclass(frozen=True)
class Observed:
    """One verification after its end.

    Attributes:
        modelled: what the same steps have shown on the embedded AWS.
        begun: whether there has been a stack.
    """

    report: SolutionReport
    account: Account
    modelled: Mapping[str, Json]
    begun: bool = True

    @property
    def ok(self) -> bool:
        """Whether everything that was played passed, and everything is gone."""
        return self.report.ok(strict=False, kept=False)

    def write(self, path: Path) -> None:
        """Writes the report for programs."""
        report = self.report
        body = {
            "ok": self.ok,
            "slug": report.slug,
            "variant": report.variant,
            "stack": report.stack,
            "account": self.account.account,
            "region": self.account.region,
            "seconds": round(report.seconds, 1),
            "resources": report.resources,
            "deployed": report.deployed,
            "diff_empty": report.diff_empty,
            "destroyed_clean": report.destroyed_clean,
            "problem": report.problem,
            "steps": [
                {
                    "step": step.step,
                    "observed": {"ok": step.ok, "detail": step.detail},
                    "modelled": self.modelled.get(step.step),
                }
                for step in report.scenario
            ],
            "not_run": [{"step": one.step, "why": one.why} for one in report.steps_not_run],
            "left_behind": report.left_behind,
        }
        path.write_text(json.dumps(body, indent=2) + "\n", encoding="utf-8")

    def show(self, console: Console) -> None:
        """Prints a line for each step, and below what stopped it or was left."""
        report = self.report
        table = Table("step", "observed", "modelled", box=None, header_style="bold", pad_edge=False)
        for step in report.scenario:
            told = self.modelled.get(step.step)
            model = f"{told['detail']} ({told['evidence']})" if told else "not tried here: make try"
            seen = Text(step.detail if step.ok else f"failed: {step.detail}", "green" if step.ok else "red")
            table.add_row(Text(step.step), seen, Text(model))
        for one in report.steps_not_run:
            table.add_row(Text(one.step), Text(f"not run: {one.why}", "yellow"), "")
        console.print()
        console.print(table)
        if report.left_behind:
            console.print(Text(f"left behind: {', '.join(report.left_behind)}", "red"), soft_wrap=True)
        if report.problem:
            console.print(Text(report.problem, "red"), soft_wrap=True)
        end = "everything is destroyed" if report.destroyed_clean else "not everything is known to be destroyed"
        if report.destroyed_clean and not self.begun:
            end = "nothing was deployed"
        diff = "" if report.diff_empty or not report.deployed else "; cdk diff is not empty"
        console.print(f"{report.seconds / 60:.1f} minutes; {end}{diff}")
