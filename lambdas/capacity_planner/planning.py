"""The plan of all workloads: options, recommendations, and what is left out. No AWS in here."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from capacity_planner.advice import Recommendation, limits, recommend
from capacity_planner.options import Option, Unpriced, options
from capacity_planner.prices import NoPriceError, Prices
from capacity_planner.stages import Stage, absorbed, remarks, stages, to_reserve
from capacity_planner.workloads import HOURS_A_WEEK, Workload
from shared.money import cents, plain

Json = dict[str, Any]
NOT_COUNTED = (
    "Not counted: Fargate, Lambda, other accounts, private prices, credits, surplus CPU credits, the Region's hourly "
    "fee of Dedicated Instances, volumes, data transfer and licenses. A month has 730 hours; fees of Reserved "
    "Instances follow the hours of the real month."
)


@dataclass(frozen=True)
class Planned:
    """A stage with its options, and the one that is recommended.

    Attributes:
        missing: the price that is needed for a recommendation and is not known.
    """

    stage: Stage
    options: Sequence[Option | Unpriced]
    recommendation: Recommendation | None
    missing: str | None = None


@dataclass(frozen=True)
class WorkloadPlan:
    """The plan of one workload.

    Attributes:
        compared: the options for all of its instances, as if nothing were owned.
        stages: what has to be decided, by the day it begins; none if everything is paid for to the end.
    """

    workload: Workload
    compared: Sequence[Option | Unpriced]
    stages: Sequence[Planned]
    notes: Sequence[str]
    missing: str | None = None

    @property
    def problems(self) -> list[str]:
        """Prices that a recommendation needs and that are not known."""
        found = [self.missing, *(planned.missing for planned in self.stages)]
        return [each for each in dict.fromkeys(found) if each]


@dataclass(frozen=True)
class Plan:
    """The plan of several workloads."""

    prices: Prices
    today: date
    workloads: Sequence[WorkloadPlan]

    @property
    def monthly(self) -> Decimal:
        """The monthly cost of everything that is to be decided today."""
        return sum(
            (
                planned.recommendation.option.monthly
                for each in self.workloads
                for planned in each.stages
                if planned.recommendation and planned.stage.starts == self.today
            ),
            Decimal(0),
        )

    @property
    def problems(self) -> list[str]:
        """The missing prices of all workloads."""
        return [f"{each.workload.name}: no price for {key}" for each in self.workloads for key in each.problems]

    def to_json(self) -> Json:
        """The plan as JSON; money is text with cents."""
        return {
            "ok": not self.problems,
            "date": self.today.isoformat(),
            "currency": self.prices.currency,
            "prices": {"source": self.prices.source, "date": self.prices.read_on.isoformat()},
            "monthly": str(cents(self.monthly)),
            "problems": self.problems,
            "not_counted": NOT_COUNTED,
            "workloads": [_workload_json(each) for each in self.workloads],
        }


def plan(workloads: Sequence[Workload], prices: Prices, today: date) -> Plan:
    """Plans every workload; one without a price does not stop the others."""
    return Plan(prices, today, [_planned(workload, prices, today) for workload in workloads])


def _planned(workload: Workload, prices: Prices, today: date) -> WorkloadPlan:
    card = prices.card(workload.shape)
    compared = options(workload, card)
    try:
        paid = absorbed(workload, card, today)
    except NoPriceError as error:
        return WorkloadPlan(workload, compared, [], [], error.key)
    found = []
    for stage in stages(workload, paid, today):
        own = compared if stage.workload == workload else options(stage.workload, card)
        try:
            advice = recommend(stage.workload, own, prices.currency, stage.starts)
            found.append(Planned(stage, own, advice))
        except NoPriceError as error:
            found.append(Planned(stage, own, None, error.key))
    notes = list(remarks(workload, paid, today))
    advised = [each.recommendation for each in found if each.recommendation]
    if workload.strict or any(advice.option.offer.reserves_capacity for advice in advised):
        notes += to_reserve(workload, today)
    if card.unused is not None and card.on_demand is not None and card.unused != card.on_demand:
        notes.append(
            f"An unused hour of a reservation costs {plain(card.unused)} {prices.currency}, a used one "
            f"{plain(card.on_demand)}: AWS bills both at the On-Demand price; check the prices."
        )
    return WorkloadPlan(workload, compared, found, notes)


# --- JSON -------------------------------------------------------------------------------------------------------------


def _workload_json(planned: WorkloadPlan) -> Json:
    workload = planned.workload
    return {
        "name": workload.name,
        "type": workload.shape.instance_type,
        "platform": workload.shape.platform,
        "tenancy": workload.shape.tenancy,
        "region": workload.shape.region,
        "count": workload.count,
        "zones": dict(workload.zones),
        "hours_a_week": plain(workload.hours_a_week),
        "months": workload.months,
        "strict": workload.strict,
        "options": [option_json(workload, option) for option in planned.compared],
        "stages": [_stage_json(each) for each in planned.stages],
        "notes": list(planned.notes),
        "missing_price": planned.problems,
    }


def _stage_json(planned: Planned) -> Json:
    stage, advice = planned.stage, planned.recommendation
    return {
        "starts": stage.starts.isoformat(),
        "count": stage.workload.count,
        "months": stage.workload.months,
        "after": str(stage.after) if stage.after else None,
        "missing_price": planned.missing,
        "recommended": None
        if advice is None
        else {
            "sentence": advice.sentence,
            "notes": list(advice.notes),
            "cancel_on": advice.cancel_on.isoformat() if advice.cancel_on else None,
            **option_json(stage.workload, advice.option),
        },
    }


def option_json(workload: Workload, option: Option | Unpriced) -> Json:
    """One option as JSON."""
    offer = option.offer
    known: Json = {
        "option": offer.kind,
        "years": offer.years,
        "payment": offer.payment or None,
        "reserves_capacity": offer.reserves_capacity,
        "limit": limits(workload, offer.kind),
    }
    if isinstance(option, Unpriced):
        return {**known, "missing_price": option.key}
    use, months = option.break_even_use, option.break_even_months
    return {
        **known,
        "monthly": str(cents(option.monthly)),
        "used": str(cents(option.used)),
        "unused": str(cents(option.unused)),
        "upfront": str(cents(option.upfront)),
        "recurring": str(cents(option.recurring)),
        "commitment_an_hour": None if option.commitment is None else plain(option.commitment),
        "term_cost": None if option.term_cost is None else str(cents(option.term_cost)),
        "total": str(cents(option.total)),
        "break_even": {
            "use_percent": None if use is None else f"{100 * use:.1f}",
            "hours_a_week": None if use is None else f"{HOURS_A_WEEK * use:.1f}",
            "months": None if months is None else f"{months:.1f}",
        },
    }
