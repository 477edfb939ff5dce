"""``refresh: pipeline``, the way of the post: a pipeline reads the account and deploys a stack of dashboards."""

from typing import Any

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_codepipeline as codepipeline
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_scheduler_targets as scheduler_targets
from constructs import Construct

from stacks.outposts_dashboard.builds import Build, allow_artifacts, allow_bootstrap_roles
from stacks.outposts_dashboard.lifecycle import lifecycle
from stacks.outposts_dashboard.rights import allow_discovery
from stacks.outposts_dashboard.settings import OutpostsDashboardSettings
from stacks.outposts_dashboard.sources import LOCATION, action, commits, source_action
from stacks.outposts_dashboard.triggers import Triggers, silence
from stacks.shared.alarms import Alarms, waiting_in
from stacks.shared.emptied_bucket import EmptiedBucket
from stacks.shared.grants import allow_on_any_resource, allow_on_pattern, shown_arn
from stacks.shared.private_bucket import PrivateBucket
from stacks.shared.queue import UnreadQueue
from stacks.shared.scheduler_role import SchedulerRole
from stacks.shared.solution import SolutionStack

Json = dict[str, Any]


class ByPipeline(Construct):
    """The pipeline, its two builds, and the custom resource of deployment and deletion.

    Attributes:
        pipeline_name: the pipeline's generated name.
        source_key: key of the asset in the bootstrap bucket; None with a repository.
    """

    def __init__(
        self,
        scope: SolutionStack,
        construct_id: str,
        settings: OutpostsDashboardSettings,
        *,
        deployed: str,
        wanted: str,
    ) -> None:
        super().__init__(scope, construct_id)
        artifacts = self._bucket(scope)
        discover = Build(
            scope,
            "Discover",
            buildspec="discover.yaml",
            description="Reads the account and writes discovery.json",
            environment={"WANTED": wanted},
            artifacts=artifacts,
        )
        allow_discovery(discover.own_role)
        deploy = Build(
            scope,
            "Deploy",
            buildspec="deploy.yaml",
            description="Deploys the dashboards of discovery.json",
            environment={
                "STACK_NAME": deployed,
                "DEPLOYED_BY": scope.stack_id,
                "QUALIFIER": scope.common.bootstrap_qualifier or "",
            },
            artifacts=artifacts,
        )
        allow_bootstrap_roles(scope, deploy.own_role)
        allow_stacks(scope, deploy.own_role, deployed)
        role = self._role(scope, artifacts, discover, deploy)
        source, self.source_key = source_action(scope, self, settings, role)
        pipeline = codepipeline.CfnPipeline(
            self,
            "Pipeline",
            pipeline_type="V2",
            execution_mode="SUPERSEDED",  # events that come meanwhile are one run more
            restart_execution_on_update=False,
            role_arn=role.role_arn,
            artifact_store=codepipeline.CfnPipeline.ArtifactStoreProperty(
                type="S3",
                location=artifacts.bucket_name,
                encryption_key=codepipeline.CfnPipeline.EncryptionKeyProperty(
                    id=scope.encryption_key.key_arn, type="KMS"
                )
                if scope.encryption_key
                else None,
            ),
            stages=[
                _stage("Source", source),
                _stage("Build", _build("Discover", discover, [LOCATION], output="Discovery")),
                _stage("Deploy", _build("Deploy", deploy, [LOCATION, "Discovery"])),
            ],
        )
        # It runs as soon as it is created, and then needs all three.
        pipeline.node.add_dependency(role, discover.own_role, deploy.own_role)
        self.pipeline_name = pipeline.ref
        self.projects = {"Discover": discover.project, "Deploy": deploy.project}
        begun = self._lifecycle(scope, deployed, wanted)
        self._triggers(scope, settings, begun)

    def _bucket(self, scope: SolutionStack) -> s3.Bucket:
        unlogged = "Only the pipeline of this stack reads and writes it."
        bucket = PrivateBucket(scope, self, "Artifacts", unlogged=unlogged)
        self._emptied = None
        if not scope.common.keep_data_on_destroy:
            self._emptied = EmptiedBucket(scope, self, "Emptied", bucket=bucket)
        return bucket

    def _role(self, scope: SolutionStack, artifacts: s3.Bucket, *builds: Build) -> iam.Role:
        role = iam.Role(
            self,
            "Role",
            # Without a condition, as on AWS's page: none says that CodePipeline sends the account.
            # https://docs.aws.amazon.com/codepipeline/latest/userguide/how-to-custom-role.html
            assumed_by=iam.ServicePrincipal("codepipeline.amazonaws.com"),
            description="Takes the source, and starts the builds",
        )
        allow_artifacts(scope, role, artifacts)
        # https://docs.aws.amazon.com/codepipeline/latest/userguide/how-to-custom-role.html
        role.add_to_policy(iam.PolicyStatement(actions=["s3:GetBucketVersioning"], resources=[artifacts.bucket_arn]))
        projects = [build.project.project_arn for build in builds]
        allowed = ["codebuild:BatchGetBuilds", "codebuild:StartBuild"]
        role.add_to_policy(iam.PolicyStatement(actions=allowed, resources=projects))
        return role

    def _lifecycle(self, scope: SolutionStack, deployed: str, wanted: str) -> Construct:
        properties = {
            "PipelineName": self.pipeline_name,
            "StackName": deployed,
            "Wanted": wanted,  # changed settings, or another source, are a run
            **({"SourceKey": self.source_key} if self.source_key else {}),
        }
        function, begun = lifecycle(scope, self, properties)
        actions = ["ListPipelineExecutions", "StartPipelineExecution", "StopPipelineExecution"]
        function.own_role.add_to_policy(
            iam.PolicyStatement(actions=[f"codepipeline:{one}" for one in actions], resources=[self._arn(scope)])
        )
        allow_stacks(scope, function.own_role, deployed)
        if self._emptied:
            begun.node.add_dependency(self._emptied)  # the runs end, then their artifacts go
        return begun

    def _arn(self, scope: SolutionStack) -> str:
        return scope.format_arn(service="codepipeline", resource=self.pipeline_name)

    def _triggers(self, scope: SolutionStack, settings: OutpostsDashboardSettings, begun: Construct) -> None:
        undelivered = UnreadQueue(scope, scope, "Undelivered")
        pipeline = codepipeline.Pipeline.from_pipeline_arn(self, "ToStart", self._arn(scope))
        role = SchedulerRole(scope, self, "SchedulerRole")
        triggers = Triggers(
            self,
            "Triggers",
            settings,
            target=targets.CodePipeline(pipeline, dead_letter_queue=undelivered),
            scheduled=scheduler_targets.CodePipelineStartPipelineExecution(
                pipeline,
                role=role,
                dead_letter_queue=undelivered,
                max_event_age=Duration.minutes(15),
                retry_attempts=3,
            ),
            tags_only=True,
            commits=commits(scope, settings),
            role=role,
            after=begun,
        )
        # Of the CDK's targets this one alone leaves it to us.
        undelivered.let_rules_send([rule.rule_arn for rule in triggers.rules])
        alarms = Alarms(scope, "Alarms")
        for name, says in (
            ("Discover", "The account could not be read"),
            ("Deploy", "The dashboards could not be deployed"),
        ):
            failed = self.projects[name].metric_failed_builds(
                period=Duration.minutes(5), statistic=cloudwatch.Stats.SUM
            )
            alarms.when_above(name, failed, 0, says=says)
        period, rounds = silence(settings.refresh_minutes)
        builds = self.projects["Discover"].metric_builds(period=period, statistic=cloudwatch.Stats.SUM)
        alarms.when_silent("RefreshSilent", builds, rounds=rounds, says="The dashboards are not refreshed any more")
        waiting = waiting_in(undelivered)
        alarms.when_above("Undelivered", waiting, 0, says="A changed tag or the schedule could not start the pipeline")


def allow_stacks(stack: SolutionStack, role: iam.IRole, deployed: str) -> None:
    """Allows deleting the stacks of dashboards, by the role that each was deployed with; which, their tags say."""
    allow_on_any_resource(role, "cloudformation:DescribeStacks", reason="Listing stacks by their tags knows no name.")
    for name in (f"stack/{deployed}/*", f"stack/{deployed}-*/*"):
        allow_on_pattern(
            role,
            "cloudformation:DeleteStack",
            arn=stack.format_arn(service="cloudformation", resource=name),
            shown=shown_arn(stack, "cloudformation", name),
            reason="A stack's ARN ends with an id; one stack for each dashboard that there happens to be.",
        )


def _stage(name: str, action: Json) -> codepipeline.CfnPipeline.StageDeclarationProperty:
    return codepipeline.CfnPipeline.StageDeclarationProperty(
        name=name, actions=[codepipeline.CfnPipeline.ActionDeclarationProperty(**action)]
    )


def _build(name: str, build: Build, inputs: list[str], output: str | None = None) -> Json:
    configuration = {"ProjectName": build.project.project_name, "PrimarySource": inputs[0]}
    return action(name, "Build", "CodeBuild", configuration, inputs=inputs, output=output)
