"""AWS::CodeBuild::Project."""

from emulator.core.resource import ResourceType, lower
from emulator.core.store import arn
from emulator.services.codebuild import model

TYPES = {
    "AWS::CodeBuild::Project": ResourceType(
        create=lambda properties: model.create(lower(properties)),
        update=lambda name, _, new: model.update(name, lower({**new, "Name": name})),
        delete=lambda name, _: model.delete(name),
        attributes=lambda name, _: {"Arn": arn("codebuild", f"project/{name}")},
        name="Name",
        replaced_by=frozenset({"Name"}),
    )
}
