"""What a pipeline builds, and when."""

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from config.models import Problem, Section, rule
from config.schedules import ScheduleExpression, TimeZone
from config.types import LaunchTemplateId, repeated
from stacks.image_pipelines.settings.bases import BASE_IMAGE

MOST_COMPONENTS = 20
"""Of a recipe; https://docs.aws.amazon.com/imagebuilder/latest/userguide/ib-quotas.html."""

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,38}[a-z0-9]$", examples=["web"])]
MajorMinor = Annotated[str, Field(pattern=r"^(0|[1-9]\d{0,8})\.(0|[1-9]\d{0,8})$", examples=["1.0"])]
ComponentFile = Annotated[
    str, Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_./-]{0,200}\.ya?ml$", examples=["config/components/web.yaml"])
]


class Schedule(Section):
    """When a pipeline checks whether something that it depends on has changed; it builds only then."""

    expression: ScheduleExpression = "cron(0 3 ? * sun *)"
    """Cron or rate expression of EC2 Image Builder."""
    timezone: TimeZone = "Etc/UTC"
    """IANA name of the expression's time zone."""
    start_condition: Literal["dependency-updates", "always"] = "dependency-updates"
    """At the scheduled time, build if the base image or a component has changed, or always."""
    disable_after_failures: Annotated[int, Field(ge=1, le=10)] = 3
    """Failed scheduled builds in a row that disable the pipeline."""


class Pipeline(Section):
    """What the gold pipeline and the workloads have in common."""

    version: MajorMinor = "1.0"
    """Major and minor version of the recipe and of its components; the patch follows from the content."""
    components: Annotated[tuple[ComponentFile, ...], Field(max_length=MOST_COMPONENTS - 2)] = ()
    """Component documents, in this order: YAML files by their paths below the repository."""
    schedule: Schedule | None = None
    """Schedule besides the builds that follow each new image of the parent. null: none."""
    launch_template_id: LaunchTemplateId | None = None
    """A launch template in this Region that gets a new default version with each image. null: none."""


class GoldPipeline(Pipeline):
    """The hardened image that everything else builds on."""

    components: Annotated[tuple[ComponentFile, ...], Field(max_length=MOST_COMPONENTS - 3)] = (
        "stacks/image_pipelines/components/baseline.yaml",
    )
    """Component documents, between the updates and the STIG, in this order: YAML files below the repository."""
    schedule: Schedule = Schedule()
    """When gold checks for changes."""
    base: Literal["al2023", "ubuntu-22.04", "ubuntu-24.04", "windows-2022", "windows-2025"] = "al2023"
    """The operating system."""
    architecture: Literal["x86_64", "arm64"] = "arm64"
    """Of all images; Windows is x86_64."""
    updates: bool = True
    """Whether the newest packages are installed first, by AWS's own component."""
    stig: Literal["Low", "Medium", "High"] | None = None
    """Level of the STIG that AWS's own component applies last. null: none."""


class WorkloadPipeline(Pipeline):
    """An image for an application."""

    name: Name
    """Name, also of the image and in the parameter and the outputs."""
    parent: Name = "gold"
    """gold, or another workload of kind ami: the pipeline whose newest image it builds on."""
    kind: Literal["ami", "container"] = "ami"
    """ami: an image of the parent's with more in it. container: a container image, built whenever the parent has a new
    AMI."""
    base_image: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._/:@-]{1,254}$", examples=[BASE_IMAGE])] | None = None
    """container: the image in its Dockerfile's FROM, for example public.ecr.aws/amazonlinux/amazonlinux:2023."""
    host: Literal["ecs", "parent"] = "ecs"
    """container: the machine that builds it. ecs: the newest image of Amazon ECS, which has Docker. parent: the newest
    AMI of the parent, whose components must install Docker, as stacks/image_pipelines/components/docker.yaml does."""

    @rule
    def _kind_fits(self) -> Iterator[Problem]:
        if self.kind == "container" and self.base_image is None:
            yield Problem("base_image", f"must be set with kind container; for example {BASE_IMAGE}")
        if self.kind == "ami" and self.base_image is not None:
            yield Problem("base_image", "must be left out with kind ami; remove it, or set kind to container")
        if self.kind == "ami" and "host" in self.model_fields_set:
            yield Problem("host", "must be left out with kind ami; remove it, or set kind to container")
        if self.kind == "container" and self.launch_template_id:
            yield Problem("launch_template_id", "must be left out with kind container; remove it, or set kind to ami")
        if self.kind == "container" and not self.components:
            yield Problem("components", "must name at least one file with kind container; add one")

    @rule
    def _no_component_twice(self) -> Iterator[Problem]:
        for index in repeated(self.components):
            yield Problem(
                ("components", index), "must not be listed twice: a recipe takes a component once; remove one"
            )
