"""An hour under Savings Plans: which usage they pay for, what is wasted, what is billed On-Demand. No AWS in here.

https://docs.aws.amazon.com/savingsplans/latest/userguide/sp-applying.html: after Reserved Instances, EC2 Instance
Savings Plans pay before Compute Savings Plans; within each the usage with the highest savings percentage first; among
equals the one with the lowest rate.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from capacity_planner.prices import COMPUTE, EC2_INSTANCE

ORDER = (EC2_INSTANCE, COMPUTE)
ZERO = Decimal(0)


@dataclass(frozen=True)
class Usage:
    """Usage of one kind in an hour: instances, unused reserved ones, or anything else that a plan pays for.

    Attributes:
        units: amount of the usage: instances, vCPU or GB, for example.
        price: the price of a unit without a plan.
        rates: the price of a unit by plan; a plan that does not apply is left out.
    """

    units: Decimal
    price: Decimal
    rates: Mapping[str, Decimal] = field(default_factory=dict)


@dataclass(frozen=True)
class Hour:
    """What the hour costs.

    Attributes:
        cost: the commitments, and the usage that they do not cover at its price without a plan.
        covered: the units of each usage that plans pay for.
        wasted: what is left of the commitments.
    """

    cost: Decimal
    covered: tuple[Decimal, ...]
    wasted: Decimal


def paid_by(commitment: Decimal, plan: str, usages: Sequence[Usage]) -> tuple[list[Decimal], Decimal]:
    """Units of each usage that one commitment pays for, and the rest of it; equal usages are paid in their order."""

    def order(index: int) -> tuple[Decimal, Decimal]:
        usage = usages[index]
        return (usage.rates[plan] / usage.price if usage.price else Decimal(1)), usage.rates[plan]

    paid = [ZERO] * len(usages)
    for index in sorted((index for index, usage in enumerate(usages) if usage.rates.get(plan)), key=order):
        usage = usages[index]
        whole = usage.units * usage.rates[plan]
        if whole <= commitment:
            paid[index], commitment = usage.units, commitment - whole
        else:
            paid[index], commitment = commitment / usage.rates[plan], ZERO
    return paid, commitment


def an_hour(usages: Sequence[Usage], commitments: Mapping[str, Decimal]) -> Hour:
    """Bills an hour of all usage under the commitments of each kind of plan."""
    covered, wasted = [ZERO] * len(usages), ZERO
    for plan in ORDER:
        rest = [Usage(each.units - units, each.price, each.rates) for each, units in zip(usages, covered, strict=True)]
        paid, left = paid_by(commitments.get(plan, ZERO), plan, rest)
        covered = [before + more for before, more in zip(covered, paid, strict=True)]
        wasted += left
    own = sum(((each.units - units) * each.price for each, units in zip(usages, covered, strict=True)), ZERO)
    return Hour(sum(commitments.values(), ZERO) + own, tuple(covered), wasted)
