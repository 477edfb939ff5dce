"""Section ``solutions.image_pipelines`` of config/config.yaml."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from config.models import CommonSettings, Problem, Section, SolutionSettings, common_rule, rule
from config.schedules import ScheduleExpression, TimeZone
from config.types import (
    AccountId,
    InstanceType,
    KmsKeyArn,
    LaunchTemplateId,
    RegionName,
    SoughtTagValue,
    TagKey,
    arn_part,
    path_problem,
    repeated,
    unknown_region,
)
from stacks.image_pipelines.cascade import problems_of
from stacks.image_pipelines.component import ComponentError, Platform, document
from stacks.shared.instance_attributes import of_another_architecture

MOST_COMPONENTS = 20
"""Of a recipe; https://docs.aws.amazon.com/imagebuilder/latest/userguide/ib-quotas.html."""

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,38}[a-z0-9]$", examples=["web"])]
MajorMinor = Annotated[str, Field(pattern=r"^(0|[1-9]\d{0,8})\.(0|[1-9]\d{0,8})$", examples=["1.0"])]
ComponentFile = Annotated[
    str, Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_./-]{0,200}\.ya?ml$", examples=["config/components/web.yaml"])
]


@dataclass(frozen=True)
class Base:
    """Where an operating system's newest image is found, and how it boots.

    Attributes:
        parameter: the public parameter; ``{}`` stands for the architecture as the publisher writes it.
        architectures: our name for it -> the publisher's.
        root_device, root_gib: of the image.
    """

    platform: Platform
    parameter: str
    architectures: dict[str, str]
    root_device: str
    root_gib: int


_UBUNTU = "/aws/service/canonical/ubuntu/server/{}/stable/current/{{}}/hvm/ebs-gp3/ami-id"
_BOTH = {"x86_64": "amd64", "arm64": "arm64"}
_WINDOWS = "/aws/service/ami-windows-latest/Windows_Server-{}-English-Full-Base"
# https://docs.aws.amazon.com/systems-manager/latest/userguide/parameter-store-public-parameters-ami.html and
# https://documentation.ubuntu.com/aws/aws-how-to/instances/find-ubuntu-images/
BASE_IMAGE = "public.ecr.aws/amazonlinux/amazonlinux:2023"
BASES = {
    "al2023": Base(
        "Linux",
        "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-{}",
        {"x86_64": "x86_64", "arm64": "arm64"},
        "/dev/xvda",
        8,
    ),
    "ubuntu-22.04": Base("Linux", _UBUNTU.format("22.04").replace("ebs-gp3", "ebs-gp2"), _BOTH, "/dev/sda1", 8),
    "ubuntu-24.04": Base("Linux", _UBUNTU.format("24.04"), _BOTH, "/dev/sda1", 8),
    "windows-2022": Base("Windows", _WINDOWS.format("2022"), {"x86_64": ""}, "/dev/sda1", 30),
    "windows-2025": Base("Windows", _WINDOWS.format("2025"), {"x86_64": ""}, "/dev/sda1", 30),
}


class Schedule(Section):
    """When a pipeline looks whether something it depends on has changed, and builds only then."""

    expression: ScheduleExpression = "cron(0 3 ? * sun *)"
    """Cron or rate expression of EC2 Image Builder."""
    timezone: TimeZone = "Etc/UTC"
    """IANA name of the expression's time zone."""
    start_condition: Literal["dependency-updates", "always"] = "dependency-updates"
    """What a look at its time leads to: a build if the base image or a component has changed, or always a build."""
    disable_after_failures: Annotated[int, Field(ge=1, le=10)] = 3
    """Failed scheduled builds in a row that disable the pipeline."""


class Pipeline(Section):
    """What the gold pipeline and the workloads have in common."""

    version: MajorMinor = "1.0"
    """Major and minor version of the recipe and of its components; the patch follows from the content."""
    components: Annotated[tuple[ComponentFile, ...], Field(max_length=MOST_COMPONENTS - 2)] = ()
    """Component documents, in this order: YAML files by their paths below the repository."""
    schedule: Schedule | None = None
    """Schedule of looks for changes, besides the builds that follow each new image of the parent. null: none."""
    launch_template_id: LaunchTemplateId | None = None
    """A launch template in this Region that gets a new default version with each image. null: none."""


class GoldPipeline(Pipeline):
    """The hardened image that everything else builds on."""

    components: Annotated[tuple[ComponentFile, ...], Field(max_length=MOST_COMPONENTS - 3)] = (
        "stacks/image_pipelines/components/baseline.yaml",
    )
    """Component documents, between the updates and the STIG, in this order: YAML files below the repository."""
    schedule: Schedule = Schedule()
    """Schedule of looks for changes."""
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


