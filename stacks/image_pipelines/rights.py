"""Roles of the build instances, of Image Builder for a parameter, and of Image Builder for old images."""

from collections.abc import Mapping, Sequence

from aws_cdk import Acknowledgment, Token, Validations
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_iam as iam
from constructs import Construct

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


EXECUTION_POLICY = "EC2ImageBuilderExecutionPolicy"


class ExecutionRole(iam.Role):
    """Execution role of a pipeline: writes its parameters in each Region, and describes the image that it writes.

    These two permissions are its own (https://docs.aws.amazon.com/imagebuilder/latest/userguide/
    cr-upd-ami-distribution-settings.html). But a pipeline with an execution role does everything by it, from the build
    instance on (https://docs.aws.amazon.com/imagebuilder/latest/userguide/pipeline-workflows.html): so it also has
    the policy that AWS keeps for such roles, held to these parameters and to the role of the build instances. A
    pipeline of containers writes no parameter; workflows and logging ask for a role there too.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        stack: SolutionStack,
        *,
        parameters: Mapping[str, Sequence[str]],
        never: Sequence[str] = (),
        build_role: iam.IRole,
    ) -> None:
        """Makes the role.

        Args:
            parameters: names, or all below a path that ends in ``/*``, and the Regions in which they are written.
            never: names below that path that are another role's.
        """
        super().__init__(
            scope,
            construct_id,
            # The service sends the account: AWS's own instructions for such a role have this condition (advanced builds
            # in https://github.com/aws/agent-toolkit-for-aws).
            assumed_by=of_this_account(stack, "imagebuilder.amazonaws.com"),
            description="Lets Image Builder build, and write the newest AMI's parameter",
            managed_policies=[iam.ManagedPolicy.from_aws_managed_policy_name(EXECUTION_POLICY)],
        )
        Validations.of(self).acknowledge(
            Acknowledgment(
                id=f"AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/{EXECUTION_POLICY}]",
                reason="What Image Builder calls is the service's to say; AWS keeps it, and two denials hold it.",
            )
        )
        own = [arn for name, regions in parameters.items() for arn in parameter_arns(stack, name, regions)]
        other_than = [arn for name in parameters for arn in parameter_arns(stack, name, ["*"])]
        if own:
            self.add_to_policy(iam.PolicyStatement(actions=["ssm:PutParameter"], resources=own))
            allow_describing(self, "ec2:DescribeImages")
        for name, regions in parameters.items():
            if name.endswith("/*"):
                for shown in shown_parameters(stack, name, regions):
                    reason = "Parameters of this stack's workloads, of which one policy could not name all."
                    Validations.of(self).acknowledge(
                        Acknowledgment(id=f"AwsSolutions-IAM5[Resource::{shown}]", reason=reason)
                    )
        for action, only in (("ssm:PutParameter", other_than), ("iam:PassRole", [build_role.role_arn])):
            others = {"not_resources": only} if only else {"resources": ["*"]}
            self.add_to_policy(iam.PolicyStatement(effect=iam.Effect.DENY, actions=[action], **others))  # type: ignore[arg-type]
        if never:
            others_own = [arn for name in never for arn in parameter_arns(stack, name, ["*"])]
            self.add_to_policy(
                iam.PolicyStatement(effect=iam.Effect.DENY, actions=["ssm:PutParameter"], resources=others_own)
            )
        if stack.encryption_key:  # of the topic
            stack.encryption_key.grant(self, "kms:Decrypt", "kms:GenerateDataKey")


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


def parameter_arns(stack: SolutionStack, name: str, regions: Sequence[str]) -> list[str]:
    """ARNs of a parameter whose name begins with a slash, in several Regions."""
    return [
        stack.format_arn(service="ssm", region=region, resource=f"parameter{name}") for region in dict.fromkeys(regions)
    ]


def shown_parameters(stack: SolutionStack, name: str, regions: Sequence[str]) -> list[str]:
    """The same ARNs as cdk-nag shows them."""
    shown = shown_arn(stack, "ssm", f"parameter{name}")
    here = "<AWS::Region>" if Token.is_unresolved(stack.region) else stack.region
    names = ["<AWS::Region>" if Token.is_unresolved(region) else region for region in dict.fromkeys(regions)]
    return [shown.replace(f":{here}:", f":{region}:", 1) for region in names]


def _partition(stack: SolutionStack) -> str:
    """The partition as cdk-nag shows it: known where the Region is."""
    return "<AWS::Partition>" if Token.is_unresolved(stack.partition) else stack.partition
