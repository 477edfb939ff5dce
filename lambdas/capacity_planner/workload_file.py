"""A file of workloads: its content, or everything that is wrong with it at once. No AWS in here."""

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from capacity_planner.prices import PAYMENTS
from capacity_planner.reading import a_day, is_zone_of, money
from capacity_planner.shapes import PLATFORMS, TENANCIES, Shape
from capacity_planner.workloads import (
    CHANGES,
    COMPUTE_SP,
    EC2_SP,
    HOURS_A_WEEK,
    MOST_INSTANCES,
    ODCR,
    OWNED,
    REGIONAL_RI,
    ZONAL_RI,
    Owned,
    Workload,
    spread,
)
from shared.money import amount


class WorkloadsError(ValueError):
    """A file of workloads cannot be used; one problem a line."""


_KEYS = {
    "name", "type", "platform", "tenancy", "region", "count", "zones", "hours_a_week", "held_hours_a_week",
    "months", "strict", "may_change", "payments", "max_years", "owned",
}  # fmt: skip
_OWNED_KEYS = {
    REGIONAL_RI: ("count", "ends"),
    ZONAL_RI: ("count", "ends", "zone"),
    COMPUTE_SP: ("commitment", "ends"),
    EC2_SP: ("commitment", "ends"),
    ODCR: ("count", "ends", "zone"),
}
"""The keys of each kind, besides kind and name."""


def read_workloads(data: object, region: str | None = None) -> list[Workload]:
    """The workloads of a file: a mapping read from YAML or JSON.

    Args:
        region: for workloads that name none in a file that names none.

    Raises:
        WorkloadsError: something is wrong with it; all problems at once.
    """
    if not isinstance(data, dict) or not isinstance(data.get("workloads"), list) or not data["workloads"]:
        raise WorkloadsError("must be a mapping with a list of workloads")
    problems = [f"{key}: unknown key" for key in data if key not in ("region", "workloads")]
    found = dict[str, Workload]()
    for index, entry in enumerate(data["workloads"]):
        reader = _Reader(entry if isinstance(entry, dict) else {}, f"workloads.{index}", data.get("region", region))
        if not isinstance(entry, dict):
            reader.wrong("name", "must be a mapping with name, type and count")
        else:
            read = reader.workload()
            if read.name in found:
                reader.wrong("name", f"must not be used twice, got {read.name!r}")
            found[read.name] = read
        problems += reader.problems
    if problems:
        raise WorkloadsError("\n".join(problems))
    return list(found.values())


class _Reader:
    """Reads one mapping, and notes what is wrong with it."""

    def __init__(self, entry: Mapping[str, Any], where: str, region: object) -> None:
        self._entry, self._where, self._region = entry, where, region
        self.problems: list[str] = []

    def wrong(self, key: str, message: str) -> None:
        """Notes a problem."""
        self.problems.append(f"{self._where}.{key}: {message}")

    def workload(self) -> Workload:
        """A workload; a wrong key gets some value and a problem."""
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
            owned=tuple(self._owned(shape.region)),
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
                self.wrong("zones", f"must be different zones, at most as many as there are instances, got {found!r}")
            zones = spread(count, found) if found else {}
        elif isinstance(found, dict) and all(type(each) is int and each > 0 for each in found.values()):
            zones = {str(zone): int(each) for zone, each in found.items()}
            if sum(zones.values()) != count:
                self.wrong("zones", f"must add up to count, which is {count}, got {sum(zones.values())}")
        else:
            self.wrong("zones", "must be a list of zones, or a mapping of zones to instances")
            return {}
        for zone in zones:
            if not is_zone_of(zone, region):
                self.wrong("zones", f"must be Availability Zones of {region}, got {zone!r}")
        return zones

    def _owned(self, region: str) -> list[Owned]:
        entries = self._entry.get("owned", [])
        if not isinstance(entries, list):
            self.wrong("owned", "must be a list of reservations and plans that are owned")
            return []
        found = []
        for index, entry in enumerate(entries):
            part = _Reader(entry if isinstance(entry, dict) else {}, f"{self._where}.owned.{index}", region)
            found.append(part.owned())
            self.problems += part.problems
        return found

    def owned(self) -> Owned:
        """Reads a reservation or plan that is owned."""
        kind = self._entry.get("kind")
        if kind not in OWNED:
            self.wrong("kind", f"must be one of {', '.join(OWNED)}, got {kind!r}")
            return Owned(ODCR)
        known = _OWNED_KEYS[kind]
        for key in self._entry:
            if key not in ("kind", "name", *known):
                self.wrong(str(key), f"must not be given for {kind}, which has {', '.join(known)} and a name")
        return Owned(
            kind,
            self._whole("count", 1, MOST_INSTANCES) if "count" in known else 0,
            self._commitment() if "commitment" in known else Decimal(0),
            self._end(kind),
            self._zone() if "zone" in known else None,
            self._text("name") if "name" in self._entry else "",
        )

    def _commitment(self) -> Decimal:
        found = self._entry.get("commitment")
        try:
            commitment = money(found)
        except ValueError as error:
            self.wrong("commitment", str(error))
            return Decimal(0)
        if not commitment:
            self.wrong("commitment", "must be above 0: what the plan pays in an hour")
        return commitment

    def _zone(self) -> str | None:
        """The zone of a zonal Reserved Instance or a Capacity Reservation, which only applies there."""
        found = self._entry.get("zone")
        if not isinstance(found, str) or not is_zone_of(found, str(self._region)):
            self.wrong("zone", f"must be the Availability Zone of {self._region} that it is in, got {found!r}")
            return None
        return found

    def _end(self, kind: str) -> date | None:
        found = self._entry.get("ends")
        if found is None and kind == ODCR:
            return None
        if (day := a_day(found)) is None:
            self.wrong("ends", f"must be the day it ends, such as 2027-03-31, got {found!r}")
        return day
