"""Private names of ministack's CloudFormation: what a template may not have.

The ARN that ministack finds for a signal is right: stack/NAME/* where the call names the stack by its name
(https://github.com/awslabs/ecs-refarch-continuous-deployment/issues/21).
"""

from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

from ministack.services import cloudformation
from ministack.services.cloudformation import changesets, engine, handlers, provisioners, stacks

from emulator.core.api import Json, call, first
from emulator.core.patch import patch, private
from emulator.core.resource import of_the_stack
from emulator.core.service import services
from emulator.core.store import region

HINT = (
    "The embedded AWS handles no such type: add it to emulator/services/<service>/types.py (a few calls to the "
    "service's API), or to `recorded` of the service if nothing would show it"
)
_stacks: Any = private(cloudformation, "_stacks")
_operations: dict[str, Callable[[Json], Any]] = private(handlers, "_ACTION_HANDLERS")
_stack: ContextVar[str] = ContextVar("stack that is updated", default="")


def _validated(original: Any, template: Json, *arguments: Any, **more: Any) -> Any:
    """Refuses another type under one logical id, and says where to add a type that nobody handles.

    "Update of resource type is not permitted": https://github.com/aws/aws-sam-cli/issues/6786 has the words.
    """
    before = (_stacks.get(_stack.get()) or {}).get("_resources", {})
    changed = [
        name
        for name, resource in (template.get("Resources") or {}).items()
        if name in before and before[name]["ResourceType"] != resource.get("Type")
    ]
    if changed:
        raise ValueError(
            "Update of resource type is not permitted. The new template modifies resource type of the following "
            f"resources: [{', '.join(changed)}]"
        )
    try:
        return original(template, *arguments, **more)
    except ValueError as error:
        if "Unrecognized resource types" not in str(error):
            raise
        raise ValueError(f"{error}. {HINT}") from error


for _module in (engine, handlers, changesets):
    patch(_module, "validate_template_support", "template conditions params")(_validated)


def _knowing_the_stack(operation: Callable[[Json], Any]) -> Callable[[Json], Any]:
    def called(parameters: Json) -> Any:
        name = str(first(parameters.get("StackName")) or "")
        token = _stack.set(name.split("/")[1] if name.startswith("arn:") else name)
        try:
            return operation(parameters)
        finally:
            _stack.reset(token)

    return called


for _name in ("UpdateStack", "CreateChangeSet"):
    _operations[_name] = _knowing_the_stack(_operations[_name])


@patch(provisioners, "_physical_name", "stack_name logical_id lowercase max_len seeded")
def _named(original: Any, stack: str, *arguments: Any, **more: Any) -> str:
    return of_the_stack(original(stack, *arguments, **more), stack, lowercase=more.get("lowercase", False))


def _takes_its_time(original: Callable[[str], bool], kind: str) -> bool:
    """Types of ours that wait: they may not hold up the server, and what they began has to be undone."""
    ours = any(kind in service.types and service.types[kind].update_in for service in services())
    return ours or original(kind)


patch(stacks, "_runs_on_worker_thread", "resource_type")(_takes_its_time)
patch(stacks, "_sends_back_failed_update", "resource_type")(_takes_its_time)


@patch(engine, "_resolve_refs", "value resources params conditions mappings stack_name stack_id")
def _resolved(original: Any, value: Any, *surroundings: Any) -> Any:
    """Lets Fn::GetAZs return the zones with a default subnet, and every zone only where none has one.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference-getavailabilityzones.html
    """
    if not (isinstance(value, dict) and value.keys() == {"Fn::GetAZs"}):
        return original(value, *surroundings)
    if original(value["Fn::GetAZs"], *surroundings) not in ("", region()):
        return []
    default = [{"Name": "default-for-az", "Values": ["true"]}]
    found = {subnet["AvailabilityZone"] for subnet in call("ec2", "DescribeSubnets", Filters=default)["Subnets"]}
    whole = [{"Name": "zone-type", "Values": ["availability-zone"]}]
    every = call("ec2", "DescribeAvailabilityZones", Filters=whole)["AvailabilityZones"]
    return sorted(found or {zone["ZoneName"] for zone in every})
