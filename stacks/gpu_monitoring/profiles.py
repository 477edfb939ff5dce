"""Who gets the instance profile, by itself if wanted, and who takes it off again before it is deleted."""

from aws_cdk import Duration
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from constructs import Construct

from stacks.gpu_monitoring.agents import Agents
from stacks.gpu_monitoring.settings import GpuMonitoringSettings
from stacks.shared.grants import allow_describing, allow_on_pattern, shown_arn
from stacks.shared.lifecycle import LifecycleResource
from stacks.shared.python_function import PythonFunction
from stacks.shared.solution import SolutionStack

RELEASE_SECONDS = 300


class Attachment(Construct):
    """Events and a schedule -> Attach -> the profile of instances that have none.

    Attributes:
        function: the function.
    """

    def __init__(
        self, scope: SolutionStack, construct_id: str, settings: GpuMonitoringSettings, agents: Agents
    ) -> None:
        super().__init__(scope, construct_id)
        tag = settings.opt_in
        self.function = PythonFunction(
            scope,
            "Attach",
            handler="attach",
            description="Gives the instance profile to tagged instances that have none",
            environment={
                "PROFILE_ARN": agents.profile.instance_profile_arn,
                "OPT_IN_KEY": tag.key,
                "OPT_IN_VALUE": tag.value,
            },
            timeout_seconds=300,
        )
        role = self.function.own_role
        allow_describing(role, "ec2:DescribeInstances")
        self._let_attach(scope, role, settings, agents)
        events.Rule(
            self,
            "Started",
            description="An instance runs, which may have the tag",
            event_pattern=events.EventPattern(
                source=["aws.ec2"],
                detail_type=["EC2 Instance State-change Notification"],
                detail={"state": ["running"]},
            ),
            targets=[targets.LambdaFunction(self.function)],
        )
        events.Rule(
            self,
            "Tagged",
            description="The tag of an instance has changed",
            event_pattern=events.EventPattern(
                source=["aws.tag"],
                detail_type=["Tag Change on Resource"],
                detail={"service": ["ec2"], "resource-type": ["instance"], "changed-tag-keys": [tag.key]},
            ),
            targets=[targets.LambdaFunction(self.function)],
        )
        events.Rule(
            self,
            "Sweep",
            description="Looks at every instance with the tag: events may be lost, and come too early",
            schedule=events.Schedule.rate(Duration.hours(1)),
            targets=[
                targets.LambdaFunction(self.function, event=events.RuleTargetInput.from_object({"look_at": "all"}))
            ],
        )

    def _let_attach(
        self, stack: SolutionStack, role: iam.Role, settings: GpuMonitoringSettings, agents: Agents
    ) -> None:
        """This profile, to instances with the tag, and only to those that have none.

        https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonec2.html
        """
        arn = stack.format_arn(service="ec2", resource="instance", resource_name="*")
        tag = settings.opt_in
        allow_on_pattern(
            role,
            "ec2:AssociateIamInstanceProfile",
            arn=arn,
            shown=shown_arn(stack, "ec2", "instance/*"),
            reason="Whose tag is set is known at run time only; conditions hold it to this profile and to having none.",
            conditions={
                "StringEquals": {f"aws:ResourceTag/{tag.key}": tag.value},
                "ArnEquals": {"ec2:NewInstanceProfile": agents.profile.instance_profile_arn},
                "Null": {"ec2:InstanceProfile": "true"},
            },
        )
        role.add_to_policy(
            iam.PolicyStatement(
                actions=["iam:PassRole"],
                resources=[agents.role.role_arn],
                # As AWS's own policies write it: the second is EC2's name in China.
                conditions={"StringEquals": {"iam:PassedToService": ["ec2.amazonaws.com", "ec2.amazonaws.com.cn"]}},
            )
        )


class Release(Construct):
    """A custom resource whose end takes the profile off every instance, before the profile itself is deleted.

    Attributes:
        function: the function.
    """

    def __init__(self, scope: SolutionStack, construct_id: str, agents: Agents) -> None:
        super().__init__(scope, construct_id)
        profile_arn = agents.profile.instance_profile_arn
        self.function = PythonFunction(
            scope,
            "ReleaseFunction",
            handler="release",
            description="Takes the instance profile off the instances before it is deleted",
            environment={},
            timeout_seconds=RELEASE_SECONDS,
        )
        role = self.function.own_role
        allow_describing(role, "ec2:DescribeIamInstanceProfileAssociations")
        allow_on_pattern(
            role,
            "ec2:DisassociateIamInstanceProfile",
            arn=scope.format_arn(service="ec2", resource="instance", resource_name="*"),
            shown=shown_arn(scope, "ec2", "instance/*"),
            reason="Which instances have the profile is known at run time only; a condition holds it to this profile.",
            conditions={"ArnEquals": {"ec2:InstanceProfile": profile_arn}},
        )
        LifecycleResource(
            self,
            "Profile",
            kind="ProfileRelease",
            function=self.function,
            properties={"ProfileArn": profile_arn},
            timeout=Duration.seconds(2 * RELEASE_SECONDS),
        )
