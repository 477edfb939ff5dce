"""Every key of the configuration, as its models declare it: type, range, default, description."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from config.loader import schema
from stacks.catalog import settings_by_slug

Schema = Mapping[str, Any]
BELOW = "those of the keys below"
SHARED = {"common": "CommonSettings", "stack_sets": "StackSets"}
"""Models of the sections that are not a solution's."""


@dataclass(frozen=True)
class Setting:
    """One key.

    Attributes:
        key: below its section; ``*`` stands for a name of the user's, ``[]`` for each item of a list.
        takes: type and range, in words.
        default: as the file would have it; empty if the key must be given.
        example: empty where the type says enough.
    """

    key: str
    takes: str
    default: str
    description: str
    example: str

    @property
    def anchor(self) -> str:
        """On the page of its section."""
        return "settings-" + self.key.replace("[]", "").replace(".*", "").replace(".", "-")


@cache
def settings(section: str) -> tuple[Setting, ...]:
    """The keys of a section, a solution's or a shared one, in the model's order, each followed by those within it."""
    whole = schema(settings_by_slug())
    name = SHARED.get(section) or settings_by_slug()[section].__name__
    found: dict[str, Setting] = {}
    for setting in _within(whole["$defs"][name], "", whole["$defs"]):
        found.setdefault(setting.anchor, setting)
    return tuple(found.values())


def summary(section: str) -> str:
    """What the model says of the whole section."""
    text = " ".join((settings_by_slug()[section].__doc__ or "").split())
    return text.replace("``", "`")


def _within(schema: Schema, above: str, defs: Mapping[str, Schema]) -> Iterator[Setting]:
    required = schema.get("required", ())
    for name, field in schema.get("properties", {}).items():
        key = f"{above}{name}"
        default = "" if name in required else _yaml(field.get("default"))
        if any(_sections(field, defs)) and default.startswith("{"):
            default = BELOW
        yield Setting(key, _takes(field, defs), default, _described(field, defs), _example(field))
        for suffix, inner in _sections(field, defs):
            yield from _within(inner, f"{key}{suffix}.", defs)


def _sections(field: Schema, defs: Mapping[str, Schema]) -> Iterator[tuple[str, Schema]]:
    """The models within a field, each with what stands between its key and theirs."""
    if "$ref" in field:
        yield "", defs[field["$ref"].rpartition("/")[2]]
    for each in (*field.get("anyOf", ()), *field.get("oneOf", ())):
        yield from _sections(each, defs)
    if isinstance(field.get("items"), Mapping):
        yield from (("[]" + suffix, inner) for suffix, inner in _sections(field["items"], defs))
    for each in (field.get("additionalProperties"), *field.get("patternProperties", {}).values()):
        if isinstance(each, Mapping):
            yield from ((".*" + suffix, inner) for suffix, inner in _sections(each, defs))


def _described(field: Schema, defs: Mapping[str, Schema]) -> str:
    if "description" in field:
        return _one_line(field["description"])
    return next((_one_line(inner.get("description", "")) for _, inner in _sections(field, defs)), "")


def _takes(field: Schema, defs: Mapping[str, Schema]) -> str:
    """Type and range in words."""
    if options := (*field.get("anyOf", ()), *field.get("oneOf", ())):
        return " or ".join(dict.fromkeys(_takes(each, defs) for each in options))
    if "enum" in field:
        return ", ".join(f"`{_yaml(value)}`" for value in field["enum"])
    if "const" in field:
        return f"`{_yaml(field['const'])}`"
    if "$ref" in field:
        target = defs[field["$ref"].rpartition("/")[2]]
        return "keys below" if "properties" in target else _takes(target, defs)
    match field.get("type"):
        case "integer" | "number" as kind:
            return ("whole number" if kind == "integer" else "number") + _range(field)
        case "boolean":
            return "`true` or `false`"
        case "null":
            return "`null`"
        case "array":
            items = field.get("items", {})
            each = f" of {_takes(items, defs)}" if items and _takes(items, defs) else ""
            return f"list{each}{_count(field, 'Items')}".replace("keys below", "sections with the keys below")
        case "object":
            values = [v for v in (field.get("additionalProperties"), *field.get("patternProperties", {}).values()) if v]
            each = f" to {_takes(values[0], defs)}" if values and isinstance(values[0], Mapping) else ""
            return f"names{each}{_count(field, 'Properties')}"
        case "string":
            return "text" + _count(field, "Length")
    return "a value"


_BOUNDS = {
    "minimum": "at least",
    "exclusiveMinimum": "above",
    "maximum": "at most",
    "exclusiveMaximum": "below",
}


def _range(field: Schema) -> str:
    low, high = field.get("minimum"), field.get("maximum")
    if low is not None and high is not None:
        return f", {low:,g} to {high:,g}" if max(abs(low), abs(high)) < 1e6 else f", {low:,} to {high:,}"
    said = [f"{words} {field[key]:,}" for key, words in _BOUNDS.items() if key in field]
    return f", {', '.join(said)}" if said else ""


def _count(field: Schema, what: str) -> str:
    low, high = field.get(f"min{what}", 0), field.get(f"max{what}")
    noun = {"Items": "items", "Properties": "entries", "Length": "characters"}[what]
    if high is None:
        return f", at least {low} {noun}" if low > 1 else ""
    return f", {low} to {high:,} {noun}" if low else f", at most {high:,} {noun}"


def _example(field: Schema) -> str:
    for each in (field, *field.get("anyOf", ()), *field.get("oneOf", ())):
        for one in (each, each.get("items", {})):
            if isinstance(one, Mapping) and one.get("examples"):
                return _yaml(one["examples"][0])
    return ""


def _yaml(value: Any) -> str:
    """In one line, as YAML and JSON both read it."""
    return value if isinstance(value, str) and value else json.dumps(value, ensure_ascii=False)


def _one_line(text: str) -> str:
    return " ".join(text.split()).replace("``", "`")
