"""AWS::SSM::Document and AWS::SSM::Association, by calls of their API."""

from emulator.core.api import call
from emulator.core.resource import Properties, ResourceType
from emulator.services.ssm import associations


def _create_document(properties: Properties) -> str:
    return str(call("ssm", "CreateDocument", properties)["DocumentDescription"]["Name"])


def _create_association(properties: Properties) -> str:
    return str(associations.create_association(properties)["AssociationDescription"]["AssociationId"])


def _update_association(association_id: str, _old: Properties, new: Properties) -> None:
    associations.update_association({**new, "AssociationId": association_id})


TYPES = {
    "AWS::SSM::Document": ResourceType(
        create=_create_document,
        delete=lambda name, _: call("ssm", "DeleteDocument", Name=name),
        name="Name",
    ),
    "AWS::SSM::Association": ResourceType(
        create=_create_association,
        update=_update_association,
        delete=lambda association_id, _: associations.delete_association({"AssociationId": association_id}),
        attributes=lambda association_id, _: {"AssociationId": association_id},
        replaced_by=frozenset({"InstanceId"}),
    ),
}
