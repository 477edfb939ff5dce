"""What somebody needs, and already owns: the workloads of a file, checked. No AWS in here."""

from calendar import monthrange
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any

from capacity_planner.prices import COMPUTE, EC2_INSTANCE, PAYMENTS
from capacity_planner.shapes import PLATFORMS, TENANCIES, Shape
from shared.money import amount

HOURS_A_WEEK = 168
MOST_INSTANCES = 100_000
CHANGES = ("family", "region", "fargate", "lambda")
"""What of a workload may change: everything that an EC2 Instance Savings Plan does not follow."""
REGIONAL_RI, ZONAL_RI, COMPUTE_SP, EC2_SP, ODCR = "regional-ri", "zonal-ri", "compute-sp", "ec2-sp", "odcr"
OWNED = (REGIONAL_RI, ZONAL_RI, COMPUTE_SP, EC2_SP, ODCR)
PLAN_OF = {COMPUTE_SP: COMPUTE, EC2_SP: EC2_INSTANCE}


class WorkloadsError(ValueError):
    """A file of workloads cannot be used; one problem a line."""


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
        zones = _spread(count, list(self.zones)) if self.zones else {}
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


def _spread(count: int, zones: Sequence[str]) -> dict[str, int]:
    each, more = divmod(count, len(zones))
    return {zone: each + (number < more) for number, zone in enumerate(zones) if each + (number < more)}


# --- reading a file ---------------------------------------------------------------------------------------------------

_KEYS = {
    "name", "type", "platform", "tenancy", "region", "count", "zones", "hours_a_week", "held_hours_a_week",
    "months", "strict", "may_change", "payments", "max_years", "owned",
}  # fmt: skip


def read_workloads(data: object, region: str | None = None) -> list[Workload]:
    """The workloads of a file: a mapping as YAML or JSON has it.

    Args:
        region: of workloads that name none, where the file does not either.

    Raises:
        WorkloadsError: something is wrong with it; all problems at once.
    """
    if not isinstance(data, dict) or not isinstance(data.get("workloads"), list) or not data["workloads"]:
        raise WorkloadsError("must be a mapping with a list of workloads")
    problems = [f"{key}: unknown key" for key in data if key not in ("region", "workloads")]
    found: list[Workload] = []
    for index, entry in enumerate(data["workloads"]):
        reader = _Reader(entry if isinstance(entry, dict) else {}, f"workloads.{index}", data.get("region", region))
        if not isinstance(entry, dict):
            reader.wrong("name", "must be a mapping with name, type and count")
        else:
            read = reader.workload()
            if any(read.name == other.name for other in found):
                reader.wrong("name", f"must not be there twice, got {read.name!r}")
            found.append(read)
        problems += reader.problems
    if problems:
        raise WorkloadsError("\n".join(problems))
    return found


