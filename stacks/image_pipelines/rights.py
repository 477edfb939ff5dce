"""Roles of the build instances, of EventBridge for what follows, and of Image Builder for old images."""

from collections.abc import Sequence

from aws_cdk import Token
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_iam as iam

from stacks.image_pipelines.settings.images import Lifecycle
from stacks.shared.grants import (
    allow_agent,
    allow_describing,
    allow_on_any_resource,
    allow_on_pattern,
    of_this_account,
    shown_arn,
)
from stacks.shared.solution import SolutionStack

# What the agent needs besides, of AmazonSSMManagedInstanceCore without parameters, patches and sessions.
ASSOCIATIONS = (
    "ssm:DescribeAssociation",
    "ssm:DescribeDocument",
    "ssm:GetDocument",
    "ssm:ListAssociations",
    "ssm:ListInstanceAssociations",
    "ssm:PutInventory",
    "ssm:UpdateAssociationStatus",
    "ssm:UpdateInstanceAssociationStatus",
)
# Image Builder reads the pipeline in the name of whoever starts a build of it: "dependent actions" in
# https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonec2imagebuilder.html
START_BUILD = ["imagebuilder:GetImagePipeline", "imagebuilder:StartImagePipelineExecution"]
LOG_GROUPS = "/aws/imagebuilder/"
"""What the names of log groups begin with that Image Builder's own role may write."""
CREATED_BY = "EC2 Image Builder"
"""Value of the tag ``CreatedBy`` that Image Builder gives to all that it makes."""


class BuildRole(iam.Role):
    """Role of the instances that build and test.

    The policies EC2InstanceProfileForImageBuilder and ...ECRContainerBuilds, without what nothing here uses
    (https://docs.aws.amazon.com/imagebuilder/latest/userguide/security-iam-awsmanpol.html), held to this stack's names.
    """

    def __init__(
        self,
        scope: SolutionStack,
        construct_id: str,
        *,
        repositories: Sequence[ecr.IRepository],
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            assumed_by=iam.ServicePrincipal("ec2.amazonaws.com"),
            description="Instances that build and test images",
        )
        allow_agent(self, *ASSOCIATIONS)
        self._allow_reading(scope, "imagebuilder:GetComponent", "component")
        if repositories:
            self._allow_reading(scope, "imagebuilder:GetContainerRecipe", "container-recipe")
        self._allow_reading_of_aws(scope)
        # Not each by its name: fifty would take a policy of their own.
        groups = f"log-group:{LOG_GROUPS}{scope.stack_name}/*"
        allow_on_pattern(
            self,
            "logs:CreateLogStream",
            "logs:PutLogEvents",
            arn=scope.format_arn(service="logs", resource=groups),
            shown=shown_arn(scope, "logs", groups),
            reason="The log groups of this stack's pipelines, and their streams.",
        )
        if scope.encryption_key:
            scope.encryption_key.grant(self, "kms:Decrypt")
        for repository in repositories:
            repository.grant(
                self,
                "ecr:BatchCheckLayerAvailability",
                "ecr:BatchGetImage",
                "ecr:CompleteLayerUpload",
                "ecr:GetDownloadUrlForLayer",
                "ecr:InitiateLayerUpload",
                "ecr:PutImage",
                "ecr:UploadLayerPart",
            )
        if repositories:
            allow_on_any_resource(self, "ecr:GetAuthorizationToken", reason="The token is one for the registry.")

    def _allow_reading(self, stack: SolutionStack, action: str, kind: str) -> None:
        names = f"{kind}/{stack.stack_name}-*"
        allow_on_pattern(
            self,
            action,
            arn=stack.format_arn(service="imagebuilder", resource=names),
            shown=shown_arn(stack, "imagebuilder", names),
            reason="Versions come with each change of content; these are of this stack's names.",
        )

    def _allow_reading_of_aws(self, stack: SolutionStack) -> None:
        account = "<AWS::AccountId>" if Token.is_unresolved(stack.account) else stack.account
        allow_on_pattern(
            self,
            "imagebuilder:GetComponent",
            arn=stack.format_arn(service="imagebuilder", account="aws", resource="component", resource_name="*"),
            shown=shown_arn(stack, "imagebuilder", "component/*").replace(f":{account}:", ":aws:"),
            reason="Components of AWS, in whatever version is the newest.",
        )
        allow_on_pattern(
            self,
            "s3:GetObject",
            arn=f"arn:{stack.partition}:s3:::ec2imagebuilder-*",
            shown=f"arn:{_partition(stack)}:s3:::ec2imagebuilder-*",
            reason="Image Builder's own buckets, from which the instance gets what runs the components.",
        )


