"""What pydantic finds, in the words of people: one table from its kinds of error to sentences."""

import re
from collections.abc import Callable, Iterator, Mapping
from difflib import get_close_matches
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from config.document import Location, Place

_Context = Mapping[str, Any]

_DATE = "must be a date and time with a time zone, such as 2027-01-31T18:00:00Z"
_MAPPING = "must be a mapping"
_WHOLE = "must be a whole number"
_MEANT = re.compile(r"-?\d+(\.\d+)?|true|false|yes|no|on|off", re.IGNORECASE)

_SENTENCES: dict[str, str | Callable[[_Context], str]] = {
    "string_type": "must be text",
    "string_too_short": lambda ctx: f"must have at least {_count(ctx['min_length'], 'character')}",
    "string_too_long": lambda ctx: f"must have at most {_count(ctx['max_length'], 'character')}",
    "int_type": _WHOLE,
    "int_from_float": _WHOLE,
    "int_parsing_size": _WHOLE,
    "float_type": "must be a number",
    "finite_number": "must be a finite number",
    "bool_type": "must be true or false",
    "greater_than_equal": lambda ctx: f"must be at least {ctx['ge']:g}",
    "greater_than": lambda ctx: f"must be above {ctx['gt']:g}",
    "less_than_equal": lambda ctx: f"must be at most {ctx['le']:g}",
    "less_than": lambda ctx: f"must be below {ctx['lt']:g}",
    "literal_error": lambda ctx: f"must be {_plain(ctx['expected'])}",
    "too_short": lambda ctx: f"must have at least {_count(ctx['min_length'], 'item')}, has {ctx['actual_length']}",
    "too_long": lambda ctx: f"must have at most {_count(ctx['max_length'], 'item')}, has {ctx['actual_length']}",
    "tuple_type": "must be a list",
    "list_type": "must be a list",
    "dict_type": _MAPPING,
    "mapping_type": _MAPPING,
    "model_type": _MAPPING,
    "model_attributes_type": _MAPPING,
    "union_tag_invalid": lambda ctx: f"must be {_plain(ctx['expected_tags'])}",
    "union_tag_not_found": "must be set",
    "datetime_type": _DATE,
    "datetime_parsing": _DATE,
    "datetime_from_date_parsing": _DATE,
    "datetime_object_invalid": _DATE,
    "timezone_aware": _DATE,
}


def explain(
    model: type[BaseModel], error: ErrorDetails, places: Mapping[Location, Place], above: Location
) -> tuple[Location, str]:
    """The place of an error below its section, and a sentence on it.

    Args:
        model: of the section.
        above: where the section stands in the file.
    """
    spot = Spot(model, error["loc"])
    kind, context = error["type"], dict(error.get("ctx", {}))
    path = spot.path
    if kind in ("union_tag_invalid", "union_tag_not_found"):
        path = (*path, str(context["discriminator"]).strip("'"))
    if kind == "extra_forbidden":
        return path, _unknown(str(path[-1]), spot.known_keys)
    if kind == "missing":
        return path, "must be set" + (f"; for example {spot.example}" if spot.example else "")
    place = places.get((*above, *path))
    got = "" if place is None else place.text
    if spot.of_key:
        got = repr(path[-1])
    if kind == "value_error":
        return path, with_got(str(context["error"]), got)
    if kind == "string_pattern_mismatch":
        whose = "must have a name that looks like" if spot.of_key else "must look like"
        return path, with_got(f"{whose} '{spot.example}'", got)
    if kind in ("too_short", "too_long"):
        got, context["actual_length"] = "", len(error["input"])
    message = with_got(sentence(kind, context), got)
    if kind == "literal_error" and isinstance(error["input"], str):
        message += _close(error["input"], _words(context["expected"]))
    if kind == "union_tag_invalid":
        message += _close(str(context["tag"]), _words(context["expected_tags"]))
    if kind == "string_type" and isinstance(error["input"], int | float):
        message += f'; put it in quotes: "{place.text if place else error["input"]}"'
    elif (
        kind in ("int_type", "float_type", "bool_type") and _is_quoted(place) and _MEANT.fullmatch(str(error["input"]))
    ):
        message += "; remove the quotes"
    return path, message


def sentence(kind: str, context: _Context) -> str:
    """What must be where pydantic finds an error of a kind."""
    found = _SENTENCES.get(kind, "must have a valid value")
    return found if isinstance(found, str) else found(context)


