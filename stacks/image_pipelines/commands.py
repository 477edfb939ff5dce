"""What ``python -m stacks image_pipelines`` can do."""

import uuid
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from typing import Any

from config.models import CommonSettings
from stacks.image_pipelines.cascade import GOLD, mermaid
from stacks.image_pipelines.checks import findings_of
from stacks.image_pipelines.settings import ImagePipelinesSettings
from stacks.shared.billing import HOURS, BillingUnit
from stacks.shared.command import Answer, Command, CommandError
from stacks.shared.deployed import stack_output
from stacks.shared.preflight import Clients, Finding, common_findings

COST_NOTE = (
    "For a month without builds; a build bills its instances, and every image its snapshots until it is deleted."
)
SLUG = "image_pipelines"
ALARMS = 5
DAYS = 30
LAUNCHES = ("AVAILABLE", "DEPRECATED")
"""States of an image that launches: deprecation hides it and forbids nothing
(https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ami-deprecate.html)."""
KEPT = (
    "description",
    "imageRecipeArn",
    "containerRecipeArn",
    "infrastructureConfigurationArn",
    "distributionConfigurationArn",
    "imageTestsConfiguration",
    "enhancedImageMetadataEnabled",
    "schedule",
    "imageScanningConfiguration",
    "workflows",
    "loggingConfiguration",
    "executionRole",
    "imageTags",
)


def idle_month(common: CommonSettings, settings: ImagePipelinesSettings) -> Iterator[BillingUnit]:
    """What bills in a month in which nothing is built. Images bill by the size of their snapshots."""
    if common.vpc is None:
        yield BillingUnit("nat_gateway_hour", HOURS * (settings.network == "nat"), "NAT gateway")
        yield BillingUnit("public_ipv4_hour", HOURS * (settings.network == "nat"), "address of the NAT gateway")
    amis = 1 + sum(workload.kind != "container" for workload in settings.workloads)
    if settings.build_on_change:
        gib = (settings.volume_gib or settings.base.root_gib) * (1 + len(settings.regions))
        images = "snapshot of gold's first image, at most its volume, in each Region"
        yield BillingUnit(
            "snapshot_gib_month", gib, images + (f"; each of {amis - 1} workloads adds as much" if amis > 1 else "")
        )
    yield BillingUnit("alarm_month", ALARMS, "alarms")
    yield BillingUnit("lambda_request", DAYS, "Tracker, once a day")


def findings(common: CommonSettings, settings: ImagePipelinesSettings, clients: Clients) -> Iterator[Finding]:
    """What would stop a deployment or the first build."""
    yield from common_findings(common, clients, zones=1)
    yield from findings_of(common, settings, clients)


# The cascade, its builds and what came of them


def graph(options: Namespace, common: CommonSettings, settings: ImagePipelinesSettings, clients: Clients) -> Answer:
    """The cascade of the configuration, as a flow chart of Mermaid."""
    chart = mermaid(settings.gold.base, settings.workloads)
    parents = {workload.name: workload.parent for workload in settings.workloads}
    return Answer(
        ("pipeline", "builds on"),
        list(parents.items()),
        {"mermaid": chart, "parents": parents},
        lines=chart.splitlines(),
    )


def build(options: Namespace, common: CommonSettings, settings: ImagePipelinesSettings, clients: Clients) -> Answer:
    """Starts a build of one pipeline, whatever has changed or not.

    Raises:
        CommandError: it builds on another pipeline, which has no image yet.
    """
    _has_a_parent(options.pipeline, common, settings, clients)
    started = clients("imagebuilder").start_image_pipeline_execution(
        imagePipelineArn=_arn(options.pipeline, common, settings, clients), clientToken=str(uuid.uuid4())
    )
    image = started["imageBuildVersionArn"]
    return Answer(("image",), [(image,)], {"image": image}, ["The topic tells how it ends; so does 'pipelines'."])


