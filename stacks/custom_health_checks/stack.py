"""An Auto Scaling group whose instances enter service only when checks of your own have passed.

Post: https://aws.amazon.com/blogs/compute/how-to-create-custom-health-checks-for-your-amazon-ec2-auto-scaling-fleet/
"""

from aws_cdk import Duration
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from config.models import CommonSettings
from stacks.custom_health_checks.event_mode import EventMode
from stacks.custom_health_checks.given_up import GivenUp, never_passed
from stacks.custom_health_checks.group import CheckedGroup
from stacks.custom_health_checks.protection import EndOfProtection
from stacks.custom_health_checks.rights import let_agent_work, let_look
from stacks.custom_health_checks.settings import SWEEP_SECONDS, CustomHealthChecksSettings
from stacks.series import Solution
from stacks.shared.alarms import Alarms, runs_of
from stacks.shared.grants import allow_describing
from stacks.shared.solution import SolutionStack

ROUNDS_OF_SILENCE = 10  # of a minute


class CustomHealthChecksStack(SolutionStack):
    """Group with a launching hook, and who completes it: a function, or a script on the instance."""

    def __init__(
        self, scope: Construct, solution: Solution, common: CommonSettings, settings: CustomHealthChecksSettings
    ) -> None:
        super().__init__(scope, solution, common)
        checked = CheckedGroup(self, "Checked", settings)
        let_agent_work(checked.role, settings)
        functions: list[lambda_.Function] = []
        if settings.mode == "event":
            functions += EventMode(self, "Event", settings, checked).functions
        else:
            let_look(self, checked.role, checked, settings)
            allow_describing(checked.role, "autoscaling:DescribeAutoScalingInstances", "ec2:DescribeTags")
        functions.append(EndOfProtection(self, "Protection", checked, protected=settings.scale_in_protection).function)
        self._alarms(settings, checked, functions)
        self._outputs(settings, checked, functions)

    def _alarms(
        self, settings: CustomHealthChecksSettings, checked: CheckedGroup, functions: list[lambda_.Function]
    ) -> None:
        alarms = Alarms(self, "Alarms")
        alarms.when_above(
            "NeverPassed",
            never_passed(settings, checked, GivenUp(self, "GivenUp", checked).rule),
            0,
            says="One instance after the other is given up, and the group stays smaller than desired",
        )
        alarms.on_errors(*functions)
        if settings.mode == "event":  # in the other mode each instance looks at itself, and NeverPassed tells
            checker, *_ = functions
            alarms.when_silent(
                "CheckerSilent",
                runs_of(checker, Duration.seconds(SWEEP_SECONDS)),
                rounds=ROUNDS_OF_SILENCE,
                says="Nobody looks at the waiting instances any more",
            )

    def _outputs(
        self, settings: CustomHealthChecksSettings, checked: CheckedGroup, functions: list[lambda_.Function]
    ) -> None:
        group = checked.group.auto_scaling_group_name
        region = f"--region {self.region}"
        self.output("GroupName", group, "Auto Scaling group of the checked instances")
        if settings.mode == "event":
            self.output("CheckerFunction", functions[0].function_name, "Decides which instances enter service")
        self.output(
            "ShowInstances",
            f"aws autoscaling describe-auto-scaling-instances {region} --output table --query "
            f"\"AutoScalingInstances[?AutoScalingGroupName=='{group}'].[InstanceId,LifecycleState,HealthStatus]\"",
            "Shows which instances wait and which are in service",
        )
        for check in settings.checks:
            if check.kind == "tag":
                self.output(
                    f"LetIn{check.name}",
                    f"aws ec2 create-tags {region} --resources INSTANCE_ID "
                    f"--tags 'Key={check.key},Value={check.success}'",
                    f"Sets the tag {check.key} of an instance as the post does by hand",
                )
