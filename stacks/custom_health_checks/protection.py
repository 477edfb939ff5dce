"""What makes a group with scale-in protection deletable."""

from aws_cdk import CustomResource, Duration
from aws_cdk import aws_autoscaling as autoscaling
from constructs import Construct

from stacks.custom_health_checks.group import LAUNCH_HOOK
from stacks.custom_health_checks.rights import DESCRIBING
from stacks.shared.auto_scaling import allow_on_group
from stacks.shared.grants import allow_on_any_resource
from stacks.shared.python_function import PythonFunction
from stacks.shared.solution import SolutionStack


class EndOfProtection(Construct):
    """A custom resource that goes before the group does, and takes the protection of its instances away then.

    Attributes:
        function: what answers CloudFormation.
    """

    def __init__(self, scope: SolutionStack, construct_id: str, group: autoscaling.AutoScalingGroup) -> None:
        super().__init__(scope, construct_id)
        self.function = PythonFunction(
            scope,
            "Unprotect",
            handler="unprotect",
            description="Takes scale-in protection away before the group is deleted",
            environment={"HOOK_NAME": LAUNCH_HOOK},
            timeout_seconds=120,
        )
        allow_on_any_resource(self.function.own_role, "autoscaling:DescribeAutoScalingGroups", reason=DESCRIBING)
        allow_on_group(
            scope,
            self.function.own_role,
            group,
            "autoscaling:CompleteLifecycleAction",
            "autoscaling:SetInstanceProtection",
            "autoscaling:UpdateAutoScalingGroup",
        )
        CustomResource(
            self,
            "OfGroup",
            resource_type="Custom::EndOfProtection",
            service_token=self.function.function_arn,
            service_timeout=Duration.minutes(5),
            properties={"GroupName": group.auto_scaling_group_name},
        )
