"""The instances that are needed, and what is already owned for them. No AWS in here."""

from calendar import monthrange
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from capacity_planner.prices import COMPUTE, EC2_INSTANCE, PAYMENTS
from capacity_planner.shapes import Shape

HOURS_A_WEEK = 168
MOST_INSTANCES = 100_000
CHANGES = ("family", "region", "fargate", "lambda")
"""What may change in a workload: everything that an EC2 Instance Savings Plan does not follow."""
REGIONAL_RI, ZONAL_RI, COMPUTE_SP, EC2_SP, ODCR = "regional-ri", "zonal-ri", "compute-sp", "ec2-sp", "odcr"
OWNED = (REGIONAL_RI, ZONAL_RI, COMPUTE_SP, EC2_SP, ODCR)
PLAN_OF = {COMPUTE_SP: COMPUTE, EC2_SP: EC2_INSTANCE}


@dataclass(frozen=True)
class Owned:
    """A reservation or plan that is owned.

    Attributes:
        kind: one of OWNED.
        count: instances; 0 for a Savings Plan.
        commitment: a Savings Plan's, in an hour.
        ends: the day it ends; None: it stays until it is cancelled.
        zone: that of a zonal Reserved Instance or a Capacity Reservation.
    """

    kind: str
    count: int = 0
    commitment: Decimal = Decimal(0)
    ends: date | None = None
    zone: str | None = None
    name: str = ""

    def __str__(self) -> str:
        what = {
            REGIONAL_RI: f"{self.count} regional Reserved Instances",
            ZONAL_RI: f"{self.count} zonal Reserved Instances",
            COMPUTE_SP: f"a Compute Savings Plan of {self.commitment} an hour",
            EC2_SP: f"an EC2 Instance Savings Plan of {self.commitment} an hour",
            ODCR: f"On-Demand Capacity Reservations of {self.count} instances",
        }[self.kind]
        return what + (f" ({self.name})" if self.name else "")


@dataclass(frozen=True)
class Workload:
    """Instances of one shape that are needed together.

    Attributes:
        zones: instances in each zone; empty: anywhere in the Region.
        hours_a_week: hours in which the instances run.
        held_hours_a_week: hours in which a Capacity Reservation would be held.
        months: months for which they are needed.
        strict: whether the capacity must be reserved.
        may_change: which of CHANGES may happen within these months.
        payments: the possible payment options; max_years: the longest commitment.
    """

    name: str
    shape: Shape
    count: int
    zones: Mapping[str, int]
    hours_a_week: Decimal = Decimal(HOURS_A_WEEK)
    held_hours_a_week: Decimal = Decimal(HOURS_A_WEEK)
    months: int = 12
    strict: bool = True
    may_change: Sequence[str] = ()
    payments: Sequence[str] = PAYMENTS
    max_years: int = 3
    owned: Sequence[Owned] = ()

    @property
    def use(self) -> Decimal:
        """Share of all hours in which the instances run."""
        return self.hours_a_week / HOURS_A_WEEK

    @property
    def held(self) -> Decimal:
        """Share of all hours in which a Capacity Reservation is held."""
        return self.held_hours_a_week / HOURS_A_WEEK

    def part(self, count: int, months: int) -> "Workload":
        """This number of its instances for this number of months, spread over its zones as evenly as now."""
        if count == self.count:
            return replace(self, months=months)
        zones = spread(count, list(self.zones)) if self.zones else {}
        return replace(self, count=count, months=months, zones=zones)


def later(day: date, months: int) -> date:
    """The same day this number of months later, or the last day of that month."""
    years, month = divmod(day.month - 1 + months, 12)
    year, month = day.year + years, month + 1
    return day.replace(year=year, month=month, day=min(day.day, monthrange(year, month)[1]))


def whole_months(start: date, end: date) -> int:
    """Months from one day to another; a begun month counts."""
    months = 12 * (end.year - start.year) + end.month - start.month
    while later(start, months) < end:
        months += 1
    return max(0, months)


def spread(count: int, zones: Sequence[str]) -> dict[str, int]:
    """Instances over zones, as evenly as possible."""
    each, more = divmod(count, len(zones))
    return {zone: each + (number < more) for number, zone in enumerate(zones) if each + (number < more)}
