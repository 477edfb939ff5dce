"""The templates that the rules judge: every variant, and four more settings that are there for deliveries."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from config.loader import Config, load
from config.models import CommonSettings, SolutionSettings
from stacks.catalog import SOLUTIONS, settings_by_slug
from tests import variants

Json = dict[str, Any]


@dataclass(frozen=True)
class Template:
    """One stack's template, and the settings that it was made of.

    Attributes:
        variant: name of the configuration, below tests/fixtures/config.
        body: the template as CloudFormation reads it. Rules only read it: it is shared.
    """

    variant: str
    slug: str
    body: Json
    settings: SolutionSettings
    common: CommonSettings

    @property
    def resources(self) -> dict[str, Json]:
        """The resources by their logical ids."""
        found: dict[str, Json] = self.body["Resources"]
        return found

    @property
    def stack_name(self) -> str:
        return next(solution for solution in SOLUTIONS if solution.slug == self.slug).stack_name(self.common)

    def __str__(self) -> str:
        return f"{self.variant}/{self.slug}"


@cache
def configuration(variant: str) -> Config:
    return load(variants.FOLDER / f"{variant}.yaml", settings_by_slug())


def all_templates(names: tuple[str, ...] = (*variants.VARIANTS, *variants.CONFORMANCE)) -> Iterator[Template]:
    """Every template of the named variants, in the order of the variants and of the catalogue."""
    for variant in names:
        config = configuration(variant)
        bodies = variants.templates(variant)
        for solution in SOLUTIONS:
            if solution.slug in bodies:
                settings = config.solutions[solution.slug]
                yield Template(variant, solution.slug, bodies[solution.slug], settings, config.common)