class TargetRegion(Section):
    """Another Region that gets a copy of every AMI."""

    name: RegionName
    """The Region."""
    kms_key_arn: KmsKeyArn | None = None
    """Customer managed key there, required with common.kms_key_arn. null: the key that AWS manages."""

    @rule
    def _region_exists(self) -> Iterator[Problem]:
        if hint := unknown_region(self.name):
            yield Problem("name", hint, warning=True)

    @rule
    def _key_is_there(self) -> Iterator[Problem]:
        if self.kms_key_arn and arn_part(self.kms_key_arn, "region") != self.name:
            yield Problem("kms_key_arn", f"must be a key of {self.name}; correct one of the two")


# A stack has 500 resources, of which a workload takes up to twelve:
# https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html
MOST_WORKLOADS = 30


class Lifecycle(Section):
    """What happens to old images. Deletion needs the safety switch allow_deletion."""

    deprecate_after_days: Annotated[int, Field(ge=1, le=1_000)] | None = 90
    """Age in days at which AMIs are deprecated: hidden by default, they still launch. null: never."""
    disable_after_days: Annotated[int, Field(ge=1, le=1_000)] | None = None
    """Age in days at which AMIs are disabled, the newest too: they cannot launch, and can be enabled again. Choose more
    than the days between two builds. null: never."""
    delete_after_days: Annotated[int, Field(ge=1, le=1_000)] | None = None
    """Age in days at which images are deleted, with AMIs and snapshots; needs allow_deletion. null: never."""
    retain_at_least: Annotated[int, Field(ge=1, le=10)] = 3
    """Newest images of a pipeline that are never deleted."""
    spare_launched_days: Annotated[int, Field(ge=1, le=365)] = 30
    """Keep AMIs launched within this many days, and those with keep_tag."""
    keep_tag: tuple[TagKey, SoughtTagValue] = ("keep", "true")
    """Key and value of the tag of AMIs to keep."""
    allow_deletion: bool = False
    """Safety switch: must be true before any role is permitted to delete anything."""

    @rule
    def _order(self) -> Iterator[Problem]:
        earlier, least = "", 0
        for name in ("deprecate_after_days", "disable_after_days", "delete_after_days"):
            days = getattr(self, name)
            if days is not None and days <= least:
                yield Problem(
                    name,
                    f"must be above {earlier}, which is {least}: images are deprecated, then disabled, then deleted; "
                    "change one",
                )
            elif days is not None:
                earlier, least = name, days

    @rule
    def _deletion_is_allowed(self) -> Iterator[Problem]:
        if self.delete_after_days and not self.allow_deletion:
            yield Problem(
                "delete_after_days", "must be null without allow_deletion, the safety switch; set that to true"
            )


