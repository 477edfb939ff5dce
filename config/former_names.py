"""Names that keys had, which a file may use for one release."""

from collections.abc import Iterator
from functools import cache
from typing import Any

from pydantic import BaseModel

from config.document import Document, Location, Said, named
from config.wording import is_mapping, is_section, members


@cache
def former_names(model: type[BaseModel]) -> frozenset[str]:
    """Every former name of a key in a model and in the models in it."""
    found = set(getattr(model, "renamed", {}))
    for inner in _models_in(model):
        found |= former_names(inner)
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


def rename(document: Document, model: Any, data: Any, at: Location) -> None:
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
                    rename(document, each, value, (*at, key))
    elif isinstance(data, list):
        arguments = getattr(model, "__args__", ())
        for index, item in enumerate(data):
            for each in members(arguments[0]) if arguments else ():
                rename(document, each, item, (*at, index))
    elif isinstance(data, dict) and is_mapping(model):
        for key, item in data.items():
            for each in members(model.__args__[1]):
                rename(document, each, item, (*at, key))
