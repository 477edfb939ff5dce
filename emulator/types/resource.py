"""How a CloudFormation type is described here, and how ministack's engine is told about it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import jmespath
from botocore.exceptions import ClientError

from emulator import seams
from emulator.calls import call

Properties = dict[str, Any]


def _nothing(_physical_id: str, _properties: Properties) -> dict[str, Any]:
    return {}


@dataclass(frozen=True)
class ResourceType:
    """One type: *create* answers with what Ref returns, *attributes* with what Fn::GetAtt returns.

    *update* changes the resource in place and gets the old and the new properties; without it, or when a property in
    *replaced_by* changes, the resource is replaced; a change of a property in *fixed* fails the update, because
    CloudFormation neither makes it nor replaces the resource. *name* is the property that CloudFormation fills when it
    is left out. *snapshot* is what DeletionPolicy: Snapshot does before the deletion.
    """

    create: Callable[[Properties], str]
    delete: Callable[[str, Properties], object]
    update: Callable[[str, Properties, Properties], object] | None = None
    attributes: Callable[[str, Properties], Mapping[str, Any]] = _nothing
    name: str | None = None
    replaced_by: frozenset[str] = field(default_factory=frozenset)
    fixed: frozenset[str] = field(default_factory=frozenset)
    snapshot: Callable[[str, Properties], object] | None = None
    ec2_tags: bool = False

    def handler(self) -> dict[str, Any]:
        """The functions that ministack's engine calls."""
        always = {
            "create": self._create,
            "update": self._update,
            "delete": self._delete,
            "update_with_logical_id": True,
        }
        return always | ({"snapshot": self.snapshot} if self.snapshot else {})

    def _create(self, logical_id: str, properties: Properties, stack: str) -> tuple[str, dict[str, Any]]:
        physical_id = self.create(self._named(logical_id, properties, stack))
        if self.ec2_tags:
            _tag(physical_id, {}, properties)
        return physical_id, self._attributes(physical_id, properties)

    def _update(
        self, physical_id: str, old: Properties, new: Properties, stack: str, logical_id: str
    ) -> tuple[str, dict[str, Any]]:
        changed = {name for name in old.keys() | new.keys() if old.get(name) != new.get(name)}
        if refused := sorted(changed & self.fixed):
            raise ValueError(f"Updates are not supported for {', '.join(refused)}; put the old value back")
        only_tags = self.ec2_tags and changed <= {"Tags"}
        if not only_tags and (self.update is None or changed & self.replaced_by):
            self._delete(physical_id, old)
            return self._create(logical_id, new, stack)
        if self.ec2_tags:
            _tag(physical_id, old, new)
        if not only_tags and self.update is not None:
            self.update(physical_id, old, new)
        return physical_id, self._attributes(physical_id, new)

    def _delete(self, physical_id: str, properties: Properties) -> None:
        """CloudFormation takes a resource that is gone already for deleted."""
        try:
            self.delete(physical_id, properties)
        except ClientError as error:
            if "NotFound" not in error.response["Error"]["Code"] and "not found" not in str(error):
                raise

    def _named(self, logical_id: str, properties: Properties, stack: str) -> Properties:
        return {self.name: seams.physical_name(stack, logical_id), **properties} if self.name else properties

    def _attributes(self, physical_id: str, properties: Properties) -> dict[str, Any]:
        found = self.attributes(physical_id, properties)
        return {name: value for name, value in found.items() if value is not None}


def _tag(resource_id: str, old: Properties, new: Properties) -> None:
    before, after = old.get("Tags") or [], new.get("Tags") or []
    if gone := [{"Key": tag["Key"]} for tag in before if tag["Key"] not in {tag["Key"] for tag in after}]:
        call("ec2", "DeleteTags", Resources=[resource_id], Tags=gone)
    if after:
        call("ec2", "CreateTags", Resources=[resource_id], Tags=after)


def without_tags(properties: Properties) -> Properties:
    """The properties for a call that takes tags in another form; they are set by CreateTags."""
    return {name: value for name, value in properties.items() if name not in ("Tags", "TagSpecifications")}


def described(operation: str, parameter: str, paths: Mapping[str, str]) -> Callable[[str, Properties], dict[str, Any]]:
    """Attributes read from an EC2 Describe call: *paths* are JMESPath into its answer."""

    def attributes(physical_id: str, _properties: Properties) -> dict[str, Any]:
        answer = call("ec2", operation, {parameter: [physical_id]})
        return {name: jmespath.search(path, answer) for name, path in paths.items()}

    return attributes


def recorded(resource_type: str) -> ResourceType:
    """A type that no part here would show: only that it was asked for."""
    _, service, kind = resource_type.split("::")

    def arn(name: str) -> str:
        return f"arn:aws:{service.lower()}:{seams.region()}:{seams.account_id()}:{kind.lower()}/{name}"

    return ResourceType(
        create=lambda properties: str(properties["Name"]),
        delete=_nothing,
        update=lambda *_: None,
        attributes=lambda name, _: {"Arn": arn(name), "Id": name, "Name": name},
        name="Name",
    )
