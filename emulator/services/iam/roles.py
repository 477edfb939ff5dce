"""AWS::IAM::Role: it has the boundary that its template names, which ministack leaves out.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-iam-role.html
"""

from typing import Any

from ministack.services import iam

from emulator.core.api import Json
from emulator.core.patch import private
from emulator.core.resource import Properties

BOUNDARY = "PermissionsBoundary"
_roles: Any = private(iam, "_roles")
_wrong: Any = private(iam, "_boundary_policy_error", "arn")


def bounded(original: Json) -> Json:
    """The handler of ministack with boundaries, which IAM then judges by."""

    def create(logical_id: str, properties: Properties, stack: str) -> tuple[str, Json]:
        return _bounded(original["create"](logical_id, properties, stack), properties)

    def update(name: str, old: Properties, new: Properties, *where: Any, **more: Any) -> tuple[str, Json]:
        return _bounded(original["update"](name, old, new, *where, **more), new)

    return {**original, "create": create, "update": update}


def _bounded(made: tuple[str, Json], properties: Properties) -> tuple[str, Json]:
    """PutRolePermissionsBoundary or DeleteRolePermissionsBoundary.

    Raises:
        ValueError: there is no such policy.
    """
    boundary = properties.get(BOUNDARY)
    if boundary and (wrong := _wrong(boundary)):
        raise ValueError(wrong[2].decode() if isinstance(wrong[2], bytes) else str(wrong[2]))
    _roles[made[0]][BOUNDARY] = boundary
    return made
