"""EC2 Image Builder: as much of it as a cascade of pipelines needs (our model).

What exists under which version follows https://docs.aws.amazon.com/imagebuilder/latest/APIReference/API_CreateComponent.html
and API_CreateImageRecipe.html there; schedules API_Schedule.html; events
https://docs.aws.amazon.com/imagebuilder/latest/userguide/integ-eventbridge.html; the parameters that a distribution
writes https://docs.aws.amazon.com/imagebuilder/latest/userguide/cr-upd-ami-distribution-settings.html, by the rights of
the execution role; messages https://docs.aws.amazon.com/imagebuilder/latest/userguide/integ-sns.html. A build takes no
time and no instance: it makes an AMI that nobody has booted. Nothing that components say is run. Lifecycle policies and
scans are kept and not carried out.
"""

import itertools
import json
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

from emulator.core.api import Json, Operation, call, client_error
from emulator.core.events import put_event
from emulator.core.iam import Call, role_may, tag_pairs
from emulator.core.store import Ec2Store, account_id, arn, request_scope
from emulator.services.imagebuilder.patches import publish
from emulator.services.ssm.patches import parameter_value, write_parameter

STATES = ("BUILDING", "TESTING", "DISTRIBUTING")
KINDS = {"image-recipe": "imageRecipe", "container-recipe": "containerRecipe"}
SECOND = timedelta(seconds=1)
_begun = datetime.now(UTC)
_ticks = itertools.count()


class BuildFailedError(Exception):
    """Why a build has failed."""


_kept: Ec2Store[dict[str, Json]] = Ec2Store("image_builder", dict)


def kept(kind: str) -> Json:
    """Resources of a kind by ARN, of the account and Region of the request."""
    return _kept.here().setdefault(kind, {})


# --- what has versions ------------------------------------------------------------------------------------------------


def create_component(wanted: Json) -> str:
    """A new build of the version; with identical content "the request fails because the component already exists"."""
    components, version = kept("component"), _arn("component", wanted["name"], wanted["version"])
    builds = [component for arn, component in components.items() if arn.startswith(f"{version}/")]
    if any(build["data"] == wanted["data"] for build in builds):
        raise client_error("ResourceAlreadyExistsException", f"The following resource '{version}' already exists.")
    arn = f"{version}/{len(builds) + 1}"
    components[arn] = {"arn": arn, **wanted}
    return arn


def create_recipe(kind: str, wanted: Json) -> str:
    """A recipe; "the recipe name, combined with the semantic version, must be unique"."""
    recipes, arn = kept(kind), _arn(kind, wanted["name"], wanted["version"])
    if arn in recipes:
        raise client_error("ResourceAlreadyExistsException", f"The following resource '{arn}' already exists.")
    for component in wanted.get("components", []):
        named = component["componentArn"]
        if ":aws:component/" not in named and named not in kept("component"):
            raise client_error("InvalidParameterValueException", f"The component '{named}' does not exist.")
    _resolved(_host(wanted) or wanted["parentImage"])
    recipes[arn] = {"arn": arn, **wanted}
    return arn


def delete(kind: str, arn: str) -> None:
    """Deletes what nothing refers to, as DeleteComponent and DeleteImageRecipe do."""
    text = json.dumps([kept(user) for user in ("image-recipe", "container-recipe", "image-pipeline") if user != kind])
    if f'"{arn}"' in text and kind != "image-pipeline":
        raise client_error("ResourceDependencyException", f"Resource '{arn}' is still in use.")
    kept(kind).pop(arn, None)


def create_plain(kind: str, wanted: Json) -> str:
    """An infrastructure or distribution configuration, or a lifecycle policy: a name, once."""
    arn = _arn(kind, wanted["name"])
    if arn in kept(kind):
        raise client_error("ResourceAlreadyExistsException", f"The following resource '{arn}' already exists.")
    kept(kind)[arn] = {"arn": arn, **wanted}
    return arn


def tags() -> Iterator[tuple[str, list[Json]]]:
    """ARN and tags of everything here that may have some."""
    for items in _kept.here().values():
        for item in items.values():
            if isinstance(item, dict) and "tags" in item:
                yield item["arn"], tag_pairs(item["tags"])


def _deletes(kind: str, named: str) -> Operation:
    """DeleteComponent and its like: https://docs.aws.amazon.com/imagebuilder/latest/APIReference/API_DeleteComponent.html."""

    def answer(wanted: Json) -> Json:
        arn = _one(kind, wanted[named])["arn"]
        delete(kind, arn)
        return {named: arn}

    return answer


