"""The functions behind the custom resources that seed a parameter and start a build."""

from collections.abc import Sequence

from aws_cdk import aws_iam as iam

from stacks.image_pipelines.execution import parameter_arns, shown_parameters
from stacks.image_pipelines.rights import START_BUILD
from stacks.image_pipelines.settings import PARAMETERS, ImagePipelinesSettings
from stacks.shared.grants import allow_on_pattern, shown_arn
from stacks.shared.python_function import PythonFunction
from stacks.shared.solution import SolutionStack


def seed_function(stack: SolutionStack, settings: ImagePipelinesSettings) -> PythonFunction:
    """Creates the parameters that are absent, and deletes those of this stack with it."""
    function = PythonFunction(
        stack,
        "SeedFunction",
        handler="seed",
        description="Creates the parameter of the newest AMI where there is none",
        environment={},
        timeout_seconds=60,
    )
    # By their path and not by their names, of which one role's policies could not hold all in twenty Regions:
    # https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
    below, every = settings.parameter_of(stack.stack_name, "*"), f"{PARAMETERS}/*"
    # Another parameter_path changes this policy first. Then the parameters of the old path are read, get the stack's
    # tag, and go, and those of the new path go where the deployment rolls back: none of that may depend on the path.
    moved = "Parameters of any path, since another parameter_path leaves those of before"
    gone = f"{moved}, in Regions too that are gone; it deletes only this stack's."
    for actions, name, region, reason in (
        (["ssm:PutParameter"], below, stack.region, "Parameters of this stack's path."),
        (["ssm:AddTagsToResource", "ssm:GetParameters"], every, stack.region, f"{moved}; it tags only this stack's."),
        (["ssm:DeleteParameter", "ssm:ListTagsForResource"], every, "*", gone),
    ):
        (arn,), (shown,) = parameter_arns(stack, name, [region]), shown_parameters(stack, name, [region])
        allow_on_pattern(function.own_role, *actions, arn=arn, shown=shown, reason=reason)
    source = stack.format_arn(service="ssm", account="", resource=f"parameter{settings.source_parameter}")
    function.own_role.add_to_policy(iam.PolicyStatement(actions=["ssm:GetParameter"], resources=[source]))
    return function


def builds_function(stack: SolutionStack, settings: ImagePipelinesSettings, names: Sequence[str]) -> PythonFunction:
    """Starts builds of the stack's pipelines."""
    function = PythonFunction(
        stack,
        "BuildsFunction",
        handler="builds",
        description="Starts a build of what a deployment has changed",
        environment={},
        timeout_seconds=60,
    )
    arns = [stack.format_arn(service="imagebuilder", resource="image-pipeline", resource_name=name) for name in names]
    function.own_role.add_to_policy(
        iam.PolicyStatement(actions=[*START_BUILD, "imagebuilder:ListImagePipelineImages"], resources=arns)
    )
    below = settings.parameter_of(stack.stack_name, "*")
    allow_on_pattern(  # whether a parent has an image yet
        function.own_role,
        "ssm:GetParameters",
        arn=parameter_arns(stack, below, [stack.region])[0],
        shown=shown_arn(stack, "ssm", f"parameter{below}"),
        reason="Parameters of this stack's path.",
    )
    # The first build of an account makes the service's own role, by the permissions of whoever starts it:
    # https://docs.aws.amazon.com/imagebuilder/latest/userguide/image-builder-service-linked-role.html
    service = "imagebuilder.amazonaws.com"
    function.own_role.add_to_policy(
        iam.PolicyStatement(
            actions=["iam:CreateServiceLinkedRole"],
            resources=[
                stack.format_arn(
                    service="iam",
                    region="",
                    resource="role",
                    resource_name=f"aws-service-role/{service}/AWSServiceRoleForImageBuilder",
                )
            ],
            conditions={"StringEquals": {"iam:AWSServiceName": service}},
        )
    )
    function.own_role.add_to_policy(  # whether it is a rollback
        iam.PolicyStatement(actions=["cloudformation:DescribeStacks"], resources=[stack.stack_id])
    )
    return function
