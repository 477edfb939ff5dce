"""Commands to paste into a terminal with AWS CLI version 2, OpenSSH, and for RDP any client of it.

https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/connect-using-eice.html
"""

import shlex
from typing import TYPE_CHECKING

from stacks.instance_connect_endpoint.settings import InstanceConnectEndpointSettings

if TYPE_CHECKING:  # tests look at the commands without the CDK
    from aws_cdk import aws_ec2 as ec2

    from stacks.instance_connect_endpoint.demo import DemoInstance
    from stacks.shared.solution import SolutionStack

LOCAL_RDP_PORT = 13_389  # 3389 is taken on a machine that takes RDP itself
OF_YOURS = "INSTANCE_ID"


class Paste:
    """The outputs that connect. Where there is no demo instance they say INSTANCE_ID.

    Each names the endpoint, and how long the tunnel may last: a policy that allows less than an hour refuses a command
    that does not say so. ``ssh`` hands its own option on to ``open-tunnel``:
    https://github.com/aws/aws-cli/blob/v2/awscli/customizations/ec2instanceconnect/ssh.py
    """

    def __init__(self, stack: "SolutionStack", settings: InstanceConnectEndpointSettings, *, endpoint_id: str) -> None:
        self._stack = stack
        self._settings = settings
        self._connect = f"aws ec2-instance-connect %s --region {stack.region}"
        self._tunnel = (
            f"{self._connect % 'open-tunnel'} --instance-connect-endpoint-id {endpoint_id} "
            f"--max-tunnel-duration {settings.tunnel_seconds}"
        )
        self._endpoint_id = endpoint_id

    def write(
        self, linux: "DemoInstance | None", windows: "DemoInstance | None", key_pair: "ec2.KeyPair | None"
    ) -> None:
        """Writes those that the ports allow."""
        if 22 in self._settings.ports:
            self._ssh(linux.instance_id if linux else OF_YOURS)
        if 3389 in self._settings.ports:
            self._rdp(windows.instance_id if windows else OF_YOURS)
        if windows and key_pair:
            self._password(windows.instance_id, key_pair)

    def _ssh(self, instance_id: str) -> None:
        """The CLI hands maxTunnelDuration on to the tunnel: https://github.com/aws/aws-cli/tree/v2 (ssh.py)."""
        user = shlex.quote(self._settings.os_users[0])  # a name may end with a dollar sign
        self._stack.output(
            "Ssh",
            f"{self._connect % 'ssh'} --instance-id {instance_id} --os-user {user} --connection-type eice "
            f"--eice-options endpointId={self._endpoint_id},maxTunnelDuration={self._settings.tunnel_seconds}",
            "One click: makes a key, pushes it, connects (AWS CLI version 2)",
        )
        self._stack.output(
            "SshWithProxyCommand",
            f"{self._connect % 'send-ssh-public-key'} --instance-id {instance_id} --instance-os-user {user} "
            f"--ssh-public-key file://~/.ssh/id_ed25519.pub && ssh -i ~/.ssh/id_ed25519 {user}@{instance_id} "
            f"-o ProxyCommand='{self._tunnel} --instance-id %h'",
            "With your own key, which the instance takes for a minute, and your own ssh",
        )

    def _rdp(self, instance_id: str) -> None:
        self._stack.output(
            "Rdp",
            f"{self._tunnel} --instance-id {instance_id} --remote-port 3389 --local-port {LOCAL_RDP_PORT}",
            f"Then point your RDP client at localhost:{LOCAL_RDP_PORT}",
        )

    def _password(self, instance_id: str, key_pair: "ec2.KeyPair") -> None:
        region = self._stack.region
        self._stack.output(
            "WindowsPassword",
            f"(umask 077; aws ssm get-parameter --region {region} --name {key_pair.private_key.parameter_name} "
            f"--with-decryption --query Parameter.Value --output text > windows.pem) && "
            f"aws ec2 get-password-data --region {region} --instance-id {instance_id} --priv-launch-key windows.pem",
            "Password of Administrator, some minutes after the start",
        )