# --- pipelines --------------------------------------------------------------------------------------------------------


def start_image_pipeline_execution(wanted: Json) -> Json:
    """https://docs.aws.amazon.com/imagebuilder/latest/APIReference/API_StartImagePipelineExecution.html."""
    pipeline = _one("image-pipeline", wanted["imagePipelineArn"])
    tokens, token = kept("token"), wanted["clientToken"]
    if token not in tokens:
        tokens[token] = {"pipeline": pipeline["arn"], "image": build(pipeline, wanted.get("tags", {}))["arn"]}
    if tokens[token]["pipeline"] != pipeline["arn"]:
        raise client_error("IdempotentParameterMismatchException", f"The token '{token}' was used for another request.")
    return {"clientToken": token, "imageBuildVersionArn": tokens[token]["image"]}


def build(pipeline: Json, tags: Json) -> Json:
    """One build, from BUILDING to AVAILABLE or FAILED, and what it tells."""
    kind, recipe = _recipe_of(pipeline)
    pipeline["lastDependencies"] = dependencies(pipeline)
    version = _arn("image", recipe["name"], recipe["version"])
    number = 1 + sum(arn.startswith(f"{version}/") for arn in kept("image"))
    image: Json = {
        "arn": f"{version}/{number}",
        "name": recipe["name"],
        "version": f"{recipe['version']}/{number}",
        "type": "AMI" if kind == "image-recipe" else "DOCKER",
        "dateCreated": (_begun + next(_ticks) * SECOND).strftime("%Y-%m-%dT%H:%M:%S.000Z"),
        "sourcePipelineArn": pipeline["arn"],
        "state": {"status": "PENDING"},
        "tags": tags,
        "outputResources": {"amis": [], "containers": []},
        KINDS[kind]: {"arn": recipe["arn"], "parentImage": pipeline["lastDependencies"]["parent"]},
    }
    kept("image")[image["arn"]] = image
    for state in STATES:
        _becomes(image, state)
    try:
        if _kept.here().pop("next_fails", None):
            raise BuildFailedError("A component has failed, as it was told to")
        _distribute(pipeline, image)
        _becomes(image, "AVAILABLE")
    except BuildFailedError as refused:
        image["state"]["reason"] = str(refused)
        _becomes(image, "FAILED")
    infrastructure = _one("infrastructure-configuration", pipeline["infrastructureConfigurationArn"])
    if topic := infrastructure.get("snsTopicArn"):
        publish(topic, json.dumps({**image, "infrastructureConfiguration": {"snsTopicArn": topic}}))
    pipeline["lastRunStatus"] = image["state"]["status"]
    return image


def scheduled(_request: Json) -> Json:
    """``image-pipelines``: the time of every pipeline's schedule has come, in each account and Region.

    What has changed is looked at before anything is built, because builds take long: a cascade goes one step a time.
    """
    built: list[str] = []
    for _, pipelines in _kept.everywhere():
        due = [item for item in pipelines.get("image-pipeline", {}).values() if _is_due(item)]
        for pipeline in due:
            with request_scope(*pipeline["arn"].split(":")[4:2:-1]):
                image = build(pipeline, {})
                _count(pipeline, failed=image["state"]["status"] == "FAILED")
                built.append(image["arn"])
    return {"built": built}


def next_build_fails(_request: Json) -> Json:
    """``image-build-fails``: the next build of each account and Region fails."""
    for _, store in _kept.everywhere():
        store["next_fails"] = {"next": True}
    return {}


def managed_component(request: Json) -> Json:
    """``managed-component {"component": name, "version": v}``: AWS publishes a version of its own."""
    for _, store in _kept.everywhere():
        store.setdefault("managed", {})[request["component"]] = request["version"]
    return {}


def dependencies(pipeline: Json) -> Json:
    """What a schedule compares: the base image, and components that are named by a wildcard.

    The machine that builds a container is no base image of it.
    """
    kind, recipe = _recipe_of(pipeline)
    names = [component["componentArn"] for component in recipe.get("components", [])]
    managed = kept("managed")
    found = {name: managed.get(name.split("/")[1], "1.0.0") for name in names if name.endswith("/x.x.x")}
    return {"parent": _resolved(recipe["parentImage"]) if kind == "image-recipe" else recipe["parentImage"], **found}


