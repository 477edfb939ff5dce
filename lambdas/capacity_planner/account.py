"""The account as workloads: what runs now, with what already pays for it. No AWS in here."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

from capacity_planner.coverage import Coverage
from capacity_planner.inventory import Inventory, SavingsPlan
from capacity_planner.plan_hour import Usage, paid_by
from capacity_planner.prices import COMPUTE, EC2_INSTANCE, Prices
from capacity_planner.shapes import Shape
from capacity_planner.workloads import (
    COMPUTE_SP,
    EC2_SP,
    HOURS_A_WEEK,
    ODCR,
    REGIONAL_RI,
    ZONAL_RI,
    Owned,
    Workload,
)


@dataclass(frozen=True)
class Assumptions:
    """What no API says about running instances.

    Attributes:
        hours_a_week, months, strict, may_change: as in a workload.
    """

    hours_a_week: int = HOURS_A_WEEK
    months: int = 12
    strict: bool = True
    may_change: tuple[str, ...] = ()


def workloads(found: Inventory, seen: Coverage, prices: Prices, assumed: Assumptions) -> list[Workload]:
    """A workload for each shape that runs."""
    zones: defaultdict[Shape, Counter[str]] = defaultdict(Counter)
    for each in found.running:
        zones[each.shape][each.zone] += 1
    owned = _owned(found, seen, prices, {shape: counts.total() for shape, counts in zones.items()})
    return [
        Workload(
            name=f"{shape.instance_type} {shape.platform}" + ("" if shape.tenancy == "default" else " dedicated"),
            shape=shape,
            count=counts.total(),
            zones=dict(sorted(counts.items())),
            hours_a_week=Decimal(assumed.hours_a_week),
            months=assumed.months,
            strict=assumed.strict,
            may_change=assumed.may_change,
            owned=tuple(owned[shape]),
        )
        for shape, counts in sorted(zones.items())
    ]


def _owned(found: Inventory, seen: Coverage, prices: Prices, running: Mapping[Shape, int]) -> dict[Shape, list[Owned]]:
    """What pays for each shape; each purchase is distributed once."""
    owned: defaultdict[Shape, list[Owned]] = defaultdict(list)
    left = dict(running)
    for each in found.reservations:
        if each.our_waste and each.state == "active":
            ends = each.ends.date() if each.ends else None
            owned[each.shape].append(Owned(ODCR, each.total, ends=ends, zone=each.zone, name=each.id))
    for paid in seen.paid:
        kind = ZONAL_RI if paid.reserved.zone else REGIONAL_RI
        count = min(paid.count, left.get(paid.shape, 0))
        if count:
            left[paid.shape] -= count
            purchase = paid.reserved
            owned[paid.shape].append(Owned(kind, count, ends=purchase.ends, zone=purchase.zone, name=purchase.id))
    for plan in sorted(found.plans, key=lambda each: (each.is_compute, each.id)):
        kind = COMPUTE_SP if plan.is_compute else EC2_SP
        for shape, part in _shared_out(plan, prices, left):
            owned[shape].append(Owned(kind, commitment=part, ends=plan.ends, name=plan.id))
    return owned


def _shared_out(plan: SavingsPlan, prices: Prices, left: dict[Shape, int]) -> Iterator[tuple[Shape, Decimal]]:
    """A plan's commitment over the shapes it applies to, in the order in which AWS applies it.

    A shape without a known rate gets all of it: the shape then has no answer, and no superfluous plan is recommended.
    """
    kind = COMPUTE if plan.is_compute else EC2_INSTANCE
    usages: dict[Shape, Usage] = {}
    for shape, count in left.items():
        if count and (plan.is_compute or (plan.region, plan.family) == (shape.region, shape.family)):
            card = prices.card(shape)
            rate = max((rate for (of, _, _), rate in card.plans.items() if of == kind), default=None)
            if rate is None:
                yield shape, plan.commitment
            else:
                usages[shape] = Usage(Decimal(count), card.on_demand or Decimal(0), {kind: rate})
    paid, _ = paid_by(plan.commitment, kind, list(usages.values()))
    for (shape, usage), units in zip(usages.items(), paid, strict=True):
        if units >= 1:
            left[shape] -= int(units)
            yield shape, units * usage.rates[kind]
