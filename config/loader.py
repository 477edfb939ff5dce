"""Reads config/config.yaml and reports everything wrong with it in one go, by file, line and key."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Any, get_args

import yaml
from pydantic import BaseModel, ValidationError, create_model
from pydantic_core import ErrorDetails

from config.models import CommonSettings, Section, SolutionSettings

LARGEST_FILE = 256 * 1024  # bytes; the longest sensible file is a fiftieth of this
MOST_VALUES = 20_000  # aliases can make a small file enormous
DEEPEST = 50  # levels; an alias can contain itself

Location = tuple[str | int, ...]
Lines = dict[Location, int]


class ConfigError(Exception):
    """The configuration is unusable; the message is meant for the user and names every problem."""


@dataclass(frozen=True)
class Config:
    """A configuration that has passed every check."""

    common: CommonSettings
    solutions: Mapping[str, SolutionSettings]


@dataclass(frozen=True, order=True)
class _Problem:
    line: int
    key: str
    message: str


def schema_model(solutions: Mapping[str, type[SolutionSettings]]) -> type[BaseModel]:
    """The model of the whole file; config/config.schema.json is generated from it."""
    return _schema_model(tuple(solutions.items()))


@cache  # pydantic's models are cycles that the garbage collector reaches late: one for each load filled gigabytes
def _schema_model(solutions: tuple[tuple[str, type[SolutionSettings]], ...]) -> type[BaseModel]:
    sections: dict[str, Any] = {slug: (model, model()) for slug, model in solutions}
    all_sections = create_model("Solutions", __base__=Section, **sections)
    all_sections.__doc__ = "One section a solution; a solution without one has its defaults."
    whole = create_model(
        "Config", __base__=Section, common=(CommonSettings, CommonSettings()), solutions=(all_sections, all_sections())
    )
    whole.__doc__ = "The configuration of all solutions."
    return whole


def load(path: Path, solutions: Mapping[str, type[SolutionSettings]]) -> Config:
    """Reads and checks the file.

    Raises:
        ConfigError: names every problem, one a line.
    """
    data, lines = _parse(path, _read(path))
    model = schema_model(solutions)
    try:
        # As JSON, because pydantic's strict mode then takes a list for a tuple and still no "5" for 5.
        parsed: Any = model.model_validate_json(json.dumps(data), strict=True)
    except ValidationError as error:
        problems = [_explain(problem, lines, model) for problem in error.errors() if not _is_echo(problem)]
        raise _refusal(path, problems) from None
    config = Config(parsed.common, {slug: getattr(parsed.solutions, slug) for slug in solutions})
    if crossed := [
        _problem(("solutions", slug, key), lines, message)
        for slug, settings in config.solutions.items()
        for key, message in settings.problems_with(config.common)
    ]:
        raise _refusal(path, crossed)
    return config


def _read(path: Path) -> str:
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise ConfigError(f"{path} is larger than {LARGEST_FILE // 1024} KiB; is it the right file?")
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ConfigError(f"{path} does not exist; name another with -c config=<file>") from None
    except IsADirectoryError:
        raise ConfigError(f"{path} is a directory; name the file in it with -c config=<file>") from None
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path} is not UTF-8 text: byte {error.start} cannot be read") from None
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}") from None


def _parse(path: Path, text: str) -> tuple[Any, Lines]:
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        if node is None:
            raise ConfigError(f"{path} is empty; it needs the keys 'common' and 'solutions'")
        if not isinstance(node, yaml.MappingNode):
            raise ConfigError(f"{path}:1: must be a mapping with the keys 'common' and 'solutions'")
        lines = _lines(node)
        if twice := list(_duplicate_keys(node)):
            raise _refusal(path, twice)
        return _plain(yaml.safe_load(text)), lines
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        line = mark.line + 1 if mark else 1
        tab = mark is not None and "\t" in text.splitlines()[min(mark.line, text.count("\n"))]
        hint = "; a tab is in this line, YAML indents with spaces" if tab else ""
        raise ConfigError(f"{path}:{line}: is not YAML: {error.problem}{hint}") from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise ConfigError(f"{path} is not YAML: {str(error).splitlines()[0]}") from None


def _duplicate_keys(node: yaml.Node, where: tuple[str, ...] = ()) -> Iterator[_Problem]:
    if isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from _duplicate_keys(item, where)
    if isinstance(node, yaml.MappingNode):
        first: dict[str, int] = {}
        for key, value in node.value:
            name, line = str(key.value), key.start_mark.line + 1
            if name in first:
                yield _Problem(line, ".".join((*where, name)), f"is here twice, first in line {first[name]}; keep one")
            first.setdefault(name, line)
            yield from _duplicate_keys(value, (*where, name))


def _lines(root: yaml.Node) -> Lines:
    found: Lines = {}
    for where, line in _places(root, ()):
        found.setdefault(where, line)
        if len(found) > MOST_VALUES:
            raise ValueError(f"more than {MOST_VALUES} values; are these aliases of aliases?")
    return found


def _places(node: yaml.Node, where: Location) -> Iterator[tuple[Location, int]]:
    if len(where) > DEEPEST:
        raise ValueError(f"deeper than {DEEPEST} levels; does an alias contain itself?")
    yield where, node.start_mark.line + 1
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield (*where, key.value), key.start_mark.line + 1
            yield from _places(value, (*where, key.value))
    if isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            yield from _places(value, (*where, index))


def _plain(value: Any) -> Any:
    """What JSON can say of it: YAML also knows dates, and keys that are no text."""
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value if isinstance(value, str | int | float | None) else str(value)


def _problem(where: Location, lines: Lines, message: str) -> _Problem:
    line = next((lines[where[:n]] for n in range(len(where), 0, -1) if where[:n] in lines), 1)
    return _Problem(line, ".".join(map(str, where)), message)


def _explain(error: ErrorDetails, lines: Lines, model: type[BaseModel]) -> _Problem:
    where = error["loc"]
    message = error["msg"].removeprefix("Value error, ")
    if error["type"] == "extra_forbidden":
        known = _keys_at(model, where[:-1])
        close = get_close_matches(str(where[-1]), known, n=1)
        message = "unknown key; " + (f"did you mean {close[0]!r}?" if close else f"known keys: {', '.join(known)}")
    elif error["type"] == "missing":
        message = "is required and missing"
    elif error["type"] == "string_pattern_mismatch" and (example := _example_of(model, where)):
        message = f"must look like {example!r}, got {_shown(error['input'])}"
    elif error["type"] != "value_error":
        message += f", got {_shown(error['input'])}"
    if error["type"] == "string_type" and isinstance(error["input"], int | float):
        message += "; put it in quotes"
    return _problem(where, lines, message)


def _is_echo(error: ErrorDetails) -> bool:
    """Whether a list is called too short only because its items, which have problems of their own, were dropped."""
    return error["type"] == "too_short" and len(error["input"]) >= error["ctx"]["min_length"]


def _shown(value: object) -> str:
    text = json.dumps(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _keys_at(model: Any, where: Location) -> list[str]:
    for part in where:
        if part in model.model_fields:  # else a place in a list or a mapping, whose model is known already
            model = next(_models_in(model.model_fields[part].annotation), model)
    return list(model.model_fields)


def _models_in(annotation: Any) -> Iterator[Any]:
    """The models that a type is made of, through optional values, lists and mappings."""
    if hasattr(annotation, "model_fields"):
        yield annotation
    for argument in get_args(annotation):
        yield from _models_in(argument)


@cache
def _json_schema(model: type[BaseModel]) -> dict[str, Any]:
    return model.model_json_schema()


def _example_of(model: type[BaseModel], where: Location) -> str | None:
    """The example in the schema of the field that holds this place: the last one on the way to it that has one."""
    schema = _json_schema(model)
    found, node = None, schema
    for part in (None, *where):
        if part is not None:
            node = node.get("properties", {}).get(part) or node.get("items") or node.get("additionalProperties") or {}
        options = [node, *node.get("anyOf", [])]
        for option in options:
            found = next(iter(option.get("examples", [])), found)
        reference = next((option["$ref"] for option in options if "$ref" in option), None)
        node = schema["$defs"][reference.rsplit("/", 1)[-1]] if reference else options[len(options) > 1]
    return found


def _refusal(path: Path, problems: list[_Problem]) -> ConfigError:
    # What a key has several problems with, as a file of its own, stays in its order.
    problems = sorted(problems, key=lambda problem: (problem.line, problem.key))
    listed = [f"  {path}:{problem.line}: {problem.key}: {problem.message}" for problem in problems]
    return ConfigError("\n".join([f"{len(listed)} problem{'s' * (len(listed) != 1)} in {path}:", *listed]))
