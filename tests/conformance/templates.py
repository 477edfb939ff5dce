"""The templates that the rules judge: every variant of every solution."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from config.models import CommonSettings, SolutionSettings
from stacks.series import SOLUTIONS
from tests import variants

Json = dict[str, Any]


@dataclass(frozen=True)
class Template:
    """One stack's template, and the settings that it was made of.

    Attributes:
        variant: name of the variant (tests/variants.py).
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


def every_template(test: Callable[[str, str], None]) -> Callable[[str], None]:
    """Makes a test of each template one test a solution: thousands of tests take pytest longer than most rules take."""

    @pytest.mark.parametrize("slug", [solution.slug for solution in SOLUTIONS])
    def of_a_solution(slug: str) -> None:
        for variant in variants.variants_of(slug):
            try:
                test(variant, slug)
            except AssertionError as error:
                error.add_note(f"the template: {variant}/{slug}")
                raise

    of_a_solution.__name__, of_a_solution.__doc__ = test.__name__, test.__doc__
    return of_a_solution


def found(variant: str, slug: str) -> Template:
    """The template of a solution under a variant."""
    config = variants.configuration(variant)
    return Template(variant, slug, variants.template(variant, slug), config.solutions[slug], config.common)


def all_templates() -> Iterator[Template]:
    """Every template of every variant, in the order of the catalogue."""
    return (found(variant, slug) for variant, slug in variants.every())
