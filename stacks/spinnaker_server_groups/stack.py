"""A diversified, cost-optimized server group, and what Spinnaker needs to create its own.

Post: https://aws.amazon.com/blogs/compute/building-diversified-and-cost-optimized-ec2-server-groups-in-spinnaker/
"""

from aws_cdk import Fn
from aws_cdk import aws_iam as iam
from constructs import Construct

from config.models import CommonSettings
from stacks.series import Solution
from stacks.shared.alarms import Alarms
from stacks.shared.launch_template import amazon_linux
from stacks.shared.solution import SolutionStack
from stacks.spinnaker_server_groups.alarms import watch_group, watch_host
from stacks.spinnaker_server_groups.host import SpinnakerHost
from stacks.spinnaker_server_groups.native import NativeServerGroup
from stacks.spinnaker_server_groups.network import SpinnakerNetwork
from stacks.spinnaker_server_groups.settings import SpinnakerServerGroupsSettings


class SpinnakerServerGroupsStack(SolutionStack):
    """The network, the base role, the native server group and, by setting, a Spinnaker host."""

    def __init__(
        self,
        scope: Construct,
        solution: Solution,
        common: CommonSettings,
        settings: SpinnakerServerGroupsSettings,
    ) -> None:
        super().__init__(scope, solution, common)
        network = SpinnakerNetwork(self, "Network", settings)
        base_role = iam.Role(
            self,
            "BaseRole",
            assumed_by=iam.ServicePrincipal("ec2.amazonaws.com"),
            description="Role of the server groups' instances; without permissions until your application needs some",
        )
        profile = iam.InstanceProfile(self, "Profile", role=base_role)
        alarms = Alarms(self, "Alarms") if settings.native_group or settings.host else None
        if alarms and settings.native_group:
            native = NativeServerGroup(self, "Native", settings, network, base_role=base_role)
            watch_group(alarms, native)
            self.output("GroupName", native.group.auto_scaling_group_name, "Auto Scaling group of this stack")
            address = f"http://{native.balancer.load_balancer_dns_name}/"
            self.output("Address", address, "Address of the demo page, for those whom allowed_cidrs admits")
        if alarms and settings.host:
            host = SpinnakerHost(
                self, "Host", settings, settings.host, network, base_role=base_role, base_profile=profile
            )
            watch_host(alarms, host.instance.ref)
            host.write_outputs(self)
        self._outputs_of_the_place(settings, network, profile)

    def _outputs_of_the_place(
        self, settings: SpinnakerServerGroupsSettings, network: SpinnakerNetwork, profile: iam.InstanceProfile
    ) -> None:
        """What the request bodies need besides the settings; `bodies` and `post` read these outputs."""
        image = amazon_linux(self, settings.architecture).get_image(self)
        self.output("VpcId", network.vpc.vpc_id, "VPC of the server groups")
        self.output("PrivateSubnets", Fn.join(",", network.private.ids), "Subnets of the server groups")
        self.output(
            "LoadBalancerGroup", network.load_balancer_group.security_group_id, "Security group of the load balancers"
        )
        self.output("InstanceGroup", network.instance_group.security_group_id, "Security group of the server groups")
        self.output("BaseProfile", profile.instance_profile_name, "Instance profile of the server groups")
        self.output("ImageId", image.image_id, "Amazon Linux 2023 image, from common.linux_images or the newest")