def _is_due(pipeline: Json) -> bool:
    schedule = pipeline.get("schedule")
    if not schedule or pipeline["status"] != "ENABLED":
        return False
    if schedule["pipelineExecutionStartCondition"] == "EXPRESSION_MATCH_ONLY":
        return True
    with request_scope(*pipeline["arn"].split(":")[4:2:-1]):
        return bool(pipeline.get("lastDependencies") != dependencies(pipeline))


def _count(pipeline: Json, *, failed: bool) -> None:
    """ "Only scheduled builds count"; the number of the policy disables the pipeline, and an event tells."""
    pipeline["consecutiveFailures"] = pipeline.get("consecutiveFailures", 0) + 1 if failed else 0
    if failed:
        del pipeline["lastDependencies"]  # what was not built is still to be built
    if pipeline["consecutiveFailures"] >= pipeline["schedule"]["autoDisablePolicy"]["failureCount"]:
        pipeline["status"] = "DISABLED"
        detail = {"consecutive-failures": str(pipeline["consecutiveFailures"])}
        title = "EC2 Image Builder Image Pipeline Automatically Disabled"
        put_event("aws.imagebuilder", title, detail, pipeline["arn"])


def _becomes(image: Json, state: str) -> None:
    detail = {"previous-state": {"status": image["state"]["status"]}, "state": {"status": state}}
    image["state"]["status"] = state
    put_event("aws.imagebuilder", "EC2 Image Builder Image State Change", detail, image["arn"])


def _distribute(pipeline: Json, image: Json) -> None:
    """An AMI in each Region, its parameter there, and a version of its launch template; or a container's address."""
    distribution = _one("distribution-configuration", pipeline["distributionConfigurationArn"])
    for target in distribution["distributions"]:
        to_region = target["region"]
        with request_scope(account_id(), to_region):
            if to := target.get("containerDistributionConfiguration"):
                registry = f"{account_id()}.dkr.ecr.{to_region}.amazonaws.com"
                name = f"{registry}/{to['targetRepository']['repositoryName']}"
                uris = [f"{name}:{tag}" for tag in (*to.get("containerTags", []), image["version"].replace("/", "-"))]
                image["outputResources"]["containers"].append({"region": to_region, "imageUris": uris})
                continue
            name = target["amiDistributionConfiguration"]["name"]
            stamp = image["dateCreated"].replace(":", "-")
            ami = call("ec2", "RegisterImage", Name=name.replace("{{ imagebuilder:buildDate }}", stamp))["ImageId"]
            made = {"region": to_region, "image": ami, "accountId": account_id()}
            image["outputResources"]["amis"].append(made)
            for parameter in target.get("ssmParameterConfigurations", []):
                _write_parameter(pipeline, parameter, ami)
            for template in target.get("launchTemplateConfigurations", []):
                _new_version(template, ami)


def _write_parameter(pipeline: Json, wanted: Json, ami: str) -> None:
    """The execution role must allow the two actions that the user guide names; without one the service's own writes."""
    name = wanted["parameterName"]
    needed = [("ssm:PutParameter", arn("ssm", f"parameter{name}"))]
    if wanted.get("dataType") == "aws:ec2:image":
        needed.append(("ec2:DescribeImages", "*"))
    role = pipeline.get("executionRole")
    for action, resource in needed:
        if not (role_may(role, action, resource) if role else name.startswith("/imagebuilder/")):
            raise BuildFailedError(f"{role or 'the service-linked role'} may not {action} on {resource}")
    write_parameter(name, ami, wanted.get("dataType", "text"))


def _new_version(wanted: Json, ami: str) -> None:
    template = wanted["launchTemplateId"]
    made = call(
        "ec2",
        "CreateLaunchTemplateVersion",
        LaunchTemplateId=template,
        SourceVersion="$Default",
        LaunchTemplateData={"ImageId": ami},
    )
    if wanted.get("setDefaultVersion", True):
        number = str(made["LaunchTemplateVersion"]["VersionNumber"])
        call("ec2", "ModifyLaunchTemplate", LaunchTemplateId=template, DefaultVersion=number)


def _recipe_of(pipeline: Json) -> tuple[str, Json]:
    kind = "image-recipe" if pipeline.get("imageRecipeArn") else "container-recipe"
    return kind, _one(kind, pipeline[f"{KINDS[kind]}Arn"])


def _host(recipe: Json) -> str | None:
    image: str | None = (recipe.get("instanceConfiguration") or {}).get("image")
    return image


def _resolved(parent: str) -> str:
    if not parent.startswith("ssm:"):
        return parent
    value = parameter_value(parent.removeprefix("ssm:"))
    if value is None:
        raise client_error("InvalidParameterValueException", f"The SSM parameter of '{parent}' does not exist.")
    return value


