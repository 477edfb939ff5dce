"""What a rule says, and what is said about a rule; each group's module lists its rules as ``RULES``."""

from dataclasses import dataclass
from typing import Literal

# fails: AWS denies or refuses it. unsure: AWS's pages are silent or contradict each other.
# outside: something that is not in the template decides, such as the policy of a user's own key.
Verdict = Literal["ok", "fails", "unsure", "outside"]


@dataclass(frozen=True, order=True)
class Finding:
    """Something in a template that AWS would deny or refuse.

    Attributes:
        where: variant and slug.
        resource: logical id, with a place inside it where one is meant: ``Machine/State``.
        rule: the rule's name.
        page: address of the page or data that the rule rests on.
        fix: what to do.
    """

    where: str
    resource: str
    rule: str
    verdict: Verdict
    reason: str
    page: str
    fix: str

    def __str__(self) -> str:
        return f"{self.where} {self.resource}: {self.rule}: {self.verdict}: {self.reason}. {self.fix}. {self.page}"


@dataclass(frozen=True)
class Rule:
    """One row of docs/conformance.md.

    Attributes:
        group: the module: deliveries, authorization, updates, ...
        source: page or data of AWS that the rule rests on.
        seen_to_catch: the faults that a test puts in and sees caught.
    """

    group: str
    name: str
    source: str
    seen_to_catch: tuple[str, ...]
