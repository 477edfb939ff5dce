"""The report of a look: as text for people, as JSON for programs, and as metrics. No AWS in here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from capacity_planner.coverage import Coverage
from capacity_planner.inventory import Inventory
from capacity_planner.planning import Plan
from capacity_planner.prices import NoPriceError
from shared.money import cents, shown

Json = dict[str, Any]
PLANNER = "Planner"
# The README and the alarms use these names.
COVERED, WASTED, UNRESERVED = "CoveredHours", "WastedHours", "UnreservedHours"
ENDING, DOUBLED, PROBLEMS, LOOKS = "EndingSoon", "IdleWhileUnreserved", "Problems", "Looks"
COMPUTE_ANYWHERE = (
    "Compute Savings Plans are counted as if they paid only here: what other Regions, Fargate and Lambda use of them "
    "is not visible here"
)
MOST_LINES = 50
"""Lines of one list in the text; the JSON has all."""


@dataclass(frozen=True)
class Report:
    """One look.

    Attributes:
        hints: what AWS Health said about reservations, by their ids.
        problems: what could not be read.
    """

    at: datetime
    found: Inventory
    seen: Coverage
    plan: Plan
    hints: Mapping[str, str] = field(default_factory=dict)
    problems: Sequence[str] = ()

    @property
    def waste(self) -> dict[str, Decimal]:
        """Cost of the unused hours of the window, by reservation; one without a price is left out."""
        found = {}
        for reservation, measured in self.seen.by_reservation.items():
            if reservation.our_waste and measured.wasted:
                try:
                    price = self.plan.prices.card(reservation.shape).unused_hour()
                except NoPriceError:
                    continue
                found[reservation.id] = measured.wasted * price
        return found

    @property
    def worth_telling(self) -> bool:
        """Whether the report holds anything that somebody should read today."""
        seen = self.seen
        return bool(seen.ending or seen.doubled or seen.wasted or self.hints or self.problems or seen.idle)

    @property
    def caveats(self) -> list[str]:
        """What this look cannot know."""
        return [COMPUTE_ANYWHERE] if any(plan.is_compute for plan in self.found.plans) else []

    def subject(self) -> str:
        """The subject of a message: ASCII, at most 100 characters."""
        seen = self.seen
        parts = [f"{seen.wasted:.0f} reserved hours wasted", f"{len(seen.ending)} ending soon"]
        return f"Capacity in {self.found.region}: {', '.join(parts)}"[:100]

    def counts(self, planner: str) -> list[Json]:
        """The metrics of a look, with the stack as their dimension."""
        seen = self.seen
        own: dict[str, Decimal | int] = {
            COVERED: seen.covered,
            WASTED: seen.wasted,
            UNRESERVED: seen.unreserved,
            ENDING: len(seen.ending),
            DOUBLED: sum(count for _, count in seen.doubled),
            PROBLEMS: len(self.problems),
            LOOKS: 1,
        }
        dimensions = [{"Name": PLANNER, "Value": planner}]
        return [
            {"MetricName": name, "Dimensions": dimensions, "Unit": "Count", "Timestamp": self.at, "Value": float(value)}
            for name, value in own.items()
        ]

    def to_json(self) -> Json:
        """Everything."""
        seen, waste = self.seen, self.waste
        return {
            "at": self.at.isoformat(),
            "account": self.found.account,
            "region": self.found.region,
            "hours": seen.hours,
            "covered_hours": _exact(seen.covered),
            "wasted_hours": _exact(seen.wasted),
            "unreserved_hours": _exact(seen.unreserved),
            "wasted_money": {name: str(cents(money)) for name, money in waste.items()},
            "reservations": [
                {
                    "id": each.id,
                    "type": each.shape.instance_type,
                    "zone": each.zone,
                    "total": each.total,
                    "party": each.party,
                    "used_hours": _exact(measured.used),
                    "wasted_hours": _exact(measured.wasted),
                    "points": measured.points,
                }
                for each, measured in seen.by_reservation.items()
            ],
            "unmeasured": list(seen.unmeasured),
            "idle_while_unreserved": dict(seen.doubled),
            "shared": dict(seen.shared),
            "ending": [{"what": e.what, "ends": e.ends.isoformat(), "lost": e.lost} for e in seen.ending],
            "idle_reserved_instances": [what for what, _ in seen.idle],
            "health_hints": dict(self.hints),
            "left_out": dict(self.found.left_out),
            "caveats": self.caveats,
            "problems": list(self.problems),
            "plan": self.plan.to_json(),
        }

    def text(self) -> str:
        """The report as people read it."""
        seen, currency = self.seen, self.plan.prices.currency
        money = sum(self.waste.values(), Decimal(0))
        lines = [
            f"Capacity of account {self.found.account} in {self.found.region}, the last {seen.hours} hours "
            "(reservations: CloudWatch AWS/EC2CapacityReservations; instances: as they run now):",
            f"- {seen.covered:.1f} instance-hours ran in reserved capacity",
            f"- {seen.wasted:.1f} reserved hours were paid for and not used: {shown(money)} {currency} where priced",
            f"- {seen.unreserved:.1f} instance-hours ran without reserved capacity",
            "",
            *_part("Ends soon", [f"{e.ends}: {e.what}; lost then: {e.lost}" for e in seen.ending]),
            *_part(
                "Paid twice: reserved and idle, while as many instances run unreserved",
                [f"{count} of {what}" for what, count in seen.doubled],
            ),
            *_part("Wasted hours by reservation", self._wasted()),
            *_part("Reserved Instances that apply to nothing", [what for what, _ in seen.idle]),
            *_part("AWS Health pointed to", [f"{name}: {said}{self._now(name)}" for name, said in self.hints.items()]),
            *_part("Shared", [f"{name}: {said}" for name, said in seen.shared]),
            *_part("Not measured, because CloudWatch has no data points for them", seen.unmeasured),
            *_part("Left out", [f"{count} {what}" for what, count in self.found.left_out]),
            *_part("Recommended for what runs now", self._recommended()),
            *_part("Not known", self.caveats),
            *_part("Could not be read", self.problems),
            self.plan.prices.said(self.at.date()),
        ]
        return "\n".join(lines)

    def _wasted(self) -> list[str]:
        waste = self.waste
        found = [(each, seen) for each, seen in self.seen.by_reservation.items() if each.our_waste and seen.wasted]
        return [
            f"{each.id} ({each.shape.instance_type} in {each.zone}): {seen.wasted:.1f} hours"
            + (f", {shown(waste[each.id])} {self.plan.prices.currency}" if each.id in waste else ", no price")
            for each, seen in sorted(found, key=lambda pair: -pair[1].wasted)
        ]

    def _now(self, name: str) -> str:
        for each, seen in self.seen.by_reservation.items():
            total = seen.used + seen.wasted
            if each.id == name and total:
                return f"; in this window {100 * seen.used / total:.0f}% used"
        return "; not measured here"

    def _recommended(self) -> list[str]:
        lines = []
        for each in self.plan.workloads:
            for planned in each.stages:
                said = planned.recommendation.sentence if planned.recommendation else f"no price for {planned.missing}"
                when = "" if planned.stage.starts == self.plan.today else f"from {planned.stage.starts}: "
                lines.append(f"{each.workload.name}: {when}{said}")
        return lines


def _exact(value: Decimal) -> str:
    return f"{value:.2f}"


def _part(title: str, lines: Sequence[str]) -> list[str]:
    if not lines:
        return []
    more = [f"- and {len(lines) - MOST_LINES} more"] if len(lines) > MOST_LINES else []
    return [f"{title}:", *(f"- {line}" for line in lines[:MOST_LINES]), *more, ""]
