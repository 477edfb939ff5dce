"""What a scenario is: the post's own "test the solution", as steps that say what their evidence is."""

from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Any, ClassVar, Self

from emulator.client import EmbeddedAws
from tryout.deployed import Deployed
from tryout.steps import Marked, Step, StepFailedError, StepMethod, StepNotRunError, Where, expect, step

# What scenarios are written with.
__all__ = [
    "Deployed",
    "Scenario",
    "StepFailedError",
    "StepNotRunError",
    "expect",
    "marked_steps",
    "scenario_of",
    "step",
    "steps_of",
]


class Scenario:
    """Base of each solution's scenario, ``tryout/scenarios/<slug>/``: a context manager whose methods are steps.

    Attributes:
        variants: settings of the solution, by the name of the variant, that differ from config/config.yaml: what is
            to be tried besides, and times that are minutes in an account and seconds here.
        pictured: the variants that keep a dashboard, which ``make pictures`` runs.
        in_account: the variants that ``make verify`` plays in an account, the usual one first, each with the settings
            that it needs there; what opts resources in by a tag takes a tag that nothing else has.
        emulated: why steps that say nothing else are played on the embedded AWS only.
        long_waits: seconds that a variant waits for the clock, much longer than its number of steps lets one expect.
        account_minutes: how long deployment, steps and destruction may take in an account: a guess, until one has
            been seen.

    ``__init__`` only reads, in an account too. What it takes to play on the embedded AWS is set up by ``__enter__``,
    and taken away by ``__exit__``; ``make verify`` calls neither.
    """

    variants: ClassVar[Mapping[str, Mapping[str, Any]]] = {"default": {}}
    pictured: ClassVar[tuple[str, ...]] = ()
    in_account: ClassVar[Mapping[str, Mapping[str, Any]]] = {}
    emulated: ClassVar[str] = ""
    long_waits: ClassVar[Mapping[str, int]] = {}
    account_minutes: ClassVar[int] = 15

    def __init__(self, deployed: Deployed, variant: str) -> None:
        self.deployed = deployed
        self.variant = variant

    @classmethod
    def prepare(cls, aws: EmbeddedAws) -> bool:
        """Brings about what there is before the deployment, on premises, say; whether it has changed anything."""
        return False

    @classmethod
    def fault(cls) -> Exception | None:
        """What went wrong with what it has begun beside the deployments, which may wait for it in vain."""
        return None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Ends every process that the scenario has started."""

    def steps(self) -> Iterator[Step]:
        """The steps of the variant on the embedded AWS, in the order in which the class defines them."""
        return steps_of(type(self), self.variant, "emulator")


def steps_of(scenario: type[Scenario], variant: str, played: Where) -> Iterator[Step]:
    """The steps of a variant.

    Args:
        played: "emulator" for ``make try``; "account": also those that are not played there, each with its reason.
    """
    for name, marked, method in marked_steps(scenario):
        if (marked.only and variant not in marked.only) or (played == "emulator" and marked.where == "account"):
            continue
        why = (marked.emulated or scenario.emulated) if marked.where == "emulator" else ""
        yield Step(marked.title, marked.evidence, method, name, marked.needs, why)


def marked_steps(scenario: type[Scenario]) -> Iterator[tuple[str, Marked, StepMethod]]:
    """Every step of a scenario, of all variants: the method's name, what is said of it, and the method."""
    for kind in reversed(scenario.__mro__):
        for name, method in vars(kind).items():
            if marked := getattr(method, "step", None):
                yield name, marked, method


def scenario_of(slug: str) -> type[Scenario]:
    """The scenario of a solution."""
    found: type[Scenario] = import_module(f"tryout.scenarios.{slug}.scenario").SCENARIO
    return found
