"""What the site says of every solution, from the code and the files that commands of the repository write."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

from config.loader import Config
from stacks.configuration import configuration
from stacks.costs import idle_units
from stacks.series import Solution
from stacks.shared.billing import BillingUnit
from website.page import ROOT
from website.reference import SHARED

CostClass = Literal["nothing while idle", "small monthly items", "by the hour"]
EVIDENCE = ROOT / "docs" / "evidence.json"
CONFIG = ROOT / "config" / "config.yaml"
LEVELS: Mapping[str, str] = {
    "real-code": "delivered code",
    "emulated": "emulated",
    "our-model": "modelled",
    "recorded": "recorded",
}
"""What a step rests on, by its name in the report."""
_SAYS = re.compile(r"(.*)\. What to do: \S+#([\w-]+)", re.DOTALL)
_ABOVE = {"GreaterThanThreshold": "above", "GreaterThanOrEqualToThreshold": "at least", "LessThanThreshold": "below"}


@dataclass(frozen=True)
class Alarm:
    """An alarm of a template.

    Attributes:
        says: what has happened.
        anchor: of its runbook.
        fires: when, in words.
    """

    says: str
    anchor: str
    fires: str


@dataclass(frozen=True)
class Tried:
    """A variant that ``make try`` has tried; the attributes are those of docs/evidence.json."""

    variant: str
    found: Mapping[str, Any]

    @property
    def passed(self) -> int:
        """Steps that passed."""
        return len(self.found["steps"])


@cache
def shipped() -> Config:
    """The configuration of the repository, whose values are the defaults."""
    return configuration(CONFIG)


@cache
def billed(slug: str) -> tuple[BillingUnit, ...]:
    """What an idle month bills with the defaults."""
    return tuple(idle_units(slug, shipped()))


def cost_class(slug: str) -> CostClass:
    """How the idle month of the defaults is billed."""
    units = billed(slug)
    if any("hour" in unit.unit for unit in units):
        return "by the hour"
    return "small monthly items" if units else "nothing while idle"


def needs(solution: Solution) -> list[str]:
    """What an account must have that not every account has."""
    found = [f"an {name}" for name in ("Outpost",) if "Outposts" in solution.services]
    found += ["a Local Zone"] if "Local Zones" in solution.services else []
    found += ["an organization"] if solution.accounts == "one organization" else []
    return found or ["nothing special"]


@cache
def tried(slug: str) -> tuple[Tried, ...]:
    """The variants of a solution that the checked-in evidence has."""
    if not EVIDENCE.exists():
        return ()
    found = json.loads(EVIDENCE.read_text(encoding="utf-8")).get(slug, {})
    return tuple(Tried(variant, one) for variant, one in found.items())


@cache
def alarms(slug: str) -> tuple[Alarm, ...]:
    """Every alarm of every variant, each sentence once, from the templates that tests keep."""
    found: dict[tuple[str, str], Alarm] = {}
    for template in templates(slug).values():
        for resource in template["Resources"].values():
            if resource["Type"] == "AWS::CloudWatch::Alarm":
                properties = resource["Properties"]
                if said := _SAYS.match(properties["AlarmDescription"]):
                    found.setdefault((said[1], said[2]), Alarm(said[1], said[2], _fires(properties)))
    return tuple(found.values())


@cache
def templates(slug: str) -> Mapping[str, Any]:
    """The templates that tests compare with, by variant; the default first."""
    folder = ROOT / "tests" / "solutions" / slug / "__snapshots__" / "test_stack"
    found = {path.stem.partition("[")[2].rstrip("]"): path for path in sorted(folder.glob("test_template*.json"))}
    names = sorted(found, key=lambda name: (name != "default", name))
    return {name: json.loads(found[name].read_text(encoding="utf-8")) for name in names}


def unconfirmed(slug: str) -> str:
    """The table of what only an account can confirm."""
    text = (ROOT / "stacks" / slug / "unconfirmed.md").read_text(encoding="utf-8")
    return text.split("\n", 2)[2].strip()


def open_questions(slug: str) -> int:
    """How many rows that table has."""
    return sum(line.startswith("|") for line in unconfirmed(slug).splitlines()) - 2


def refusals(slug: str) -> Iterator[tuple[str, str]]:
    """Key and message of every faulty configuration that the tests of the section keep."""
    shared = slug in SHARED
    folder = ROOT / "tests" / ("config" if shared else f"solutions/{slug}") / "bad_config"
    section = slug if shared else f"solutions.{slug}"
    for path in sorted(folder.glob("*.txt")):
        for line in path.read_text(encoding="utf-8").splitlines():
            if found := re.match(rf"\s+\S+?:\d+: {re.escape(section)}\.?(\S*?)(?:, [^:]*)?: (.*)", line):
                yield found[1], found[2]


def _fires(properties: Mapping[str, Any]) -> str:
    operator = _ABOVE.get(properties["ComparisonOperator"], properties["ComparisonOperator"])
    points = properties["EvaluationPeriods"]
    seconds = properties.get("Period") or next(
        (
            found
            for metric in properties.get("Metrics", [])
            if (found := metric.get("Period") or metric.get("MetricStat", {}).get("Period"))
        ),
        60,
    )
    name = properties.get("MetricName")
    of = f"`{name}`" if isinstance(name, str) else "an expression"
    return f"{of} {operator} {properties['Threshold']:g}, {_during(points, seconds)}"


def _during(points: int, seconds: int) -> str:
    length = f"{seconds} s" if seconds % 60 else f"{seconds // 60} min"
    if seconds % 3600 == 0:
        length = f"{seconds // 3600} h"
    return f"one period of {length}" if points == 1 else f"{points} periods of {length}"
