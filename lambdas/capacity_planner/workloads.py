"""What somebody needs, and already owns. No AWS in here."""

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
"""What of a workload may change: everything that an EC2 Instance Savings Plan does not follow."""
REGIONAL_RI, ZONAL_RI, COMPUTE_SP, EC2_SP, ODCR = "regional-ri", "zonal-ri", "compute-sp", "ec2-sp", "odcr"
OWNED = (REGIONAL_RI, ZONAL_RI, COMPUTE_SP, EC2_SP, ODCR)
PLAN_OF = {COMPUTE_SP: COMPUTE, EC2_SP: EC2_INSTANCE}


@dataclass(frozen=True)
class Owned:
    """A reservation or plan that is paid for already.

    Attributes:
        kind: one of OWNED.
        count: instances; of a Savings Plan 0.
        commitment: of a Savings Plan, an hour.
        ends: the day it ends; None: it stays until somebody cancels it.
        zone: of a zonal Reserved Instance or a Capacity Reservation.
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
        hours_a_week: in which the instances run.
        held_hours_a_week: in which a Capacity Reservation would be held.
        months: for which they are needed.
        strict: whether the capacity must be there.
        may_change: what may change within these months, of CHANGES.
        payments: that are possible; max_years: the longest commitment.
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
        """So many of its instances for so many months; in its zones as evenly as they are now."""
        if count == self.count:
            return replace(self, months=months)
        zones = spread(count, list(self.zones)) if self.zones else {}
        return replace(self, count=count, months=months, zones=zones)


def later(day: date, months: int) -> date:
    """The same day so many months later, or the last one of that month."""
    years, month = divmod(day.month - 1 + months, 12)
    year, month = day.year + years, month + 1
    return day.replace(year=year, month=month, day=min(day.day, monthrange(year, month)[1]))


def whole_months(start: date, end: date) -> int:
    """Months from one day to another, begun ones included."""
    months = 12 * (end.year - start.year) + end.month - start.month
    while later(start, months) < end:
        months += 1
    return max(0, months)


def spread(count: int, zones: Sequence[str]) -> dict[str, int]:
    """Instances over zones, as evenly as possible."""
    each, more = divmod(count, len(zones))
    return {zone: each + (number < more) for number, zone in enumerate(zones) if each + (number < more)}
