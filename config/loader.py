"""Loads config/config.yaml and reports everything wrong with it in one go, by file, line and key."""

import sys
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

from pydantic import BaseModel, ConfigDict, create_model

from config.document import ConfigError, Document, Location, Said, named
from config.filling import filled
from config.models import CommonSettings, Problem, Section, SolutionSettings
from config.reading import read
from config.stack_sets import StackSets
from config.wording import with_got

__all__ = ["Config", "ConfigError", "load", "schema", "schema_model"]

CDK_OPTION = "-c config=<file>"
PARTS = ("common", "stack_sets", "solutions")


@dataclass(frozen=True)
class Config:
    """A configuration that has passed every check."""

    common: CommonSettings
    solutions: Mapping[str, SolutionSettings]
    stack_sets: StackSets | None = None


def load(
    path: Path,
    solutions: Mapping[str, type[SolutionSettings]],
    *,
    only: Callable[[CommonSettings], Collection[str]] | None = None,
    once: Mapping[str, str] = MappingProxyType({}),
    option: str = CDK_OPTION,
    warn: Callable[[str], None] = lambda text: print(text, file=sys.stderr),
) -> Config:
    """Reads and checks the file.

    Args:
        solutions: the model of each section; of those that are not wanted it is not even looked up.
        only: which sections are wanted, once ``common`` is known; of the others no more than ``enabled`` is read.
        once: solutions that not every account has, and where they are deployed instead (stacks/series.py).
        option: how the program is given another file, for messages.
        warn: takes what is odd and no error.

    Raises:
        ConfigError: names every problem, one a line.
    """
    document = read(path, option)
    data = document.data
    for key in data:
        if key not in PARTS and not key.startswith("x-"):
            _say_unknown(document, (key,), PARTS)
    common = filled(document, CommonSettings, data.get("common"), ("common",))
    sections = _sections(document, data.get("solutions"), solutions)
    wanted = solutions.keys() if only is None or document.problems else only(common)
    found: dict[str, SolutionSettings] = {}
    for slug in solutions:
        at = ("solutions", slug)
        model = solutions[slug] if slug in wanted else _OnlyEnabled
        found[slug] = filled(document, model, sections.get(slug), at)
    stack_sets = _stack_sets(document, data.get("stack_sets"), solutions)
    for above, problem in (*broken_rules(common, found), *_broken_sets(common, stack_sets, found, once)):
        where = (*above, *problem.path)
        message = with_got(problem.message, _what_is_there(document, where))
        if problem.warning:
            document.warnings.append(Said(document.line(where), named(where), message))
        else:
            document.say(where, message)
    if document.problems:
        raise document.refusal()
    for said in sorted(document.warnings):
        warn(f"{path}:{said.line}: warning: {said.key}: {said.message}")
    return Config(common, found, stack_sets)


class _OnlyEnabled(SolutionSettings):
    """A section that nobody wants: whether its solution is enabled is all that matters."""

    model_config = ConfigDict(extra="ignore")


def _sections(document: Document, data: Any, solutions: Mapping[str, Any]) -> Mapping[str, Any]:
    if data is None:
        return {}
    if not isinstance(data, dict):
        got = document.places[("solutions",)].text
        document.say(("solutions",), f"must be a mapping with one section for each solution, got {got}")
        return {}
    for slug in data:
        if slug not in solutions:
            _say_unknown(document, ("solutions", slug), tuple(solutions))
    return data


def _stack_sets(document: Document, data: Any, solutions: Mapping[str, Any]) -> StackSets | None:
    if data is None:
        return None
    named = data.get("solutions") if isinstance(data, dict) else None
    for slug in named if isinstance(named, dict) else ():
        if slug not in solutions:
            _say_unknown(document, ("stack_sets", "solutions", slug), tuple(solutions))
    return filled(document, StackSets, data, ("stack_sets",))


def _broken_sets(
    common: CommonSettings,
    stack_sets: StackSets | None,
    found: Mapping[str, SolutionSettings],
    once: Mapping[str, str],
) -> Iterator[tuple[Location, Problem]]:
    at = ("stack_sets",)
    for where, section in sections_of(stack_sets, at):
        yield from ((where, problem) for problem in section.problems())
    if stack_sets:
        for problem in (*stack_sets.problems_with(common), *stack_sets.problems_of(once)):
            yield at, problem
        for slug in stack_sets.__dict__.get("solutions", ()):
            if slug in found and not found[slug].__dict__.get("enabled"):  # else they are told already
                yield from ((("solutions", slug), problem) for problem in found[slug].problems_with(common))


def _say_unknown(document: Document, where: Location, known: tuple[str, ...]) -> None:
    close = get_close_matches(str(where[-1]).replace("-", "_"), known, n=1)
    hint = f"did you mean {close[0]!r}?" if close else f"known keys: {', '.join(known)}"
    document.say(where, f"unknown key; {hint}")


def broken_rules(common: CommonSettings, found: Mapping[str, SolutionSettings]) -> Iterator[tuple[Location, Problem]]:
    """What the rules of all sections say, also of those within others, and where."""
    for at, section in sections_of(common, ("common",)):
        yield from ((at, problem) for problem in section.problems())
    for slug, settings in found.items():
        for at, section in sections_of(settings, ("solutions", slug)):
            yield from ((at, problem) for problem in section.problems())
        if settings.__dict__.get("enabled"):
            yield from ((("solutions", slug), problem) for problem in settings.problems_with(common))


def sections_of(value: Any, at: Location) -> Iterator[tuple[Location, Section]]:
    """A section and all sections in it."""
    if isinstance(value, Section):
        yield at, value
        for name in type(value).model_fields:
            yield from sections_of(value.__dict__.get(name), (*at, name))
    elif isinstance(value, tuple):
        for index, item in enumerate(value):
            yield from sections_of(item, (*at, index))
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from sections_of(item, (*at, key))


def _what_is_there(document: Document, where: Location) -> str:
    place = document.places.get(where)
    return "" if place is None or place.text in ("a mapping", "a list", "nothing") else place.text


# The schema of the whole file


def schema_model(solutions: Mapping[str, type[SolutionSettings]]) -> type[BaseModel]:
    """The model of the whole file."""
    return _schema_model(tuple(solutions.items()))


def schema(solutions: Mapping[str, type[SolutionSettings]]) -> Mapping[str, Any]:
    """The JSON schema of the whole file, to be read only; config/config.schema.json is generated from it."""
    return _schema(tuple(solutions.items()))


@cache  # each takes half a second, and the site asks for every section
def _schema(solutions: tuple[tuple[str, type[SolutionSettings]], ...]) -> Mapping[str, Any]:
    from config.described import Described  # what reads a file needs no sentences

    return _schema_model(solutions).model_json_schema(schema_generator=Described)


@cache  # pydantic's models are cycles that the garbage collector reaches late: one for each call filled gigabytes
def _schema_model(solutions: tuple[tuple[str, type[SolutionSettings]], ...]) -> type[BaseModel]:
    sections: dict[str, Any] = {slug: (model | None, model()) for slug, model in solutions}
    all_sections = create_model("Solutions", __base__=Section, **sections)
    all_sections.__doc__ = "One section a solution; a solution without one has its defaults."
    parts: dict[str, Any] = {
        "common": (CommonSettings | None, CommonSettings()),
        "stack_sets": (StackSets | None, None),
        "solutions": (all_sections | None, all_sections()),
    }
    whole = create_model(
        "Config",
        __base__=Section,
        **parts,
    )
    whole.__doc__ = "The configuration of all solutions."
    whole.model_config["json_schema_extra"] = {"patternProperties": {"^x-": {}}}
    return whole
