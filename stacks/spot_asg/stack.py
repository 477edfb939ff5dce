"""An Auto Scaling group of Spot Instances after the post's best practices.

Post: https://aws.amazon.com/blogs/compute/best-practices-to-optimize-your-amazon-ec2-spot-instances-usage/
"""

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from config.models import CommonSettings
from stacks.series import Solution
from stacks.shared.alarms import Alarms
from stacks.shared.network import Network, Reach
from stacks.shared.solution import SolutionStack
from stacks.spot_asg.dashboard import INTERRUPTIONS, SHORT_LIVED, SpotDashboard, SpotMetrics
from stacks.spot_asg.experiment import Experiment
from stacks.spot_asg.group import APP_PORT, SpotGroup
from stacks.spot_asg.interruptions import Interruptions
from stacks.spot_asg.load_balancer import LoadBalancer
from stacks.spot_asg.settings import SpotAsgSettings

MISSING_MINUTES = 10
# An instance whose bootstrap fails comes again every few minutes: a group of one has more of them in this time.
SHORT_LIVED_WINDOW, MOST_SHORT_LIVES = Duration.minutes(30), 3


class SpotAsgStack(SolutionStack):
    """A diversified group, what happens when EC2 wants an instance back, and an experiment that tries it."""

    def __init__(self, scope: Construct, solution: Solution, common: CommonSettings, settings: SpotAsgSettings) -> None:
        super().__init__(scope, solution, common)
        # The instances call S3 alone, which has a gateway endpoint.
        network = Network(self, "Network", reach=Reach(settings.network), zones=settings.zones, endpoints=())
        spot = SpotGroup(self, "Spot", settings, network)
        self.output("GroupName", spot.group.auto_scaling_group_name, "Auto Scaling group of the Spot Instances")
        target_group_arns = self._target_groups(settings, network, spot)
        interruptions = Interruptions(
            self, "Interruptions", settings, group=spot.group, target_group_arns=target_group_arns
        )
        metrics = SpotMetrics(settings.metric_namespace, spot.group)
        self._alarms(settings, metrics, interruptions)
        if settings.experiment_instances:
            experiment = Experiment(self, "Experiment", settings, group=spot.group, metrics=metrics)
            self.output(
                "StartExperiment",
                f"aws fis start-experiment --region {self.region} --experiment-template-id {experiment.template_id}",
                f"Interrupts {settings.experiment_instances} Spot Instance(s) for real, with AWS CLI version 2",
            )
        dashboard = SpotDashboard(self, "Dashboard", metrics, lost=interruptions.lost)
        self.output("DashboardUrl", dashboard.url, "Interruptions by pool, and instances, through time")
        self.output(
            "SetSize",
            f"aws autoscaling set-desired-capacity --region {self.region} --desired-capacity 2 "
            f"--auto-scaling-group-name {spot.group.auto_scaling_group_name}",
            "Starts two instances with AWS CLI version 2",
        )

    def _target_groups(self, settings: SpotAsgSettings, network: Network, spot: SpotGroup) -> list[str]:
        """Registers the group with the configured target groups and with that of its own load balancer."""
        arns = list(settings.target_group_arns)
        if settings.load_balancer:
            balancer = LoadBalancer(self, "LoadBalancer", settings, network)
            arns.insert(0, balancer.target_group.target_group_arn)
            spot.register_with(*arns, port_open_to=balancer.security_group)
            spot.group.node.add_dependency(balancer.listener)
            self.output("Address", f"http://{balancer.address}/", "Where the load balancer answers, inside the VPC")
            self.output("ClientSecurityGroup", balancer.clients.security_group_id, "What a client must carry")
        elif arns:
            spot.register_with(*arns)
            group = network.security_group.security_group_id
            self.output("InstanceSecurityGroup", group, f"Let your load balancer reach port {APP_PORT} of it")
        return arns

    def _alarms(self, settings: SpotAsgSettings, metrics: SpotMetrics, interruptions: Interruptions) -> None:
        alarms = Alarms(self, "Alarms")
        alarms.when_above(
            "Interruptions",
            metrics.notices(INTERRUPTIONS),
            settings.alarm_interruptions,
            says=f"EC2 has interrupted more than {settings.alarm_interruptions} instances within five minutes",
        )
        alarms.when_above(
            "MissingInstances",
            metrics.missing,
            0,
            says=f"Desired instances are not in service for {MISSING_MINUTES} minutes",
            minutes=MISSING_MINUTES,
        )
        alarms.when_above(
            "ShortLivedInstances",
            metrics.notices(SHORT_LIVED, SHORT_LIVED_WINDOW),
            MOST_SHORT_LIVES,
            says=f"More than {MOST_SHORT_LIVES} instances have ended within minutes of their start",
        )
        alarms.when_above(
            "LostEvents",
            interruptions.lost.metric_approximate_number_of_messages_visible(
                period=metrics.minute, statistic=cloudwatch.Stats.MAXIMUM
            ),
            0,
            says="A Spot notice or a termination could not be handled",
        )
        alarms.on_errors(*interruptions.functions)
