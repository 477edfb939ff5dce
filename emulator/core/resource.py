"""How a CloudFormation type is described here, and how ministack's engine is told about it.

What cannot be changed is replaced as CloudFormation replaces: the new resource is made beside the old one, under a new
generated name, and the engine deletes the old one in the clean-up, when all else is done. Names, ranges and whatever
else there can be but one of collide as in an account.
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-updating-stacks-update-behaviors.html
"""

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import jmespath
from botocore.exceptions import ClientError
from ministack.services import cloudformation
from ministack.services.cloudformation import provisioners

from emulator.core import store
from emulator.core.api import call
from emulator.core.patch import private

Properties = dict[str, Any]
_ID = re.compile(r"\b[a-z]+-[0-9a-f]{8,17}\b")
_END = 13  # characters of a generated name behind the names of stack and resource

# type -> {"create": f(logical_id, props, stack), "update": f(id, old, new, stack, logical_id), "delete": f(id, props)}.
handlers: dict[str, dict[str, Any]] = private(provisioners, "_RESOURCE_HANDLERS")
_stacks: Any = private(cloudformation, "_stacks")
# Type -> where its tags are, and as what: of the types that the tags of their stack are handed to.
_stack_tags: dict[str, tuple[str, str]] = private(provisioners, "_STACK_TAG_PROPERTY")
# The generated name of a resource, and its creation under another one.
_physical_name: Callable[..., str] = private(
    provisioners, "_physical_name", "stack_name logical_id lowercase max_len seeded"
)
create_under_new_name: Callable[..., tuple[str, dict[str, Any]]] = private(
    provisioners, "_seeded_create", "create_fn logical_id props stack_name"
)
# A resource in the template that is being deployed.
_definition: Callable[..., dict[str, Any]] = private(
    provisioners, "_cfn_wait_condition_definition", "stack_name logical_id"
)


def of_the_stack(name: str, stack: str, *, lowercase: bool = False) -> str:
    """A generated name with an end that no other stack gives, of another Region or created anew under its name.

    ministack makes the end of the stack's name alone: two Regions would share their roles, which are global, and a
    stack that is created again would meet what the first one has kept. "CloudFormation generates a unique physical ID":
    https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-name.html
    """
    known = (_stacks.get(stack) or {}).get("StackId", store.region())
    end = hashlib.sha256(f"{name}:{known}".encode()).hexdigest()[:_END]
    return name[:-_END] + (end if lowercase else end.upper())


def gets_the_tags_of_its_stack(resource_type: str, shape: Literal["list", "map"] = "list") -> None:
    """Lets a type be made with the tags of its stack, CloudFormation's own among them, in its property Tags.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-resource-tags.html; its schema
    says so by tagOnCreate.
    """
    _stack_tags[resource_type] = ("Tags", shape)


def _nothing(_physical_id: str, _properties: Properties) -> dict[str, Any]:
    return {}


@dataclass(frozen=True)
class Place:
    """Where a resource stands: the name of its stack, and its logical id."""

    stack: str
    logical_id: str

    @property
    def stack_id(self) -> str:
        """The ARN of the stack."""
        return str(_stacks[self.stack]["StackId"])

    @property
    def update_policy(self) -> dict[str, Any]:
        """That of the template which is deployed, on the way back of the one before.

        "When CloudFormation rolls back an update, it uses the UpdatePolicy configuration specified in the template
        before the current stack update":
        https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-attribute-updatepolicy.html.
        """
        stack = _stacks[self.stack]
        before: dict[str, Any] = (stack.get("_template") or {}).get("Resources", {}).get(self.logical_id) or {}
        found = before if "ROLLBACK" in stack["StackStatus"] else _definition(self.stack, self.logical_id)
        policy: dict[str, Any] = found.get("UpdatePolicy") or {}
        return policy


