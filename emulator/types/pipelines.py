"""AWS::CodePipeline::Pipeline, by ``emulator.pipelines``."""

from typing import Any

from emulator import pipelines
from emulator.types.resource import ResourceType


def _plain(value: Any) -> Any:
    """As the API writes it: CloudFormation's names begin with a capital."""
    if isinstance(value, dict):
        return {_small(name): _plain(item) for name, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list) else value


def _small(name: str) -> str:
    return name[:1].lower() + name[1:]


TYPES = {
    "AWS::CodePipeline::Pipeline": ResourceType(
        create=lambda properties: pipelines.create(_plain(properties)),
        update=lambda name, _, new: pipelines.update(name, _plain({**new, "Name": name})),
        delete=lambda name, _: pipelines.delete(name),
        name="Name",
    )
}
