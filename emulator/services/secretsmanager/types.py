"""AWS::SecretsManager::Secret: ``Ref`` "returns the ARN of the secret", where ministack answers with its name; and
``ExcludePunctuation`` "specifies whether to exclude" it, where ministack leaves it in.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-secretsmanager-secret.html
"""

import string
from collections.abc import Callable, Iterator
from typing import Any

from ministack.services import tagging

from emulator.core.patch import private
from emulator.core.resource import Properties

# ARN and tags of the secrets: ministack judges conditions by them, and does not show them to GetResources.
tags: Callable[[], Iterator[Any]] = private(tagging, "_collect_secretsmanager", "")


def as_asked(known: dict[str, Any]) -> dict[str, Any]:
    """ministack's handler, mended in these two."""

    def name(physical_id: str) -> str:
        return physical_id.rpartition(":secret:")[2][: -len("-AbCdEf")]

    def create(logical_id: str, properties: Properties, stack: str) -> Any:
        if (wanted := properties.get("GenerateSecretString") or {}).get("ExcludePunctuation"):
            excluded = f"{wanted.get('ExcludeCharacters', '')}{string.punctuation}"
            properties = {**properties, "GenerateSecretString": {**wanted, "ExcludeCharacters": excluded}}
        _, attributes = known["create"](logical_id, properties, stack)
        return attributes["Arn"], attributes

    def update(physical_id: str, *arguments: Any, **more: Any) -> Any:
        _, attributes = known["update"](name(physical_id), *arguments, **more)
        return physical_id, attributes

    def delete(physical_id: str, *arguments: Any, **more: Any) -> Any:
        return known["delete"](name(physical_id), *arguments, **more)

    return {**known, "create": create, "update": update, "delete": delete}