class _Reader:
    """Reads one mapping, and notes what is wrong with it."""

    def __init__(self, entry: Mapping[str, Any], where: str, region: object) -> None:
        self._entry, self._where, self._region = entry, where, region
        self.problems: list[str] = []

    def wrong(self, key: str, message: str) -> None:
        """Notes a problem."""
        self.problems.append(f"{self._where}.{key}: {message}")

    def workload(self) -> Workload:
        """A workload; what is wrong has some value and a problem."""
        for key in self._entry:
            if key not in _KEYS:
                self.wrong(str(key), "unknown key")
        shape = Shape(
            self._text("type"), self._text("region", self._region), self._platform(), self._choice("tenancy", TENANCIES)
        )
        count = self._whole("count", 1, MOST_INSTANCES)
        hours = self._hours("hours_a_week", Decimal(HOURS_A_WEEK))
        held = self._hours("held_hours_a_week", Decimal(HOURS_A_WEEK))
        if held < hours:
            self.wrong("held_hours_a_week", f"must be at least hours_a_week, which is {hours}, got {held}")
        strict = self._entry.get("strict", True)
        if not isinstance(strict, bool):
            self.wrong("strict", f"must be true or false, got {strict!r}")
        years = self._whole("max_years", 1, 3, 3)
        if years == 2:
            self.wrong("max_years", "must be 1 or 3, got 2")
        return Workload(
            name=self._text("name"),
            shape=shape,
            count=count,
            zones=self._zones(count, shape.region),
            hours_a_week=hours,
            held_hours_a_week=held,
            months=self._whole("months", 1, 120, 12),
            strict=bool(strict),
            may_change=self._several("may_change", CHANGES, ()),
            payments=self._several("payments", PAYMENTS, PAYMENTS),
            max_years=years,
            owned=tuple(self._owned()),
        )

    def _text(self, key: str, default: object = None) -> str:
        found = self._entry.get(key, default)
        if not isinstance(found, str) or not found:
            self.wrong(key, "must be given" if found is None else f"must be a text, got {found!r}")
        return str(found)

    def _choice(self, key: str, known: Sequence[str]) -> str:
        found = self._entry.get(key, known[0])
        if found not in known:
            self.wrong(key, f"must be one of {', '.join(known)}, got {found!r}")
        return str(found)

    def _platform(self) -> str:
        return PLATFORMS.get(self._choice("platform", list(PLATFORMS)), "RunInstances")

    def _several(self, key: str, known: Sequence[str], default: Sequence[str]) -> tuple[str, ...]:
        found = self._entry.get(key, list(default))
        if not isinstance(found, list) or not {*map(str, found)} <= {*known}:
            self.wrong(key, f"must be a list of {', '.join(known)}, got {found!r}")
            return tuple(default)
        if not found and default:
            self.wrong(key, f"must name at least one of {', '.join(known)}")
        return tuple(map(str, found))

    def _whole(self, key: str, least: int, most: int, default: int | None = None) -> int:
        found = self._entry.get(key, default)
        if isinstance(found, bool) or not isinstance(found, int) or not least <= found <= most:
            self.wrong(key, f"must be a whole number from {least} to {most}, got {found!r}")
            return least
        return found

    def _hours(self, key: str, default: Decimal) -> Decimal:
        try:
            found = amount(self._entry.get(key, default))
        except ValueError as error:
            self.wrong(key, str(error))
            return default
        if not 0 < found <= HOURS_A_WEEK:
            self.wrong(key, f"must be above 0 and at most {HOURS_A_WEEK}, the hours of a week, got {found}")
        return found

    def _zones(self, count: int, region: str) -> dict[str, int]:
        found = self._entry.get("zones", [])
        if isinstance(found, list) and all(isinstance(zone, str) for zone in found):
            if len({*found}) != len(found) or len(found) > count:
                self.wrong("zones", f"must be different zones, at most as many as instances, got {found!r}")
            zones = _spread(count, found) if found else {}
        elif isinstance(found, dict) and all(isinstance(each, int) and each > 0 for each in found.values()):
            zones = {str(zone): int(each) for zone, each in found.items()}
            if sum(zones.values()) != count:
                self.wrong("zones", f"must hold {count} instances together, which is count, got {sum(zones.values())}")
        else:
            self.wrong("zones", "must be a list of zones, or a mapping of zones to instances")
            return {}
        for zone in zones:
            if not zone.startswith(region) or len(zone) != len(region) + 1:
                self.wrong("zones", f"must be Availability Zones of {region}, got {zone!r}")
        return zones

    def _owned(self) -> list[Owned]:
        entries = self._entry.get("owned", [])
        if not isinstance(entries, list):
            self.wrong("owned", "must be a list of what is owned already")
            return []
        found = []
        for index, entry in enumerate(entries):
            part = _Reader(entry if isinstance(entry, dict) else {}, f"{self._where}.owned.{index}", None)
            found.append(part.owned())
            self.problems += part.problems
        return found

    def owned(self) -> Owned:
        """Something that is owned already."""
        for key in self._entry:
            if key not in ("kind", "count", "commitment", "ends", "zone", "name"):
                self.wrong(str(key), "unknown key")
        kind = self._entry.get("kind")
        if kind not in OWNED:
            self.wrong("kind", f"must be one of {', '.join(OWNED)}, got {kind!r}")
            return Owned(ODCR)
        commitment = Decimal(0)
        if kind in PLAN_OF:
            try:
                commitment = amount(self._entry.get("commitment"))
            except ValueError as error:
                self.wrong("commitment", str(error))
        count = 0 if kind in PLAN_OF else self._whole("count", 1, MOST_INSTANCES)
        zone = self._entry.get("zone")
        if kind == ZONAL_RI and not isinstance(zone, str):
            self.wrong("zone", "must name the zone of a zonal Reserved Instance")
        return Owned(str(kind), count, commitment, self._end(kind), zone, str(self._entry.get("name", "")))

    def _end(self, kind: object) -> date | None:
        found = self._entry.get("ends")
        if found is None and kind == ODCR:
            return None
        if isinstance(found, date):
            return found
        try:
            return date.fromisoformat(str(found))
        except ValueError:
            self.wrong("ends", f"must be the day it ends, such as 2027-03-31, got {found!r}")
            return None