def enable(options: Namespace, common: CommonSettings, settings: ImagePipelinesSettings, clients: Clients) -> Answer:
    """Enables a pipeline again that was disabled after failures.

    An update replaces everything, so that all there is goes back as it was
    (https://docs.aws.amazon.com/imagebuilder/latest/APIReference/API_UpdateImagePipeline.html).
    """
    builder = clients("imagebuilder")
    arn = _arn(options.pipeline, common, settings, clients)
    found = builder.get_image_pipeline(imagePipelineArn=arn)["imagePipeline"]
    same = {name: found[name] for name in KEPT if found.get(name)}
    builder.update_image_pipeline(imagePipelineArn=arn, status="ENABLED", clientToken=str(uuid.uuid4()), **same)
    before = found["status"]
    return Answer(("pipeline", "was", "is"), [(options.pipeline, before, "ENABLED")], {"was": before, "is": "ENABLED"})


def pipelines(options: Namespace, common: CommonSettings, settings: ImagePipelinesSettings, clients: Clients) -> Answer:
    """The pipelines, how their last build ended, and how many scheduled ones have failed in a row."""
    rows = []
    for name in (GOLD, *(workload.name for workload in settings.workloads)):
        arn = _arn(name, common, settings, clients)
        found = clients("imagebuilder").get_image_pipeline(imagePipelineArn=arn)["imagePipeline"]
        failures = str(found.get("consecutiveFailures", 0))
        rows.append((name, found["status"], found.get("lastRunStatus", "never built"), failures))
    columns = ("pipeline", "status", "last build", "failures in a row")
    return Answer(columns, rows, [dict(zip(columns, row, strict=True)) for row in rows])


def images(options: Namespace, common: CommonSettings, settings: Any, clients: Clients) -> Answer:
    """The newest image of each pipeline in each Region, as the tracker has recorded it."""
    table = _output("NewestTable", common, clients)
    pages = clients("dynamodb").get_paginator("scan").paginate(TableName=table)
    columns = ("pipeline", "region", "image", "created", "source")
    found = [{name: item[name]["S"] for name in columns} for page in pages for item in page["Items"]]
    found.sort(key=lambda item: (item["pipeline"], item["region"]))
    return Answer(columns, [tuple(item.values()) for item in found], found)


def _has_a_parent(name: str, common: CommonSettings, settings: ImagePipelinesSettings, clients: Clients) -> None:
    """Nothing is built on the public image that the parameter of a parent holds before its first own one."""
    parents = {workload.name: workload.parent for workload in settings.workloads if workload.kind == "ami"}
    if name not in parents:
        return
    parent = parents[name]
    parameter = settings.parent_parameter_of(common.stack_name(SLUG), parent)
    found = clients("ssm").get_parameters(Names=[parameter])["Parameters"]
    pages = clients("imagebuilder").get_paginator("list_image_pipeline_images")
    made = {
        ami["image"]
        for page in pages.paginate(imagePipelineArn=_arn(parent, common, settings, clients))
        for image in page["imageSummaryList"]
        if image["state"]["status"] in LAUNCHES
        for ami in image.get("outputResources", {}).get("amis", [])
    }
    if not found or found[0]["Value"] not in made:
        raise CommandError(
            f"{parent} has no image yet on which {name} could be built; build {parent}, which builds it too"
        )


def _arn(name: str, common: CommonSettings, settings: ImagePipelinesSettings, clients: Clients) -> str:
    known = [GOLD, *(workload.name for workload in settings.workloads)]
    if name not in known:
        raise CommandError(f"there is no pipeline {name!r}; there are {', '.join(known)}")
    return _output(f"{name.title().replace('-', '')}PipelineArn", common, clients)


def _output(name: str, common: CommonSettings, clients: Clients) -> str:
    """An output of the deployed stack.

    Raises:
        CommandError: it is not deployed.
    """
    return stack_output(common.stack_name(SLUG), name, clients)


def _pipeline(parser: ArgumentParser) -> None:
    parser.add_argument("pipeline", help="gold, or the name of a workload")


def _cascade_table() -> str:
    """The cascade of the shipped configuration, for the README."""
    settings = ImagePipelinesSettings()
    return f"```mermaid\n{mermaid(settings.gold.base, settings.workloads)}```\n"


COMMANDS = (
    Command("graph", "the cascade as a flow chart of Mermaid", graph),
    Command("pipelines", "status of the pipelines and of their last builds", pipelines),
    Command("images", "the newest image of each pipeline in each Region", images),
    Command("build", "start a build of one pipeline now", build, _pipeline),
    Command("enable", "enable a pipeline again that was disabled after failures", enable, _pipeline),
)
README_TABLES = {"cascade": _cascade_table}
