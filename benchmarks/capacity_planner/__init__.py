"""The plan of ever more workloads: time against their number, from the file's text to the answer's JSON."""

import json
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import yaml

from benchmarks.growth import Growing, Ran, timed
from capacity_planner.planning import plan
from capacity_planner.prices import PAYMENTS, PLANS, YEARS, Card, Fee, Prices
from capacity_planner.shapes import Shape
from capacity_planner.workload_file import read_workloads

TODAY = date(2026, 11, 25)
REGION, SIZES = "us-east-1", ("large", "xlarge", "2xlarge", "4xlarge")


def prices() -> Prices:
    """Every price of four types, so that no option is left out."""
    found = {}
    for number, size in enumerate(SIZES):
        shape, price = Shape(f"m5.{size}", REGION), Decimal("0.1") * 2**number
        plans = {(kind, years, payment): price * 6 / 10 for kind in PLANS for years in YEARS for payment in PAYMENTS}
        reserved = {(years, payment): Fee(price * 1_000, price / 5) for years in YEARS for payment in PAYMENTS}
        found[shape] = Card(shape, price, price, plans, reserved)
    return replace(Prices("USD", TODAY, "invented numbers"), cards=found)


def workloads(count: int) -> str:
    """A file of so many workloads, a third of which own something."""
    entries: list[dict[str, Any]] = [
        {
            "name": f"workload-{number}",
            "type": f"m5.{SIZES[number % len(SIZES)]}",
            "count": 1 + number % 50,
            "hours_a_week": 1 + number % 168,
            "months": 1 + number % 60,
            "strict": number % 2 == 0,
            "may_change": ["family"] if number % 5 == 0 else [],
            "owned": [{"kind": "regional-ri", "count": 1, "ends": "2027-06-30"}] if number % 3 == 0 else [],
        }
        for number in range(count)
    ]
    return json.dumps({"region": REGION, "workloads": entries})


def planned(text: str, known: Prices) -> int:
    """Reads a file, plans it, and writes the answer; how many recommendations there are."""
    found = plan(read_workloads(yaml.load(text, Loader=yaml.CSafeLoader)), known, TODAY).to_json()
    return json.dumps(found).count('"recommended": {')


def run(count: int) -> Ran:
    """Plans a file of so many workloads."""
    known, text = prices(), workloads(count)
    return timed(lambda: planned(text, known))


GROWING = Growing("capacity_planner", "workloads", "recommendations", (250, 500, 1_000), run)
