"""AWS::CodeBuild::Project."""

from emulator.core.api import Json
from emulator.core.resource import Properties, ResourceType, lower
from emulator.core.store import arn
from emulator.services.codebuild import model


def _definition(properties: Properties) -> Json:
    """As the API writes it, which says ``buildspec`` where CloudFormation says ``BuildSpec``."""
    found: Json = lower(properties)
    for source in (found["source"], *found.get("secondarySources", [])):
        if "buildSpec" in source:
            source["buildspec"] = source.pop("buildSpec")
    return found


TYPES = {
    "AWS::CodeBuild::Project": ResourceType(
        create=lambda properties: model.create(_definition(properties)),
        update=lambda name, _, new: model.update(name, _definition({**new, "Name": name})),
        delete=lambda name, _: model.delete(name),
        attributes=lambda name, _: {"Arn": arn("codebuild", f"project/{name}")},
        name="Name",
        replaced_by=frozenset({"Name"}),
    )
}
