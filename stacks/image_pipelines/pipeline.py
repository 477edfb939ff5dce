"""One pipeline: recipe, distribution, parameter, schedule, lifecycle."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aws_cdk import Duration
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_iam as iam
from aws_cdk import aws_imagebuilder as imagebuilder
from aws_cdk import aws_logs as logs
from constructs import Construct

from stacks.image_pipelines.cascade import GOLD
from stacks.image_pipelines.contents import Contents
from stacks.image_pipelines.distribution import of_a_container, of_an_ami
from stacks.image_pipelines.lifecycle import add_lifecycle
from stacks.image_pipelines.names import fingerprint, image_name
from stacks.image_pipelines.recipes import Component, Versions, keep_replaced, recipe_content
from stacks.image_pipelines.settings import ImagePipelinesSettings
from stacks.image_pipelines.settings.pipelines import WorkloadPipeline
from stacks.shared.lifecycle import LifecycleResource
from stacks.shared.network import Network
from stacks.shared.python_function import PythonFunction
from stacks.shared.solution import SolutionStack

START_CONDITIONS = {
    "dependency-updates": "EXPRESSION_MATCH_AND_DEPENDENCY_UPDATES_AVAILABLE",
    "always": "EXPRESSION_MATCH_ONLY",
}


@dataclass(frozen=True)
class Shared:
    """What all pipelines of the stack use."""

    settings: ImagePipelinesSettings
    versions: Versions
    components: dict[str, Component]
    seed: PythonFunction
    builds: PythonFunction
    infrastructure: dict[str, imagebuilder.CfnInfrastructureConfiguration]
    log_groups: dict[str, logs.LogGroup]
    repositories: dict[str, ecr.Repository]
    network: Network
    build_role: iam.IRole
    execution_roles: Mapping[str, iam.IRole]  # by kind: gold, ami, container
    lifecycle_role: iam.IRole | None  # none without a rule that needs it


class ImagePipeline(Construct):
    """The pipeline of gold or of a workload.

    Attributes:
        pipeline: the resource.
        parent: the pipeline that this one builds on; None for gold.
        parameter: name of the parameter with the newest AMI, absent until there is one; None for a container.
        parent_parameter: name of the parameter that children build on, which first has the base image; None without
            children.
        recipe, content: the recipe of an AMI or of a container, and SHA-256 of what is in it.
        recipe_name: the images' name.
        build: starts a build when a deployment has changed the recipe; None if the settings switch that off.
    """

    def __init__(
        self, scope: SolutionStack, name: str, shared: Shared, *, parent: "ImagePipeline | None", wanted: Any
    ) -> None:
        settings = shared.settings
        self.is_container = isinstance(wanted, WorkloadPipeline) and wanted.kind == "container"
        # A recipe and a pipeline cannot change their kind, neither under one logical id nor under one name.
        super().__init__(scope, f"{title(name)}{'Container' if self.is_container else 'Pipeline'}")
        self._stack, self._shared, self._wanted, self.parent = scope, shared, wanted, parent
        self.name, self.recipe_name = name, image_name(scope.stack_name, name, is_container=self.is_container)
        self.parameter = None if self.is_container else settings.parameter_of(scope.stack_name, name)
        self.parent_parameter = (
            settings.parent_parameter_of(scope.stack_name, name) if name in settings.parents else None
        )
        self.parameters = self._parameters()
        self.recipe = self._recipe()
        self.pipeline = self._pipeline()
        if shared.lifecycle_role:
            repository = shared.repositories[name] if self.is_container else None
            add_lifecycle(self, settings, shared.lifecycle_role, name=self.recipe_name, repository=repository)
        self.build = self._built() if settings.build_on_change else None

    @property
    def written(self) -> list[str]:
        """Names of the parameters that each image of it goes into."""
        return [name for name in (self.parameter, self.parent_parameter) if name]

    @property
    def ancestors(self) -> "list[ImagePipeline]":
        """The parent, its parent, and so on to gold."""
        return [self.parent, *self.parent.ancestors] if self.parent else []

    # What is in it

    def _recipe(self) -> imagebuilder.CfnImageRecipe | imagebuilder.CfnContainerRecipe:
        contents = Contents(
            self._stack,
            self._shared.settings,
            self._shared.components,
            wanted=self._wanted,
            name=self.recipe_name,
            mark=self.parent_parameter is not None and not self.is_container,
            parent=(self.parent.recipe_name, str(self.parent.parent_parameter)) if self.parent else None,
        )
        properties = contents.of_a_container() if self.is_container else contents.of_an_image()
        self.content = recipe_content(self._stack, [properties, self._wanted.version], contents.components)
        version = self._shared.versions.of(
            self,
            kind="container-recipe" if self.is_container else "image-recipe",
            name=self.recipe_name,
            major_minor=self._wanted.version,
            content=self.content,
        )
        recipe: imagebuilder.CfnImageRecipe | imagebuilder.CfnContainerRecipe
        if self.is_container:
            repository = {"service": "ECR", "repositoryName": self._shared.repositories[self.name].repository_name}
            recipe = imagebuilder.CfnContainerRecipe(
                self, "Recipe", name=self.recipe_name, version=version, target_repository=repository, **properties
            )
        else:
            recipe = imagebuilder.CfnImageRecipe(self, "Recipe", name=self.recipe_name, version=version, **properties)
        keep_replaced(recipe, keep=self._shared.settings.old_versions == "keep")
        if self.parent:
            recipe.node.add_dependency(*self.parent.parameters)
        return recipe

    # Where it goes

    def _parameters(self) -> list[LifecycleResource]:
        """Custom resources for the parameters: the one that people launch from, and the one that children build on.

        A recipe can only be made with a parent that exists. So the children's parameter holds the base image at first;
        it is no output, and whoever launches from the other one never gets the raw base. Its name contains the base, so
        that a change of base makes a new parameter instead of an old image under new recipes.
        """
        settings = self._shared.settings
        wanted: dict[str, dict[str, Any]] = {}
        if self.parameter:
            keep = str(self._stack.common.keep_data_on_destroy).lower()
            regions = [region.name for region in settings.regions]
            wanted["Parameter"] = {"Name": self.parameter, "Source": "", "Regions": regions, "Keep": keep}
        if self.parent_parameter:
            seed = {"Name": self.parent_parameter, "Source": settings.source_parameter}
            wanted["ParentParameter"] = {**seed, "Regions": [], "Keep": "false"}
        found = []
        for construct_id, properties in wanted.items():
            seeded = LifecycleResource(
                self,
                construct_id,
                kind="NewestImageParameter",
                function=self._shared.seed,
                properties=properties,
                timeout=Duration.minutes(3),
            )
            found.append(seeded)
        return found

    def _distributions(self) -> list[Any]:
        if self.is_container:
            return of_a_container(self._stack.region, self._shared.repositories[self.name])
        assert self.parameter
        return of_an_ami(
            self._stack,
            self._shared.settings,
            name=self.recipe_name,
            pipeline=self.name,
            parameter=self.parameter,
            parent_parameter=self.parent_parameter,
            launch_template_id=self._wanted.launch_template_id,
        )

    # When it is built

    def _pipeline(self) -> imagebuilder.CfnImagePipeline:
        settings, schedule = self._shared.settings, self._wanted.schedule
        distribution = imagebuilder.CfnDistributionConfiguration(
            self, "Distribution", name=self.recipe_name, distributions=self._distributions()
        )
        kind = self._wanted.kind if isinstance(self._wanted, WorkloadPipeline) else GOLD
        role = self._shared.execution_roles[kind]
        distribution.node.add_dependency(*self.parameters)
        scanning: dict[str, Any] = {"imageScanningEnabled": settings.scan}
        if settings.scan and self.is_container:
            scanning["ecrConfiguration"] = {"repositoryName": self._shared.repositories[self.name].repository_name}
        pipeline = imagebuilder.CfnImagePipeline(
            self,
            "Pipeline",
            name=self.recipe_name,
            image_recipe_arn=None if self.is_container else self.recipe.attr_arn,
            container_recipe_arn=self.recipe.attr_arn if self.is_container else None,
            infrastructure_configuration_arn=self._shared.infrastructure[
                "container" if self.is_container else "ami"
            ].attr_arn,
            distribution_configuration_arn=distribution.attr_arn,
            execution_role=role.role_arn,
            enhanced_image_metadata_enabled=True,
            image_tests_configuration={"imageTestsEnabled": True},
            image_scanning_configuration=scanning,
            logging_configuration={
                "imageLogGroupName": self._shared.log_groups[self.name].log_group_name,
                "pipelineLogGroupName": self._shared.log_groups[""].log_group_name,
            },
            schedule={
                "scheduleExpression": schedule.expression,
                "timezone": schedule.timezone,
                "pipelineExecutionStartCondition": START_CONDITIONS[schedule.start_condition],
                "autoDisablePolicy": {"failureCount": schedule.disable_after_failures},
            }
            if schedule
            else None,
        )
        pipeline.node.add_dependency(role)
        return pipeline

    def _built(self) -> LifecycleResource:
        started = LifecycleResource(
            self,
            "Build",
            kind="ImageBuild",
            function=self._shared.builds,
            timeout=Duration.minutes(3),
            properties={
                "Pipeline": self.pipeline.attr_arn,
                "Recipe": self.recipe.attr_arn,
                # Those of a new path have no image, or that of before; a build that runs may still write the old ones.
                "Parameters": self.written,
                # If one of these changes in the same deployment, this build waits for it: the rule Follow starts it.
                "Ancestors": fingerprint([[ancestor.content, ancestor.written] for ancestor in self.ancestors]),
                "ParentPipeline": self.parent.pipeline.attr_arn if self.parent else "",
                "ParentParameter": self.parent.parent_parameter if self.parent else "",
            },
        )
        # A build's instance needs the network's routes and the role's policy, and no reference here names either.
        started.node.add_dependency(self._shared.network, self._shared.build_role)
        return started


def title(name: str) -> str:
    """A pipeline's name as part of a construct's or an output's."""
    return name.title().replace("-", "")
