"""Loads config/config.yaml and reports everything wrong with it in one go, by file, line and key."""

import json
import sys
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError, create_model
from pydantic_core import ErrorDetails

from config.models import CommonSettings, Problem, Section, SolutionSettings
from config.reading import ConfigError, Document, Location, Said, named, read
from config.wording import Spot, explain, is_echo, is_mapping, is_section, members, with_got

__all__ = ["Config", "ConfigError", "load", "schema_model"]

CDK_OPTION = "-c config=<file>"

_AnySection = TypeVar("_AnySection", bound=Section)


@dataclass(frozen=True)
class Config:
    """A configuration that has passed every check."""

    common: CommonSettings
    solutions: Mapping[str, SolutionSettings]


def load(
    path: Path,
    solutions: Mapping[str, type[SolutionSettings]],
    *,
    only: Callable[[CommonSettings], Collection[str]] | None = None,
    option: str = CDK_OPTION,
    warn: Callable[[str], None] = lambda text: print(text, file=sys.stderr),
) -> Config:
    """Reads and checks the file.

    Args:
        solutions: the model of each section; of those that are not wanted it is not even looked up.
        only: which sections are wanted, once ``common`` is known; of the others no more than ``enabled`` is read.
        option: how the program is given another file, for messages.
        warn: takes what is odd and no error.

    Raises:
        ConfigError: names every problem, one a line.
    """
    document = read(path, option)
    data = document.data
    for key in data:
        if key not in ("common", "solutions") and not key.startswith("x-"):
            _say_unknown(document, (key,), ("common", "solutions"))
    common = _section(document, CommonSettings, data.get("common"), ("common",))
    sections = _sections(document, data.get("solutions"), solutions)
    wanted = solutions.keys() if only is None or document.problems else only(common)
    found: dict[str, SolutionSettings] = {}
    for slug in solutions:
        at = ("solutions", slug)
        model = solutions[slug] if slug in wanted else _OnlyEnabled
        found[slug] = _section(document, model, sections.get(slug), at)
    for above, problem in broken_rules(common, found):
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
    return Config(common, found)


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


def _say_unknown(document: Document, where: Location, known: tuple[str, ...]) -> None:
    close = get_close_matches(str(where[-1]).replace("-", "_"), known, n=1)
    hint = f"did you mean {close[0]!r}?" if close else f"known keys: {', '.join(known)}"
    document.say(where, f"unknown key; {hint}")


def _section(document: Document, model: type[_AnySection], data: Any, at: Location) -> _AnySection:
    """A section of the file; the keys whose values are wrong are reported, and missing from it."""
    data = {} if data is None else data
    if _former_names(model):
        _rename(document, model, data, at)
    unreadable: list[Location] = [path[len(at) :] for path in document.unusable if path[: len(at)] == at]
    for path in unreadable:
        _drop(data, path)
    reported, filled = False, set[Location]()
    while True:
        try:
            # As JSON, because pydantic's strict mode then takes a list for a tuple and still no "5" for 5.
            section = model.model_validate_json(json.dumps(data), strict=True)
            break
        except ValidationError as error:
            errors = error.errors()
        if not reported:
            _report(document, model, errors, at, unreadable)
            reported = True
        spots = [Spot(model, each["loc"]) for each in errors]
        dropped = [_stand_in(data, spot, filled) or _drop(data, spot.path) for spot in spots]
        unreadable += [*(spot.path for spot in spots), *dropped]
        if not any(dropped):
            section, unreadable = model.model_construct(), [(name,) for name in model.model_fields]
            break
    for path in sorted(unreadable, key=len):
        _forget(section, path)
    return section


def _report(
    document: Document, model: type[Section], errors: list[ErrorDetails], at: Location, unreadable: list[Location]
) -> None:
    for error in errors:
        path, message = explain(model, error, document.places, at)
        known = any(path[: len(other)] == other for other in unreadable)
        if not is_echo(error) and not known:
            document.say((*at, *path), message)


