"""AWS::IAM::InstanceProfile: its Ref is the profile's name, where ministack's is the ARN.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-iam-instanceprofile.html
"""

from typing import Any

from ministack.services import iam

from emulator.core.api import Json
from emulator.core.patch import private
from emulator.core.resource import Properties

_arn: Any = private(iam, "instance_profile_arn", "name path")


def named(original: Json) -> Json:
    """The handler of ministack with names as physical ids."""

    def create(logical_id: str, properties: Properties, stack: str) -> tuple[str, Json]:
        return _named(original["create"](logical_id, properties, stack))

    def update(name: str, old: Properties, new: Properties, *where: Any, **more: Any) -> tuple[str, Json]:
        return _named(original["update"](_arn(name, old.get("Path", "/")), old, new, *where, **more))

    def delete(name: str, properties: Properties) -> object:
        return original["delete"](_arn(name, properties.get("Path", "/")), properties)

    return {**original, "create": create, "update": update, "delete": delete}


def _named(made: tuple[str, Json]) -> tuple[str, Json]:
    arn, attributes = made
    return arn.rsplit("/", 1)[-1], attributes
