"""What a verification would do: which configuration, which steps, for how long, for how much."""

import json
import math
import secrets
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import yaml
from rich.console import Console
from rich.table import Table
from rich.text import Text

from config.loader import Config
from shared.money import shown
from stacks.configuration import configuration
from stacks.costs import idle_units
from stacks.series import Solution
from stacks.shared.billing import read_prices
from tryout.scenario import scenario_of, steps_of
from tryout.steps import Step
from tryout.trial import Trial
from tryout.verify.account import Account, VerifyError

PREFIX = "verify"
TAG = "verify"
"""The tag of everything that a verification deploys; its value is new each time."""
HOURS_A_MONTH = 730

Json = dict[str, Any]


@dataclass(frozen=True)
class Plan:
    """One verification.

    Attributes:
        run: the value of the tag.
        minutes: how long it may take.
        seen: whether that is how long it took last time, and no guess.
    """

    trial: Trial
    config: Config
    run: str
    steps: tuple[Step, ...]
    minutes: int
    seen: bool

    @property
    def played(self) -> list[Step]:
        """The steps that are played in the account."""
        return [step for step in self.steps if not step.emulated]

    @property
    def not_played(self) -> list[Step]:
        """The steps that are not, each with its reason."""
        return [step for step in self.steps if step.emulated]


def planned(solution: Solution, variant: str | None, file: Path, account: Account, state: Path, last: Path) -> Plan:
    """Writes the configuration that is deployed, and says what would be done with it.

    Args:
        state: a folder of its own.
        last: the report of the last verification.

    Raises:
        VerifyError: there is no such variant in an account.
        ConfigError: the configuration cannot be used there.
    """
    scenario = scenario_of(solution.slug)
    chosen = variant or next(iter(scenario.in_account))
    if chosen not in scenario.in_account:
        known = ", ".join(scenario.in_account)
        raise VerifyError(f"{solution.slug} has no variant {chosen!r} for an account; there are: {known}")
    raw = yaml.safe_load(file.read_text(encoding="utf-8")) or {}
    run = secrets.token_hex(4)
    settings = scenario.in_account[chosen]
    folder = state / solution.slug
    folder.mkdir(parents=True)
    text = yaml.safe_dump(changed(raw, solution.slug, settings, account=account, run=run))
    path = folder / "config.yaml"
    path.write_text(text, encoding="utf-8")
    config = configuration(path, lambda _: (solution.slug,), option="CONFIG=FILE")
    trial = Trial(solution.slug, chosen, solution.stack_name(config.common), folder)
    took = _last_time(trial, last)
    minutes = math.ceil(took / 60) if took else scenario.account_minutes
    return Plan(trial, config, run, tuple(steps_of(scenario, chosen, "account")), minutes, bool(took))


def changed(raw: Json, slug: str, settings: Any, *, account: Account, run: str) -> Json:
    """The user's configuration for a stack that stands for minutes, beside whatever is deployed already."""
    common = dict(raw.get("common") or {})
    solutions = raw.get("solutions") or {}
    section = {**(solutions.get(slug) or {}), **json.loads(json.dumps(settings)), "enabled": True}
    return {
        "common": {
            **common,
            "prefix": "-".join(filter(None, (PREFIX, common.get("prefix"))))[:31].rstrip("-"),
            "region": account.region,
            "account": account.account,
            "tags": {**(common.get("tags") or {}), TAG: run},
            # Nothing is to outlive it, and nobody is to be called out of bed.
            "keep_data_on_destroy": False,
            "alarm_topic_arn": None,
        },
        "solutions": {slug: section},
    }


def _last_time(trial: Trial, report: Path) -> float:
    try:
        last = json.loads(report.read_text(encoding="utf-8"))
        same = (last["slug"], last["variant"]) == (trial.slug, trial.variant)
        return float(last["seconds"]) if same and last["ok"] else 0
    except (OSError, ValueError, LookupError):
        return 0


def show(plan: Plan, account: Account, prices_file: Path | None, console: Console) -> None:
    """Prints account, cost, duration, and every step with whether it is played.

    Raises:
        PriceError: the file of prices cannot be used.
    """
    where = f"account {account.account} in {account.region}, as {account.caller.rsplit(':', 1)[-1]}"
    console.print(f"{plan.trial.slug} ({plan.trial.variant}): stack {plan.trial.stack}, {where}", soft_wrap=True)
    took = "as last time" if plan.seen else "a guess: nobody has seen it yet"
    console.print(f"about {plan.minutes} minutes, {took}", soft_wrap=True)
    _show_cost(plan, prices_file, console)
    table = Table("step", "in the account", box=None, header_style="bold", pad_edge=False)
    for step in plan.steps:
        table.add_row(Text(step.title), Text(f"not run: {step.emulated}", "yellow") if step.emulated else "runs")
    console.print()
    console.print(table)


def _show_cost(plan: Plan, prices_file: Path | None, console: Console) -> None:
    hours = math.ceil(plan.minutes / 60)
    units = idle_units(plan.trial.slug, plan.config)
    prices = read_prices(prices_file) if prices_file else {}
    if not units:
        console.print("nothing of it bills by itself; what the steps use is billed", soft_wrap=True)
        return
    table = Table("unit", f"in {hours} h", "of", *(["money"] if prices else []), box=None, pad_edge=False)
    total = Decimal(0)
    for unit in units:
        share = Decimal(hours) / HOURS_A_MONTH
        money = unit.money(prices)
        total += (money or 0) * share
        priced = [] if not prices else ["no price" if money is None else shown(money * share)]
        table.add_row(unit.unit, f"{float(unit.quantity) * float(share):,.3f}", unit.of, *priced)
    console.print(table)
    more = f"{shown(total)} together; " if prices else ""
    console.print(f"{more}what the steps use, and a stack that is forgotten, are billed besides", soft_wrap=True)
