"""Finding solutions by what users call them. A solution's modules are imported only when wanted."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from fnmatch import fnmatchcase
from importlib import import_module
from typing import TYPE_CHECKING, Any

from stacks.series import SOLUTIONS, STACK_SET, Solution

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from config.models import CommonSettings, SolutionSettings


class UnknownSolutionError(Exception):
    """A selection matches no solution; the message is meant for the user."""


class _SettingsBySlug(Mapping[str, "type[SolutionSettings]"]):
    """The settings of a solution are imported when they are looked up: together they take longer than a stack."""

    def __getitem__(self, slug: str) -> type[SolutionSettings]:
        return _BY_SLUG[slug].settings

    def __contains__(self, slug: object) -> bool:
        return slug in _BY_SLUG  # the inherited one would import it

    def __iter__(self) -> Iterator[str]:
        return iter(_BY_SLUG)

    def __len__(self) -> int:
        return len(_BY_SLUG)


_BY_SLUG = {solution.slug: solution for solution in SOLUTIONS}


def settings_by_slug() -> Mapping[str, type[SolutionSettings]]:
    """The settings of every solution, for the loader."""
    return _SettingsBySlug()


def commands_of(slug: str) -> Any:
    """The module ``commands`` of a solution: ``idle_month``, ``findings``, and commands of its own."""
    return import_module(f"stacks.{slug}.commands")


def named(name: str, others: Iterable[str] = ()) -> Solution:
    """The solution that a user calls by its slug, with ``_`` or ``-``.

    Args:
        others: what else may stand in that place, for the suggestion.

    Raises:
        UnknownSolutionError: there is none.
    """
    if found := _BY_SLUG.get(name.replace("-", "_")):
        return found
    raise UnknownSolutionError(f"no solution is called {name!r}; {_hint(name, [*_BY_SLUG, *others])}")


def names_in(text: str) -> list[str]:
    """Names or patterns that are separated by commas or blanks."""
    return [name for part in text.split(",") for name in part.split()]


def select(solutions: Sequence[Solution], common: CommonSettings, patterns: Iterable[str]) -> list[Solution]:
    """The solutions that at least one pattern matches, in catalogue order; no patterns select all.

    A pattern is a slug, with ``_`` or ``-``, a stack name, or a glob of a stack name as the CDK CLI takes it.

    Raises:
        UnknownSolutionError: a pattern matches nothing.
    """
    patterns = list(patterns)
    matched = {pattern: [s for s in solutions if _matches(pattern, s, common)] for pattern in patterns}
    for pattern, found in matched.items():
        if not found:
            names = [solution.stack_name(common) for solution in solutions]
            hint = _hint(pattern, names, [solution.slug for solution in solutions])
            raise UnknownSolutionError(f"no enabled solution is called {pattern!r}; {hint}")
    wanted = {solution.slug for found in matched.values() for solution in found}
    return [solution for solution in solutions if solution.slug in wanted or not patterns]


def refuse_slugs(common: CommonSettings, patterns: Iterable[str]) -> None:
    """The CDK CLI selects by the names of stacks: it would build for seconds and then find no stack.

    Raises:
        UnknownSolutionError: a pattern is the slug of a solution whose stack is called otherwise; the message says how.
    """
    for pattern in patterns:
        solution = _BY_SLUG.get(pattern.replace("-", "_"))
        if solution and not fnmatchcase(solution.stack_name(common), pattern):
            raise UnknownSolutionError(f"no stack is called {pattern!r}; the stack is {solution.stack_name(common)!r}")


def _hint(name: str, names: Sequence[str], more: Sequence[str] = ()) -> str:
    close = get_close_matches(name, [*names, *more], n=1)
    return (f"did you mean {close[0]!r}? " if close else "") + f"there are: {', '.join(names)}"


def _matches(pattern: str, solution: Solution, common: CommonSettings) -> bool:
    if any(sign in pattern for sign in "{(!"):
        return True  # braces and extended globs: build all and let the CLI choose, it knows them
    names = (solution.stack_name(common), solution.stack_set_name(common))
    if pattern.startswith("-".join(filter(None, [common.prefix, STACK_SET]))):
        return True  # the assets of stack sets, which several solutions share
    return pattern.replace("-", "_") == solution.slug or any(fnmatchcase(name, pattern) for name in names)
