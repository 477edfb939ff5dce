"""Judges every call of botocore by the whole service model: enums, patterns, lengths and ranges.

botocore itself looks at types, required members and minima only, and moto and ministack take most values; AWS answers
with ValidationException. Standard library only, because it is on the path of functions and scripts, whose packages are
their own. ``install()`` puts it into every client that is made from then on.
"""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

# Service, shape: what the model says and the service does not, with the reason. ``*`` is every service.
NOT_JUDGED: Mapping[tuple[str, str], str] = {
    ("*", "DateTimestampString"): "the services take a datetime",
    ("s3", "ObjectKey"): "the model has a minimum only",
}
# An enum that the model lags behind: what the service's page lists beyond it.
MORE_VALUES: Mapping[tuple[str, str], frozenset[str]] = {}


class UnfitRequestError(AssertionError):
    """A call that AWS would refuse. No handler catches it, so that it cannot pass unseen."""


def install() -> None:
    """Judges every call of the clients made from now on. Doing it twice does no harm."""
    from botocore import handlers

    entry = ("before-parameter-build", judge)
    if entry not in handlers.BUILTIN_HANDLERS:
        handlers.BUILTIN_HANDLERS.append(entry)


def judge(params: Mapping[str, Any], model: Any, **_: Any) -> None:
    """Raises UnfitRequestError with everything that does not fit."""
    if model.input_shape is None:
        return
    service = model.service_model.service_name
    if problems := list(problems_of(service, model.input_shape, params, "")):
        raise UnfitRequestError(f"{service}.{model.name} would be refused: {'; '.join(problems)}")


def problems_of(service: str, shape: Any, value: Any, where: str) -> Iterator[str]:
    """What in a value does not fit its shape. Wrong types are botocore's to find."""
    if value is None or (service, shape.name) in NOT_JUDGED or ("*", shape.name) in NOT_JUDGED:
        return
    kind, limits = shape.type_name, shape.metadata
    if kind == "structure" and isinstance(value, Mapping):
        for name, inner in value.items():
            if name in shape.members:
                yield from problems_of(service, shape.members[name], inner, f"{where}.{name}" if where else name)
    elif kind == "list" and isinstance(value, list | tuple):
        yield from _size(limits, len(value), "items", where)
        for number, inner in enumerate(value):
            yield from problems_of(service, shape.member, inner, f"{where}[{number}]")
    elif kind == "map" and isinstance(value, Mapping):
        yield from _size(limits, len(value), "keys", where)
        for key, inner in value.items():
            yield from problems_of(service, shape.key, key, f"{where} key")
            yield from problems_of(service, shape.value, inner, f"{where}.{key}")
    elif kind == "string" and isinstance(value, str):
        yield from _text(service, shape, value, where)
    elif kind in ("integer", "long", "float", "double") and isinstance(value, int | float):
        yield from _size(limits, value, "", where)
    elif kind == "blob" and isinstance(value, bytes | bytearray | str):
        yield from _size(limits, len(value), "bytes", where)


def _size(limits: Mapping[str, Any], size: float, unit: str, where: str) -> Iterator[str]:
    least, most = limits.get("min"), limits.get("max")
    if least is not None and size < least:
        yield f"{where} has {size} {unit}, at least {least}"
    if most is not None and size > most:
        yield f"{where} has {size} {unit}, at most {most}"


def _text(service: str, shape: Any, value: str, where: str) -> Iterator[str]:
    enum = shape.enum
    if enum and value not in enum and value not in MORE_VALUES.get((service, shape.name), ()):
        yield f"{where} is {value!r}, one of {', '.join(enum[:8])}"
    yield from _size(shape.metadata, len(value), "characters", where)
    if text := shape.metadata.get("pattern"):
        pattern = compiled(text)
        if pattern and not pattern.fullmatch(value):
            yield f"{where} is {value[:80]!r}, which does not match {text}"


# Classes of Java's regular expressions that Python has not, as what they stand for inside a set.
_CLASSES = {
    r"\p{L}": "a-zA-Z\u00c0-\uffff",
    r"\p{M}": "\u0300-\u036f",
    r"\p{Z}": r"\s",
    r"\p{S}": r"$+<=>^`|~",
    r"\p{N}": r"\d",
    r"\p{P}": r"!-/:-@\[-`{-~",
    r"\p{Print}": r"\x20-\x7e",
    r"\p{ASCII}": r"\x00-\x7f",
    r"\p{Alnum}": "a-zA-Z0-9",
    r"\p{Punct}": r"!-/:-@\[-`{-~",
    r"\p{Graph}": r"\x21-\x7e",
    r"\p{javaJavaIdentifierStart}": "a-zA-Z_$",
    r"\h": r" \t",
}


@cache
def compiled(pattern: str) -> "re.Pattern[str] | None":
    """A pattern of a model in Python; None if it is of a flavour that Python cannot read. It is for the whole value."""
    pattern = pattern.replace(r"\uD800\uDC00-\uDBFF\uDFFF", "\U00010000-\U0010ffff").replace(r"\w-_", r"\w_-")
    for java, python in _CLASSES.items():
        while (place := pattern.find(java)) >= 0:
            inside = _in_set(pattern, place)
            pattern = pattern[:place] + (python if inside else f"[{python}]") + pattern[place + len(java) :]
    pattern = re.sub(r"\\x\{([0-9a-fA-F]+)\}", lambda found: rf"\U{int(found[1], 16):08x}", pattern)
    pattern = pattern.replace("\\Z", r"\Z").replace("(?s).", r"[\s\S]").replace("\\/", "/")
    try:
        return re.compile(pattern)
    except re.error:
        return None


def _in_set(pattern: str, place: int) -> bool:
    """Whether a place is between square brackets."""
    inside = False
    before = re.sub(r"\\.", "  ", pattern[:place])
    for letter in before:
        inside = letter == "[" or (inside and letter != "]")
    return inside