class ImagePipelinesSettings(SolutionSettings):
    """A gold image that is kept current, and images of workloads that follow it."""

    ignored_with_vpc: ClassVar[tuple[str, ...]] = ("network",)

    gold: GoldPipeline = GoldPipeline()
    """The gold pipeline."""
    workloads: Annotated[tuple[WorkloadPipeline, ...], Field(max_length=MOST_WORKLOADS)] = (
        WorkloadPipeline(name="web", components=("stacks/image_pipelines/components/web.yaml",)),
    )
    """Pipelines that build on it."""
    parameter_path: (
        Annotated[
            str, Field(pattern=r"^/imagebuilder(/[A-Za-z0-9_.-]+)+$", max_length=500, examples=["/imagebuilder/acme"])
        ]
        | None
    ) = None
    """Path of the parameters that hold the newest AMIs. It begins with /imagebuilder/, which the service's own role may
    read. null: /imagebuilder/ and the stack's name."""
    build_on_change: bool = True
    """true: a deployment that changes a recipe starts a build; a new stack starts that of gold."""
    old_versions: Literal["delete", "keep"] = "delete"
    """keep: components and recipes that a change has replaced stay in the account."""
    regions: Annotated[tuple[TargetRegion, ...], Field(max_length=20)] = ()
    """Other Regions that get a copy of every AMI."""
    accounts: Annotated[tuple[AccountId, ...], Field(max_length=100)] = ()
    """Accounts that may launch the AMIs; needs common.kms_key_arn, because every AMI is encrypted."""
    scan: bool = False
    """true: Amazon Inspector, which must be on in the account, scans every build."""
    lifecycle: Lifecycle = Lifecycle()
    """What happens to old images."""
    instance_types: Annotated[tuple[InstanceType, ...], Field(max_length=10)] = ()
    """Types of the build instances, of the architecture. Empty: t4g.medium or t3.medium."""
    volume_gib: Annotated[int, Field(ge=8, le=16_000)] | None = None
    """Root volume of the images. null: as in the base image."""
    network: Literal["public", "nat"] = "public"
    """Egress of the build instances: a public address without ingress, or a NAT gateway."""

    @property
    def base(self) -> Base:
        """Of all images."""
        return BASES[self.gold.base]

    @property
    def source_parameter(self) -> str:
        """The public parameter with the newest image of the base."""
        return self.base.parameter.format(self.base.architectures[self.gold.architecture])

    @property
    def build_types(self) -> tuple[str, ...]:
        """Types of the build instances."""
        return self.instance_types or (("t4g.medium",) if self.gold.architecture == "arm64" else ("t3.medium",))

    @property
    def parents(self) -> set[str]:
        """Names of the pipelines that others build on."""
        return {workload.parent for workload in self.workloads}

    def parameter_of(self, stack: str, pipeline: str) -> str:
        """Name of the parameter with the newest AMI of a pipeline."""
        return f"{self.parameter_path or f'/imagebuilder/{stack}'}/{pipeline}"

    def parent_parameter_of(self, stack: str, pipeline: str) -> str:
        """Name of the parameter that children of a pipeline build on: another base is another parameter."""
        return f"{self.parameter_of(stack, pipeline)}/{self.gold.base}-{self.gold.architecture}"

    @rule
    def _cascade(self) -> Iterator[Problem]:
        for index, key, message in problems_of(self.workloads):
            yield Problem(("workloads", index, key), message)

    @rule
    def _base_has_the_architecture(self) -> Iterator[Problem]:
        if self.gold.architecture not in self.base.architectures:
            yield Problem(("gold", "architecture"), f"must be x86_64 with gold.base {self.gold.base}; set it")
        if self.base.platform == "Windows":
            for index, workload in enumerate(self.workloads):
                if workload.kind == "container":
                    yield Problem(
                        ("workloads", index, "kind"),
                        f"must be ami with gold.base {self.gold.base}: containers are built on Linux here; set it",
                    )

    @rule
    def _volume_holds_the_base(self) -> Iterator[Problem]:
        if self.volume_gib is not None and self.volume_gib < self.base.root_gib:
            yield Problem(
                "volume_gib", f"must be at least {self.base.root_gib}, the size of {self.gold.base}; raise it"
            )

    @rule
    def _build_types_are_of_the_architecture(self) -> Iterator[Problem]:
        yield from of_another_architecture("instance_types", self.instance_types, self.gold.architecture)

    @rule
    def _components_are_documents(self) -> Iterator[Problem]:
        listed: dict[tuple[str | int, ...], tuple[str, ...]] = {("gold",): self.gold.components}
        listed |= {("workloads", index): one.components for index, one in enumerate(self.workloads)}
        known: set[str] = set()
        for at, paths in listed.items():
            for index, path in enumerate(paths):
                if path in known:
                    continue
                known.add(path)
                key = (*at, "components", index)
                if problem := path_problem(path):
                    yield Problem(key, problem)
                    continue
                try:
                    document(path, self.base.platform)
                except ComponentError as error:
                    yield Problem(key, f"must name a valid component document; {str(error).removeprefix(f'{path}: ')}")

    @rule
    def _no_region_twice(self) -> Iterator[Problem]:
        for index in repeated([region.name for region in self.regions]):
            yield Problem(("regions", index, "name"), "must not be listed twice; remove one")

    @common_rule
    def _accounts_can_use_the_key(self, common: CommonSettings) -> Iterator[Problem]:
        if self.accounts and common.kms_key_arn is None:
            yield Problem(
                "accounts",
                "must be empty without common.kms_key_arn: an AMI that is encrypted with the key that AWS manages "
                "cannot be shared; set the key",
            )

    @common_rule
    def _regions_have_keys(self, common: CommonSettings) -> Iterator[Problem]:
        for index, region in enumerate(self.regions if common.kms_key_arn else ()):
            if region.kms_key_arn is None:
                yield Problem(
                    ("regions", index, "kms_key_arn"),
                    f"must be set with common.kms_key_arn; name a key of {region.name}",
                )

    @common_rule
    def _regions_are_others(self, common: CommonSettings) -> Iterator[Problem]:
        for index, region in enumerate(self.regions):
            if region.name == common.region:
                yield Problem(
                    ("regions", index, "name"), "must not be common.region, which has every image already; remove it"
                )
