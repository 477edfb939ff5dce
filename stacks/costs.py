"""What an idle month bills, of one solution or of all, in units or in money."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from decimal import Decimal
from pathlib import Path
from typing import Any

from rich.table import Table

from config.loader import Config
from shared.money import shown
from stacks.catalog import commands_of
from stacks.shared.billing import BillingUnit, read_prices
from stacks.shared.printing import console, print_wide

NOTE = "For a month without load; usage is billed in addition."
Prices = Mapping[str, Decimal]


def of_one(slug: str, config: Config, prices_file: Path | None, *, as_json: bool) -> None:
    """Prints the units of a solution; a module ``commands`` may name in ``COST_NOTE`` what comes in addition."""
    units, prices = idle_units(slug, config), _prices(prices_file)
    if as_json:
        print(json.dumps({"solution": slug, "idle_month": _rows(units, prices)}, indent=2, default=float))
        return
    if units:
        print_wide(_table(units, prices))
        _total(units, prices)
    else:
        console.print("Nothing bills by itself.")
    console.print(getattr(commands_of(slug), "COST_NOTE", NOTE), style="dim")


def of_all(config: Config, prices_file: Path | None, *, as_json: bool) -> None:
    """Prints the units of every enabled solution."""
    prices = _prices(prices_file)
    billed = {slug: idle_units(slug, config) for slug, settings in config.solutions.items() if settings.enabled}
    if as_json:
        data = [{"solution": slug, "idle_month": _rows(units, prices)} for slug, units in billed.items()]
        print(json.dumps(data, indent=2, default=float))
        return
    for slug, units in billed.items():
        console.print(slug, style="bold")
        if units:
            print_wide(_table(units, prices))
        else:
            console.print(" nothing bills by itself")
        console.print()
    _total([unit for units in billed.values() for unit in units], prices)
    console.print(NOTE, style="dim")


def price_file(config: Config, *, as_json: bool) -> None:
    """Prints a price file of all units that lacks the prices."""
    used: dict[str, list[str]] = {}
    for slug, settings in config.solutions.items():
        if settings.enabled:
            for name in dict.fromkeys(unit.unit for unit in idle_units(slug, config)):
                used.setdefault(name, []).append(slug)
    if as_json:
        print(json.dumps(used, indent=2))
        return
    print("# Price of one of each unit, in your currency: python -m stacks cost --all --prices FILE")
    for name in sorted(used):
        print(f"{name}:  # {', '.join(used[name])}")


def idle_units(slug: str, config: Config) -> list[BillingUnit]:
    """What a solution bills in an idle month."""
    return [unit for unit in commands_of(slug).idle_month(config.common, config.solutions[slug]) if unit.quantity]


def _prices(path: Path | None) -> Prices:
    return read_prices(path) if path else {}


def _rows(units: Sequence[BillingUnit], prices: Prices) -> list[dict[str, Any]]:
    return [{**asdict(unit), **({"money": _number(unit.money(prices))} if prices else {})} for unit in units]


def _number(money: Decimal | None) -> float | None:
    """For programs: a number as it was before, of the exact product."""
    return None if money is None else float(money)


def _table(units: Sequence[BillingUnit], prices: Prices) -> Table:
    table = Table("unit", "a month", "of", *(["money"] if prices else []), box=None)
    for unit in units:
        money = unit.money(prices)
        priced = [] if not prices else ["no price" if money is None else shown(money)]
        table.add_row(unit.unit, f"{unit.quantity:,.0f}", unit.of, *priced)
    return table


def _total(units: Sequence[BillingUnit], prices: Prices) -> None:
    if prices:
        known = [money for unit in units if (money := unit.money(prices)) is not None]
        console.print(
            f"\n{shown(sum(known, Decimal(0)))} a month, for the {len(known)} of {len(units)} rows that have a price"
        )
    else:
        console.print("\nTo get amounts, supply a price file: --prices FILE, with lines of 'unit: price'.", style="dim")
