"""What the account's reservations and purchases do for what runs: covered, wasted, unreserved, ending. No AWS in here.

The order of billing is AWS's: zonal Reserved Instances first, which do not apply to a Capacity Reservation, then
regional ones (https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/apply_ri.html), then Savings Plans.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal

from capacity_planner.inventory import OTHERS_PAY, OURS, SHARED, Inventory, Reservation, Reserved, Running
from capacity_planner.shapes import Shape

POINTS_AN_HOUR = 12
"""EC2 measures a reservation every five minutes
(https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/capacity-reservation-cw-metrics.html)."""
# https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/apply_ri.html
NOT_FLEXIBLE = (
    "g4ad", "g4dn", "g5", "g5g", "g6", "g6e", "g6f", "gr6", "gr6f", "hpc7a", "inf1", "inf2", "p5", "u7i-6tb", "u7i-8tb",
)  # fmt: skip
FACTORS = {
    "nano": Decimal("0.25"),
    "micro": Decimal("0.5"),
    "small": Decimal(1),
    "medium": Decimal(2),
    "large": Decimal(4),
    "xlarge": Decimal(8),
}
"""Normalization factors, by which a regional Reserved Instance of one size pays for another; Nxlarge is N times 8."""


@dataclass(frozen=True)
class Measured:
    """What CloudWatch reports for a reservation in the window.

    Attributes:
        used, wasted: instance-hours.
        points: data points of five minutes each; a missing one means that the reservation was not active then.
    """

    used: Decimal
    wasted: Decimal
    points: int


@dataclass(frozen=True)
class Ending:
    """Something that ends soon.

    Attributes:
        lost: what is lost then.
    """

    what: str
    ends: date
    lost: str


@dataclass(frozen=True)
class Paid:
    """Instances of one shape that one purchase pays for."""

    reserved: Reserved
    shape: Shape
    count: int


@dataclass(frozen=True)
class Coverage:
    """What was found in one look.

    Attributes:
        hours: the length of the window.
        covered: instance-hours in reservations, those of other accounts included; wasted: reserved hours in which
            nothing ran and this account pays;
            unreserved: instance-hours for which no capacity is reserved.
        unmeasured: reservations for which CloudWatch has no data point.
        doubled: idle reserved instances, while as many of the same kind run unreserved: they are paid twice.
        shared: reservations of other accounts, or whose unused hours others pay, and why they do not count.
        paid: what Reserved Instances pay for, by shape; idle: Reserved Instances that pay for nothing.
    """

    hours: int
    covered: Decimal
    wasted: Decimal
    unreserved: Decimal
    by_reservation: Mapping[Reservation, Measured] = field(default_factory=dict)
    unmeasured: tuple[str, ...] = ()
    doubled: tuple[tuple[str, int], ...] = ()
    shared: tuple[tuple[str, str], ...] = ()
    ending: tuple[Ending, ...] = ()
    paid: tuple[Paid, ...] = ()
    idle: tuple[tuple[str, int], ...] = ()


def measured(used: Sequence[float], available: Sequence[float]) -> Measured:
    """Instance-hours from five-minute averages: each point counts as a twelfth of an hour."""
    return Measured(_hours(used), _hours(available), len(available))


def _hours(points: Sequence[float]) -> Decimal:
    return sum((Decimal(str(point)) for point in points), Decimal(0)) / POINTS_AN_HOUR


def coverage(
    found: Inventory, metrics: Mapping[str, Measured], *, now: datetime, hours: int, notice_days: int
) -> Coverage:
    """Judges the inventory.

    Args:
        metrics: by the ids of the reservations; one that is missing has no points.
        hours: the length of the window that ends now.
    """
    by_reservation = {each: metrics[each.id] for each in found.reservations if each.id in metrics}
    ours = {each: seen for each, seen in by_reservation.items() if each.our_waste}
    in_zonal = _in_zonal(found)
    alone = [each for each in found.running if each.reservation is None and each.id not in in_zonal]
    paid, idle = _paid(found, in_zonal)
    own = {each.id: seen for each, seen in by_reservation.items() if each.party in (OURS, OTHERS_PAY)}
    # For our reservations CloudWatch counts; for those of other accounts, or without points, we count what runs there.
    counted = [each for each in found.running if each.id in in_zonal or (each.reservation or "") not in ("", *own)]
    return Coverage(
        hours,
        covered=sum((seen.used for seen in own.values()), Decimal(0)) + _running_hours(counted, now, hours),
        wasted=sum((seen.wasted for seen in ours.values()), Decimal(0)),
        unreserved=_running_hours(alone, now, hours),
        by_reservation=by_reservation,
        unmeasured=tuple(each.id for each in found.reservations if each not in by_reservation),
        doubled=tuple(_doubled(found, alone)),
        shared=tuple(_shared(found)),
        ending=tuple(sorted(_ending(found, now, notice_days), key=lambda each: (each.ends, each.what))),
        paid=tuple(paid),
        idle=tuple(idle),
    )


def _running_hours(instances: Sequence[Running], now: datetime, hours: int) -> Decimal:
    window = timedelta(hours=hours)
    seconds = sum(max(0, int(min(window, now - each.launched).total_seconds())) for each in instances)
    return Decimal(seconds) / 3_600


def _in_zonal(found: Inventory) -> dict[str, Reserved]:
    """Which instance runs on which zonal Reserved Instance: type, platform, tenancy and zone are its own."""
    taken: dict[str, Reserved] = {}
    for reserved in found.reserved:
        fitting = (
            each.id
            for each in found.running
            if each.reservation is None and (each.shape, each.zone) == (reserved.shape, reserved.zone)
        )
        free = [name for name in fitting if name not in taken]
        taken |= dict.fromkeys(free[: reserved.count], reserved)
    return taken


def _paid(found: Inventory, in_zonal: Mapping[str, Reserved]) -> tuple[list[Paid], list[tuple[str, int]]]:
    """What Reserved Instances pay for: running instances, the smallest first, then unused hours of our reservations."""
    zonal = Counter((reserved, reserved.shape) for reserved in in_zonal.values())
    paid = [Paid(reserved, shape, count) for (reserved, shape), count in zonal.items()]
    left: Counter[Shape] = Counter(each.shape for each in found.running if each.id not in in_zonal)
    for reservation in found.reservations:
        if reservation.our_waste:
            left[reservation.shape] += reservation.available
    idle = [
        (f"{each.id}: {unused} of {each.count} in {each.zone}", unused)
        for each in found.reserved
        if each.zone and (unused := each.count - zonal[each, each.shape])
    ]
    for reserved in (each for each in found.reserved if each.zone is None):
        units = reserved.count * size(reserved.shape)
        for shape in sorted((shape for shape in left if _applies(reserved, shape)), key=size):
            count = min(left[shape], int(units / size(shape)))
            if count:
                paid.append(Paid(reserved, shape, count))
                left[shape] -= count
                units -= count * size(shape)
        if unused := int(units / size(reserved.shape)):
            idle.append((f"{reserved.id}: {unused} of {reserved.count} in the Region", unused))
    return paid, idle


def size(shape: Shape) -> Decimal:
    """Normalization factor of a type; 1 where sizes are not exchanged, as for metal."""
    name = shape.instance_type.partition(".")[2]
    times = name.removesuffix("xlarge")
    if times.isdecimal():
        return 8 * Decimal(times)
    return FACTORS.get(name, Decimal(1))


def _applies(reserved: Reserved, shape: Shape) -> bool:
    """Whether a regional Reserved Instance applies; only Linux with default tenancy pays for other sizes."""
    own = reserved.shape
    flexible = own.operation == "RunInstances" and own.tenancy == "default" and own.family not in NOT_FLEXIBLE
    known = all("metal" not in each.instance_type for each in (own, shape))
    if flexible and known:
        return (own.family, own.operation, own.tenancy) == (shape.family, shape.operation, shape.tenancy)
    return own == shape


def _doubled(found: Inventory, alone: Sequence[Running]) -> Iterator[tuple[str, int]]:
    """Reserved capacity that is idle while instances of its kind run outside it.

    An open reservation takes such instances by itself unless their preference is ``none``; a targeted one takes only
    those that name it
    (https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ModifyCapacityReservation.html).
    """
    outside = Counter((each.shape, each.zone) for each in alone)
    idle: defaultdict[tuple[Shape, str], int] = defaultdict(int)
    for each in found.reservations:
        if each.our_waste and each.state == "active":
            idle[each.shape, each.zone] += each.available
    for (shape, zone), available in sorted(idle.items()):
        if count := min(available, outside[shape, zone]):
            yield f"{shape.instance_type} {shape.platform} in {zone}", count


def _shared(found: Inventory) -> Iterator[tuple[str, str]]:
    for each in found.reservations:
        if each.party == OTHERS_PAY:
            yield each.id, f"account {each.payer} pays its unused hours; they are not counted as wasted here"
        elif each.party == SHARED:
            yield each.id, f"shared by account {each.owner}, which pays its unused hours; not counted here"
        elif each.party != OURS:
            yield each.id, f"shared by account {each.owner}; this account pays its unused hours, and they are counted"


def _ending(found: Inventory, now: datetime, notice_days: int) -> Iterator[Ending]:
    last = (now + timedelta(days=notice_days)).date()
    for each in found.reservations:
        if each.ends and each.ends.date() <= last and each.party in (OURS, OTHERS_PAY):
            lost = f"the capacity of {each.total}, within an hour; running instances stay, unreserved"
            yield Ending(f"{each.id} ({each.shape.instance_type} in {each.zone})", each.ends.date(), lost)
    for reserved in found.reserved:
        if reserved.ends <= last:
            where = reserved.zone or "the Region"
            lost = "the discount"
            if reserved.zone:
                lost = "the capacity and the discount; the post recommends ODCR + Savings Plan"
            what = f"{reserved.id} ({reserved.count} {reserved.shape.instance_type} in {where})"
            yield Ending(what, reserved.ends, lost)
    for plan in found.plans:
        if plan.ends <= last:
            yield Ending(f"Savings Plan {plan.id} of {plan.commitment} an hour", plan.ends, "the discount")
