"""Looks at a component of AWS, and at the public parameters of the bases."""

from config.models import CommonSettings
from stacks.image_pipelines.settings import ImagePipelinesSettings
from stacks.image_pipelines.settings.bases import BASES
from stacks.shared.confirming import Look, Seen, parameters
from stacks.shared.preflight import Clients

COMPONENT, PARAMETER = "stig-build-windows", "Level"


def _level(common: CommonSettings, settings: ImagePipelinesSettings, clients: Clients) -> Seen:
    """https://docs.aws.amazon.com/imagebuilder/latest/APIReference/API_ListComponents.html."""
    builder = clients("imagebuilder")
    wanted = [{"name": "name", "values": [COMPONENT]}]
    pages = builder.get_paginator("list_components").paginate(owner="Amazon", filters=wanted)
    found = [item["arn"] for page in pages for item in page["componentVersionList"] if item["name"] == COMPONENT]
    if not found:
        return Seen("open", f"AWS lists no {COMPONENT} in this Region")
    newest = f"{found[0].rsplit('/', 1)[0]}/x.x.x"
    component = builder.get_component(componentBuildVersionArn=newest)["component"]
    names = [each["name"] for each in component.get("parameters", [])]
    says = f"{component['arn'].rpartition('component/')[2]}: {', '.join(names) or 'no parameters'}"
    return Seen("confirmed" if PARAMETER in names else "refuted", says)


def _bases(common: CommonSettings, settings: ImagePipelinesSettings, clients: Clients) -> Seen:
    names = (BASES[base] for base in ("ubuntu-22.04", "windows-2025"))
    return parameters(clients, [base.parameter.format(each) for base in names for each in base.architectures.values()])


LOOKS = (
    Look("That `Level` is the parameter of", ("imagebuilder:ListComponents", "imagebuilder:GetComponent"), _level),
    Look("The public parameters of Ubuntu 22.04", ("ssm:GetParameter",), _bases),
)
