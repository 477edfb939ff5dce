"""One section of the file as its model: what is wrong is reported and left out, so that the rest can be judged."""

import json
from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from config.document import Document, Location
from config.former_names import former_names, rename
from config.rules import Section
from config.wording import Spot, explain, is_echo

_AnySection = TypeVar("_AnySection", bound=Section)


def filled(document: Document, model: type[_AnySection], data: Any, at: Location) -> _AnySection:
    """A section of the file; the keys whose values are wrong are reported, and missing from it."""
    data = {} if data is None else data
    if former_names(model):
        rename(document, model, data, at)
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
