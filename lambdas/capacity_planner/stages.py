"""What is owned pays first: which instances need a new reservation or plan, and from which day. No AWS in here."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from capacity_planner.prices import Card, NoPriceError
from capacity_planner.workloads import (
    COMPUTE_SP,
    EC2_SP,
    ODCR,
    PLAN_OF,
    REGIONAL_RI,
    ZONAL_RI,
    Owned,
    Workload,
    later,
    whole_months,
)

# https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/apply_ri.html and
# https://docs.aws.amazon.com/savingsplans/latest/userguide/sp-applying.html
IN_ONE_RESERVATION = 1_000
"""The most instances: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateCapacityReservation.html."""
ORDER = (ZONAL_RI, REGIONAL_RI, EC2_SP, COMPUTE_SP)


@dataclass(frozen=True)
class Stage:
    """Instances that need a new reservation or plan from one day on.

    Attributes:
        workload: these instances alone, for the months that are left then.
        after: what pays for them until then; None: nothing does.
    """

    starts: date
    workload: Workload
    after: Owned | None = None


@dataclass(frozen=True)
class Absorbed:
    """Instances that an owned reservation or plan pays for."""

    owned: Owned
    count: int


def absorbed(workload: Workload, card: Card, today: date) -> list[Absorbed]:
    """What pays for how many instances, in AWS's order.

    Raises:
        NoPriceError: a Savings Plan is owned, and its rate for this shape is not known.
    """
    left = workload.count
    # A zonal Reserved Instance pays neither for what runs in a Capacity Reservation nor for its unused hours.
    in_reservations = sum(owned.count for owned in _active(workload, ODCR, today))
    free = dict(workload.zones)
    found = []
    for kind in ORDER:
        for owned in _active(workload, kind, today):
            if kind == ZONAL_RI:
                most = max(0, left - in_reservations)
                count = min(owned.count, most, free.get(str(owned.zone), 0) if free else most)
                if free:
                    free[str(owned.zone)] = free.get(str(owned.zone), 0) - count
            else:
                count = min(left, owned.count if kind == REGIONAL_RI else _paid_by_plan(owned, card))
            if count:
                found.append(Absorbed(owned, count))
                left -= count
    return found


def stages(workload: Workload, paid: list[Absorbed], today: date) -> list[Stage]:
    """The days on which instances begin to need something new, the first of them today unless all are paid for."""
    horizon = later(today, workload.months)
    found = []
    if open_now := workload.count - sum(each.count for each in paid):
        found.append(Stage(today, workload.part(open_now, workload.months)))
    for each in sorted((each for each in paid if each.owned.ends), key=lambda each: str(each.owned.ends)):
        ends = each.owned.ends
        if ends is not None and ends < horizon:
            found.append(Stage(ends, workload.part(each.count, whole_months(ends, horizon)), each.owned))
    return found


def remarks(workload: Workload, paid: list[Absorbed], today: date) -> Iterator[str]:
    """Remarks about what is owned."""
    counts: Mapping[Owned, int] = {each.owned: each.count for each in paid}
    reserved = any(True for _ in _active(workload, ODCR, today))
    for owned in workload.owned:
        until = f" until {owned.ends}" if owned.ends else ""
        if owned.ends and owned.ends <= today:
            yield f"Ignored, because it ended on {owned.ends}: {owned}."
        elif owned.kind == ODCR:
            again = " Their capacity is lost that day; reserve it again before then." if owned.ends else ""
            yield f"Held already{until}: {owned}. They are part of the plan, not additional.{again}"
        elif owned.kind == ZONAL_RI and reserved:
            yield (
                f"A zonal Reserved Instance does not apply to a Capacity Reservation of the same shape: of "
                f"{owned}, {counts.get(owned, 0)} count as a saving. Cancel it, or run the instances outside it."
            )
        else:
            meanwhile = (
                "; it reserves no capacity: hold Capacity Reservations meanwhile" if owned.kind != ZONAL_RI else ""
            )
            yield f"Paid by {owned}{until}: {counts.get(owned, 0)} of {workload.count} instances{meanwhile}."
        if owned.kind == ZONAL_RI and owned.ends and owned.ends > today:
            yield (
                f"On {owned.ends} the zonal Reserved Instances in {owned.zone} end: their capacity and their discount "
                "are both lost that day; create the Capacity Reservations before then."
            )


def to_reserve(workload: Workload, today: date) -> Iterator[str]:
    """How many instances in which zone still need a Capacity Reservation."""
    if not workload.zones:
        yield "A Capacity Reservation is for one zone: name the zones of the workload, and how many it needs in each."
    there: Counter[str] = Counter()
    for kind in (ZONAL_RI, ODCR):
        for owned in _active(workload, kind, today):
            there[str(owned.zone)] += owned.count
    for zone, needed in workload.zones.items():
        if (count := needed - there[zone]) > 0:
            parts = -(-count // IN_ONE_RESERVATION)
            more = f", in {parts} reservations of at most {IN_ONE_RESERVATION}" if parts > 1 else ""
            yield f"Reserve {count} in {zone}{more}."


def _active(workload: Workload, kind: str, today: date) -> Iterator[Owned]:
    for owned in workload.owned:
        if owned.kind == kind and (owned.ends is None or owned.ends > today):
            yield owned


def _paid_by_plan(owned: Owned, card: Card) -> int:
    """Whole instances that a commitment pays, at the highest known rate: it may pay for more, not for fewer."""
    plan = PLAN_OF[owned.kind]
    rates = [rate for (kind, _, _), rate in card.plans.items() if kind == plan]
    if not rates:
        raise NoPriceError(f"{card.shape}: savings_plans.{plan}")
    return int(owned.commitment / max(rates))
