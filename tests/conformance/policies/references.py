"""A template as AWS sees it after deployment: Ref, GetAtt, Sub, Join and the like become text.

What CloudFormation generates becomes a symbol, ``<LogicalId>``: equal to itself and to nothing else. What only a
deployment knows becomes an unknown, ``«Id.Attribute»``: it may be anything. Pseudo parameters are those of the
stack's own partition, Region and account; a template without a Region is looked at in all three partitions.
"""

import re
from collections.abc import Iterator
from functools import cached_property
from typing import Any, NamedTuple

from tests.conformance.policies.arns import ARNS, BARE_SYMBOL, NAME_ATTRIBUTES, NAME_PROPERTIES, REF_IS_ARN
from tests.conformance.templates import Json, Template

ACCOUNT = "111122223333"


class Place(NamedTuple):
    """Where a stack lands."""

    partition: str
    region: str
    suffix: str


PLACES = (
    Place("aws", "us-east-1", "amazonaws.com"),
    Place("aws-cn", "cn-north-1", "amazonaws.com.cn"),
    Place("aws-us-gov", "us-gov-west-1", "amazonaws.com"),
)
_REGION_PREFIX = {"cn": "aws-cn", "us-gov": "aws-us-gov"}

_SUB = re.compile(r"\$\{(!?)([^}]+)\}")


def places_of(template: Template) -> tuple[Place, ...]:
    """The partitions in which this template may be deployed: all three, or that of its Region."""
    region = template.common.region
    if region is None:
        return PLACES
    partition = next((p for prefix, p in _REGION_PREFIX.items() if region.startswith(f"{prefix}-")), "aws")
    suffix = next(place.suffix for place in PLACES if place.partition == partition)
    return (Place(partition, region, suffix),)


