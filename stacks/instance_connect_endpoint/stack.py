"""SSH and RDP to private instances through an EC2 Instance Connect Endpoint.

Post:
https://aws.amazon.com/blogs/compute/secure-connectivity-from-public-to-private-introducing-ec2-instance-connect-endpoint-june-13-2023/
"""

from aws_cdk import aws_ec2 as ec2
from constructs import Construct

from config.models import CommonSettings
from stacks.instance_connect_endpoint.demo import LINUX_GIB, WINDOWS_GIB, DemoInstance
from stacks.instance_connect_endpoint.network import PrivateNetwork
from stacks.instance_connect_endpoint.new_trail import NewTrail
from stacks.instance_connect_endpoint.paste import Paste
from stacks.instance_connect_endpoint.policies import Policies
from stacks.instance_connect_endpoint.settings import InstanceConnectEndpointSettings
from stacks.instance_connect_endpoint.tunnel_log import TunnelLog
from stacks.series import Solution
from stacks.shared.guard import Guard
from stacks.shared.launch_template import amazon_linux
from stacks.shared.solution import SolutionStack

TWO_STEPS = (
    "A VPC has one endpoint at most, so that CloudFormation cannot make the new one before it deletes the old one. "
    "Do it in two deployments: first with endpoint: false and nothing else changed, then with endpoint: true and "
    "your change. Into another VPC: accept_endpoint_replacement: true."
)


class InstanceConnectEndpointStack(SolutionStack):
    """Network, endpoint, policies, and instances to connect to."""

    def __init__(
        self,
        scope: Construct,
        solution: Solution,
        common: CommonSettings,
        settings: InstanceConnectEndpointSettings,
    ) -> None:
        super().__init__(scope, solution, common)
        network = PrivateNetwork(self, "Network", settings)
        endpoint = self._endpoint(settings, network) if settings.endpoint else None
        policies = Policies(self, "Policies", settings, network=network, endpoint=endpoint)
        linux = self._linux(settings, network)
        windows, key_pair = self._windows(settings, network)
        if settings.trail:
            log = TunnelLog(self, "TunnelLog", settings, endpoint_id=endpoint.attr_id if endpoint else None)
            self.output("TunnelQuery", log.query_name, "Saved query of CloudWatch Logs Insights: who connected")
            self.output(
                "TunnelLogGroup", log.log_group.log_group_name, "Every attempt at a tunnel, as CloudTrail has it"
            )
        if settings.trail == "create":
            NewTrail(self, "NewTrail")
        self.output("InstanceGroupId", network.instance_group.security_group_id, "Give your instances this group")
        self.output("EndpointGroupId", network.endpoint_group.security_group_id, "Security group of the endpoint")
        self.output(
            "ControlPlanePolicyArn",
            policies.control_plane.managed_policy_arn,
            "Attach it to administrators of the endpoint",
        )
        self.output("DataPlanePolicyArn", policies.data_plane.managed_policy_arn, "Attach it to users who connect")
        if linux:
            self.output("LinuxInstanceId", linux.instance_id, "The private Linux instance")
        if windows:
            self.output("WindowsInstanceId", windows.instance_id, "The private Windows instance")
        if windows and key_pair:
            password = policies.read_password(windows.instance_id, key_pair)
            self.output(
                "WindowsPasswordPolicyArn", password.managed_policy_arn, "Attach it to users who run WindowsPassword"
            )
        if endpoint:
            self.output("EndpointId", endpoint.attr_id, "The endpoint")
            Paste(self, settings, endpoint_id=endpoint.attr_id).write(linux, windows, key_pair)

    def _endpoint(
        self, settings: InstanceConnectEndpointSettings, network: PrivateNetwork
    ) -> ec2.CfnInstanceConnectEndpoint:
        """The endpoint, L1 as the CDK has no other, and the guard that is asked before it."""
        groups = [network.endpoint_group.security_group_id]
        endpoint = ec2.CfnInstanceConnectEndpoint(
            self,
            "Endpoint",
            subnet_id=network.subnet_id,
            security_group_ids=groups,
            preserve_client_ip=settings.preserve_client_ip,
        )
        Guard(
            self,
            "EndpointGuard",
            of=endpoint,
            subject="the endpoint",
            # All that replaces it: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-resource-ec2-instanceconnectendpoint.html
            guarded={
                "SubnetId": network.subnet_id,
                "SecurityGroupIds": groups,
                "PreserveClientIp": settings.preserve_client_ip,
            },
            way=TWO_STEPS,
            accepted=settings.accept_endpoint_replacement,
        )
        return endpoint

    def _linux(self, settings: InstanceConnectEndpointSettings, network: PrivateNetwork) -> DemoInstance | None:
        if settings.linux_instance_type is None:
            return None
        return DemoInstance(
            self,
            "Linux",
            network=network,
            instance_type=settings.linux_instance_type,
            # It comes with EC2 Instance Connect, which takes the keys that people push from the metadata service alone:
            # https://github.com/aws/aws-ec2-instance-connect-config/blob/master/src/bin/eic_curl_authorized_keys
            image=amazon_linux(self, settings.linux_architecture),
            device="/dev/xvda",
            volume_gib=LINUX_GIB,
            tag=settings.instance_tag,
        )

    def _windows(
        self, settings: InstanceConnectEndpointSettings, network: PrivateNetwork
    ) -> tuple[DemoInstance | None, ec2.KeyPair | None]:
        if settings.windows_instance_type is None:
            return None, None
        # RSA: EC2 encrypts the password of Windows with no other. The private key goes to SSM, and with the stack.
        key_pair = ec2.KeyPair(self, "WindowsKey", type=ec2.KeyPairType.RSA)
        windows = DemoInstance(
            self,
            "Windows",
            network=network,
            instance_type=settings.windows_instance_type,
            image=ec2.MachineImage.latest_windows(ec2.WindowsVersion.WINDOWS_SERVER_2022_ENGLISH_FULL_BASE),
            device="/dev/sda1",
            volume_gib=WINDOWS_GIB,
            tag=settings.instance_tag,
            key_pair=key_pair,
        )
        return windows, key_pair
