"""A gold image that EC2 Image Builder keeps current, and images of workloads that follow it.

Post: https://aws.amazon.com/blogs/compute/implementing-up-to-date-images-with-automated-ec2-image-builder-pipelines/
"""

from collections.abc import Mapping, Sequence

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_imagebuilder as imagebuilder
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from config.models import CommonSettings
from stacks.image_pipelines.cascade import GOLD, in_order
from stacks.image_pipelines.execution import ExecutionRole
from stacks.image_pipelines.follow import follow
from stacks.image_pipelines.functions import builds_function, seed_function
from stacks.image_pipelines.lifecycle import lifecycle_rules
from stacks.image_pipelines.names import component_names, image_name, lineage_files
from stacks.image_pipelines.pipeline import ImagePipeline, Shared, title
from stacks.image_pipelines.recipes import Component, Versions
from stacks.image_pipelines.rights import LOG_GROUPS, BuildRole, FollowRole, LifecycleRole
from stacks.image_pipelines.settings import ImagePipelinesSettings
from stacks.image_pipelines.settings.pipelines import Pipeline
from stacks.image_pipelines.tracking import Tracking, runs
from stacks.series import Solution
from stacks.shared.alarms import Alarms, errors_of, runs_of, waiting_in
from stacks.shared.network import Network, Reach
from stacks.shared.queue import UnreadQueue
from stacks.shared.solution import SolutionStack

DAYS_OF_SILENCE = 3  # of the daily look


