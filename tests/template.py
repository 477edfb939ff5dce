"""A template as tests ask about it: what ``aws_cdk.assertions`` offers, over plain JSON and without a language kernel.

Objects match by the keys that are named, lists by all of their items, unless a matcher of ``Match`` says otherwise:
https://docs.aws.amazon.com/cdk/api/v2/docs/aws-cdk-lib.assertions-readme.html
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Self

from tests import variants

Json = dict[str, Any]


class Match:
    """Matchers that may stand for a value."""

    def __init__(self, says: str, matches: Callable[[bool, Any], bool]) -> None:
        self._says, self.matches = says, matches

    def __repr__(self) -> str:
        return self._says

    @classmethod
    def any_value(cls) -> Self:
        """Whatever is there."""
        return cls("any value", lambda there, _: there)

    @classmethod
    def absent(cls) -> Self:
        """Nothing is there."""
        return cls("absent", lambda there, _: not there)

    @classmethod
    def object_like(cls, wanted: Mapping[str, Any]) -> Self:
        """An object that has these keys."""
        return cls(f"object like {dict(wanted)}", lambda there, found: there and matches(wanted, found))

    @classmethod
    def array_with(cls, wanted: Sequence[Any]) -> Self:
        """A list that has these items in this order, among others."""

        def holds(there: bool, found: Any) -> bool:
            rest = iter(found if there and isinstance(found, list) else [])
            return there and all(any(matches(item, other) for other in rest) for item in wanted)

        return cls(f"list with {list(wanted)}", holds)

    @classmethod
    def string_like_regexp(cls, pattern: str) -> Self:
        """A text in which the pattern is found."""
        return cls(f"text like {pattern!r}", lambda there, found: there and bool(re.search(pattern, str(found))))


def matches(wanted: Any, found: Any, *, there: bool = True) -> bool:
    """Whether a value is as wanted."""
    if isinstance(wanted, Match):
        return wanted.matches(there, found)
    if isinstance(wanted, Mapping):
        return isinstance(found, Mapping) and all(
            matches(item, found.get(key), there=key in found) for key, item in wanted.items()
        )
    if isinstance(wanted, list | tuple):
        return isinstance(found, list) and len(wanted) == len(found) and all(map(matches, wanted, found))
    return there and type(wanted) is type(found) and bool(wanted == found)


class Template:
    """The template of one stack."""

    def __init__(self, body: Json) -> None:
        self._body = body

    @classmethod
    def from_string(cls, text: str) -> Self:
        """Of JSON."""
        return cls(json.loads(text))

    @classmethod
    def from_stack(cls, stack: Any) -> Self:
        """Of a stack, which is synthesized for it."""
        return cls(stack.node.root.synth().get_stack_artifact(stack.artifact_id).template)

    def to_json(self) -> Json:
        """The whole of it."""
        return self._body

    def find_resources(self, kind: str, wanted: Mapping[str, Any] | None = None) -> dict[str, Json]:
        """The resources of a type by their logical ids, if they are as wanted."""
        return {
            name: resource
            for name, resource in self._body["Resources"].items()
            if resource["Type"] == kind and matches(wanted or {}, resource)
        }

    def find_outputs(self, name: str) -> dict[str, Json]:
        """The outputs of that name; ``*`` names all."""
        return {key: value for key, value in self._body.get("Outputs", {}).items() if name in ("*", key)}

    def has_resource(self, kind: str, wanted: Mapping[str, Any]) -> None:
        """Fails unless a resource of the type is as wanted, beside its properties too."""
        assert self.find_resources(kind, wanted), f"no {kind} has {wanted}; there are {self.find_resources(kind)}"

    def has_resource_properties(self, kind: str, wanted: Mapping[str, Any] | Match) -> None:
        """Fails unless a resource of the type has these properties."""
        found = [resource.get("Properties", {}) for resource in self.find_resources(kind).values()]
        assert any(matches(wanted, properties) for properties in found), f"no {kind} has {wanted}; there are {found}"

    def all_resources_properties(self, kind: str, wanted: Mapping[str, Any] | Match) -> None:
        """Fails unless there is a resource of the type, and all of them have these properties."""
        found = self.find_resources(kind)
        assert found, f"there is no {kind}"
        for name, resource in found.items():
            assert matches(wanted, resource.get("Properties", {})), f"{name} has not {wanted}: {resource}"

    def resource_count_is(self, kind: str, number: int) -> None:
        """Fails unless there are so many resources of the type."""
        found = list(self.find_resources(kind))
        assert len(found) == number, f"{len(found)} of {kind}, not {number}: {found}"

    def statements(self, role: str = "") -> list[Json]:
        """What policies allow and deny to a role whose logical id begins so; without one, to all roles."""
        return [
            statement
            for name, policy in self.find_resources("AWS::IAM::Policy").items()
            if name.startswith(role)
            for statement in policy["Properties"]["PolicyDocument"]["Statement"]
        ]

    def only(self, kind: str) -> Json:
        """The properties of the one resource of a type."""
        (found,) = self.find_resources(kind).values()
        return dict(found["Properties"])


def synthesized(slug: str, variant: str = variants.DEFAULT) -> Template:
    """The template of a solution under a variant."""
    return Template(variants.template(variant, slug))


def actions(statement: Json) -> list[str]:
    """The actions of a statement, of which CloudFormation writes one alone without a list."""
    action = statement["Action"]
    return [action] if isinstance(action, str) else list(action)


def allowed(of: Template, role: str, action: str) -> list[Json]:
    """The statements on an action among those of a role."""
    return [statement for statement in of.statements(role) if action in actions(statement)]


def every_action(of: Template, role: str = "") -> set[str]:
    """All actions of which a role's policies speak."""
    return {action for statement in of.statements(role) for action in actions(statement)}
