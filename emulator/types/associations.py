"""AWS::SSM::Association: kept, and told to who asks for it by the control endpoint; nothing runs by itself.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-ssm-association.html
"""

import uuid
from typing import Any

from emulator.types.resource import Properties, ResourceType

_associations: dict[str, Properties] = {}


def _create(properties: Properties) -> str:
    association_id = str(uuid.uuid4())
    _associations[association_id] = properties
    return association_id


def _update(association_id: str, _old: Properties, new: Properties) -> None:
    _associations[association_id] = new


def listed(_request: dict[str, Any]) -> dict[str, Any]:
    """``POST /_emulator/associations {}``: the properties of every association, by its id (our model)."""
    return {"associations": dict(_associations)}


def reset() -> None:
    """Forgets them."""
    _associations.clear()


TYPES = {
    "AWS::SSM::Association": ResourceType(
        create=_create,
        update=_update,
        delete=lambda association_id, _: _associations.pop(association_id, None),
        attributes=lambda association_id, _: {"AssociationId": association_id},
        replaced_by=frozenset({"InstanceId"}),
    ),
}
