"""The rule of parent images over every template, and that it catches what it is for."""

from typing import Any

import pytest

from tests.conformance.life.images import findings
from tests.conformance.templates import every_template, found

Json = dict[str, Any]
NAME = "/imagebuilder/tried/gold"


@every_template
def test_a_parent_image_is_there_when_its_event_comes(variant: str, slug: str) -> None:
    template = found(variant, slug)
    assert [str(found) for found in findings(template.resources, str(template))] == []


def stack(kind: str, recipe: Json, source: str = "aws.imagebuilder") -> dict[str, Json]:
    """What writes the parameter, what builds on it, and a rule on events."""
    written = {"Region": "eu-west-1", "SsmParameterConfigurations": [{"ParameterName": NAME, "DataType": kind}]}
    made = {
        "Written": ("AWS::ImageBuilder::DistributionConfiguration", {"Distributions": [written]}),
        "Recipe": ("AWS::ImageBuilder::ContainerRecipe", recipe),
        "Rule": ("AWS::Events::Rule", {"EventPattern": {"source": [source]}}),
    }
    return {name: {"Type": type_, "Properties": properties} for name, (type_, properties) in made.items()}


PARENT, HOST = {"ParentImage": f"ssm:{NAME}"}, {"InstanceConfiguration": {"Image": f"ssm:{NAME}"}}


@pytest.mark.parametrize("recipe", [PARENT, HOST], ids=["parent", "host"])
def test_a_parent_in_a_parameter_of_an_image_is_told(recipe: Json) -> None:
    (told,) = findings(stack("aws:ec2:image", recipe), "here")
    assert told.resource == "Written" and NAME in told.reason
    assert not findings(stack("text", recipe), "here")
    assert not findings(stack("aws:ec2:image", {"ParentImage": "ssm:/another"}), "here")
    assert not findings(stack("aws:ec2:image", recipe, source="aws.ec2"), "here"), "nothing follows the image"
