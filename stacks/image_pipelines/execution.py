"""Role by which Image Builder builds, and writes the newest AMI into a parameter."""

from collections.abc import Mapping, Sequence

from aws_cdk import Acknowledgment, Token, Validations
from aws_cdk import aws_iam as iam
from constructs import Construct

from stacks.shared.grants import allow_describing, of_this_account, shown_arn
from stacks.shared.solution import SolutionStack

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
