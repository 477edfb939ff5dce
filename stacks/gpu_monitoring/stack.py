"""GPU metrics of existing instances by the CloudWatch agent, installed by Systems Manager, and what is wasted.

Post: https://aws.amazon.com/blogs/compute/optimizing-gpu-utilization-for-ai-ml-workloads-on-amazon-ec2/
"""

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from config.models import CommonSettings
from stacks.gpu_monitoring.agents import Agents
from stacks.gpu_monitoring.dashboard import PERIOD, GpuDashboard, by_instance
from stacks.gpu_monitoring.fleet import Fleet
from stacks.gpu_monitoring.profiles import Attachment, Release
from stacks.gpu_monitoring.settings import GpuMonitoringSettings
from stacks.series import Solution
from stacks.shared.alarms import Alarms
from stacks.shared.solution import SolutionStack

LOOKS = 2
"""So many in a row must say the same before somebody is called."""


ROUNDS_OF_SILENCE = 4


class GpuMonitoringStack(SolutionStack):
    """Agents, who gets their rights, dashboard, and a function that counts the waste."""

    def __init__(
        self, scope: Construct, solution: Solution, common: CommonSettings, settings: GpuMonitoringSettings
    ) -> None:
        super().__init__(scope, solution, common)
        agents = Agents(self, "Agents", settings)
        functions: list[lambda_.Function] = []
        release = Release(self, "Release", agents)
        if settings.attach_profile:
            attachment = Attachment(self, "Attachment", settings, agents)
            # At the end of the stack nothing must start it any more when the profile is taken off.
            attachment.node.add_dependency(release)
            functions.append(attachment.function)
        fleet = Fleet(self, "Counting", settings)
        functions.append(fleet.function)
        dashboard = GpuDashboard(self, "Dashboard", fleet)
        self._alarms(settings, fleet, functions)
        self._outputs(settings, agents, dashboard, fleet)

    def _alarms(self, settings: GpuMonitoringSettings, fleet: Fleet, functions: list[lambda_.Function]) -> None:
        alarms = Alarms(self, "Alarms")
        self._idle(settings, fleet, alarms)
        for name, metric, threshold, says in (
            ("MemoryNearlyFull", "FullestMemory", settings.memory_percent, "The memory of a GPU is nearly full"),
            ("AgentSilent", "SilentInstances", 0, "A running instance with the tag reports nothing"),
            ("GpuUnseen", "UnseenGpuInstances", 0, "The agent of a GPU instance reports no GPU"),
        ):
            alarms.when_above(name, fleet.metric(metric), threshold, says=says, minutes=LOOKS)
        # At the first look: an error is a moment, and the next look does not see it any more.
        alarms.when_above("GpuErrors", fleet.metric("BrokenGpuInstances"), 0, says="The kernel reports a broken GPU")
        alarms.when_silent("FleetSilent", fleet.runs, rounds=ROUNDS_OF_SILENCE, says="Nobody counts the waste any more")
        alarms.on_errors(*functions)

    def _idle(self, settings: GpuMonitoringSettings, fleet: Fleet, alarms: Alarms) -> None:
        """Metrics Insights looks at the agents' own metrics and names the instances, three hours back at most.

        https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Create_Metrics_Insights_Alarm.html
        """
        says = f"A GPU instance has computed nothing for {settings.idle_hours} h"
        if settings.idle_by_insights:
            points = Duration.hours(settings.idle_hours).to_minutes() / PERIOD.to_minutes()
            query = cloudwatch.MathExpression(
                expression=by_instance("MAX", "ASC"), label="Highest utilization", using_metrics={}, period=PERIOD
            )
            alarms.when_below("GpuIdle", query, settings.idle_percent, says=says, minutes=int(points))
        else:
            alarms.when_above("GpuIdle", fleet.metric("LongestIdleHours"), settings.idle_hours, says=says)

    def _outputs(self, settings: GpuMonitoringSettings, agents: Agents, dashboard: GpuDashboard, fleet: Fleet) -> None:
        region, tag = f"--region {self.region}", settings.opt_in
        self.output("DashboardUrl", dashboard.url, "Utilisation, memory, temperature, power and waste")
        self.output("DashboardName", dashboard.name, "The dashboard")
        self.output(
            "OptIn",
            f"aws ec2 create-tags {region} --resources INSTANCE_ID --tags 'Key={tag.key},Value={tag.value}'",
            "Lets an instance get the agent",
        )
        self.output(
            "AttachProfile",
            f"aws ec2 associate-iam-instance-profile {region} --instance-id INSTANCE_ID "
            f"--iam-instance-profile Name={agents.profile.instance_profile_name}",
            "Gives the agent its rights on an instance that has no instance profile",
        )
        self.output("InstanceProfile", agents.profile.instance_profile_arn, "For launch templates of your own")
        self.output(
            "ShowAssociation",
            f"aws ssm describe-association-executions {region} --association-id {agents.association_id}",
            "Whether installing and configuring has succeeded",
        )
        self.output("FleetFunction", fleet.function.function_name, "Counts utilisation and waste")
        self.output("MetricNamespace", fleet.namespace, "Where it publishes them")