@dataclass(frozen=True)
class ResourceType:
    """One type: *create* answers with what Ref returns, *attributes* with what Fn::GetAtt returns.

    *update* changes the resource in place and gets the old and the new properties; without it, or when a property in
    *replaced_by* changes, the resource is replaced; a change of a property in *fixed* fails the update, because
    CloudFormation neither makes it nor replaces the resource. *snapshot* is what DeletionPolicy: Snapshot does before
    the deletion. *update_in* is an *update* that needs to know where the resource stands; it may take its time, and
    such resources are changed on a thread of their own. *replaced_if* replaces for other reasons than a property.
    *name* is the property that CloudFormation fills when it is left out. A change of tags alone replaces nothing where
    they are set by EC2 (*ec2_tags*) or by *own_tags*, which gets the id and the new properties. The tags of the stack
    are handed to what EC2 tags, and to what has Tags as a map (*tag_map*).
    """

    create: Callable[[Properties], str]
    delete: Callable[[str, Properties], object]
    update: Callable[[str, Properties, Properties], object] | None = None
    update_in: Callable[[str, Properties, Properties, Place], object] | None = None
    attributes: Callable[[str, Properties], Mapping[str, Any]] = _nothing
    name: str | None = None
    replaced_by: frozenset[str] = field(default_factory=frozenset)
    replaced_if: Callable[[Place, Properties, Properties], bool] = lambda *_: False
    fixed: frozenset[str] = field(default_factory=frozenset)
    snapshot: Callable[[str, Properties], object] | None = None
    ec2_tags: bool = False
    own_tags: Callable[[str, Properties], object] | None = None
    tag_map: bool = False

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
        only_tags = (self.ec2_tags or self.own_tags is not None) and changed <= {"Tags"}
        place, fixed = Place(stack, logical_id), self.update is None and self.update_in is None
        if not only_tags and (fixed or changed & self.replaced_by or self.replaced_if(place, old, new)):
            return self._replace(old, new, stack, logical_id)
        if self.ec2_tags:
            _tag(physical_id, old, new)
        if self.own_tags is not None:
            self.own_tags(physical_id, new)
        if not only_tags and self.update_in is not None:
            self.update_in(physical_id, old, new, place)
        elif not only_tags and self.update is not None:
            self.update(physical_id, old, new)
        return physical_id, self._attributes(physical_id, new)

    def _replace(self, old: Properties, new: Properties, stack: str, logical_id: str) -> tuple[str, dict[str, Any]]:
        """https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-name.html."""
        name = new.get(self.name) if self.name else None
        if name is not None and name == old.get(self.name or ""):
            raise ValueError(
                "CloudFormation cannot update a stack when a custom-named resource requires replacing. "
                f"Rename {name} and update the stack again."
            )
        return create_under_new_name(self._create, logical_id, new, stack)

    def _delete(self, physical_id: str, properties: Properties) -> None:
        """CloudFormation takes a resource that is gone already for deleted; of something else that is gone it tells.

        An error may name nothing, what is deleted, or by its id what that needs.
        """
        try:
            self.delete(physical_id, properties)
        except ClientError as error:
            absent = "NotFound" in error.response["Error"]["Code"] or "not found" in str(error)
            ours = any(part in str(error) for part in re.split(r"[|/]", physical_id) if part)
            if not absent or (_ID.search(str(error)) and not ours):
                raise

    def _named(self, logical_id: str, properties: Properties, stack: str) -> Properties:
        if self.name is None:
            return properties
        return {self.name: of_the_stack(_physical_name(stack, logical_id), stack), **properties}

    def _attributes(self, physical_id: str, properties: Properties) -> dict[str, Any]:
        found = self.attributes(physical_id, properties)
        return {name: value for name, value in found.items() if value is not None}


def refusing(check: Callable[[Properties], object]) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """For a type of ministack: a handler that makes and changes nothing of which *check* raises an error."""

    def wrap(original: dict[str, Any]) -> dict[str, Any]:
        def create(logical_id: str, properties: Properties, stack: str) -> Any:
            check(properties)
            return original["create"](logical_id, properties, stack)

        def update(physical_id: str, old: Properties, new: Properties, *where: Any, **more: Any) -> Any:
            check(new)
            return original["update"](physical_id, old, new, *where, **more)

        return {**original, "create": create, **({"update": update} if "update" in original else {})}

    return wrap


def _tag(resource_id: str, old: Properties, new: Properties) -> None:
    before, after = old.get("Tags") or [], new.get("Tags") or []
    if gone := [{"Key": tag["Key"]} for tag in before if tag["Key"] not in {tag["Key"] for tag in after}]:
        call("ec2", "DeleteTags", Resources=[resource_id], Tags=gone)
    if after:
        call("ec2", "CreateTags", Resources=[resource_id], Tags=after)


def lower(value: Any) -> Any:
    """A CloudFormation value as APIs write it whose names begin in lower case."""
    if isinstance(value, dict):
        return {name[:1].lower() + name[1:]: lower(item) for name, item in value.items()}
    return [lower(item) for item in value] if isinstance(value, list) else value


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
        return store.arn(service.lower(), f"{kind.lower()}/{name}")

    return ResourceType(
        create=lambda properties: str(properties["Name"]),
        delete=_nothing,
        update=lambda *_: None,
        attributes=lambda name, _: {"Arn": arn(name), "Id": name, "Name": name},
        name="Name",
    )
