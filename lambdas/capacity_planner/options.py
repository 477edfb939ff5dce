"""What each way of paying costs, and where one begins to cost less than another. No AWS in here.

Arithmetic of https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/capacity-reservations-pricing-billing.html and
https://docs.aws.amazon.com/savingsplans/latest/userguide/sp-applying.html: a Savings Plan or a regional Reserved
Instance pays for the hours in which instances run, then for the unused hours of a Capacity Reservation; a zonal one
pays for neither.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import NamedTuple

from capacity_planner.prices import (
    ALL,
    COMPUTE,
    EC2_INSTANCE,
    NO_UPFRONT,
    PARTIAL,
    PAYMENTS,
    YEARS,
    Card,
    NoPriceError,
)
from capacity_planner.workloads import Workload
from shared.money import HOURS, at_least

ON_DEMAND, RESERVED = "On-Demand", "ODCR"
WITH_COMPUTE, WITH_EC2 = "ODCR + Compute Savings Plan", "ODCR + EC2 Instance Savings Plan"
WITH_REGIONAL, ZONAL = "ODCR + regional RI", "zonal RI"
KINDS = (ON_DEMAND, RESERVED, WITH_COMPUTE, WITH_EC2, WITH_REGIONAL, ZONAL)
PLANS = {WITH_COMPUTE: COMPUTE, WITH_EC2: EC2_INSTANCE}
COMMITMENT_PLACES = 3
"""Decimal places of a commitment in the console; the API takes five."""
UPFRONT_SHARE = {NO_UPFRONT: Decimal(0), PARTIAL: Decimal("0.5"), ALL: Decimal(1)}
"""Share of a Savings Plan's commitment that is paid upfront; "at least half" of a partial one
(https://docs.aws.amazon.com/savingsplans/latest/userguide/sp-purchase.html)."""
MONTHS = 12
ZERO = Decimal(0)


@dataclass(frozen=True)
class Offer:
    """One way of paying.

    Attributes:
        kind: one of KINDS.
        years, payment: those of the commitment; 0 and empty where there is none.
    """

    kind: str
    years: int = 0
    payment: str = ""

    @property
    def reserves_capacity(self) -> bool:
        """Capacity Reservations and zonal Reserved Instances do; plans and regional Reserved Instances do not."""
        return self.kind != ON_DEMAND

    def __str__(self) -> str:
        terms = f", {self.years} year{'s' if self.years > 1 else ''}, {self.payment}" if self.years else ""
        return self.kind + terms


@dataclass(frozen=True)
class Unpriced:
    """An option that lacks a price.

    Attributes:
        key: the missing price, as a price file names it.
    """

    offer: Offer
    key: str


class Option(NamedTuple):
    """An option with its cost. Nothing in here is rounded.

    Attributes:
        used, unused: the cost in a month of the hours in which instances run, and of those in which none does.
        upfront: paid at the beginning.
        recurring: paid each month after that.
        commitment: a Savings Plan's, in an hour, rounded up so that it covers everything.
        term_cost: cost of the whole term; None without one.
        total: for all months of the workload. After the last whole term another one follows, or Capacity Reservations
            alone, whichever costs less.
        break_even_use: share of the hours above which it costs less than On-Demand Instances; None: at no share.
        break_even_months: months after which the whole term has cost less than Capacity Reservations alone;
            None: never.
    """

    offer: Offer
    used: Decimal
    unused: Decimal
    upfront: Decimal
    recurring: Decimal
    commitment: Decimal | None
    term_cost: Decimal | None
    total: Decimal
    break_even_use: Decimal | None
    break_even_months: Decimal | None

    @property
    def monthly(self) -> Decimal:
        """What a month costs, the upfront payment spread over the term."""
        return self.used + self.unused


def options(workload: Workload, card: Card) -> list[Option | Unpriced]:
    """Every option in the order of KINDS, those without a price included."""
    pricing = _Pricing(workload, card)
    return [pricing.option(offer) for offer in OFFERS]


def _offers() -> Iterator[Offer]:
    yield Offer(ON_DEMAND)
    yield Offer(RESERVED)
    for kind in KINDS[2:]:
        for years in YEARS:
            yield from (Offer(kind, years, payment) for payment in PAYMENTS)


OFFERS = tuple(_offers())
"""Every way of paying."""


class _Pricing:
    """The options of one workload; what all of them share is computed once."""

    def __init__(self, workload: Workload, card: Card) -> None:
        self._months, self._count, self._card = workload.months, workload.count, card
        self._hours = Decimal(workload.count * HOURS)
        self._use, self._unused = workload.use, workload.held - workload.use

    def option(self, offer: Offer) -> Option | Unpriced:
        """One option, or which price it lacks."""
        try:
            if offer.kind == ON_DEMAND:
                return self._without_term(offer, self._used, ZERO)
            if offer.kind == RESERVED:
                return self._without_term(offer, self._used, self._alone - self._used)
            return self._committed(offer)
        except NoPriceError as missing:
            return Unpriced(offer, missing.key)

    @cached_property
    def _full(self) -> Decimal:
        """A month of On-Demand Instances that always run."""
        return self._hours * self._card.used_hour()

    @cached_property
    def _used(self) -> Decimal:
        return self._full * self._use

    @cached_property
    def _alone(self) -> Decimal:
        """A month of Capacity Reservations without any commitment."""
        return self._used + self._hours * self._unused * self._card.unused_hour()

    def _without_term(self, offer: Offer, used: Decimal, unused: Decimal) -> Option:
        monthly = used + unused
        return Option(offer, used, unused, ZERO, monthly, None, None, monthly * self._months, None, None)

    def _committed(self, offer: Offer) -> Option:
        term = MONTHS * offer.years
        upfront, recurring, commitment = self._fees(offer, term)
        term_cost = upfront + recurring * term
        monthly = term_cost / term
        months = term_cost / self._alone
        used = monthly * self._use
        return Option(
            offer,
            used=used,
            unused=monthly - used,
            upfront=upfront,
            recurring=recurring,
            commitment=commitment,
            term_cost=term_cost,
            total=_total(self._months, term, term_cost, self._alone),
            break_even_use=monthly / self._full if monthly < self._full else None,
            break_even_months=months if months < term else None,
        )

    def _fees(self, offer: Offer, term: int) -> tuple[Decimal, Decimal, Decimal | None]:
        """The upfront payment, the monthly payment, and the hourly commitment."""
        if offer.kind in PLANS:
            rate = self._card.plan_hour(PLANS[offer.kind], offer.years, offer.payment)
            monthly, share = self._hours * rate, UPFRONT_SHARE[offer.payment]
            return (
                monthly * term * share,
                monthly * (1 - share),
                at_least(self._count * rate, COMMITMENT_PLACES),
            )
        fee = self._card.fee(offer.years, offer.payment)
        return self._count * fee.upfront, self._hours * fee.hourly, None


def _total(months: int, term: int, term_cost: Decimal, alone: Decimal) -> Decimal:
    terms, rest = divmod(months, term)
    if not terms:
        return term_cost
    return terms * term_cost + min(term_cost, alone * rest)
