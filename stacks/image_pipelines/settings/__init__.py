"""Section ``solutions.image_pipelines`` of config/config.yaml."""

from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from math import ceil
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from config.models import CommonSettings, Problem, SolutionSettings, common_rule, rule
from config.types import AccountId, InstanceType, path_problem, repeated
from stacks.image_pipelines.cascade import MOST_FOLLOWERS, problems_of
from stacks.image_pipelines.component import ComponentError, document, text_of
from stacks.image_pipelines.names import component_names, lineage_files
from stacks.image_pipelines.settings.bases import BASES, Base
from stacks.image_pipelines.settings.images import Lifecycle, TargetRegion
from stacks.image_pipelines.settings.pipelines import GoldPipeline, WorkloadPipeline
from stacks.image_pipelines.settings.size import MOST_BYTES, Sized, template_bytes
from stacks.shared.instance_attributes import of_another_architecture

STACK_NAME = "image-pipelines"
MOST_WORKLOADS = 50
# https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html
MOST_RESOURCES = 500
# What the stack has at most by itself, for each workload, for each file, for each parent and each rule on its images.
OF_THE_STACK, OF_A_WORKLOAD, OF_A_FILE, OF_A_PARENT, OF_A_RULE = 84, 8, 2, 1, 1
# A parameter's name has 15, of which the pipeline and what its children build on are two:
# https://docs.aws.amazon.com/systems-manager/latest/userguide/sysman-parameter-name-constraints.html
MOST_LEVELS = 13
MOST_OF_A_NAME = 128
"""Of a component: https://docs.aws.amazon.com/imagebuilder/latest/APIReference/API_CreateComponent.html."""


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
            str, Field(pattern=r"^/imagebuilder(/[A-Za-z0-9_.-]+)+$", max_length=200, examples=["/imagebuilder/acme"])
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
        return f"{self.parameter_of(stack, pipeline)}/parent-{self.gold.base}-{self.gold.architecture}"

    @rule
    def _cascade(self) -> Iterator[Problem]:
        for index, key, message in problems_of(self.workloads):
            yield Problem(("workloads", index, key), message)

    @rule
    def _path_leaves_levels_for_the_names(self) -> Iterator[Problem]:
        if self.parameter_path and (levels := self.parameter_path.count("/")) > MOST_LEVELS:
            yield Problem("parameter_path", f"must have at most {MOST_LEVELS} levels, got {levels}; shorten it")

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
    def _a_stack_holds_all(self) -> Iterator[Problem]:
        files = {path for one in (self.gold, *self.workloads) for path in one.components}
        children = Counter(workload.parent for workload in self.workloads)
        rules = sum(ceil(number / MOST_FOLLOWERS) for number in children.values())
        workloads = len(self.workloads)
        needed = OF_THE_STACK + OF_A_WORKLOAD * workloads + OF_A_FILE * len(files)
        needed += OF_A_PARENT * len(children) + OF_A_RULE * rules
        if needed > MOST_RESOURCES:
            yield Problem(
                "workloads",
                f"must fit into the {MOST_RESOURCES} resources of a stack, got {workloads} workloads and {len(files)} "
                f"component files, which need about {needed}; use fewer, or move workloads to another configuration",
            )

    @rule
    def _no_region_twice(self) -> Iterator[Problem]:
        for index in repeated([region.name for region in self.regions]):
            yield Problem(("regions", index, "name"), "must not be listed twice; remove one")

    @common_rule
    def _components_have_names(self, common: CommonSettings) -> Iterator[Problem]:
        places: dict[str, tuple[str | int, ...]] = {}
        for at, one in ((("gold",), self.gold), *((("workloads", n), w) for n, w in enumerate(self.workloads))):
            for index, path in enumerate(one.components):
                places.setdefault(path, (*at, "components", index))
        names = component_names(_stack_name(common), list(dict.fromkeys([*lineage_files(self.base.platform), *places])))
        for path, key in places.items():
            name = names[path]
            if len(name) > MOST_OF_A_NAME:
                yield Problem(
                    key,
                    f"must name its component with at most {MOST_OF_A_NAME} characters, and {name} has {len(name)}; "
                    "shorten the file's name",
                )
            if other := next((at for at in names if at != path and names[at] == name), None):
                yield Problem(key, f"must name another component than {other}, and both are {name}; rename one")

    @common_rule
    def _a_template_holds_all(self, common: CommonSettings) -> Iterator[Problem]:
        stack = _stack_name(common)
        documents = {}
        for path in {path for one in (self.gold, *self.workloads) for path in one.components}:
            if not path_problem(path):
                with suppress(ComponentError):  # told already
                    documents[path] = text_of(path)
        needed = template_bytes(
            [Sized.of(one, parents=self.parents) for one in (self.gold, *self.workloads)],
            documents,
            stack=stack,
            path=self.parameter_of(stack, "").removesuffix("/"),
            regions=1 + len(self.regions),
            accounts=len(self.accounts),
        )
        if needed > MOST_BYTES:
            yield Problem(
                "regions" if self.regions else "workloads",
                f"must fit into the {MOST_BYTES:,} bytes of a template, got {len(self.workloads)} workloads, "
                f"{1 + len(self.regions)} Regions, {len(self.accounts)} accounts and {len(documents)} component files, "
                f"which need up to {needed:,}; use fewer, or move workloads to another configuration",
            )

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


def _stack_name(common: CommonSettings) -> str:
    return "-".join(filter(None, [common.prefix, STACK_NAME]))