class ImagePipelinesStack(SolutionStack):
    """Pipelines in the order of the cascade, and what they share."""

    def __init__(
        self, scope: Construct, solution: Solution, common: CommonSettings, settings: ImagePipelinesSettings
    ) -> None:
        super().__init__(scope, solution, common)
        self._settings = settings
        wanted: dict[str, Pipeline] = {GOLD: settings.gold}
        wanted |= {workload.name: workload for workload in in_order(settings.workloads)}
        self._names = {
            name: image_name(self.stack_name, name, is_container=getattr(one, "kind", "ami") == "container")
            for name, one in wanted.items()
        }
        topic = sns.Topic(self, "Images", enforce_ssl=True, master_key=self.encryption_key)
        undelivered = self._undelivered()
        shared = self._shared(wanted, topic)
        pipelines: dict[str, ImagePipeline] = {}
        for name, one in wanted.items():
            parent = pipelines.get(getattr(one, "parent", ""))
            pipelines[name] = ImagePipeline(self, name, shared, parent=parent, wanted=one)
        tracking = Tracking(self, "Tracking", list(pipelines.values()), topic=topic, undelivered=undelivered)
        followers = self._follow(pipelines, undelivered)
        for name, pipeline in pipelines.items():
            if pipeline.build:  # what hears of its images must exist before the first one
                pipeline.build.node.add_dependency(tracking, *followers[name])
        self._alarms(tracking, undelivered)
        self._outputs(topic, tracking, pipelines)

    def _shared(self, wanted: dict[str, Pipeline], topic: sns.Topic) -> Shared:
        settings = self._settings
        containers = [w.name for w in settings.workloads if w.kind == "container"]
        repositories = {name: self._repository(name) for name in containers}
        log_groups = {name: self._log_group(name) for name in ["", *wanted]}
        role = BuildRole(self, "BuildRole", repositories=list(repositories.values()))
        versions = Versions(self, "Versions")
        network = Network(self, "Network", reach=Reach(settings.network), zones=1, endpoints=())
        return Shared(
            settings=settings,
            versions=versions,
            components=self._components(wanted, versions),
            seed=seed_function(self, settings),
            builds=builds_function(self, settings, list(self._names.values())),
            infrastructure=self._infrastructure(network, role, topic, ["ami", "container"] if containers else ["ami"]),
            network=network,
            log_groups=log_groups,
            repositories=repositories,
            build_role=role,
            execution_roles=self._execution_roles(role),
            lifecycle_role=LifecycleRole(
                self, "LifecycleRole", settings.lifecycle, repositories=list(repositories.values())
            )
            if lifecycle_rules(settings, is_container=False)  # what makes a rule for containers makes one for AMIs
            else None,
        )

    def _execution_roles(self, build_role: iam.Role) -> dict[str, iam.IRole]:
        """One for gold, one for all AMIs that build on it, one for all containers: a stack has 500 resources.

        What writes the workloads' parameters may not write gold's, which all of them build on.
        """
        settings = self._settings
        regions = [self.region, *(region.name for region in settings.regions)]
        gold = {settings.parameter_of(self.stack_name, GOLD): regions}
        if GOLD in settings.parents:
            gold |= {settings.parent_parameter_of(self.stack_name, GOLD): regions[:1]}
        wanted: dict[str, tuple[str, Mapping[str, Sequence[str]], Sequence[str]]] = {GOLD: ("GoldRole", gold, ())}
        kinds = {workload.kind for workload in settings.workloads}
        if "ami" in kinds:
            below = {settings.parameter_of(self.stack_name, "*"): regions}
            never = [settings.parameter_of(self.stack_name, name) for name in (GOLD, f"{GOLD}/*")]
            wanted["ami"] = ("WorkloadRole", below, never)
        if "container" in kinds:
            wanted["container"] = ("ContainerRole", {}, ())
        return {
            kind: ExecutionRole(self, name, self, parameters=parameters, never=never, build_role=build_role)
            for kind, (name, parameters, never) in wanted.items()
        }

    def _follow(
        self, pipelines: Mapping[str, ImagePipeline], undelivered: sqs.Queue
    ) -> dict[str, list[events.CfnRule]]:
        """The rules on each pipeline's images."""
        children = {name: [one for one in pipelines.values() if one.parent is pipelines[name]] for name in pipelines}
        if not self._settings.workloads:
            return {name: [] for name in pipelines}
        role = FollowRole(self, "FollowRole", names=[self._names[one.name] for one in self._settings.workloads])
        return {
            name: follow(pipelines[name], pipelines[name], some, role=role, undelivered=undelivered)
            for name, some in children.items()
        }

    def _components(self, wanted: dict[str, Pipeline], versions: Versions) -> dict[str, Component]:
        """One for each file; the version is that of the first pipeline that has it."""
        owners: dict[str, Pipeline] = {}
        mark, parent = lineage_files(self._settings.base.platform)
        if self._settings.workloads:
            owners[mark] = self._settings.gold
        if any(workload.kind == "ami" for workload in self._settings.workloads):
            owners[parent] = self._settings.gold
        for one in wanted.values():
            for path in one.components:
                owners.setdefault(path, one)
        keep = self._settings.old_versions == "keep"
        return {
            path: Component(
                self,
                path,
                self._settings.base.platform,
                name=name,
                version=owners[path].version,
                versions=versions,
                keep=keep,
            )
            for path, name in component_names(self.stack_name, list(owners)).items()
        }

    def _infrastructure(
        self, network: Network, role: iam.Role, topic: sns.Topic, kinds: list[str]
    ) -> dict[str, imagebuilder.CfnInfrastructureConfiguration]:
        """Where instances build. Container builds reach the metadata service from one hop further away."""
        settings = self._settings
        if not settings.base.parameter.startswith("/aws/service/ami-amazon"):
            network.security_group.add_egress_rule(ec2.Peer.any_ipv4(), ec2.Port.tcp(80), "Package repositories")
        profile = iam.InstanceProfile(self, "BuildProfile", role=role)
        return {
            kind: imagebuilder.CfnInfrastructureConfiguration(
                self,
                f"{kind.title()}Infrastructure",
                name=f"{self.stack_name}-{kind}",
                instance_profile_name=profile.instance_profile_name,
                instance_types=list(settings.build_types),
                subnet_id=network.subnet_ids[0],
                security_group_ids=[network.security_group.security_group_id],
                instance_metadata_options={"httpTokens": "required", "httpPutResponseHopLimit": hops},
                terminate_instance_on_failure=True,
                sns_topic_arn=topic.topic_arn,
            )
            for kind, hops in (("ami", 1), ("container", 2))
            if kind in kinds
        }

    def _repository(self, name: str) -> ecr.Repository:
        key, keep = self.encryption_key, self.common.keep_data_on_destroy
        return ecr.Repository(
            self,
            f"{title(name)}Repository",
            encryption=ecr.RepositoryEncryption.KMS if key else ecr.RepositoryEncryption.AES_256,
            encryption_key=key,
            image_scan_on_push=True,
            removal_policy=RemovalPolicy.RETAIN if keep else RemovalPolicy.DESTROY,
            empty_on_delete=not keep,
        )

    def _log_group(self, name: str) -> logs.LogGroup:
        construct_id = f"{title(name)}ImageLogs" if name else "PipelineLogs"
        return self.log_group(self, construct_id, below=LOG_GROUPS, name=name or "pipelines")

    def _undelivered(self) -> sqs.Queue:
        """Where events end that could not start their target."""
        queue = UnreadQueue(self, self, "Undelivered")
        # One statement for all rules: the policy of a queue has 8,192 bytes
        # (https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-policies.html).
        rules = self.format_arn(service="events", resource=f"rule/{self.stack_name}-*")
        queue.let_rules_send(rules, operator="ArnLike")
        return queue

    def _alarms(self, tracking: Tracking, undelivered: sqs.Queue) -> None:
        alarms = Alarms(self, "Alarms")
        for name, metric, says in (
            ("Failed", runs(tracking.failed), "An image could not be built"),
            ("Disabled", runs(tracking.disabled), "A pipeline was disabled after failures in a row"),
            ("Tracker", errors_of(tracking.function), "The newest images may not be recorded"),
            ("Undelivered", waiting_in(undelivered), "An event could not start its target"),
        ):
            alarms.when_above(name, metric, 0, says=says)
        looks = runs_of(tracking.function, Duration.days(1))
        alarms.when_silent("TrackerSilent", looks, rounds=DAYS_OF_SILENCE, says="The images are no longer looked at")

    def _outputs(self, topic: sns.Topic, tracking: Tracking, pipelines: dict[str, ImagePipeline]) -> None:
        region = f"--region {self.region}"
        self.output("ImageTopicArn", topic.topic_arn, "Subscribe here to hear of images that are AVAILABLE or FAILED")
        self.output("NewestTable", tracking.table.table_name, "The newest image of each pipeline and Region")
        self.output("TrackerFunction", tracking.function.function_name, "The function that keeps that table")
        for name, one in pipelines.items():
            self.output(f"{title(name)}PipelineArn", one.pipeline.attr_arn, f"The pipeline {name}")
            if one.parameter:
                self.output(f"{title(name)}Parameter", one.parameter, f"Holds the newest AMI of {name}")
        self.output(
            "ListImages",
            f"aws ec2 describe-images {region} --owners self "
            f"--filters Name=tag:pipeline,Values={','.join(pipelines)} --query Images[].[ImageId,Name]",
            "Lists the AMIs, which stay when the stack is deleted: deregister them and delete their snapshots",
        )
