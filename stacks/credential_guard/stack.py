"""Credential Guard on Windows instances: turned on, kept on and audited by Systems Manager.

Post: https://aws.amazon.com/blogs/compute/enabling-microsoft-defender-credential-guard-on-amazon-ec2/
"""

from constructs import Construct

from config.models import CommonSettings
from stacks.credential_guard.hosts import Hosts
from stacks.credential_guard.instance import RDP, WindowsInstance
from stacks.credential_guard.settings import CredentialGuardSettings
from stacks.credential_guard.watch import Watch
from stacks.series import Solution
from stacks.shared.solution import SolutionStack


class CredentialGuardStack(SolutionStack):
    """Associations on tagged hosts, the function that watches their reports and, by setting, a host."""

    def __init__(
        self, scope: Construct, solution: Solution, common: CommonSettings, settings: CredentialGuardSettings
    ) -> None:
        super().__init__(scope, solution, common)
        hosts = Hosts(self, "Hosts", settings)
        watch = Watch(self, "Watching", settings)
        region, tag = f"--region {self.region}", settings.tag
        if settings.instance_type:
            self._instance(WindowsInstance(self, "Windows", settings), region)
        self.output(
            "JoinHost",
            f"aws ec2 create-tags {region} --resources INSTANCE_ID --tags 'Key={tag.key},Value={tag.value}'",
            "Adds an instance of yours to the hosts",
        )
        for name, association in (("Apply", hosts.apply_id), ("Audit", hosts.audit_id)):
            self.output(f"{name}AssociationId", association, f"Association that runs the {name.lower()}")
            self.output(
                f"{name}Now",
                f"aws ssm start-associations-once {region} --association-ids {association}",
                f"Runs the {name.lower()} on all hosts now",
            )
        self.output("WatchFunction", watch.function.function_name, "Counts the hosts that run Credential Guard")
        self.output("MetricNamespace", watch.namespace, "Namespace of its metrics")

    def _instance(self, windows: WindowsInstance, region: str) -> None:
        self.output("InstanceId", windows.instance_id, "Windows instance")
        if windows.endpoint:
            self.output("EndpointId", windows.endpoint.attr_id, "EC2 Instance Connect Endpoint")
            command = (
                f"aws ec2-instance-connect open-tunnel {region} --instance-id {windows.instance_id} "
                f"--instance-connect-endpoint-id {windows.endpoint.attr_id} --remote-port {RDP} --local-port 13389"
            )
        else:
            command = (
                f"aws ssm start-session {region} --target {windows.instance_id} "
                "--document-name AWS-StartPortForwardingSession "
                f"--parameters 'portNumber={RDP},localPortNumber=13389'"
            )
        self.output("Rdp", command, "Opens the tunnel; then connect Remote Desktop to localhost:13389")