class Resolved:
    """A template in one place, its references resolved."""

    def __init__(self, template: Template, place: Place) -> None:
        self.template = template
        self.place = place
        self.account = template.common.account or ACCOUNT
        self.raw: dict[str, Json] = template.resources
        self.types = {logical_id: resource["Type"] for logical_id, resource in self.raw.items()}
        self._by_type: dict[str, list[str]] = {}
        for logical_id, kind in self.types.items():
            self._by_type.setdefault(kind, []).append(logical_id)
        self._stack = template.stack_name
        self._names: dict[str, str] = {}
        self._properties: dict[str, Json] = {}
        self._pseudo: dict[str, Any] = {
            "AWS::Partition": place.partition,
            "AWS::Region": place.region,
            "AWS::AccountId": self.account,
            "AWS::URLSuffix": place.suffix,
            "AWS::StackName": self._stack,
            "AWS::StackId": f"arn:{place.partition}:cloudformation:{place.region}:{self.account}:stack/"
            f"{self._stack}/<stack>",
            "AWS::NoValue": None,
        }

    def arn(self, rest: str) -> str:
        """An ARN of this place: ``arn("sns:{r}:{a}:topic")``."""
        return f"arn:{self.place.partition}:" + rest.replace("{r}", self.place.region).replace("{a}", self.account)

    def of_type(self, *types: str) -> Iterator[tuple[str, Json]]:
        """Logical id and resolved properties of the resources of these types."""
        for kind in types:
            for logical_id in self._by_type.get(kind, ()):
                yield logical_id, self.properties(logical_id)

    def properties(self, logical_id: str) -> Json:
        if logical_id not in self._properties:
            self._properties[logical_id] = self.resolve(self.raw[logical_id].get("Properties", {}))
        return self._properties[logical_id]

    def depends_on(self, logical_id: str) -> set[str]:
        named = self.raw[logical_id].get("DependsOn", [])
        return {named} if isinstance(named, str) else set(named)

    @cached_property
    def owners(self) -> dict[str, str]:
        """Logical id by ARN, for every resource that has one."""
        return {self.arn_of(logical_id): logical_id for logical_id, kind in self.types.items() if kind in ARNS}

    def owner(self, arn: object) -> str | None:
        """The resource of this template that an ARN names; a log group also without its ``:*``."""
        if not isinstance(arn, str):
            return None
        return self.owners.get(arn) or self.owners.get(f"{arn}:*")

    def named(self, name: str, kind: str) -> str | None:
        """The resource of this type with this name."""
        return next((i for i in self._by_type.get(kind, ()) if name in (self.name_of(i), self.ref(i))), None)

    def arn_of(self, logical_id: str) -> str:
        pattern = ARNS[self.types[logical_id]]
        return self.arn(pattern).replace("{n}", self.name_of(logical_id))

    def name_of(self, logical_id: str) -> str:
        if logical_id not in self._names:
            kind = self.types[logical_id]
            given = self.raw[logical_id].get("Properties", {}).get(NAME_PROPERTIES.get(kind, ""))
            bare = kind.startswith(BARE_SYMBOL)
            symbol = f"<{logical_id}>" if bare else f"{self._stack}-{logical_id}-<{logical_id}>"
            self._names[logical_id] = str(self.resolve(given)) if given else symbol
        return self._names[logical_id]

    def ref(self, name: str) -> Any:
        """What ``{"Ref": name}`` gives."""
        if name in self._pseudo:
            return self._pseudo[name]
        if name not in self.types:
            return f"«{name}»"
        kind = self.types[name]
        if kind in REF_IS_ARN:
            return self.arn_of(name)
        if kind == "AWS::SQS::Queue":
            return f"https://sqs.{self.place.region}.{self.place.suffix}/{self.account}/{self.name_of(name)}"
        return f"«{name}»" if kind.startswith("Custom::") else self.name_of(name)

    def get_att(self, name: str, attribute: str) -> str:
        kind = self.types.get(name, "")
        if attribute.endswith("Arn") and kind in ARNS:
            return self.arn_of(name)
        if attribute in NAME_ATTRIBUTES and kind in ARNS:
            return self.name_of(name)
        if kind.startswith("AWS::EC2::") and attribute in ("GroupId", "Id"):
            return self.name_of(name)
        return f"«{name}.{attribute}»"

    def resolve(self, value: Any) -> Any:
        """The value with every intrinsic function replaced by its result."""
        if isinstance(value, dict):
            if len(value) == 1:
                ((key, inner),) = value.items()
                if key == "Ref":
                    return self.ref(inner)
                if key.startswith("Fn::"):
                    return self._function(key, inner)
            resolved = {key: self.resolve(inner) for key, inner in value.items()}
            return {key: inner for key, inner in resolved.items() if inner is not None}
        if isinstance(value, list):
            return [resolved for inner in value if (resolved := self.resolve(inner)) is not None]
        return value

    def _function(self, key: str, inner: Any) -> Any:
        if key == "Fn::GetAtt":
            name, attribute = inner if isinstance(inner, list) else inner.split(".", 1)
            return self.get_att(name, attribute)
        if key == "Fn::Join":
            parts = self.resolve(inner[1])
            return inner[0].join(map(str, parts)) if isinstance(parts, list) else f"«{key}»"
        if key == "Fn::Sub":
            return self._sub(inner)
        if key == "Fn::Base64":
            return self.resolve(inner)
        if key == "Fn::Split":
            text = self.resolve(inner[1])
            return text.split(inner[0]) if isinstance(text, str) and "«" not in text else f"«{key}»"
        if key == "Fn::Select":
            index, choices = int(inner[0]), self.resolve(inner[1])
            return choices[index] if isinstance(choices, list) and index < len(choices) else f"«{key}.{index}»"
        if key == "Fn::FindInMap":
            found: Any = self.template.body.get("Mappings", {})
            for step in self.resolve(inner):
                found = found.get(step, {}) if isinstance(found, dict) else {}
            return found or f"«{key}»"
        return f"«{key}»"

    def _sub(self, inner: Any) -> str:
        text, own = (inner[0], self.resolve(inner[1])) if isinstance(inner, list) else (inner, {})

        def value(found: re.Match[str]) -> str:
            literal, name = found.groups()
            if literal:
                return f"${{{name}}}"
            if name in own:
                return str(own[name])
            return str(self.get_att(*name.split(".", 1)) if "." in name else self.ref(name))

        return _SUB.sub(value, text)
