"""What would stop a deployment or the first build."""

from collections.abc import Iterator
from functools import partial

from botocore.exceptions import ClientError

from config.models import CommonSettings
from stacks.image_pipelines.settings import ImagePipelinesSettings
from stacks.shared.deployed import stack_outputs
from stacks.shared.preflight import Clients, Finding, looked_at


def findings_of(common: CommonSettings, settings: ImagePipelinesSettings, clients: Clients) -> Iterator[Finding]:
    """The solution's own findings."""
    yield looked_at("log groups", lambda: _log_groups(common, clients))
    yield looked_at("base image", lambda: _base(settings, clients))
    yield looked_at("instance types", lambda: _types(settings, clients))
    yield looked_at("components of AWS", lambda: _managed(settings, clients))
    if settings.scan:
        yield looked_at("Inspector", lambda: _inspector(settings, clients))
    for one in (settings.gold, *settings.workloads):
        if template := one.launch_template_id:
            yield looked_at(f"launch template {template}", partial(_template, template, clients))


def _log_groups(common: CommonSettings, clients: Clients) -> Finding:
    """Image Builder makes a group again that a build still writes to after the stack has gone."""
    what, stack = "log groups", common.stack_name("image_pipelines")
    if stack_outputs(stack, clients) is not None:
        return Finding(what, "ok", "they are the stack's")
    pages = (
        clients("logs").get_paginator("describe_log_groups").paginate(logGroupNamePrefix=f"/aws/imagebuilder/{stack}/")
    )
    left = [group["logGroupName"] for page in pages for group in page["logGroups"]]
    if left:
        return Finding(
            what, "problem", f"left by an earlier stack: {', '.join(left)}", "Delete them: aws logs delete-log-group"
        )
    return Finding(what, "ok", "no name is taken")


def _base(settings: ImagePipelinesSettings, clients: Clients) -> Finding:
    ssm = clients("ssm")
    try:
        image = ssm.get_parameter(Name=settings.source_parameter)["Parameter"]["Value"]
    except ssm.exceptions.ParameterNotFound:
        says = f"{settings.source_parameter} does not exist here"
        return Finding("base image", "problem", says, "Set gold.base or gold.architecture")
    return Finding("base image", "ok", image)


def _types(settings: ImagePipelinesSettings, clients: Clients) -> Finding:
    wanted = list(settings.build_types)
    pages = (
        clients("ec2")
        .get_paginator("describe_instance_types")
        .paginate(Filters=[{"Name": "instance-type", "Values": wanted}])
    )
    found = {
        item["InstanceType"]: item["ProcessorInfo"]["SupportedArchitectures"]
        for page in pages
        for item in page["InstanceTypes"]
    }
    problems = [f"no {name} in this Region" for name in wanted if name not in found]
    architecture = settings.gold.architecture
    problems += [f"{name} is not {architecture}" for name, kinds in found.items() if architecture not in kinds]
    if problems:
        return Finding("instance types", "problem", "; ".join(problems), "Set instance_types")
    return Finding("instance types", "ok", ", ".join(wanted))


def _managed(settings: ImagePipelinesSettings, clients: Clients) -> Finding:
    platform = settings.base.platform.lower()
    gold = settings.gold
    wanted = [*([f"update-{platform}"] if gold.updates else []), *([f"stig-build-{platform}"] if gold.stig else [])]
    pages = clients("imagebuilder").get_paginator("list_components").paginate(owner="Amazon", byName=True)
    there = {item["name"] for page in pages for item in page["componentVersionList"]}
    if missing := [name for name in wanted if name not in there]:
        says = f"AWS offers no {', '.join(missing)} here"
        return Finding("components of AWS", "problem", says, "Set gold.updates or gold.stig")
    return Finding("components of AWS", "ok", ", ".join(wanted) or "none needed")


def _inspector(settings: ImagePipelinesSettings, clients: Clients) -> Finding:
    """Each kind of scanning is turned on by itself: of EC2 for test instances, of ECR for containers.

    https://docs.aws.amazon.com/inspector/latest/user/scanning-ecr.html
    """
    (account,) = clients("inspector2").batch_get_account_status()["accounts"]
    needed = {"ec2": "EC2"}
    if any(workload.kind == "container" for workload in settings.workloads):
        needed["ecr"] = "ECR"
    states = {says: account["resourceState"][name]["status"] for name, says in needed.items()}
    if off := [f"scanning of {says} is {state}" for says, state in states.items() if state != "ENABLED"]:
        return Finding("Inspector", "problem", "; ".join(off), "Turn it on in Inspector, or set scan: false")
    return Finding("Inspector", "ok", f"scans {' and '.join(states)}")


def _template(template: str, clients: Clients) -> Finding:
    what = f"launch template {template}"
    try:
        (found,) = clients("ec2").describe_launch_templates(LaunchTemplateIds=[template])["LaunchTemplates"]
    except ClientError as error:
        if error.response["Error"]["Code"] != "InvalidLaunchTemplateId.NotFound":
            raise
        return Finding(what, "problem", "it does not exist in this Region", "Set launch_template_id")
    return Finding(what, "ok", found["LaunchTemplateName"])
