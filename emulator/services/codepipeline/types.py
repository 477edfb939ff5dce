"""AWS::CodePipeline::Pipeline."""

from emulator.core.resource import ResourceType, lower
from emulator.services.codepipeline import model

TYPES = {
    "AWS::CodePipeline::Pipeline": ResourceType(
        create=lambda properties: model.create(lower(properties)),
        update=lambda name, _, new: model.update(name, lower({**new, "Name": name})),
        delete=lambda name, _: model.delete(name),
        name="Name",
    )
}
