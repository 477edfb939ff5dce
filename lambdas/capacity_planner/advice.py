"""Which option the post recommends, and why, in one sentence that a manager understands. No AWS in here.

https://aws.amazon.com/blogs/compute/selecting-cost-effective-capacity-reservations-for-your-business-critical-workloads-on-amazon-ec2/
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from capacity_planner.options import (
    COMMITMENT_PLACES,
    ON_DEMAND,
    RESERVED,
    WITH_COMPUTE,
    WITH_EC2,
    WITH_REGIONAL,
    ZONAL,
    Option,
    Unpriced,
)
from capacity_planner.prices import NoPriceError
from capacity_planner.workloads import HOURS_A_WEEK, Workload, later
from shared.money import HOURS, plain, shown

RI_PURCHASES = 20
"""Reserved Instances that may be bought in a month: regional ones per Region, zonal ones per zone
(https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ri-limits.html)."""
WHAT_CHANGES = {"family": "the instance family", "region": "the Region", "fargate": "to Fargate", "lambda": "to Lambda"}


@dataclass(frozen=True)
class Recommendation:
    """What to do.

    Attributes:
        sentence: what and why.
        notes: what else to know before acting on it.
        cancel_on: the day on which to cancel reservations that are held only for a time.
    """

    option: Option
    sentence: str
    notes: tuple[str, ...]
    cancel_on: date | None = None


def recommend(workload: Workload, found: Sequence[Option | Unpriced], currency: str, starts: date) -> Recommendation:
    """Chooses by the post's rules: capacity first, then what must stay free to change, then the total cost.

    A Reserved Instance is never recommended: a plan does the same and stays flexible.

    Raises:
        NoPriceError: an option that has to be compared has no price.
    """
    plan = WITH_COMPUTE if workload.may_change else WITH_EC2
    kinds = [RESERVED, plan] if workload.strict else [ON_DEMAND, RESERVED, plan]
    candidates: list[Option] = []
    for kind in kinds:
        priced = list(_allowed(workload, found, kind))
        if not priced:
            raise NoPriceError(_missing(workload, found, kind))
        candidates += priced
    best = min(candidates, key=_order)
    end = later(starts, workload.months)
    cancel_on = end if best.offer.kind == RESERVED else None
    sentence = _sentence(workload, best, candidates, currency, cancel_on)
    return Recommendation(best, sentence, tuple(_notes(workload, best, found, currency)), cancel_on)


def _order(option: Option) -> tuple[Decimal, int, Decimal, bool]:
    """The cheapest; among equals the shortest, the one with the least upfront, and the one that reserves capacity."""
    return option.total, option.offer.years, option.upfront, not option.offer.reserves_capacity


def _allowed(workload: Workload, found: Sequence[Option | Unpriced], kind: str) -> Iterator[Option]:
    payments = ("", *workload.payments)
    for option in found:
        offer = option.offer
        possible = offer.kind == kind and offer.payment in payments and offer.years <= workload.max_years
        if possible and isinstance(option, Option):
            yield option


def _missing(workload: Workload, found: Sequence[Option | Unpriced], kind: str) -> str:
    keys = [
        option.key
        for option in found
        if isinstance(option, Unpriced)
        and option.offer.kind == kind
        and option.offer.payment in ("", *workload.payments)
        and option.offer.years <= workload.max_years
    ]
    return " or ".join(keys)


def _sentence(
    workload: Workload, best: Option, candidates: Sequence[Option], currency: str, cancel_on: date | None
) -> str:
    what = f"{workload.count} {workload.shape.instance_type}"
    money = f"{shown(best.monthly)} {currency} a month"
    months = f"{workload.months} month{'s' if workload.months > 1 else ''}"
    plans = [option for option in candidates if option.offer.years]
    soonest = min((option.break_even_months for option in plans if option.break_even_months), default=None)
    if best.offer.kind == ON_DEMAND:
        shares = [option.break_even_use for option in plans if option.break_even_use]
        need = f"{plain(workload.hours_a_week)} hours a week"
        why = f"{need} cost less than any commitment"
        if shares:
            at = min(shares) * HOURS_A_WEEK
            why = f"a Savings Plan pays from {at:.1f} hours a week, and they run {plain(workload.hours_a_week)}"
            if at <= workload.hours_a_week:
                why = f"{months} {'are' if workload.months > 1 else 'is'} too short for a commitment"
        return f"Run {what} On-Demand for {money}: {why}; no capacity is reserved."
    if best.offer.kind == RESERVED:
        why = "no commitment costs less"
        if soonest is not None:
            why = f"a Savings Plan pays only after {soonest:.1f} months"
        return (
            f"Reserve capacity for {what} with On-Demand Capacity Reservations alone and cancel them on {cancel_on}: "
            f"{money}, {shown(best.total)} {currency} for {months}; {why}."
        )
    plan = best.offer.kind.removeprefix("ODCR + ")
    article = "an" if plan.startswith("EC2") else "a"
    years = f"{best.offer.years} year{'s' if best.offer.years > 1 else ''}, {best.offer.payment}"
    reason = f"the capacity stays reserved for {months}, and for a workload that stays as it is this plan costs least"
    if not workload.strict:
        reason = f"at {plain(workload.hours_a_week)} hours a week it costs less than On-Demand Instances"
    if workload.may_change:
        changes = ", ".join(WHAT_CHANGES[each] for each in workload.may_change)
        reason = f"it stays valid when the workload changes ({changes})"
    commitment = plain(best.commitment or Decimal(0))
    return (
        f"Reserve capacity for {what} with On-Demand Capacity Reservations and pay them by {article} {plan} of "
        f"{commitment} {currency} an hour ({years}): {money}; {reason}."
    )


def _notes(workload: Workload, best: Option, found: Sequence[Option | Unpriced], currency: str) -> Iterator[str]:
    regional = min(_allowed(workload, found, WITH_REGIONAL), key=lambda option: option.monthly, default=None)
    if best.offer.years and regional and regional.monthly < best.monthly:
        yield (
            f"Regional Reserved Instances ({regional.offer.years} year{'s' if regional.offer.years > 1 else ''}, "
            f"{regional.offer.payment}) would cost {shown(best.monthly - regional.monthly)} {currency} a month less. "
            "They are not recommended: they are bound to one platform and tenancy; a Savings Plan follows the workload."
        )
    if best.offer.kind == WITH_COMPUTE:
        other = min(_allowed(workload, found, WITH_EC2), key=_order, default=None)
        if other and other.monthly < best.monthly:
            yield (
                f"The flexibility costs {shown(best.monthly - other.monthly)} {currency} a month: an EC2 Instance "
                f"Savings Plan would cost {shown(other.monthly)}, for one family in one Region."
            )
    on_demand = next(iter(_allowed(workload, found, ON_DEMAND)), None)
    if workload.strict and on_demand and on_demand.monthly < best.monthly:
        yield (
            f"On-Demand Instances alone would cost {shown(on_demand.monthly)} {currency} a month and reserve nothing."
        )
    if best.commitment is not None and best.commitment * HOURS > best.monthly:
        yield (
            f"The commitment is rounded up to {COMMITMENT_PLACES} decimal places, so that it covers everything: "
            f"{shown(best.commitment * HOURS - best.monthly)} {currency} a month more."
        )
    if workload.held_hours_a_week < HOURS_A_WEEK and best.offer.reserves_capacity:
        yield "A reservation that you release each week may not be granted again."


def limits(workload: Workload, offer_kind: str) -> str | None:
    """Why an option cannot be carried out at once; None if it can."""
    if offer_kind == WITH_REGIONAL and workload.count > RI_PURCHASES:
        return f"{workload.count} Reserved Instances; {RI_PURCHASES} regional ones may be bought in a month per Region"
    if offer_kind == ZONAL and (most := max(workload.zones.values(), default=workload.count)) > RI_PURCHASES:
        return f"{most} Reserved Instances in one zone; {RI_PURCHASES} may be bought there in a month"
    return None