class FollowRole(iam.Role):
    """Role by which EventBridge starts the pipelines whose parents have a new AMI."""

    def __init__(self, scope: SolutionStack, construct_id: str, *, names: Sequence[str]) -> None:
        super().__init__(
            scope,
            construct_id,
            assumed_by=of_this_account(scope, "events.amazonaws.com"),
            description="Starts builds of what has a new parent",
        )
        arns = [
            scope.format_arn(service="imagebuilder", resource="image-pipeline", resource_name=name) for name in names
        ]
        self.add_to_policy(iam.PolicyStatement(actions=START_BUILD, resources=arns))


class LifecycleRole(iam.Role):
    """Role by which Image Builder deprecates, disables and, with the second key, deletes what it has made.

    After EC2ImageBuilderLifecycleExecutionPolicy
    (https://docs.aws.amazon.com/aws-managed-policy/latest/reference/EC2ImageBuilderLifecycleExecutionPolicy.html).
    """

    def __init__(
        self,
        scope: SolutionStack,
        construct_id: str,
        wanted: Lifecycle,
        *,
        repositories: Sequence[ecr.IRepository],
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            # Without a condition, as in AWS's guide: no page says that the lifecycle service sends the account.
            # https://docs.aws.amazon.com/imagebuilder/latest/userguide/image-lifecycle-prerequisites.html
            assumed_by=iam.ServicePrincipal("imagebuilder.amazonaws.com"),
            description="Image Builder's lifecycle policies",
        )
        made = {"StringEquals": {"aws:ResourceTag/CreatedBy": CREATED_BY}}
        every = f"arn:{scope.partition}:ec2:*::"
        shown = f"arn:{_partition(scope)}:ec2:*::"
        why = "Images come and go, in each Region that gets a copy; a condition holds it to what Image Builder made."
        actions = [
            "ec2:DescribeImageAttribute",
            "ec2:DisableImage",
            "ec2:DisableImageDeprecation",
            "ec2:EnableImage",
            "ec2:EnableImageDeprecation",
        ]
        if wanted.allow_deletion:
            actions.append("ec2:DeregisterImage")
            allow_on_pattern(
                self,
                "ec2:DeleteSnapshot",
                arn=f"{every}snapshot/*",
                shown=f"{shown}snapshot/*",
                reason=why,
                conditions=made,
            )
            names = f"image/{scope.stack_name}-*"
            allow_on_pattern(
                self,
                "imagebuilder:DeleteImage",
                arn=scope.format_arn(service="imagebuilder", resource=names),
                shown=shown_arn(scope, "imagebuilder", names),
                reason="Images come and go; these are of this stack's names.",
            )
            for repository in repositories:
                repository.grant(self, "ecr:BatchDeleteImage", "ecr:BatchGetImage")
        allow_on_pattern(self, *actions, arn=f"{every}image/*", shown=f"{shown}image/*", reason=why, conditions=made)
        # The tag by which Image Builder marks what it has deprecated.
        marks = {
            "StringEquals": {"aws:ResourceTag/CreatedBy": CREATED_BY, "aws:RequestTag/DeprecatedBy": CREATED_BY},
            "ForAllValues:StringEquals": {"aws:TagKeys": "DeprecatedBy"},
        }
        self.add_to_policy(
            iam.PolicyStatement(actions=["ec2:CreateTags"], resources=[f"{every}image/*"], conditions=marks)
        )
        allow_describing(self, "ec2:DescribeImages", "tag:GetResources")


def _partition(stack: SolutionStack) -> str:
    """The partition as cdk-nag shows it: known where the Region is."""
    return "<AWS::Partition>" if Token.is_unresolved(stack.partition) else stack.partition
