"""What makes a group with scale-in protection deletable, and lets its rolling update end."""

from typing import cast

from aws_cdk import CfnElement, Duration
from constructs import Construct

from stacks.custom_health_checks.group import CheckedGroup
from stacks.custom_health_checks.user_data import LAUNCH_HOOK
from stacks.shared.auto_scaling import allow_on_own_groups
from stacks.shared.grants import allow_describing
from stacks.shared.lifecycle import LifecycleResource
from stacks.shared.python_function import PythonFunction
from stacks.shared.solution import SolutionStack


class EndOfProtection(Construct):
    """Two custom resources that take the protection of instances away, where CloudFormation would wait for them.

    One goes before the group does. The other is there before the group, and hears of a new launch template before the
    group does: a rolling update replaces what has the old one, and hangs on instances that are protected
    (https://github.com/aws-cloudformation/cloudformation-coverage-roadmap/issues/692). Those that come are protected.
    That one is there without protection too: an update that switches it off may bring a new image, and rolls the group
    before CloudFormation deletes, in its clean-up, what has left the template.

    Args:
        protected: whether new instances are protected.

    Attributes:
        function: what answers CloudFormation.
    """

    def __init__(self, scope: SolutionStack, construct_id: str, checked: CheckedGroup, *, protected: bool) -> None:
        super().__init__(scope, construct_id)
        group = checked.group
        self.function = PythonFunction(
            scope,
            "Unprotect",
            handler="unprotect",
            description="Takes scale-in protection away before the group is deleted or replaces instances",
            environment={"HOOK_NAME": LAUNCH_HOOK},
            timeout_seconds=120,
        )
        allow_describing(self.function.own_role, "autoscaling:DescribeAutoScalingGroups")
        allow_on_own_groups(
            scope,
            self.function.own_role,
            "autoscaling:CompleteLifecycleAction",
            "autoscaling:SetInstanceProtection",
            "autoscaling:UpdateAutoScalingGroup",
            only=group,
        )
        before = LifecycleResource(
            self,
            "BeforeUpdate",
            kind="ProtectionBeforeUpdate",
            function=self.function,
            timeout=Duration.minutes(5),
            properties={
                "GroupLogicalId": scope.get_logical_id(cast(CfnElement, group.node.default_child)),
                "LaunchTemplateVersion": checked.template.latest_version_number,
                "SubnetIds": checked.network.subnet_ids,
            },
        )
        group.node.add_dependency(before)
        if not protected:
            return
        LifecycleResource(
            self,
            "OfGroup",
            kind="EndOfProtection",
            function=self.function,
            timeout=Duration.minutes(5),
            properties={"GroupName": group.auto_scaling_group_name},
        )
