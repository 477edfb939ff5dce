"""What an entry of the series says, and what follows from its name."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from constructs import Construct

    from config.models import CommonSettings, SolutionSettings
    from stacks.shared.solution import SolutionStack

STACK_SET = "stack-set"
"""Ends the name of an administrator's stack; the stacks of the assets, which several share, begin with it."""


@dataclass(frozen=True, kw_only=True)
class Solution:
    """One blog post, as the catalogue, the stacks and the documentation name it.

    Attributes:
        summary: the problem that it solves, in one line of a terminal.
        title: the post's.
        accounts: where a company with many accounts deploys it.
        problems: what somebody types who has the problem and does not know the solution.
    """

    slug: str
    summary: str
    title: str
    blog_url: str
    services: tuple[str, ...]
    accounts: Literal["every account", "one account", "one organization"]
    problems: tuple[str, ...]

    @property
    def settings(self) -> type[SolutionSettings]:
        """The solution's section of the configuration; does not load the CDK."""
        found: type[SolutionSettings] = getattr(import_module(f"stacks.{self.slug}.settings"), f"{self._idea}Settings")
        return found

    def build(self, scope: Construct, common: CommonSettings, settings: SolutionSettings) -> SolutionStack:
        """Imports the solution's stack and adds it to the app."""
        stack = getattr(import_module(f"stacks.{self.slug}.stack"), f"{self._idea}Stack")
        built: SolutionStack = stack(scope, self, common, settings)
        return built

    def stack_name(self, common: CommonSettings) -> str:
        """What the user types after ``cdk deploy``."""
        return common.stack_name(self.slug)

    def stack_set_name(self, common: CommonSettings) -> str:
        """The administrator's stack of the solution's stack set."""
        return f"{self.stack_name(common)}-{STACK_SET}"

    @property
    def _idea(self) -> str:
        return self.slug.title().replace("_", "")
