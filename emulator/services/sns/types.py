"""AWS::SNS::Topic: it has the key that its template names, which ministack leaves out, and is judged by it.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-sns-topic.html
"""

from typing import Any

from ministack.services import sns

from emulator.core.api import Json
from emulator.core.patch import private
from emulator.core.resource import Properties

KEY = "KmsMasterKeyId"
_topics: Any = private(sns, "_topics")


def encrypted(original: Json) -> Json:
    """The handler of ministack with the topic's key."""

    def create(logical_id: str, properties: Properties, stack: str) -> tuple[str, Json]:
        return _encrypted(original["create"](logical_id, properties, stack), properties)

    def update(name: str, old: Properties, new: Properties, *where: Any, **more: Any) -> tuple[str, Json]:
        return _encrypted(original["update"](name, old, new, *where, **more), new)

    return {**original, "create": create, "update": update}


def _encrypted(made: tuple[str, Json], properties: Properties) -> tuple[str, Json]:
    attributes = _topics[made[0]]["attributes"]
    attributes.pop(KEY, None)
    if key := properties.get(KEY):
        attributes[KEY] = key
    return made
