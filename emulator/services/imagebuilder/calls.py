"""EC2 Image Builder's API, as much of it as a cascade of pipelines needs (our model)."""

import uuid
from collections.abc import Callable

from emulator.core.api import Json, Operation
from emulator.core.iam import Call
from emulator.services.imagebuilder.builds import start_image_pipeline_execution
from emulator.services.imagebuilder.kept import kept, one
from emulator.services.imagebuilder.resources import delete, update_pipeline

NAMED = ("imagePipelineArn", "imageBuildVersionArn", "componentBuildVersionArn", "containerRecipeArn", "imageRecipeArn")


def _listed(kind: str, items: str) -> Callable[[Json], Json]:
    def answer(wanted: Json) -> Json:
        names = [value for each in wanted.get("filters", []) if each["name"] == "name" for value in each["values"]]
        found = [item for item in kept(kind).values() if not names or item["name"] in names]
        return {items: [_summary(item) for item in found]}

    return answer


def _summary(item: Json) -> Json:
    return {name: value for name, value in item.items() if name not in ("data", "lastDependencies")}


def _images_of(wanted: Json) -> Json:
    pipeline = one("image-pipeline", wanted["imagePipelineArn"])["arn"]
    found = [image for image in kept("image").values() if image["sourcePipelineArn"] == pipeline]
    return {"imageSummaryList": found}


def _update_pipeline(wanted: Json) -> Json:
    """Replaces everything: https://docs.aws.amazon.com/imagebuilder/latest/APIReference/API_UpdateImagePipeline.html."""
    update_pipeline(wanted["imagePipelineArn"], wanted)
    return {"imagePipelineArn": wanted["imagePipelineArn"]}


def _deletes(kind: str, named: str) -> Operation:
    """DeleteComponent and its like: https://docs.aws.amazon.com/imagebuilder/latest/APIReference/API_DeleteComponent.html."""

    def answer(wanted: Json) -> Json:
        arn = one(kind, wanted[named])["arn"]
        delete(kind, arn)
        return {named: arn}

    return answer


OPERATIONS: dict[str, Operation] = {
    "DeleteComponent": _deletes("component", "componentBuildVersionArn"),
    "DeleteContainerRecipe": _deletes("container-recipe", "containerRecipeArn"),
    "DeleteImageRecipe": _deletes("image-recipe", "imageRecipeArn"),
    "StartImagePipelineExecution": start_image_pipeline_execution,
    "UpdateImagePipeline": _update_pipeline,
    "GetImagePipeline": lambda wanted: {
        "imagePipeline": _summary(one("image-pipeline", wanted["imagePipelineArn"])),
    },
    "GetImage": lambda wanted: {"image": one("image", wanted["imageBuildVersionArn"])},
    "ListComponents": _listed("component", "componentVersionList"),
    "ListImageRecipes": _listed("image-recipe", "imageRecipeSummaryList"),
    "ListContainerRecipes": _listed("container-recipe", "containerRecipeSummaryList"),
    "ListImages": _listed("image", "imageVersionList"),
    "ListImagePipelines": _listed("image-pipeline", "imagePipelineList"),
    "ListLifecyclePolicies": _listed("lifecycle-policy", "lifecyclePolicySummaryList"),
    "ListImagePipelineImages": _images_of,
}


def judged_on(call: Call) -> str:
    """What a request is judged on: what it names; lists know no resource.

    https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonec2imagebuilder.html
    """
    return str(next((call.content[name] for name in NAMED if name in call.content), "*"))


def run_by_event(pipeline: str, token: str, _event: Json) -> None:
    """A pipeline as the target of a rule: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-targets.html."""
    of_this_target = str(uuid.uuid5(uuid.NAMESPACE_URL, f"{token}/{pipeline}"))
    start_image_pipeline_execution({"imagePipelineArn": pipeline, "clientToken": of_this_target})
