"""AWS::ImageBuilder: components, recipes, configurations, pipelines and lifecycle policies."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from emulator import image_builder as model
from emulator import seams
from emulator.types.resource import Properties, ResourceType


def plain(value: Any) -> Any:
    """A CloudFormation value as the API writes it: names begin in lower case."""
    if isinstance(value, dict):
        return {name[:1].lower() + name[1:]: plain(item) for name, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, list) else value


@dataclass(frozen=True)
class Immutable(ResourceType):
    """A type whose change is a new resource beside the old one, which goes in the clean-up unless it is to stay."""

    def _update(
        self, physical_id: str, old: Properties, new: Properties, stack: str, logical_id: str
    ) -> tuple[str, dict[str, Any]]:
        if {**old, "Tags": None} == {**new, "Tags": None}:
            return physical_id, self._attributes(physical_id, new)
        made = self._create(logical_id, new, stack)
        seams.delete_predecessor(self._delete, physical_id, old)
        return made


def _arn(arn: str, _properties: Properties) -> dict[str, Any]:
    return {"Arn": arn}


def _immutable(kind: str, create: Callable[[Properties], str]) -> Immutable:
    return Immutable(create=create, delete=lambda arn, _: model.delete(kind, arn), attributes=_arn)


def _configuration(kind: str) -> ResourceType:
    def update(arn: str, _old: Properties, new: Properties) -> None:
        model.kept(kind)[arn] = {"arn": arn, **plain(new)}

    return ResourceType(
        create=lambda properties: model.create_plain(kind, plain(properties)),
        update=update,
        replaced_by=frozenset({"Name"}),
        delete=lambda arn, _: model.delete(kind, arn),
        attributes=_arn,
    )


TYPES: dict[str, ResourceType] = {
    "AWS::ImageBuilder::Component": _immutable("component", lambda wanted: model.create_component(plain(wanted))),
    "AWS::ImageBuilder::ImageRecipe": _immutable(
        "image-recipe", lambda wanted: model.create_recipe("image-recipe", plain(wanted))
    ),
    "AWS::ImageBuilder::ContainerRecipe": _immutable(
        "container-recipe", lambda wanted: model.create_recipe("container-recipe", plain(wanted))
    ),
    "AWS::ImageBuilder::InfrastructureConfiguration": _configuration("infrastructure-configuration"),
    "AWS::ImageBuilder::DistributionConfiguration": _configuration("distribution-configuration"),
    "AWS::ImageBuilder::LifecyclePolicy": _configuration("lifecycle-policy"),
    "AWS::ImageBuilder::ImagePipeline": ResourceType(
        create=lambda wanted: model.create_pipeline(plain(wanted)),
        update=lambda arn, _, new: model.update_pipeline(arn, plain(new)),
        replaced_by=frozenset({"Name"}),
        delete=lambda arn, _: model.delete("image-pipeline", arn),
        attributes=_arn,
    ),
}