def with_got(message: str, got: str) -> str:
    """A message with what stands in the file, between what must be and its reason or advice."""
    must, mark, rest = re.fullmatch(r"(.*?)(: |; |$)(.*)", message, re.DOTALL).groups()  # type: ignore[union-attr]
    if not got or ", got " in must or f" {got} " in f"{must} ":
        return message
    return f"{must}, got {got}{mark}{rest}"


def is_echo(error: ErrorDetails) -> bool:
    """Whether a list is called too short only because its items, which have problems of their own, were dropped."""
    return error["type"] == "too_short" and len(error["input"]) >= error["ctx"]["min_length"]


def _unknown(name: str, known: list[str]) -> str:
    close = get_close_matches(name, known, n=1)
    return "unknown key; " + (f"did you mean {close[0]!r}?" if close else f"known keys: {', '.join(known)}")


def _close(text: str, known: list[str]) -> str:
    close = get_close_matches(text, known, n=1)
    return f"; did you mean {close[0]!r}?" if close else ""


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'s' * (number != 1)}"


def _words(expected: str) -> list[str]:
    return [word.strip("'") for word in expected.replace(" or ", ", ").split(", ")]


def _plain(expected: str) -> str:
    *first, last = _words(expected)
    return f"{', '.join(first)} or {last}" if first else last


def _is_quoted(place: Place | None) -> bool:
    return place is not None and place.text.startswith('"')


class Spot:
    """A place in a model: pydantic's location without the names of union members, and what is known about it.

    Attributes:
        path: keys and indexes, as in the file.
        known_keys: of the mapping that holds the place.
        example: of the type there, if its field has one.
        valid: a value that the place takes, if that is known.
        of_key: whether it is about the name of a key, not about its value.
    """

    def __init__(self, model: type[BaseModel], location: Location) -> None:
        self.path: Location = ()
        self.known_keys: list[str] = list(model.model_fields)
        self.example: str | None = None
        self.of_key = False
        self.valid: Any = None
        self._keys: Any = None
        found: Any = model
        for part in location:
            found = self._step(found, part)
        choices = [get_args(each)[0] for each in members(found) if get_origin(each) is Literal] if found else []
        self.valid = choices[0] if choices else self.example

    def _step(self, annotation: Any, part: str | int) -> Any:
        options = members(annotation)
        if part == "[key]":
            self.of_key = True
            self._note(self._keys)
            return None
        models = [option for option in options if is_section(option)]
        if len(models) > 1:
            # A union of sections: pydantic names the one that it chose by the value of ``kind``.
            return next((one for one in models if part in get_args(one.model_fields["kind"].annotation)), models[0])
        self.path = (*self.path, part)
        if models:
            self.known_keys = list(models[0].model_fields)
            field = models[0].model_fields.get(str(part))
            return self._field(field) if field else None
        for option in options:
            arguments = get_args(option)
            if is_mapping(option):
                self._keys = arguments[0]
                return self._note(arguments[1])
            if get_origin(option) is tuple and isinstance(part, int):
                return self._note(
                    arguments[0] if arguments[-1] is Ellipsis else arguments[min(part, len(arguments) - 1)]
                )
        return None

    def _field(self, field: FieldInfo) -> Any:
        self.example = str(field.examples[0]) if field.examples else None
        return self._note(field.annotation, keep=True)

    def _note(self, annotation: Any, keep: bool = False) -> Any:
        if not keep:
            self.example = None
        for each in _unwrapped(annotation):
            if get_origin(each) is Annotated:
                for extra in get_args(each)[1:]:
                    if isinstance(extra, FieldInfo) and extra.examples:
                        self.example = str(extra.examples[0])
        return annotation


def members(annotation: Any) -> list[Any]:
    """The types that a value may have, without None and without what ``Annotated`` adds."""
    return [each for each in _unwrapped(annotation) if get_origin(each) is not Annotated]


def is_section(annotation: Any) -> bool:
    """Whether a type is a model."""
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def is_mapping(annotation: Any) -> bool:
    """Whether a type is a mapping of any keys."""
    origin = get_origin(annotation)
    return isinstance(origin, type) and issubclass(origin, Mapping)


def _unwrapped(annotation: Any) -> Iterator[Any]:
    """A type and all that it is made of by ``Annotated`` and unions."""
    origin = get_origin(annotation)
    if origin is Annotated:
        yield annotation
        yield from _unwrapped(get_args(annotation)[0])
    elif origin in (Union, UnionType):
        for each in get_args(annotation):
            yield from _unwrapped(each)
    elif annotation is not NoneType:
        yield annotation
