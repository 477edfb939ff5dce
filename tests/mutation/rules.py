"""What AWS's rules say of a template without an action: a delivery that is denied, a call that lacks what it needs."""

from collections.abc import Iterator

from tests.conformance.authorization.rule import authorization
from tests.conformance.deliveries.rule import look
from tests.conformance.findings import Finding
from tests.conformance.templates import Template
from tests.mutation.mutants import Mutant, mutated

_DENIALS = ("dependent action", "required resource")
"""Rules of ``authorization`` by which a call fails; the others say that a policy says too much."""


class Rules:
    """The rules over one template; what they find in it as it is does not count."""

    def __init__(self, template: Template) -> None:
        self._template = template
        self._before = {_key(one) for one in _findings(template)}

    def fails(self, mutant: Mutant) -> str:
        """Which rule finds something without the action, with its page; empty: none."""
        body = mutated(self._template.body, mutant)
        template = Template(
            self._template.variant, self._template.slug, body, self._template.settings, self._template.common
        )
        new = (one for one in _findings(template) if one.verdict == "fails" and _key(one) not in self._before)
        return next((f"{one.rule}, {one.page}" for one in new), "")


def _key(finding: Finding) -> tuple[str, str, str]:
    return finding.resource, finding.rule, finding.reason


def _findings(template: Template) -> Iterator[Finding]:
    yield from (one for one in authorization(template) if one.rule in _DENIALS)
    yield from next(iter(look(template))).findings()
