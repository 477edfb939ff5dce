"""A parent image that a build writes is there when the build's event comes.

Image Builder writes a parameter, and then tells that the image is AVAILABLE. A parameter of the data type
aws:ec2:image changes only when Systems Manager has looked at the image, some time after it was written. Whatever the
event starts would still read the image before.
"""

from collections.abc import Mapping
from typing import Any

from tests.conformance.findings import Finding, Rule

PAGE = "https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_PutParameter.html"

Json = dict[str, Any]
_ON_EVENT = "aws.imagebuilder"
_PARENT = "ssm:"


def findings(resources: Mapping[str, Json], where: str) -> list[Finding]:
    """Parameters of images that recipes of the same template build on, where events of images start pipelines."""
    if not any(_starts_on_images(resource) for resource in resources.values()):
        return []
    parents = {parent for resource in resources.values() for parent in _parents(resource)}
    found = []
    for name, resource in resources.items():
        if resource["Type"] != "AWS::ImageBuilder::DistributionConfiguration":
            continue
        for target in resource["Properties"]["Distributions"]:
            for written in target.get("SsmParameterConfigurations", ()):
                parameter = written["ParameterName"]
                if parameter in parents and written.get("DataType") == "aws:ec2:image":
                    reason = f"{parameter} may still hold the image before when the event of the new one comes"
                    fix = "let its DataType be text, under a name that no parameter of another type has"
                    found.append(Finding(where, name, "parent image", "fails", reason, PAGE, fix))
    return found


def _starts_on_images(resource: Json) -> bool:
    if resource["Type"] != "AWS::Events::Rule":
        return False
    return _ON_EVENT in (resource["Properties"].get("EventPattern") or {}).get("source", ())


def _parents(resource: Json) -> list[str]:
    """Names of the parameters with the images that a recipe builds on, or that its container is built on."""
    if resource["Type"] not in ("AWS::ImageBuilder::ImageRecipe", "AWS::ImageBuilder::ContainerRecipe"):
        return []
    properties = resource["Properties"]
    images = (properties.get("ParentImage"), properties.get("InstanceConfiguration", {}).get("Image"))
    return [image.removeprefix(_PARENT) for image in images if isinstance(image, str) and image.startswith(_PARENT)]


RULES = (
    Rule(
        "images",
        "a parameter that a build writes, and that what its event starts builds on, changes at once",
        PAGE,
        ("the parent of a recipe in a parameter of an image", "the host of a container in a parameter of an image"),
    ),
)
