"""AWS::ImageBuilder: components, recipes, configurations, pipelines and lifecycle policies."""

from collections.abc import Callable
from functools import partial
from typing import Any

from emulator.core.api import Json
from emulator.core.resource import Properties, ResourceType, lower, without_tags
from emulator.services.imagebuilder import resources
from emulator.services.imagebuilder.kept import kept


def _arn(arn: str, _properties: Properties) -> dict[str, Any]:
    return {"Arn": arn}


def _api(properties: Properties) -> Json:
    """The properties as the API has them; the keys of tags stay as they are."""
    return {**lower(without_tags(properties)), "tags": dict(properties.get("Tags") or {})}


def _delete(kind: str, arn: str, _properties: Properties) -> None:
    resources.delete(kind, arn)


def _immutable(kind: str, create: Callable[[Json], str]) -> ResourceType:
    """Each change but one of tags is a new version beside the old one."""

    def tag(arn: str, new: Properties) -> None:
        kept(kind)[arn]["tags"] = _api(new)["tags"]

    return ResourceType(
        create=lambda properties: create(_api(properties)),
        delete=partial(_delete, kind),
        attributes=_arn,
        own_tags=tag,
        tag_map=True,
    )


def _configuration(kind: str) -> ResourceType:
    def update(arn: str, _old: Properties, new: Properties) -> None:
        kept(kind)[arn] = {"arn": arn, **_api(new)}

    return ResourceType(
        create=lambda properties: resources.create_plain(kind, _api(properties)),
        update=update,
        replaced_by=frozenset({"Name"}),
        delete=partial(_delete, kind),
        attributes=_arn,
        tag_map=True,
    )


TYPES: dict[str, ResourceType] = {
    "AWS::ImageBuilder::Component": _immutable("component", resources.create_component),
    "AWS::ImageBuilder::ImageRecipe": _immutable("image-recipe", partial(resources.create_recipe, "image-recipe")),
    "AWS::ImageBuilder::ContainerRecipe": _immutable(
        "container-recipe", partial(resources.create_recipe, "container-recipe")
    ),
    "AWS::ImageBuilder::InfrastructureConfiguration": _configuration("infrastructure-configuration"),
    "AWS::ImageBuilder::DistributionConfiguration": _configuration("distribution-configuration"),
    "AWS::ImageBuilder::LifecyclePolicy": _configuration("lifecycle-policy"),
    "AWS::ImageBuilder::ImagePipeline": ResourceType(
        create=lambda wanted: resources.create_pipeline(_api(wanted)),
        update=lambda arn, _, new: resources.update_pipeline(arn, _api(new)),
        replaced_by=frozenset({"Name"}),
        delete=partial(_delete, "image-pipeline"),
        attributes=_arn,
        tag_map=True,
    ),
}
