"""AWS::ImageBuilder: components, recipes, configurations, pipelines and lifecycle policies."""

from collections.abc import Callable
from functools import partial
from typing import Any

from emulator.core.resource import Properties, ResourceType, lower
from emulator.services.imagebuilder import resources
from emulator.services.imagebuilder.kept import kept


def _arn(arn: str, _properties: Properties) -> dict[str, Any]:
    return {"Arn": arn}


def _delete(kind: str, arn: str, _properties: Properties) -> None:
    resources.delete(kind, arn)


def _immutable(kind: str, create: Callable[[Properties], str]) -> ResourceType:
    """Each change but one of tags is a new version beside the old one."""
    return ResourceType(create=create, delete=partial(_delete, kind), attributes=_arn, own_tags=True)


def _configuration(kind: str) -> ResourceType:
    def update(arn: str, _old: Properties, new: Properties) -> None:
        kept(kind)[arn] = {"arn": arn, **lower(new)}

    return ResourceType(
        create=lambda properties: resources.create_plain(kind, lower(properties)),
        update=update,
        replaced_by=frozenset({"Name"}),
        delete=partial(_delete, kind),
        attributes=_arn,
    )


TYPES: dict[str, ResourceType] = {
    "AWS::ImageBuilder::Component": _immutable("component", lambda wanted: resources.create_component(lower(wanted))),
    "AWS::ImageBuilder::ImageRecipe": _immutable(
        "image-recipe", lambda wanted: resources.create_recipe("image-recipe", lower(wanted))
    ),
    "AWS::ImageBuilder::ContainerRecipe": _immutable(
        "container-recipe", lambda wanted: resources.create_recipe("container-recipe", lower(wanted))
    ),
    "AWS::ImageBuilder::InfrastructureConfiguration": _configuration("infrastructure-configuration"),
    "AWS::ImageBuilder::DistributionConfiguration": _configuration("distribution-configuration"),
    "AWS::ImageBuilder::LifecyclePolicy": _configuration("lifecycle-policy"),
    "AWS::ImageBuilder::ImagePipeline": ResourceType(
        create=lambda wanted: resources.create_pipeline(lower(wanted)),
        update=lambda arn, _, new: resources.update_pipeline(arn, lower(new)),
        replaced_by=frozenset({"Name"}),
        delete=partial(_delete, "image-pipeline"),
        attributes=_arn,
    ),
}