def _one(kind: str, arn: str) -> Json:
    if arn not in kept(kind):
        raise client_error("ResourceNotFoundException", f"The resource '{arn}' does not exist.")
    found: Json = kept(kind)[arn]
    return found


def _arn(kind: str, name: str, version: str | None = None) -> str:
    plain = name.lower().replace(" ", "-").replace("_", "-")
    return arn("imagebuilder", f"{kind}/{plain}/{version}" if version else f"{kind}/{plain}")


# --- the API ----------------------------------------------------------------------------------------------------------


def _listed(kind: str, items: str) -> Callable[[Json], Json]:
    def answer(wanted: Json) -> Json:
        names = [value for one in wanted.get("filters", []) if one["name"] == "name" for value in one["values"]]
        found = [item for item in kept(kind).values() if not names or item["name"] in names]
        return {items: [_summary(item) for item in found]}

    return answer


def _summary(item: Json) -> Json:
    return {name: value for name, value in item.items() if name not in ("data", "lastDependencies")}


def _images_of(wanted: Json) -> Json:
    pipeline = _one("image-pipeline", wanted["imagePipelineArn"])["arn"]
    found = [image for image in kept("image").values() if image["sourcePipelineArn"] == pipeline]
    return {"imageSummaryList": found}


def _update_pipeline(wanted: Json) -> Json:
    """Replaces everything: https://docs.aws.amazon.com/imagebuilder/latest/APIReference/API_UpdateImagePipeline.html."""
    update_pipeline(wanted["imagePipelineArn"], wanted)
    return {"imagePipelineArn": wanted["imagePipelineArn"]}


def create_pipeline(wanted: Json) -> str:
    """Enabled unless it is to be otherwise."""
    return create_plain("image-pipeline", {"status": "ENABLED", "consecutiveFailures": 0, **wanted})


def update_pipeline(arn: str, wanted: Json) -> None:
    """ "creating or updating the pipeline [...] resets it to zero"; the status is ENABLED unless it is given."""
    old = _one("image-pipeline", arn)
    memory = {name: old[name] for name in ("name", "lastDependencies", "lastRunStatus", "tags") if name in old}
    new = {name: value for name, value in wanted.items() if name not in ("clientToken", "imagePipelineArn")}
    kept("image-pipeline")[arn] = {"arn": arn, "status": "ENABLED", "consecutiveFailures": 0, **memory, **new}


OPERATIONS: dict[str, Operation] = {
    "DeleteComponent": _deletes("component", "componentBuildVersionArn"),
    "DeleteContainerRecipe": _deletes("container-recipe", "containerRecipeArn"),
    "DeleteImageRecipe": _deletes("image-recipe", "imageRecipeArn"),
    "StartImagePipelineExecution": start_image_pipeline_execution,
    "UpdateImagePipeline": _update_pipeline,
    "GetImagePipeline": lambda wanted: {
        "imagePipeline": _summary(_one("image-pipeline", wanted["imagePipelineArn"])),
    },
    "GetImage": lambda wanted: {"image": _one("image", wanted["imageBuildVersionArn"])},
    "ListComponents": _listed("component", "componentVersionList"),
    "ListImageRecipes": _listed("image-recipe", "imageRecipeSummaryList"),
    "ListContainerRecipes": _listed("container-recipe", "containerRecipeSummaryList"),
    "ListImages": _listed("image", "imageVersionList"),
    "ListImagePipelines": _listed("image-pipeline", "imagePipelineList"),
    "ListLifecyclePolicies": _listed("lifecycle-policy", "lifecyclePolicySummaryList"),
    "ListImagePipelineImages": _images_of,
}


NAMED = ("imagePipelineArn", "imageBuildVersionArn", "componentBuildVersionArn", "containerRecipeArn", "imageRecipeArn")


def judged_on(call: Call) -> str:
    """What a request is judged on: what it names; lists know no resource.

    https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonec2imagebuilder.html
    """
    return str(next((call.content[name] for name in NAMED if name in call.content), "*"))


def run_by_event(pipeline: str, token: str, _event: Json) -> None:
    """A pipeline as the target of a rule: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-targets.html."""
    of_this_target = str(uuid.uuid5(uuid.NAMESPACE_URL, f"{token}/{pipeline}"))
    start_image_pipeline_execution({"imagePipelineArn": pipeline, "clientToken": of_this_target})
