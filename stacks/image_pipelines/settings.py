"""Section ``solutions.image_pipelines`` of config/config.yaml."""

from dataclasses import dataclass
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from config.models import CommonSettings, Section, SolutionSettings, TagKey, TagValue
from stacks.image_pipelines.cascade import problems_of
from stacks.image_pipelines.component import ComponentError, Platform, document

MOST_COMPONENTS = 20
"""Of a recipe; https://docs.aws.amazon.com/imagebuilder/latest/userguide/ib-quotas.html."""

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,38}[a-z0-9]$", examples=["web"])]
MajorMinor = Annotated[str, Field(pattern=r"^(0|[1-9]\d{0,8})\.(0|[1-9]\d{0,8})$", examples=["1.0"])]
ComponentFile = Annotated[str, Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_./-]{0,200}\.ya?ml$")]
InstanceType = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*\.[a-z0-9-]+$", examples=["t3.medium"])]
RegionName = Annotated[str, Field(pattern=r"^[a-z]{2,4}(-[a-z]+)+-\d$")]
AccountId = Annotated[str, Field(pattern=r"^\d{12}$", examples=["123456789012"])]
KeyArn = Annotated[str, Field(pattern=r"^arn:aws[\w-]*:kms:[\w-]+:\d{12}:key/[\w-]+$")]
LaunchTemplateId = Annotated[str, Field(pattern=r"^lt-[0-9a-f]{17}$", examples=["lt-0123456789abcdef0"])]


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

    expression: Annotated[str, Field(pattern=r"^(cron\([^()]{9,100}\)|rate\([1-9]\d{0,4} (minute|hour|day)s?\))$")] = (
        "cron(0 3 ? * sun *)"
    )
    """A cron or rate expression as Image Builder writes it."""
    timezone: Annotated[str, Field(pattern=r"^[A-Za-z0-9]{2,}(/[A-Za-z0-9_+-]+)*$", examples=["Europe/Berlin"])] = (
        "Etc/UTC"
    )
    """In which time zone."""
    disable_after_failures: Annotated[int, Field(ge=1, le=10)] = 3
    """So many scheduled builds that fail in a row disable the pipeline."""


class Pipeline(Section):
    """What the gold pipeline and the workloads have in common."""

    version: MajorMinor = "1.0"
    """Major and minor version of the recipe and of its components; the patch follows from the content."""
    components: Annotated[tuple[ComponentFile, ...], Field(max_length=MOST_COMPONENTS - 2)] = ()
    """Component documents, in this order: YAML files by their paths below the repository."""
    schedule: Schedule = Schedule()
    """When it looks for changes."""
    launch_template_id: LaunchTemplateId | None = None
    """A launch template in this Region that gets a new default version with each image. null: none."""


class GoldPipeline(Pipeline):
    """The hardened image that everything else builds on."""

    components: Annotated[tuple[ComponentFile, ...], Field(max_length=MOST_COMPONENTS - 2)] = (
        "stacks/image_pipelines/components/baseline.yaml",
    )
    """Component documents, between the updates and the STIG, in this order: YAML files below the repository."""
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
    """Its name, which the image, the parameter and the outputs carry."""
    parent: Name = "gold"
    """gold, or another workload of kind ami: the pipeline whose newest image it builds on."""
    kind: Literal["ami", "container"] = "ami"
    """ami: an image of the parent's with more in it. container: an image built on a host of the parent's newest AMI."""
    base_image: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._/:@-]{1,254}$")] | None = None
    """container: the image it starts from, which its Dockerfile names FROM, for example
    public.ecr.aws/amazonlinux/amazonlinux:2023."""

    @model_validator(mode="after")
    def _kind_fits(self) -> Self:
        if (self.kind == "container") != (self.base_image is not None):
            raise ValueError("base_image and kind container belong together; set both, or neither")
        if self.kind == "container" and self.launch_template_id:
            raise ValueError("a container has no launch template; remove launch_template_id, or set kind: ami")
        if self.kind == "container" and not self.components:
            raise ValueError("a container without components is its base image; name at least one component")
        return self


class TargetRegion(Section):
    """Another Region that gets a copy of every AMI."""

    name: RegionName
    """The Region."""
    kms_key_arn: KeyArn | None = None
    """Customer managed key there, which common.kms_key_arn asks for. null: the key that AWS manages."""


# A stack has 500 resources, of which a workload takes up to twelve:
# https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html
MOST_WORKLOADS = 30


