"""Builds: when a pipeline builds, what becomes of the image, where it goes, and who is told (our model).

Schedules follow https://docs.aws.amazon.com/imagebuilder/latest/APIReference/API_Schedule.html; events
https://docs.aws.amazon.com/imagebuilder/latest/userguide/integ-eventbridge.html; the parameters that a distribution
writes https://docs.aws.amazon.com/imagebuilder/latest/userguide/cr-upd-ami-distribution-settings.html, by the rights of
the execution role; messages https://docs.aws.amazon.com/imagebuilder/latest/userguide/integ-sns.html. A build takes no
time and no instance: it makes an AMI that nobody has booted. Nothing that components say is run. Lifecycle policies and
scans are kept and not carried out.
"""

import itertools
import json
from datetime import UTC, datetime, timedelta

from botocore.exceptions import ClientError

from emulator.core.api import Json, call, client_error
from emulator.core.events import put_event
from emulator.core.iam import role_may
from emulator.core.store import account_id, arn, request_scope
from emulator.services.imagebuilder.kept import KINDS, arn_of, kept, one, recipe_of, resolved, store
from emulator.services.imagebuilder.patches import publish
from emulator.services.ssm.parameters import put_parameter

STATES = ("BUILDING", "TESTING", "DISTRIBUTING", "INTEGRATING")
SECOND = timedelta(seconds=1)
_begun = datetime.now(UTC)
_ticks = itertools.count()


class BuildFailedError(Exception):
    """Why a build has failed."""


def start_image_pipeline_execution(wanted: Json) -> Json:
    """https://docs.aws.amazon.com/imagebuilder/latest/APIReference/API_StartImagePipelineExecution.html."""
    pipeline = one("image-pipeline", wanted["imagePipelineArn"])
    tokens, token = kept("token"), wanted["clientToken"]
    if token not in tokens:
        tokens[token] = {"pipeline": pipeline["arn"], "image": build(pipeline, wanted.get("tags", {}))["arn"]}
    if tokens[token]["pipeline"] != pipeline["arn"]:
        raise client_error("IdempotentParameterMismatchException", f"The token '{token}' was used for another request.")
    return {"clientToken": token, "imageBuildVersionArn": tokens[token]["image"]}


def build(pipeline: Json, tags: Json) -> Json:
    """One build, from BUILDING to AVAILABLE or FAILED, and what it tells."""
    kind, recipe = recipe_of(pipeline)
    pipeline["lastDependencies"] = dependencies(pipeline)
    version = arn_of("image", recipe["name"], recipe["version"])
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
        if store.here().pop("next_fails", None):
            raise BuildFailedError("A component has failed, as it was told to")
        _distribute(pipeline, image)
        _becomes(image, "AVAILABLE")
    except BuildFailedError as refused:
        image["state"]["reason"] = str(refused)
        _becomes(image, "FAILED")
    infrastructure = one("infrastructure-configuration", pipeline["infrastructureConfigurationArn"])
    if topic := infrastructure.get("snsTopicArn"):
        publish(topic, json.dumps({**image, "infrastructureConfiguration": {"snsTopicArn": topic}}))
    pipeline["lastRunStatus"] = image["state"]["status"]
    return image


def scheduled(_request: Json) -> Json:
    """``image-pipelines``: the time of every pipeline's schedule has come, in each account and Region.

    What has changed is looked at before anything is built, because builds take long: a cascade goes one step a time.
    """
    built: list[str] = []
    for _, pipelines in store.everywhere():
        due = [item for item in pipelines.get("image-pipeline", {}).values() if _is_due(item)]
        for pipeline in due:
            with request_scope(*pipeline["arn"].split(":")[4:2:-1]):
                image = build(pipeline, {})
                _count(pipeline, failed=image["state"]["status"] == "FAILED")
                built.append(image["arn"])
    return {"built": built}


def next_build_fails(_request: Json) -> Json:
    """``image-build-fails``: the next build of each account and Region fails."""
    for _, there in store.everywhere():
        there["next_fails"] = {"next": True}
    return {}


def managed_component(request: Json) -> Json:
    """``managed-component {"component": name, "version": v}``: AWS publishes a version of its own."""
    for _, there in store.everywhere():
        there.setdefault("managed", {})[request["component"]] = request["version"]
    return {}


def dependencies(pipeline: Json) -> Json:
    """What a schedule compares: the base image, and components that are named by a wildcard.

    The machine that builds a container is no base image of it.
    """
    kind, recipe = recipe_of(pipeline)
    names = [component["componentArn"] for component in recipe.get("components", [])]
    managed = kept("managed")
    found = {name: managed.get(name.split("/")[1], "1.0.0") for name in names if name.endswith("/x.x.x")}
    return {"parent": resolved(recipe["parentImage"]) if kind == "image-recipe" else recipe["parentImage"], **found}


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
    distribution = one("distribution-configuration", pipeline["distributionConfigurationArn"])
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
    try:
        put_parameter(
            {
                "Name": name,
                "Value": ami,
                "Type": "String",
                "DataType": wanted.get("dataType", "text"),
                "Overwrite": True,
            }
        )
    except ClientError as error:
        raise BuildFailedError(str(error)) from error


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
