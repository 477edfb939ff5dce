"""One pipeline: recipe, distribution, parameter, schedule, lifecycle."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aws_cdk import CustomResource, Duration, Tags
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_imagebuilder as imagebuilder
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from stacks.image_pipelines.recipes import Component, Versions, keep_replaced, recipe_content
from stacks.image_pipelines.rights import CREATED_BY, START_BUILD, ParameterRole
from stacks.image_pipelines.settings import ImagePipelinesSettings, WorkloadPipeline
from stacks.shared.network import Network
from stacks.shared.python_function import PythonFunction
from stacks.shared.solution import SolutionStack

DOCKERFILE = Path(__file__).parent / "documents" / "Dockerfile"
IMAGE = "EC2 Image Builder Image State Change"
DEPENDENCIES = "EXPRESSION_MATCH_AND_DEPENDENCY_UPDATES_AVAILABLE"


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
    undelivered: sqs.Queue


class ImagePipeline(Construct):
    """The pipeline of gold or of a workload.

    Attributes:
        pipeline: the resource.
        parameter: name of the parameter with the newest AMI; None for a container.
        recipe_name: the images' name.
        build: starts a build of what a deployment has changed; None where the settings want none.
        follow: starts one when the parent has a new AMI; None where the schedule sees to it.
    """

    def __init__(
        self, scope: SolutionStack, name: str, shared: Shared, *, parent: "ImagePipeline | None", wanted: Any
    ) -> None:
        super().__init__(scope, f"{title(name)}Pipeline")
        self._stack, self._shared, self._wanted, self._parent = scope, shared, wanted, parent
        self.name, self.recipe_name = name, f"{scope.stack_name}-{name}"
        self.is_container = isinstance(wanted, WorkloadPipeline) and wanted.kind == "container"
        self._components = [shared.components[path] for path in wanted.components]
        self.parameter = None if self.is_container else shared.settings.parameter_of(scope.stack_name, name)
        self.seed = self._seeded() if self.parameter else None
        recipe = self._container_recipe() if self.is_container else self._image_recipe()
        keep_replaced(recipe, keep=shared.settings.old_versions == "keep")
        if parent and parent.seed:
            recipe.node.add_dependency(parent.seed)
        self.pipeline = self._pipeline(recipe)
        self._lifecycle()
        self.follow = self._follow(parent) if parent and self.is_container else None
        self.build = self._built(recipe.attr_arn) if shared.settings.build_on_change else None

    # What is in it

    def _arns(self) -> list[Any]:
        """Components in their order; those of AWS in whatever version is the newest, our own in exactly one."""
        gold, platform = self._shared.settings.gold, self._shared.settings.base.platform.lower()
        own = [{"componentArn": component.arn} for component in self._components]
        if self.name != "gold":
            return own
        first = [{"componentArn": self._managed(f"update-{platform}")}] if gold.updates else []
        level = [{"name": "Level", "value": [gold.stig]}]
        last = [{"componentArn": self._managed(f"stig-build-{platform}"), "parameters": level}] if gold.stig else []
        return [*first, *own, *last]

    def _managed(self, name: str) -> str:
        return self._stack.format_arn(
            service="imagebuilder", account="aws", resource="component", resource_name=f"{name}/x.x.x"
        )

    def _image_recipe(self) -> imagebuilder.CfnImageRecipe:
        settings = self._shared.settings
        source = self._parent.parameter if self._parent else settings.source_parameter
        properties: dict[str, Any] = {
            "parentImage": f"ssm:{source}",
            "components": self._arns(),
            "blockDeviceMappings": self._root(),
        }
        return imagebuilder.CfnImageRecipe(
            self,
            "Recipe",
            name=self.recipe_name,
            version=self._version("image-recipe", properties),
            parent_image=properties["parentImage"],
            components=properties["components"] or None,  # an image of the parent as it is
            block_device_mappings=properties["blockDeviceMappings"],
        )

    def _root(self) -> list[Any]:
        settings = self._shared.settings
        ebs: dict[str, Any] = {"encrypted": True, "deleteOnTermination": True, "volumeType": "gp3"}
        if self._stack.common.kms_key_arn:
            ebs["kmsKeyId"] = self._stack.common.kms_key_arn
        if settings.volume_gib:
            ebs["volumeSize"] = settings.volume_gib
        return [{"deviceName": settings.base.root_device, "ebs": ebs}]

    def _container_recipe(self) -> imagebuilder.CfnContainerRecipe:
        assert self._parent
        repository = {"service": "ECR", "repositoryName": self._shared.repositories[self.name].repository_name}
        host = {"image": f"ssm:{self._parent.parameter}", "blockDeviceMappings": self._root()}
        properties: dict[str, Any] = {
            "parentImage": self._wanted.base_image,
            "components": self._arns(),
            "dockerfileTemplateData": DOCKERFILE.read_text(encoding="utf-8"),
            "instanceConfiguration": host,
            "key": self._stack.common.kms_key_arn,
        }
        return imagebuilder.CfnContainerRecipe(
            self,
            "Recipe",
            name=self.recipe_name,
            version=self._version("container-recipe", properties),
            container_type="DOCKER",
            parent_image=self._wanted.base_image,
            platform_override="Linux",
            components=properties["components"],
            dockerfile_template_data=properties["dockerfileTemplateData"],
            instance_configuration=host,
            target_repository=repository,
            kms_key_id=self._stack.common.kms_key_arn,
        )

    def _version(self, kind: str, properties: dict[str, Any]) -> str:
        return self._shared.versions.of(
            self,
            kind=kind,
            name=self.recipe_name,
            major_minor=self._wanted.version,
            content=recipe_content(self._stack, properties, self._components),
        )

    # Where it goes

    def _seeded(self) -> CustomResource:
        settings = self._shared.settings
        seeded = CustomResource(
            self,
            "Parameter",
            resource_type="Custom::NewestImageParameter",
            service_token=self._shared.seed.function_arn,
            service_timeout=Duration.minutes(3),
            properties={
                "Name": self.parameter,
                # Only what others build on needs a value before its first image.
                "Source": settings.source_parameter if self.name in settings.parents else "",
                "Regions": [region.name for region in settings.regions],
                "Keep": str(self._stack.common.keep_data_on_destroy).lower(),
            },
        )
        seeded.node.add_dependency(self._shared.seed.own_role)
        return seeded

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
            parameter = {"parameterName": self.parameter, "dataType": "aws:ec2:image"}
            found.append(
                {"region": region, "amiDistributionConfiguration": ami, "ssmParameterConfigurations": [parameter]}
            )
        if self._wanted.launch_template_id:
            template = {"launchTemplateId": self._wanted.launch_template_id, "setDefaultVersion": True}
            found[0]["launchTemplateConfigurations"] = [template]
        return found

    # When it is built, and what becomes of it

    def _pipeline(self, recipe: Any) -> imagebuilder.CfnImagePipeline:
        settings, schedule = self._shared.settings, self._wanted.schedule
        distribution = imagebuilder.CfnDistributionConfiguration(
            self, "Distribution", name=self.recipe_name, distributions=self._distributions()
        )
        role = None
        if self.parameter:
            regions = [region.name for region in settings.regions]
            role = ParameterRole(
                self,
                "ParameterRole",
                self._stack,
                parameter=self.parameter,
                regions=regions,
                build_role=self._shared.build_role,
            )
            distribution.node.add_dependency(self.seed)
        scanning: dict[str, Any] = {"imageScanningEnabled": settings.scan}
        if settings.scan and self.is_container:
            scanning["ecrConfiguration"] = {"repositoryName": self._shared.repositories[self.name].repository_name}
        pipeline = imagebuilder.CfnImagePipeline(
            self,
            "Pipeline",
            name=self.recipe_name,
            image_recipe_arn=None if self.is_container else recipe.attr_arn,
            container_recipe_arn=recipe.attr_arn if self.is_container else None,
            infrastructure_configuration_arn=self._shared.infrastructure[
                "container" if self.is_container else "ami"
            ].attr_arn,
            distribution_configuration_arn=distribution.attr_arn,
            execution_role=role.role_arn if role else None,
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
                "pipelineExecutionStartCondition": DEPENDENCIES,
                "autoDisablePolicy": {"failureCount": schedule.disable_after_failures},
            },
        )
        if role:
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
        """Starts a build when the parent has a new AMI.

        A schedule compares base images and components, and the machine that builds a container is neither
        (https://docs.aws.amazon.com/imagebuilder/latest/APIReference/API_Schedule.html).
        """
        arn = self.pipeline.attr_arn
        role = iam.Role(self, "FollowRole", assumed_by=iam.ServicePrincipal("events.amazonaws.com"))
        role.add_to_policy(iam.PolicyStatement(actions=START_BUILD, resources=[arn]))
        images = self._stack.format_arn(service="imagebuilder", resource=f"image/{parent.recipe_name}/")
        return events.CfnRule(
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
                    "arn": arn,
                    "id": "Pipeline",
                    "roleArn": role.role_arn,
                    "deadLetterConfig": {"arn": self._shared.undelivered.queue_arn},
                    "retryPolicy": {"maximumEventAgeInSeconds": 7200, "maximumRetryAttempts": 3},
                }
            ],
        )

    def _built(self, recipe_arn: str) -> CustomResource:
        started = CustomResource(
            self,
            "Build",
            resource_type="Custom::ImageBuild",
            service_token=self._shared.builds.function_arn,
            service_timeout=Duration.minutes(3),
            properties={
                "Pipeline": self.pipeline.attr_arn,
                "Recipe": recipe_arn,
                "WithNewStack": str(self._parent is None).lower(),
            },
        )
        # Its instance boots by the network's routes and acts by the role; CloudFormation sees neither of the two here.
        started.node.add_dependency(self._shared.builds.own_role, self._shared.network, self._shared.build_role)
        return started


def title(name: str) -> str:
    """A pipeline's name as part of a construct's or an output's."""
    return name.title().replace("-", "")


def lifecycle_rules(settings: ImagePipelinesSettings, *, is_container: bool) -> Sequence[Any]:
    """The rules of a lifecycle policy: one for each action, and for containers only that which deletes."""
    wanted, rules = settings.lifecycle, []
    key, value = wanted.keep_tag
    spared = {
        "amis": {
            "isPublic": False,
            "lastLaunched": {"unit": "DAYS", "value": wanted.spare_launched_days},
            "tagMap": {key: value},
        }
    }
    resources = {"amis": True}
    for action, days in (("DEPRECATE", wanted.deprecate_after_days), ("DISABLE", wanted.disable_after_days)):
        if days and not is_container:
            age = {"type": "AGE", "unit": "DAYS", "value": days}
            exclusions = {} if action == "DEPRECATE" else {"exclusionRules": spared}
            rules.append({"action": {"type": action, "includeResources": resources}, "filter": age, **exclusions})
    if wanted.delete_after_days and wanted.allow_deletion:
        age = {
            "type": "AGE",
            "unit": "DAYS",
            "value": wanted.delete_after_days,
            "retainAtLeast": wanted.retain_at_least,
        }
        included = {"containers": True} if is_container else {"amis": True, "snapshots": True}
        rule: dict[str, Any] = {"action": {"type": "DELETE", "includeResources": included}, "filter": age}
        rules.append(rule if is_container else {**rule, "exclusionRules": spared})
    return rules
