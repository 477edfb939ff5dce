"""The rule "deliveries": what one service does to another is allowed by policy, role, trust and key.

Every kind of delivery has a page of AWS, what to do where it is denied, and how many of it the variants hold at least:
a rule that finds fewer has gone blind.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from tests.conformance.deliveries import (
    builds,
    events,
    functions,
    logs,
    machines,
    operations,
    policies,
)
from tests.conformance.deliveries.judge import Delivery, Judge, Need
from tests.conformance.deliveries.kinds import KINDS
from tests.conformance.findings import Finding
from tests.conformance.policies.references import places_of
from tests.conformance.templates import Template

_MODULES = (
    events,
    functions,
    machines,
    logs,
    builds,
    operations,
    policies,
)


@dataclass(frozen=True)
class Look:
    """All deliveries of one template in one place."""

    template: Template
    partition: str
    deliveries: tuple[Delivery, ...]

    def findings(self) -> Iterator[Finding]:
        for one in self.deliveries:
            if one.outcome.verdict in ("fails", "unsure"):
                kind = KINDS[one.kind]
                reason = one.outcome.reason
                yield Finding(
                    str(self.template), one.source, one.kind, one.outcome.verdict, reason, kind.page, kind.fix
                )

    def needs(self) -> set[Need]:
        """What something outside the template must allow."""
        return {need for one in self.deliveries for need in one.outcome.needs}


def deliveries(judge: Judge) -> Iterator[Delivery]:
    """Every delivery of a resolved template."""
    for module in _MODULES:
        for rule in module.RULES:
            yield from rule(judge)


def look(template: Template) -> Iterator[Look]:
    """A template in every partition in which it may be deployed."""
    for place in places_of(template):
        yield Look(template, place.partition, tuple(deliveries(Judge(template, place))))


def counts(looks: Iterable[Look]) -> Counter[str]:
    """How many deliveries of each kind there are, each template counted in one partition."""
    first: dict[str, Look] = {}
    for one in looks:
        first.setdefault(str(one.template), one)
    return Counter(delivery.kind for one in first.values() for delivery in one.deliveries)
