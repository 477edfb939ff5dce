"""What is said of each action: needed, with what fails without it; not shown, with the reason; or not needed."""

import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from config.loader import load
from stacks.catalog import settings_by_slug
from tests.conformance.templates import Template
from tests.conformance.told import told
from tests.mutation.handlers import modules_of
from tests.mutation.mutants import Mutant, mutants
from tests.mutation.reasons import plain, reason, says
from tests.mutation.replay import fails
from tests.mutation.rules import Rules
from tests.mutation.scripts import calls_of
from tryout.judged.calls import Kept

NEEDED, NOT_SHOWN, NOT_NEEDED = "needed", "not shown", "not needed"
Paths = Mapping[str, Mapping[str, str]]


@dataclass(frozen=True)
class Judgement:
    """What is said of one action of one role.

    Attributes:
        why: which call or rule fails without it, or the reason for which it stays.
    """

    slug: str
    role: str
    action: str
    verdict: str
    why: str


def judged(slug: str, trials: Iterable[Kept], paths: Paths) -> Iterator[Judgement]:
    """Every action of a solution's roles; what one variant needs, every variant may have.

    Args:
        paths: what the happy paths of handlers call, by their modules (tests/mutation/handlers.py).
    """
    shown: dict[tuple[str, str, str], str] = {}
    excused: dict[tuple[str, str, str], str] = {}
    reasons: Mapping[str, str] = told(slug, "NOT_SHOWN", {})
    for kept in trials:
        judge = _Trial(kept, paths)
        for mutant in judge.mutants:
            shown[mutant.identity] = shown.get(mutant.identity) or judge.fails(mutant)
            excused[mutant.identity] = reason(kept.template, mutant, reasons)
    for (role, action, on), why in shown.items():
        excuse = excused[role, action, on]
        verdict = NEEDED if why else NOT_SHOWN if excuse else NOT_NEEDED
        yield Judgement(slug, plain(role), action, verdict, why or excuse or on)


def needless(slug: str, trials: Iterable[Kept]) -> list[str]:
    """Reasons of a solution that are about no action of its roles."""
    reasons: Mapping[str, str] = told(slug, "NOT_SHOWN", {})
    every = [mutant for kept in trials for mutant in mutants(kept.template)]
    return [name for name in reasons if not any(says(name, mutant) for mutant in every)]


class _Trial:
    """One variant: its scenario's calls, its template under AWS's rules, its handlers' happy paths."""

    def __init__(self, kept: Kept, paths: Paths) -> None:
        self._kept, self._paths = kept, paths
        self.mutants = list(mutants(kept.template))
        self._statements = Counter((one.role, one.action) for one in self.mutants)
        self._modules, self._scripts = modules_of(kept.template), calls_of(kept.template)
        self._rules = Rules(_template(kept))

    def fails(self, mutant: Mutant) -> str:
        return fails(self._kept, mutant) or self._rules.fails(mutant) or self._called(mutant)

    def _called(self, mutant: Mutant) -> str:
        """What is known to call it, on whatever: it says nothing where the role has the action in two statements."""
        if self._statements[mutant.role, mutant.action] > 1:
            return ""
        if mutant.action in self._scripts.get(mutant.role, set()):
            return "the user data or a document calls it"
        modules = self._modules.get(mutant.role, set())
        found = (self._paths.get(module, {}).get(mutant.action, "") for module in sorted(modules))
        return next((f"the happy path of {name} calls it" for name in found if name), "")


def _template(kept: Kept) -> Template:
    with tempfile.NamedTemporaryFile("w", suffix=".yaml", encoding="utf-8") as file:
        file.write(kept.config)
        file.flush()
        config = load(Path(file.name), settings_by_slug())
    return Template(kept.variant, kept.slug, kept.template, config.solutions[kept.slug], config.common)
