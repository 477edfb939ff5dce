"""Prices by shape: what a price file says, what was read from AWS, and what neither has. No AWS in here."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from capacity_planner.shapes import PLATFORMS, TENANCIES, Shape
from shared.money import amount, plain

Json = dict[str, Any]
NO_UPFRONT, PARTIAL, ALL = "No Upfront", "Partial Upfront", "All Upfront"
PAYMENTS = (NO_UPFRONT, PARTIAL, ALL)
COMPUTE, EC2_INSTANCE = "compute", "ec2-instance"
PLANS = (COMPUTE, EC2_INSTANCE)
YEARS = (1, 3)
HOURS_A_YEAR = 8_760
CURRENCIES = ("USD", "CNY", "EUR")


class NoPriceError(LookupError):
    """There is no price, and so no answer.

    Attributes:
        key: which one, as a price file names it.
    """

    def __init__(self, key: str) -> None:
        super().__init__(f"no price of {key}")
        self.key = key


class PricesError(ValueError):
    """What should hold prices cannot be used; one problem a line."""


@dataclass(frozen=True)
class Fee:
    """What a Reserved Instance costs: once, and each hour whether it is used or not."""

    upfront: Decimal
    hourly: Decimal

    def effective(self, years: int) -> Decimal:
        """Both as one price of an hour."""
        return self.hourly + self.upfront / (HOURS_A_YEAR * years)


@dataclass(frozen=True)
class Card:
    """All prices of one shape, those of an hour; what has no price is not in it.

    Attributes:
        unused: an hour of an On-Demand Capacity Reservation in which no instance ran.
        plans: effective rates by plan, years and payment.
        reserved: Reserved Instances by years and payment; regional and zonal ones have one price.
    """

    shape: Shape
    on_demand: Decimal | None = None
    unused: Decimal | None = None
    plans: Mapping[tuple[str, int, str], Decimal] = field(default_factory=dict)
    reserved: Mapping[tuple[int, str], Fee] = field(default_factory=dict)

    def used_hour(self) -> Decimal:
        """On-Demand.

        Raises:
            NoPriceError: there is none.
        """
        return self._known(self.on_demand, "on_demand")

    def unused_hour(self) -> Decimal:
        """An unused hour of a reservation.

        Raises:
            NoPriceError: there is none.
        """
        return self._known(self.unused, "unused_reservation")

    def plan_hour(self, plan: str, years: int, payment: str) -> Decimal:
        """A Savings Plan's rate.

        Raises:
            NoPriceError: there is none.
        """
        return self._known(self.plans.get((plan, years, payment)), f"savings_plans.{plan}.{years}.{payment}")

    def fee(self, years: int, payment: str) -> Fee:
        """Of a Reserved Instance.

        Raises:
            NoPriceError: there is none.
        """
        found = self.reserved.get((years, payment))
        if found is None:
            raise NoPriceError(f"{self.shape}: reserved.{years}.{payment}")
        return found

    def _known(self, price: Decimal | None, name: str) -> Decimal:
        if price is None:
            raise NoPriceError(f"{self.shape}: {name}")
        return price

    def to_json(self) -> Json:
        """As it stands in a price file."""
        plans: Json = {}
        for (plan, years, payment), rate in sorted(self.plans.items()):
            plans.setdefault(plan, {}).setdefault(str(years), {})[payment] = plain(rate)
        reserved: Json = {}
        for (years, payment), fee in sorted(self.reserved.items()):
            told = {"upfront": plain(fee.upfront), "hourly": plain(fee.hourly)}
            reserved.setdefault(str(years), {})[payment] = told
        shape = self.shape
        return {
            "type": shape.instance_type,
            "platform": shape.platform,
            "tenancy": shape.tenancy,
            "region": shape.region,
            **({"on_demand": plain(self.on_demand)} if self.on_demand is not None else {}),
            **({"unused_reservation": plain(self.unused)} if self.unused is not None else {}),
            "savings_plans": plans,
            "reserved": reserved,
        }


@dataclass(frozen=True)
class Prices:
    """Price cards, and where they are from.

    Attributes:
        read_on: when they were read; prices that are old look old.
    """

    currency: str
    read_on: date
    source: str
    cards: Mapping[Shape, Card] = field(default_factory=dict)

    def card(self, shape: Shape) -> Card:
        """The card of a shape; an empty one if there is none, so that the first price that is asked of it is named."""
        return self.cards.get(shape, Card(shape))

    def with_cards(self, cards: Mapping[Shape, Card]) -> "Prices":
        """The same with more cards."""
        return Prices(self.currency, self.read_on, self.source, {**self.cards, **cards})

    def said(self, today: date) -> str:
        """Where they are from, in a sentence."""
        days = (today - self.read_on).days
        old = f", {days} days ago" if days > 0 else ""
        return f"Prices in {self.currency} from {self.source}, read on {self.read_on}{old}."

    def to_json(self) -> Json:
        """A price file."""
        return {
            "currency": self.currency,
            "date": self.read_on.isoformat(),
            "source": self.source,
            "prices": [self.cards[shape].to_json() for shape in sorted(self.cards)],
        }


# --- reading a price file ---------------------------------------------------------------------------------------------


def read_prices(data: object) -> Prices:
    """The prices of a file: a mapping as YAML or JSON has it, numbers as text or exact.

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
    read_on = _date(data.get("date"))
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
                problems.append(f"prices.{index}: {card.shape} has a card already; keep one")
            cards[card.shape] = card
    if problems or read_on is None:
        raise PricesError("\n".join(problems))
    return Prices(str(currency), read_on, str(data.get("source") or "a price file"), cards)


def _date(value: object) -> date | None:
    if isinstance(value, date):
        return value
    try:
        return date.fromisoformat(str(value))
    except ValueError:
        return None


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
        problems.append(f"platform: must be a platform of EC2 such as Linux/UNIX or Windows, got {platform!r}")
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
    """Years and payment, the way to them, and what stands there."""
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
        found = amount(value)
    except ValueError as error:
        problems.append(f"{where}: {error}")
        return None
    if not found and not may_be_0:
        problems.append(f"{where}: must be above 0, got {value}; leave it out where there is no price")
        return None
    return found
