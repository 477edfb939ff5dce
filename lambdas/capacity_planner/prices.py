"""Prices by shape, known and missing. No AWS in here."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from capacity_planner.shapes import Shape
from shared.money import plain

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
        key: the missing price, as a price file names it.
    """

    def __init__(self, key: str) -> None:
        super().__init__(f"no price for {key}")
        self.key = key


@dataclass(frozen=True)
class Fee:
    """What a Reserved Instance costs: upfront, and each hour whether it is used or not."""

    upfront: Decimal
    hourly: Decimal

    def effective(self, years: int) -> Decimal:
        """Both as one price of an hour."""
        return self.hourly + self.upfront / (HOURS_A_YEAR * years)


@dataclass(frozen=True)
class Card:
    """All prices of one shape, by the hour; what has no price is left out.

    Attributes:
        unused: price of an hour of an On-Demand Capacity Reservation in which no instance ran.
        plans: effective rates by plan, years and payment.
        reserved: Reserved Instances by years and payment; regional and zonal ones have one price.
    """

    shape: Shape
    on_demand: Decimal | None = None
    unused: Decimal | None = None
    plans: Mapping[tuple[str, int, str], Decimal] = field(default_factory=dict)
    reserved: Mapping[tuple[int, str], Fee] = field(default_factory=dict)

    def used_hour(self) -> Decimal:
        """The On-Demand price.

        Raises:
            NoPriceError: there is none.
        """
        return self._known(self.on_demand, "on_demand")

    def unused_hour(self) -> Decimal:
        """The price of an unused hour of a reservation.

        Raises:
            NoPriceError: there is none.
        """
        return self._known(self.unused, "unused_reservation")

    def plan_hour(self, plan: str, years: int, payment: str) -> Decimal:
        """A Savings Plan's rate.

        Raises:
            NoPriceError: there is none.
        """
        return self._known(self.plans.get((plan, years, payment)), "savings_plans", plan, years, payment)

    def fee(self, years: int, payment: str) -> Fee:
        """The fee of a Reserved Instance.

        Raises:
            NoPriceError: there is none.
        """
        found = self.reserved.get((years, payment))
        if found is None:
            raise NoPriceError(f"{self.shape}: reserved.{years}.{payment}")
        return found

    def _known(self, price: Decimal | None, *name: object) -> Decimal:
        if price is None:
            raise NoPriceError(f"{self.shape}: {'.'.join(map(str, name))}")
        return price

    def to_json(self) -> Json:
        """The card as a price file holds it."""
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
    """Price cards and their source.

    Attributes:
        read_on: the day they were read, so that old prices show their age.
    """

    currency: str
    read_on: date
    source: str
    cards: Mapping[Shape, Card] = field(default_factory=dict)

    def card(self, shape: Shape) -> Card:
        """The card of a shape; an empty one if there is none, so that the first missing price is named."""
        return self.cards.get(shape, Card(shape))

    def with_cards(self, cards: Mapping[Shape, Card]) -> "Prices":
        """The same with more cards."""
        return Prices(self.currency, self.read_on, self.source, {**self.cards, **cards})

    def said(self, today: date) -> str:
        """Their source and date, in a sentence."""
        days = (today - self.read_on).days
        old = f", {days} day{'s' if days > 1 else ''} ago" if days > 0 else ""
        return f"Prices in {self.currency} from {self.source}, read on {self.read_on}{old}."

    def to_json(self) -> Json:
        """The prices as a price file."""
        return {
            "currency": self.currency,
            "date": self.read_on.isoformat(),
            "source": self.source,
            "prices": [self.cards[shape].to_json() for shape in sorted(self.cards)],
        }