class Lifecycle(Section):
    """What becomes of old images. Deleting takes the second key, allow_deletion."""

    deprecate_after_days: Annotated[int, Field(ge=1, le=1_000)] | None = 90
    """AMIs so old are deprecated: they are found no more by default, and still launch. null: never."""
    disable_after_days: Annotated[int, Field(ge=1, le=1_000)] | None = None
    """AMIs so old are disabled: they launch no more, and can be enabled again. null: never."""
    delete_after_days: Annotated[int, Field(ge=1, le=1_000)] | None = None
    """Images so old are deleted with their AMIs and snapshots, or containers; needs allow_deletion. null: never."""
    retain_at_least: Annotated[int, Field(ge=1, le=10)] = 3
    """So many newest images of a pipeline are never deleted."""
    spare_launched_days: Annotated[int, Field(ge=1, le=365)] = 30
    """AMIs that were launched in so many last days are left alone, and those that keep_tag marks."""
    keep_tag: tuple[TagKey, TagValue] = ("keep", "true")
    """Key and value of a tag of AMIs that are left alone."""
    allow_deletion: bool = False
    """The second key: without it no role has the right to delete anything."""

    @model_validator(mode="after")
    def _order(self) -> Self:
        named = {
            name: value
            for name in ("deprecate_after_days", "disable_after_days", "delete_after_days")
            if (value := getattr(self, name)) is not None
        }
        if list(named.values()) != sorted(set(named.values())):
            said = ", ".join(f"{name} {value}" for name, value in named.items())
            raise ValueError(f"images are deprecated, then disabled, then deleted; these days are not in order: {said}")
        if self.delete_after_days and not self.allow_deletion:
            raise ValueError("delete_after_days needs the second key; set allow_deletion to true")
        return self


class ImagePipelinesSettings(SolutionSettings):
    """A gold image that is kept current, and images of workloads that follow it."""

    gold: GoldPipeline = GoldPipeline()
    """The gold pipeline."""
    workloads: Annotated[tuple[WorkloadPipeline, ...], Field(max_length=MOST_WORKLOADS)] = (
        WorkloadPipeline(name="web", components=("stacks/image_pipelines/components/web.yaml",)),
    )
    """Pipelines that build on it."""
    parameter_path: Annotated[str, Field(pattern=r"^/imagebuilder(/[A-Za-z0-9_.-]+)+$", max_length=500)] | None = None
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
    """What becomes of old images."""
    instance_types: Annotated[tuple[InstanceType, ...], Field(max_length=10)] = ()
    """Types of the build instances, of the architecture. Empty: t4g.medium or t3.medium."""
    volume_gib: Annotated[int, Field(ge=8, le=16_000)] | None = None
    """Root volume of the images. null: as in the base image."""
    network: Literal["public", "nat"] = "public"
    """How the build instances reach AWS and packages: a public address without ingress, or a NAT gateway."""

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

    @model_validator(mode="after")
    def _cascade(self) -> Self:
        if problems := list(problems_of(self.workloads)):
            raise ValueError("; ".join(problems))
        return self

    @model_validator(mode="after")
    def _base_fits(self) -> Self:
        if self.gold.architecture not in self.base.architectures:
            raise ValueError(f"gold.base {self.gold.base} has no {self.gold.architecture} image; set x86_64")
        if self.base.platform == "Windows" and any(workload.kind == "container" for workload in self.workloads):
            raise ValueError(f"gold.base {self.gold.base}: containers are built on Linux here; set kind: ami")
        if self.volume_gib is not None and self.volume_gib < self.base.root_gib:
            raise ValueError(f"volume_gib is {self.volume_gib}, the image of {self.gold.base} has {self.base.root_gib}")
        return self

    @model_validator(mode="after")
    def _components(self) -> Self:
        problems = []
        for path in dict.fromkeys(path for one in (self.gold, *self.workloads) for path in one.components):
            try:
                document(path, self.base.platform)
            except ComponentError as error:
                problems.append(str(error))
        if problems:
            raise ValueError("; ".join(problems))
        for one in (self.gold, *self.workloads):
            if len(set(one.components)) < len(one.components):
                raise ValueError("a recipe takes a component once; components names a file twice")
        return self

    @model_validator(mode="after")
    def _no_region_twice(self) -> Self:
        names = [region.name for region in self.regions]
        if len(set(names)) < len(names):
            raise ValueError("regions names a Region twice; list each once")
        return self

    def problems_with(self, common: CommonSettings) -> list[tuple[str, str]]:
        """Keys that common.* decides or contradicts."""
        problems = []
        if self.accounts and common.kms_key_arn is None:
            problems.append(
                (
                    "accounts",
                    "an AMI that is encrypted under the key that AWS manages cannot be shared; set common.kms_key_arn",
                )
            )
        if common.kms_key_arn:
            problems += [
                ("regions", f"{region.name} needs kms_key_arn, a key of its own, because common.kms_key_arn is set")
                for region in self.regions
                if region.kms_key_arn is None
            ]
        if common.region and common.region in {region.name for region in self.regions}:
            problems.append(("regions", f"{common.region} is the stack's own Region, which has every image; remove it"))
        if common.vpc and "network" in self.model_fields_set and self.network != "public":
            problems.append(("network", "has no effect with common.vpc, whose subnets decide; remove it or common.vpc"))
        return problems
