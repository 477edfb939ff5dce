"""What a scenario is: the post's own "test the solution", as steps that say what their evidence is."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import Any, ClassVar, Literal, Self, TypeVar

from emulator.client import EmbeddedAws
from tryout.pictures.kept import keep

Evidence = Literal["real-code", "emulated", "our-model", "recorded"]
"""What a step rests on: the delivered code ran; a third-party emulator answered; we model the service; or it was only
recorded that something was asked for."""

StepMethod = Callable[[Any], str]
AnyStep = TypeVar("AnyStep", bound=StepMethod)


class StepFailedError(Exception):
    """What a step wanted to see did not happen; the message says what was seen instead."""


class StepNotRunError(Exception):
    """A step needs a tool that this machine lacks; the message names it."""


@dataclass(frozen=True)
class Step:
    """One step as the report has it."""

    title: str
    evidence: Evidence
    run: StepMethod


def step(title: str, evidence: Evidence) -> Callable[[AnyStep], AnyStep]:
    """Marks a method as a step. It returns what was seen, raises StepFailedError, or StepNotRunError."""

    def mark(method: AnyStep) -> AnyStep:
        method.step = (title, evidence)  # type: ignore[attr-defined]
        return method

    return mark


def expect(condition: bool, seen: str) -> None:
    """Fails the step unless the condition holds.

    Raises:
        StepFailedError: with what was seen.
    """
    if not condition:
        raise StepFailedError(seen)


@dataclass(frozen=True)
class Deployed:
    """A stack that was deployed to the embedded AWS.

    Attributes:
        outputs: the stack's outputs.
        settings: the solution's section of the configuration that was deployed.
        folder: a folder for the scenario's files.
        kept: the folder of dashboards that are kept; the next try leaves it alone.
        solution, variant: of whose scenario this is.
    """

    aws: EmbeddedAws
    stack_name: str
    outputs: Mapping[str, str]
    settings: Any
    folder: Path
    kept: Path
    solution: str
    variant: str

    @cached_property
    def resources(self) -> dict[str, list[str]]:
        """Physical ids of the stack's resources, by type."""
        pages = self.client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=self.stack_name)
        found: dict[str, list[str]] = {}
        for page in pages:
            for item in page["StackResourceSummaries"]:
                found.setdefault(item["ResourceType"], []).append(item["PhysicalResourceId"])
        return found

    def client(self, service: str) -> Any:
        """A client with the rights of the account's administrator."""
        return self.aws.client(service)

    def keep_dashboard(self, name: str, picture: str = "") -> str:
        """Keeps a dashboard and its metrics as they are now, for ``make pictures``; it outlives the stack.

        Args:
            picture: which of the solution's pictures it is, if there are several: docs/pictures/<slug>-<picture>.png.

        Returns:
            How many widgets have data, and why others are drawn empty.

        Raises:
            DashboardError: it is not a dashboard to be shown: widgets overlap, say.
        """
        kept = keep(self._client_of_region, name, self.solution, self.variant)
        kept.write(self.kept / f"{'-'.join(filter(None, (self.solution, picture)))}.json")
        return kept.summary

    def _client_of_region(self, service: str, region: str) -> Any:
        return self.aws.client(service, **({"region_name": region} if region else {}))


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
    def prepare(cls, aws: EmbeddedAws) -> None:
        """What there is before the stack is deployed: on premises, say."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Ends every process that the scenario has started."""

    def steps(self) -> Iterator[Step]:
        """The steps in the order in which the class defines them; a scenario may leave some out of a variant."""
        for method in vars(type(self)).values():
            if marked := getattr(method, "step", None):
                title, evidence = marked
                yield Step(title, evidence, method)


def scenario_of(slug: str) -> type[Scenario]:
    """The scenario of a solution."""
    found: type[Scenario] = import_module(f"tryout.scenarios.{slug}.scenario").SCENARIO
    return found