def _stand_in(data: Any, spot: Spot, filled: set[Location]) -> Location:
    """Gives a required key, whose value was taken out, a value that is valid, so that its neighbours can be judged."""
    holder = data
    for part in spot.path[:-1]:
        inside = part in holder if isinstance(holder, dict) else isinstance(holder, list) and isinstance(part, int)
        holder = holder[part] if inside else None
    wanted = isinstance(holder, dict) and spot.path[-1] not in holder and spot.valid is not None
    if not wanted or spot.path in filled:
        return ()
    filled.add(spot.path)
    holder[spot.path[-1]] = spot.valid
    return spot.path


def _drop(data: Any, path: Location) -> Location:
    """Takes the key of a value, or the closest one above it, out of the data, and says which; () if there is none."""
    holders = [data]
    for part in path[:-1]:
        holder = holders[-1]
        inside = part in holder if isinstance(holder, dict) else isinstance(holder, list)
        if not inside:
            break
        holders.append(holder[part])
    for depth in range(min(len(holders), len(path)), 0, -1):
        holder = holders[depth - 1]
        if isinstance(holder, dict) and path[depth - 1] in holder:
            del holder[path[depth - 1]]
            return path[:depth]
    return ()


def _forget(section: Section, path: Location) -> None:
    """Takes a value, or the key of the section that holds it, out: rules that read it then have nothing to say."""
    owner, name = section, ""
    value: Any = section
    for part in path:
        if isinstance(value, Section):
            owner, name = value, str(part)
            value = value.__dict__.get(name)
        elif isinstance(value, Mapping):
            value = value.get(part)
        elif isinstance(value, tuple) and isinstance(part, int) and part < len(value):
            value = value[part]
        else:
            break
    owner.__dict__.pop(name, None)


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


# Names that keys had


@cache
def _former_names(model: type[BaseModel]) -> frozenset[str]:
    """Every former name of a key in a model and in the models in it."""
    found = set(getattr(model, "renamed", {}))
    for inner in _models_in(model):
        found |= _former_names(inner)
    return frozenset(found)


def _models_in(model: type[BaseModel]) -> Iterator[type[BaseModel]]:
    def search(annotation: Any) -> Iterator[type[BaseModel]]:
        for each in members(annotation):
            if is_section(each):
                yield each
            else:
                for argument in getattr(each, "__args__", ()):
                    yield from search(argument)

    for field in model.model_fields.values():
        yield from search(field.annotation)


def _rename(document: Document, model: Any, data: Any, at: Location) -> None:
    """Gives keys their present names, with a warning."""
    if is_section(model) and isinstance(data, dict):
        for former, name in getattr(model, "renamed", {}).items():
            if former not in data:
                continue
            if name in data:
                document.say((*at, former), f"must be removed: it is the former name of {name!r}, which is set too")
                data.pop(former)
                continue
            data[name] = data.pop(former)
            message = f"is called {name!r} now; rename it, the next release refuses the former name"
            document.warnings.append(Said(document.line((*at, former)), named((*at, former)), message))
            for where in [where for where in document.places if where[: len(at) + 1] == (*at, former)]:
                document.places[(*at, name, *where[len(at) + 1 :])] = document.places[where]
        for key, value in data.items():
            if key in model.model_fields:
                for each in members(model.model_fields[key].annotation):
                    _rename(document, each, value, (*at, key))
    elif isinstance(data, list):
        arguments = getattr(model, "__args__", ())
        for index, item in enumerate(data):
            for each in members(arguments[0]) if arguments else ():
                _rename(document, each, item, (*at, index))
    elif isinstance(data, dict) and is_mapping(model):
        for key, item in data.items():
            for each in members(model.__args__[1]):
                _rename(document, each, item, (*at, key))


# The schema of the whole file


def schema_model(solutions: Mapping[str, type[SolutionSettings]]) -> type[BaseModel]:
    """The model of the whole file; config/config.schema.json is generated from it."""
    return _schema_model(tuple(solutions.items()))


@cache  # pydantic's models are cycles that the garbage collector reaches late: one for each call filled gigabytes
def _schema_model(solutions: tuple[tuple[str, type[SolutionSettings]], ...]) -> type[BaseModel]:
    sections: dict[str, Any] = {slug: (model | None, model()) for slug, model in solutions}
    all_sections = create_model("Solutions", __base__=Section, **sections)
    all_sections.__doc__ = "One section a solution; a solution without one has its defaults."
    parts: dict[str, Any] = {
        "common": (CommonSettings | None, CommonSettings()),
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
