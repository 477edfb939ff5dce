"""The two builds of the pipeline: one reads the account, the other deploys what was found."""

from collections.abc import Mapping
from typing import cast

from aws_cdk import Acknowledgment, ArnFormat, CfnElement, Duration, Validations
from aws_cdk import aws_codebuild as codebuild
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from constructs import Construct

from stacks.shared.grants import allow_on_pattern
from stacks.shared.solution import SolutionStack

FOLDER = "stacks/outposts_dashboard/pipeline"
TIMEOUT = Duration.minutes(30)


class Build(Construct):
    """A CodeBuild project that runs a buildspec of the source, with a role and a log group of its own.

    Args:
        buildspec: its file in the folder ``pipeline``.
        artifacts: the pipeline's bucket.

    Attributes:
        project: the project.
        own_role: its role; every right but those on its log and the artifacts is granted by who makes it.
    """

    def __init__(
        self,
        scope: SolutionStack,
        construct_id: str,
        *,
        buildspec: str,
        description: str,
        environment: Mapping[str, str],
        artifacts: s3.Bucket,
    ) -> None:
        super().__init__(scope, construct_id)
        log_group = scope.log_group(self, "Logs")
        # The trust has no condition, as on AWS's page: none says that CodeBuild sends the account.
        # https://docs.aws.amazon.com/codebuild/latest/userguide/setting-up-service-role.html
        self.own_role = iam.Role(
            self, "Role", assumed_by=iam.ServicePrincipal("codebuild.amazonaws.com"), description=description
        )
        variables = {name: codebuild.BuildEnvironmentVariable(value=value) for name, value in environment.items()}
        self.project = codebuild.PipelineProject(
            self,
            "Project",
            description=description,
            build_spec=codebuild.BuildSpec.from_source_filename(f"{FOLDER}/{buildspec}"),
            environment=codebuild.BuildEnvironment(
                build_image=codebuild.LinuxArmBuildImage.AMAZON_LINUX_2023_STANDARD_3_0,
                compute_type=codebuild.ComputeType.SMALL,
            ),
            environment_variables=variables,
            encryption_key=scope.encryption_key,
            # The L2 would add rights on a log group that is not used, and on reports that nobody makes.
            role=self.own_role.without_policy_updates(),
            logging=codebuild.LoggingOptions(cloud_watch=codebuild.CloudWatchLoggingOptions(log_group=log_group)),
            grant_report_group_permissions=False,
            timeout=TIMEOUT,
        )
        log_group.grant_write(self.own_role)
        allow_artifacts(scope, self.own_role, artifacts)
        if not scope.encryption_key:
            Validations.of(self.project).acknowledge(
                Acknowledgment(
                    id="AwsSolutions-CB4",
                    reason="What a build leaves in its bucket is encrypted there; common.kms_key_arn gives a key.",
                )
            )


def allow_artifacts(stack: SolutionStack, role: iam.IRole, bucket: s3.Bucket) -> None:
    """Allows reading and writing the pipeline's artifacts."""
    allow_on_pattern(
        role,
        "s3:GetObject",
        "s3:GetObjectVersion",
        "s3:PutObject",
        arn=bucket.arn_for_objects("*"),
        shown=f"<{stack.get_logical_id(cast(CfnElement, bucket.node.default_child))}.Arn>/*",
        reason="Artifacts have the names that the pipeline's runs give them; the bucket holds nothing else.",
    )
    # https://docs.aws.amazon.com/codebuild/latest/userguide/setting-up-service-role.html
    allowed = ["s3:GetBucketAcl", "s3:GetBucketLocation"]
    role.add_to_principal_policy(iam.PolicyStatement(actions=allowed, resources=[bucket.bucket_arn]))
    if stack.encryption_key:
        stack.encryption_key.grant(role, "kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey")


def allow_bootstrap_roles(stack: SolutionStack, role: iam.IRole) -> None:
    """Allows what ``cdk deploy`` does: taking the roles that ``cdk bootstrap`` has made for it.

    They do the rest: the version of the bootstrap stack is read by the role that deploys.
    """
    qualifier = stack.common.bootstrap_qualifier or "hnb659fds"
    roles = [
        stack.format_arn(
            service="iam",
            region="",
            resource="role",
            resource_name=f"cdk-{qualifier}-{kind}-role-{stack.account}-{stack.region}",
            arn_format=ArnFormat.SLASH_RESOURCE_NAME,
        )
        for kind in ("deploy", "file-publishing")
    ]
    role.add_to_principal_policy(iam.PolicyStatement(actions=["sts:AssumeRole"], resources=roles))
