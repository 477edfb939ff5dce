"""What is in an image: the properties of its recipe."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from stacks.image_pipelines.names import lineage_files
from stacks.image_pipelines.recipes import Component
from stacks.image_pipelines.settings import ImagePipelinesSettings
from stacks.image_pipelines.settings.pipelines import GoldPipeline, Pipeline, WorkloadPipeline
from stacks.shared.solution import SolutionStack

DOCKERFILE = Path(__file__).parent / "documents" / "Dockerfile"
ECS_PARAMETER = "/aws/service/ecs/optimized-ami/amazon-linux-2023{}/recommended/image_id"
"""https://docs.aws.amazon.com/AmazonECS/latest/developerguide/retrieve-ecs-optimized_AMI.html."""
ECS_DEVICE, ECS_GIB = "/dev/xvda", 30
"""Its root volume: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs-ami-storage-config.html."""
WORKING_DIRECTORY = "/opt"
"""Where components run on a hardened image, whose /tmp is mounted noexec.

The default is /tmp, in which Image Builder then cannot start anything:
https://docs.aws.amazon.com/imagebuilder/latest/APIReference/API_CreateImageRecipe.html,
https://github.com/aws-cloudformation/cloudformation-coverage-roadmap/issues/565
"""


class Contents:
    """Properties of a recipe, all but its name and version.

    Attributes:
        components: those of our own, in their order.
    """

    def __init__(
        self,
        stack: SolutionStack,
        settings: ImagePipelinesSettings,
        components: Mapping[str, Component],
        *,
        wanted: Pipeline,
        name: str,
        mark: bool,
        parent: tuple[str, str] | None,
    ) -> None:
        """Looks up the components.

        Args:
            components: all of the stack, by their files.
            name: of the images.
            mark: whether others build on them.
            parent: name of the parent's images, and the parameter with the newest; None for gold.
        """
        self._stack, self._settings, self._wanted, self._parent = stack, settings, wanted, parent
        self._hardened = settings.gold.stig is not None and settings.base.platform == "Linux"
        marks, proves = lineage_files(settings.base.platform)
        is_container = isinstance(wanted, WorkloadPipeline) and wanted.kind == "container"
        # An image proves by a mark that it is the parent's; the raw base that the parameter first holds cannot.
        files: dict[str, str | None] = {proves: parent[0]} if parent and not is_container else {}
        files |= dict.fromkeys(wanted.components)
        files |= {marks: name} if mark else {}
        self._pipelines = list(files.values())
        self.components = [components[path] for path in files]

    def of_an_image(self) -> dict[str, Any]:
        """Properties of an ``AWS::ImageBuilder::ImageRecipe``."""
        settings = self._settings
        properties: dict[str, Any] = {
            "parent_image": f"ssm:{self._parent[1] if self._parent else settings.source_parameter}",
            "block_device_mappings": [self._root(settings.base.root_device, settings.volume_gib)],
        }
        if components := self._arns():  # none: an image of the base as it is
            properties["components"] = components
        return {**properties, **self._working_directory()}

    def of_a_container(self) -> dict[str, Any]:
        """Properties of an ``AWS::ImageBuilder::ContainerRecipe``."""
        wanted = self._wanted
        assert isinstance(wanted, WorkloadPipeline)
        properties: dict[str, Any] = {
            "container_type": "DOCKER",
            "parent_image": wanted.base_image,
            "platform_override": "Linux",
            "components": self._arns(),
            "dockerfile_template_data": DOCKERFILE.read_text(encoding="utf-8"),
            "instance_configuration": self._host(wanted.host),
        }
        if self._stack.common.kms_key_arn:
            properties["kms_key_id"] = self._stack.common.kms_key_arn
        return {**properties, **(self._working_directory() if wanted.host == "parent" else {})}

    def _arns(self) -> list[dict[str, Any]]:
        """Components in their order; those of AWS in whatever version is the newest, our own in exactly one."""
        own: list[dict[str, Any]] = []
        for component, pipeline in zip(self.components, self._pipelines, strict=True):
            own.append({"componentArn": component.arn})
            if pipeline:
                own[-1]["parameters"] = [{"name": "Pipeline", "value": [pipeline]}]
        if not isinstance(gold := self._wanted, GoldPipeline):
            return own
        platform = self._settings.base.platform.lower()
        first = [{"componentArn": self._managed(f"update-{platform}")}] if gold.updates else []
        level = [{"name": "Level", "value": [gold.stig]}]
        last = [{"componentArn": self._managed(f"stig-build-{platform}"), "parameters": level}] if gold.stig else []
        return [*first, *own, *last]

    def _managed(self, name: str) -> str:
        return self._stack.format_arn(
            service="imagebuilder", account="aws", resource="component", resource_name=f"{name}/x.x.x"
        )

    def _working_directory(self) -> dict[str, str]:
        """Of a hardened image and of what is built on it; the service's own is good on Windows."""
        return {"working_directory": WORKING_DIRECTORY} if self._hardened else {}

    def _root(self, device: str, gib: int | None) -> dict[str, Any]:
        ebs: dict[str, Any] = {"encrypted": True, "deleteOnTermination": True, "volumeType": "gp3"}
        if self._stack.common.kms_key_arn:
            ebs["kmsKeyId"] = self._stack.common.kms_key_arn
        if gib:
            ebs["volumeSize"] = gib
        return {"deviceName": device, "ebs": ebs}

    def _host(self, host: str) -> dict[str, Any]:
        """The machine that builds a container: it needs Docker, which the images of Amazon ECS have."""
        settings = self._settings
        if host == "parent":
            assert self._parent
            root = self._root(settings.base.root_device, settings.volume_gib)
            return {"image": f"ssm:{self._parent[1]}", "blockDeviceMappings": [root]}
        image = ECS_PARAMETER.format("/arm64" if settings.gold.architecture == "arm64" else "")
        larger = settings.volume_gib if settings.volume_gib and settings.volume_gib > ECS_GIB else None
        return {"image": f"ssm:{image}", "blockDeviceMappings": [self._root(ECS_DEVICE, larger)]}
