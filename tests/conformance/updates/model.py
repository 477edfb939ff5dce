"""What CloudFormation does with an update: what stays, what is replaced, what comes and what goes.

By the resource schemas (cfn-lint's copies): a changed ``createOnlyProperties`` replaces a resource, and a replaced one
replaces what refers to it there. New ones are made first, what refers to them is updated, the old ones are deleted in
the clean-up (https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-updating-stacks-update-behaviors.html).
What only a deployment knows, such as what a custom resource answers, is taken to stay as it is.
"""

import json
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

from tests.conformance import schemas

Json = dict[str, Any]
Resources = Mapping[str, Json]

# What an instance refers to changes with each version: it is replaced like a reference to a new resource.
CHANGES_IN_PLACE = {("AWS::EC2::LaunchTemplate", "LatestVersionNumber")}


def schema(kind: str) -> Json:
    """The resource schema of a type; empty for a custom resource."""
    return {} if kind.startswith("Custom::") else schemas.schema(kind)


def references(value: Any) -> Iterator[tuple[str, str]]:
    """Logical id and attribute of everything that a value refers to; a Ref has the attribute ``""``."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key == "Ref" and isinstance(inner, str):
                yield inner, ""
            elif key == "Fn::GetAtt":
                name, attribute = inner if isinstance(inner, list) else inner.split(".", 1)
                yield name, str(attribute)
            elif key == "Fn::Sub":
                text = inner if isinstance(inner, str) else inner[0]
                for part in text.split("${")[1:]:
                    name, _, attribute = part.split("}")[0].partition(".")
                    yield name, attribute
            yield from references(inner)
    if isinstance(value, list):
        for inner in value:
            yield from references(inner)


def at(properties: Json, pointer: str) -> Any:
    """The value at a pointer such as ``/properties/Source/Type``; of lists the values of all their items."""
    found: Any = properties
    for part in pointer.split("/")[2:]:
        if part == "*":
            continue
        if isinstance(found, list):
            found = [item.get(part) for item in found if isinstance(item, dict)]
        else:
            found = found.get(part) if isinstance(found, dict) else None
    return found


class Update:
    """An update from one template's resources to another's."""

    def __init__(self, before: Resources, after: Resources) -> None:
        self.before, self.after = before, after
        self.added = set(after) - set(before)
        self.removed = set(before) - set(after)
        self.both = set(before) & set(after)
        self.retyped = {name for name in self.both if before[name]["Type"] != after[name]["Type"]}

    @cached_property
    def replaced(self) -> dict[str, list[str]]:
        """Logical ids that are replaced, each with the properties that are the reason."""
        found: dict[str, list[str]] = {}
        while True:
            more = {
                name: why
                for name in self.both - self.retyped
                if name not in found and (why := self._reasons(name, found))
            }
            if not more:
                return found
            found |= more

    def _reasons(self, name: str, replaced: Mapping[str, object]) -> list[str]:
        kind = self.after[name]["Type"]
        old, new = (side[name].get("Properties", {}) for side in (self.before, self.after))
        return [
            pointer
            for pointer in schema(kind).get("createOnlyProperties", [])
            if self._differs(at(old, pointer), at(new, pointer), replaced)
        ]

    @cached_property
    def perhaps_replaced(self) -> dict[str, list[str]]:
        """What stays where CloudFormation can change it in place, by its ``conditionalCreateOnlyProperties``."""
        found = {}
        for name in self.changed - set(self.replaced) - self.retyped:
            old, new = (side[name].get("Properties", {}) for side in (self.before, self.after))
            pointers = schema(self.after[name]["Type"]).get("conditionalCreateOnlyProperties", [])
            if changed := [pointer for pointer in pointers if at(old, pointer) != at(new, pointer)]:
                found[name] = changed
        return found

    def _differs(self, old: Any, new: Any, replaced: Mapping[str, object]) -> bool:
        if json.dumps(old, sort_keys=True) != json.dumps(new, sort_keys=True):
            return True
        return any(
            name in replaced or (name in self.changed and self._answers_anew(name, attribute))
            for name, attribute in references(new)
            if name in self.after
        )

    def _answers_anew(self, name: str, attribute: str) -> bool:
        """Whether what it says of itself changes with it, as the Ref of a custom resource: a version, say.

        Attributes of a custom resource may stay when others change: what a look-up finds, say.
        """
        kind = self.after[name]["Type"]
        return (kind.startswith("Custom::") and not attribute) or (kind, attribute) in CHANGES_IN_PLACE

    @cached_property
    def changed(self) -> set[str]:
        """Logical ids whose own properties differ, in place or not."""
        return {
            name
            for name in self.both
            if json.dumps(self.before[name].get("Properties"), sort_keys=True)
            != json.dumps(self.after[name].get("Properties"), sort_keys=True)
        }

    @property
    def new(self) -> set[str]:
        """What CloudFormation makes while the old is still there."""
        return self.added | set(self.replaced)

    @property
    def old(self) -> set[str]:
        """What it deletes in the clean-up."""
        return self.removed | set(self.replaced)

    def said(self, value: Any, *, side: str) -> str:
        """A value as text, in which a resource that is not the same before and after is named with its side."""
        mine = self.new if side == "after" else self.old
        # What a changed custom resource answers is another answer: a version that follows from content, say.
        mine = mine | {name for name in self.changed if self.after[name]["Type"].startswith("Custom::")}

        def marked(part: Any) -> Any:
            if isinstance(part, dict):
                return {
                    key: _mark(inner, side, mine) if key in ("Ref", "Fn::GetAtt") else marked(inner)
                    for key, inner in part.items()
                }
            return [marked(inner) for inner in part] if isinstance(part, list) else part

        return json.dumps(marked(value), sort_keys=True)

    def deleted_first(self, name: str) -> bool:
        """Whether CloudFormation deletes the old one of a replaced resource before it makes the new one."""
        return schema(self.after[name]["Type"]).get("replacementStrategy") == "delete_then_create"

    @cached_property
    def stopped(self) -> set[str]:
        """What a guard keeps from being touched: what depends on a guard that refuses this update."""
        refusing = set(self.refusing_guards)
        found: set[str] = set()
        while True:
            more = {name for name in self.after if name not in found and needed(self.after[name]) & (refusing | found)}
            if not more:
                return found
            found |= more

    @cached_property
    def refusing_guards(self) -> list[str]:
        """Guards of values that this update changes, and that are not told to accept it (stacks/shared/guard.py)."""
        found = []
        for name in self.both:
            old, new = (side[name].get("Properties", {}) for side in (self.before, self.after))
            if self.after[name]["Type"] == "Custom::Guard" and str(new["Accepted"]).lower() != "true":
                was, will = old.get("Guarded", {}), new["Guarded"]
                # A property that only one of them has was not guarded before, or is not any more.
                if any(
                    self.said(was[key], side="before") != self.said(will[key], side="after")
                    for key in was.keys() & will
                ):
                    found.append(name)
        return found


def needed(resource: Json) -> set[str]:
    """What a resource refers to or depends on."""
    named = resource.get("DependsOn", [])
    return {name for name, _ in references(resource.get("Properties", {}))} | set(
        [named] if isinstance(named, str) else named
    )


def _mark(inner: Any, side: str, mine: set[str]) -> Any:
    name, *rest = inner if isinstance(inner, list) else [inner]
    return [f"{side}:{name}" if name in mine else name, *rest]
