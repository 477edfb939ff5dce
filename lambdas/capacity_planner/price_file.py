"""A price file: its price cards, or everything that is wrong with it at once. No AWS in here."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from capacity_planner.prices import CURRENCIES, PAYMENTS, PLANS, YEARS, Card, Fee, Prices
from capacity_planner.reading import a_day, money
from capacity_planner.shapes import PLATFORMS, TENANCIES, Shape


class PricesError(ValueError):
    """A price file cannot be used; one problem a line."""


def read_prices(data: object) -> Prices:
    """The prices of a file: a mapping read from YAML or JSON, with numbers as text or exact.

    Raises:
        PricesError: something is wrong with it; all problems at once.
    """
    if not isinstance(data, dict):
        raise PricesError("must be a mapping with currency, date, source and prices")
    problems: list[str] = []
    cards: dict[Shape, Card] = {}
    problems += [f"{key}: unknown key" for key in data if key not in ("currency", "date", "source", "prices")]
    currency = data.get("currency")
    if currency not in CURRENCIES:
        problems.append(f"currency: must be one of {', '.join(CURRENCIES)}, got {currency!r}")
    read_on = a_day(data.get("date"))
    if read_on is None:
        problems.append(f"date: must be the day the prices were read, such as 2026-11-01, got {data.get('date')!r}")
    entries = data.get("prices")
    if not isinstance(entries, list):
        problems.append("prices: must be a list of price cards")
        entries = []
    for index, entry in enumerate(entries):
        card, wrong = _card(entry)
        problems += [f"prices.{index}.{each}" for each in wrong]
        if card is not None:
            if card.shape in cards:
                problems.append(f"prices.{index}: {card.shape} already has a card; keep one")
            cards[card.shape] = card
    if problems or read_on is None:
        raise PricesError("\n".join(problems))
    return Prices(str(currency), read_on, str(data.get("source") or "a price file"), cards)


def _card(entry: object) -> tuple[Card | None, list[str]]:
    if not isinstance(entry, dict):
        return None, ["type: must be a mapping with type, region and prices"]
    known = {"type", "platform", "tenancy", "region", "on_demand", "unused_reservation", "savings_plans", "reserved"}
    problems = [f"{key}: unknown key" for key in entry if key not in known]
    kind, region = entry.get("type"), entry.get("region")
    problems += [f"{key}: must be given" for key in ("type", "region") if not isinstance(entry.get(key), str)]
    platform, tenancy = entry.get("platform", "Linux/UNIX"), entry.get("tenancy", "default")
    operation = PLATFORMS.get(str(platform), str(platform))
    if not operation.startswith("RunInstances"):
        problems.append(f"platform: must be an EC2 platform such as Linux/UNIX or Windows, got {platform!r}")
    if tenancy not in TENANCIES:
        problems.append(f"tenancy: must be default or dedicated, got {tenancy!r}")
    money = {key: _price(entry[key], key, problems) for key in ("on_demand", "unused_reservation") if key in entry}
    plans: dict[tuple[str, int, str], Decimal] = {}
    for plan, terms in _mapping(entry.get("savings_plans"), "savings_plans", problems):
        if plan not in PLANS:
            problems.append(f"savings_plans.{plan}: must be compute or ec2-instance")
            continue
        for years, payment, where, value in _terms(terms, f"savings_plans.{plan}", problems):
            if (rate := _price(value, where, problems)) is not None:
                plans[plan, years, payment] = rate
    reserved: dict[tuple[int, str], Fee] = {}
    for years, payment, where, value in _terms(entry.get("reserved"), "reserved", problems):
        parts = {
            key: _price(found, f"{where}.{key}", problems, may_be_0=True)
            for key, found in _mapping(value, where, problems)
        }
        if {*parts} != {"upfront", "hourly"}:
            problems.append(f"{where}: must have upfront and hourly")
        elif parts["upfront"] is not None and parts["hourly"] is not None:
            reserved[years, payment] = Fee(parts["upfront"], parts["hourly"])
    if problems:
        return None, problems
    shape = Shape(str(kind), str(region), operation, str(tenancy))
    return Card(shape, money.get("on_demand"), money.get("unused_reservation"), plans, reserved), []


def _terms(value: object, where: str, problems: list[str]) -> Iterator[tuple[int, str, str, object]]:
    """Years, payment, their path in the file, and the value there."""
    for years, payments in _mapping(value, where, problems):
        if str(years) not in map(str, YEARS):
            problems.append(f"{where}.{years}: must be 1 or 3 years")
            continue
        for payment, found in _mapping(payments, f"{where}.{years}", problems):
            if payment not in PAYMENTS:
                problems.append(f"{where}.{years}.{payment}: must be one of {', '.join(PAYMENTS)}")
            else:
                yield int(str(years)), str(payment), f"{where}.{years}.{payment}", found


def _mapping(value: object, where: str, problems: list[str]) -> Iterator[tuple[Any, object]]:
    if isinstance(value, dict):
        yield from value.items()
    elif value is not None:
        problems.append(f"{where}: must be a mapping, got {value!r}")


def _price(value: object, where: str, problems: list[str], *, may_be_0: bool = False) -> Decimal | None:
    try:
        found = money(value)
    except ValueError as error:
        problems.append(f"{where}: {error}")
        return None
    if not found and not may_be_0:
        problems.append(f"{where}: must be above 0, got {value}; leave it out where there is no price")
        return None
    return found
