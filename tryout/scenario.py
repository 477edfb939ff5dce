"""What a scenario is: the post's own "test the solution", as steps that say what their evidence is."""

from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Any, ClassVar, Self

from emulator.client import EmbeddedAws
from tryout.deployed import Deployed
from tryout.steps import Marked, Step, StepFailedError, StepMethod, StepNotRunError, expect, step

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
]


class Scenario:
    """Base of each solution's scenario, ``tryout/scenarios/<slug>/``: a context manager whose methods are steps.

    Attributes:
        variants: settings of the solution, by the name of the variant, that differ from config/config.yaml: what is
            to be tried besides, and times that are minutes in an account and seconds here.
        pictured: the variants that keep a dashboard, which ``make pictures`` runs.
    """

    variants: ClassVar[Mapping[str, Mapping[str, Any]]] = {"default": {}}
    pictured: ClassVar[tuple[str, ...]] = ()

    def __init__(self, deployed: Deployed, variant: str) -> None:
        self.deployed = deployed
        self.variant = variant

    @classmethod
    def prepare(cls, aws: EmbeddedAws) -> bool:
        """Brings about what there is before the deployment, on premises, say; whether it has changed anything."""
        return False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Ends every process that the scenario has started."""

    def steps(self) -> Iterator[Step]:
        """The steps of the variant, in the order in which the class defines them, its base's first."""
        for name, marked, method in marked_steps(type(self)):
            if not marked.only or self.variant in marked.only:
                yield Step(marked.title, marked.evidence, method, name, marked.needs)


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
