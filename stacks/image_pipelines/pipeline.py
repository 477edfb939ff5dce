"""One pipeline: recipe, distribution, parameter, schedule, lifecycle."""

from dataclasses import dataclass
from typing import Any

from aws_cdk import Duration, Tags
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_imagebuilder as imagebuilder
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from stacks.image_pipelines.contents import Contents
from stacks.image_pipelines.lifecycle import lifecycle_rules
from stacks.image_pipelines.names import image_name
from stacks.image_pipelines.recipes import Component, Versions, fingerprint, keep_replaced, recipe_content
from stacks.image_pipelines.rights import CREATED_BY, ExecutionRole
from stacks.image_pipelines.settings import ImagePipelinesSettings
from stacks.image_pipelines.settings.pipelines import WorkloadPipeline
from stacks.shared.lifecycle import LifecycleResource
from stacks.shared.network import Network
from stacks.shared.python_function import PythonFunction
from stacks.shared.solution import SolutionStack

IMAGE = "EC2 Image Builder Image State Change"
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
    lifecycle_role: iam.IRole | None  # none without a rule that needs it
    follow_role: iam.IRole | None  # none without a workload
    undelivered: sqs.Queue


class ImagePipeline(Construct):
    """The pipeline of gold or of a workload.

    Attributes:
        pipeline: the resource.
        parameter: name of the parameter with the newest AMI, absent until there is one; None for a container.
        parent_parameter: name of the parameter that children build on, which first has the base image; None without
            children.
        recipe, content: the recipe of an AMI or of a container, and SHA-256 of what is in it.
        recipe_name: the images' name.
        build: starts a build of what a deployment has changed; None where the settings want none.
        follow: starts one when the parent has a new AMI; None for gold.
    """

    def __init__(
        self, scope: SolutionStack, name: str, shared: Shared, *, parent: "ImagePipeline | None", wanted: Any
    ) -> None:
        settings = shared.settings
        self.is_container = isinstance(wanted, WorkloadPipeline) and wanted.kind == "container"
        # A recipe and a pipeline cannot change their kind, neither under one logical id nor under one name.
        super().__init__(scope, f"{title(name)}{'Container' if self.is_container else 'Pipeline'}")
        self._stack, self._shared, self._wanted, self._parent = scope, shared, wanted, parent
        self.name, self.recipe_name = name, image_name(scope.stack_name, name, is_container=self.is_container)
        self.parameter = None if self.is_container else settings.parameter_of(scope.stack_name, name)
        self.parent_parameter = (
            settings.parent_parameter_of(scope.stack_name, name) if name in settings.parents else None
        )
        self.parameters = self._parameters()
        self.recipe = self._recipe()
        self.pipeline = self._pipeline()
        self._lifecycle()
        self.follow = self._follow(parent) if parent else None
        self.build = self._built() if settings.build_on_change else None

    @property
    def ancestors(self) -> "list[ImagePipeline]":
        """The parent, its parent, and so on to gold."""
        return [self._parent, *self._parent.ancestors] if self._parent else []

    # What is in it

    def _recipe(self) -> imagebuilder.CfnImageRecipe | imagebuilder.CfnContainerRecipe:
        contents = Contents(
            self._stack,
            self._shared.settings,
            self._shared.components,
            wanted=self._wanted,
            name=self.recipe_name,
            mark=self.parent_parameter is not None and not self.is_container,
            parent=(self._parent.recipe_name, str(self._parent.parent_parameter)) if self._parent else None,
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
        if self._parent:
            recipe.node.add_dependency(*self._parent.parameters)
        return recipe

    # Where it goes

    def _parameters(self) -> list[LifecycleResource]:
        """What sees to the parameters: the one for everybody, and the one for children.

        A recipe can only be made with a parent that exists. So the children's parameter first has the base image, and
        nobody else is told of it: whoever launches from the other one never gets the raw base. Its name has the base,
        so that a change of base is a new parameter and no old image under new recipes.
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
        # These two kinds of settings are untyped in the CDK, and so written as CloudFormation does.
        if self.is_container:
            repository = {"Service": "ECR", "RepositoryName": self._shared.repositories[self.name].repository_name}
            to = {"TargetRepository": repository, "ContainerTags": ["latest"]}
            return [{"region": self._stack.region, "containerDistributionConfiguration": to}]
        settings, common = self._shared.settings, self._stack.common
        everywhere = [(self._stack.region, common.kms_key_arn)]
        everywhere += [(region.name, region.kms_key_arn) for region in settings.regions]
        found: list[dict[str, Any]] = []
        for region, key in everywhere:
            ami: dict[str, Any] = {
                "Name": f"{self.recipe_name}-{{{{ imagebuilder:buildDate }}}}",
                "AmiTags": {"pipeline": self.name},
            }
            if key:
                ami["KmsKeyId"] = key
            if settings.accounts:
                ami["LaunchPermissionConfiguration"] = {"UserIds": list(settings.accounts)}
            names = [self.parameter, *([self.parent_parameter] if self.parent_parameter and not found else [])]
            written = [{"parameterName": name, "dataType": "aws:ec2:image"} for name in names]
            found.append({"region": region, "amiDistributionConfiguration": ami, "ssmParameterConfigurations": written})
        if self._wanted.launch_template_id:
            template = {"launchTemplateId": self._wanted.launch_template_id, "setDefaultVersion": True}
            found[0]["launchTemplateConfigurations"] = [template]
        return found

    # When it is built, and what becomes of it

    def _pipeline(self) -> imagebuilder.CfnImagePipeline:
        settings, schedule = self._shared.settings, self._wanted.schedule
        distribution = imagebuilder.CfnDistributionConfiguration(
            self, "Distribution", name=self.recipe_name, distributions=self._distributions()
        )
        regions = [self._stack.region, *(region.name for region in settings.regions)]
        written = {self.parameter: regions} if self.parameter else {}
        written |= {self.parent_parameter: regions[:1]} if self.parent_parameter else {}
        role = ExecutionRole(self, "ParameterRole", self._stack, parameters=written, build_role=self._shared.build_role)
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

    def _lifecycle(self) -> None:
        wanted, role = self._shared.settings.lifecycle, self._shared.lifecycle_role
        details = list(lifecycle_rules(self._shared.settings, is_container=self.is_container))
        if not details:
            return
        assert role
        policy = imagebuilder.CfnLifecyclePolicy(
            self,
            "Lifecycle",
            name=self.recipe_name,
            execution_role=role.role_arn,
            resource_type="CONTAINER_IMAGE" if self.is_container else "AMI_IMAGE",
            # Every version of the recipe, so that images of replaced ones grow old too.
            resource_selection={"recipes": [{"name": self.recipe_name, "semanticVersion": "x.x.x"}]},
            policy_details=details,
        )
        policy.node.add_dependency(role)
        if self.is_container and wanted.allow_deletion:
            Tags.of(self._shared.repositories[self.name]).add("LifecycleExecutionAccess", CREATED_BY)

    def _follow(self, parent: "ImagePipeline") -> events.CfnRule:
        """Starts a build when the parent has a new AMI, which its parameter has by then.

        A schedule would see it a step later; and it compares base images and components only, of which the machine that
        builds a container is neither (https://docs.aws.amazon.com/imagebuilder/latest/APIReference/API_Schedule.html).
        """
        role = self._shared.follow_role
        assert role
        images = self._stack.format_arn(service="imagebuilder", resource=f"image/{parent.recipe_name}/")
        rule = events.CfnRule(
            self,
            "Follow",
            description=f"{self.name} is built when {parent.name} has a new AMI",
            event_pattern={
                "source": ["aws.imagebuilder"],
                "detail-type": [IMAGE],
                "resources": [{"prefix": images}],
                "detail": {"state": {"status": ["AVAILABLE"]}},
            },
            targets=[
                {
                    "arn": self.pipeline.attr_arn,
                    "id": "Pipeline",
                    "roleArn": role.role_arn,
                    "deadLetterConfig": {"arn": self._shared.undelivered.queue_arn},
                    "retryPolicy": {"maximumEventAgeInSeconds": 7200, "maximumRetryAttempts": 3},
                }
            ],
        )
        rule.node.add_dependency(role)
        return rule

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
                # What is built on another pipeline is built after it: the rule Follow starts that.
                "Ancestors": fingerprint([ancestor.content for ancestor in self.ancestors]),
                "ParentPipeline": self._parent.pipeline.attr_arn if self._parent else "",
                "ParentParameter": self._parent.parent_parameter if self._parent else "",
            },
        )
        # Its instance boots by the network's routes and acts by the role; CloudFormation sees neither of the two here.
        started.node.add_dependency(self._shared.network, self._shared.build_role)
        return started


def title(name: str) -> str:
    """A pipeline's name as part of a construct's or an output's."""
    return name.title().replace("-", "")
