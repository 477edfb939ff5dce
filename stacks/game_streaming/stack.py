"""Android games on Graviton with a GPU, streamed to phones by the Anbox Cloud Appliance.

Post: https://aws.amazon.com/blogs/compute/streaming-android-games-from-cloud-to-mobile-with-aws-graviton-based-amazon-ec2-g5g-instances/
"""

from constructs import Construct

from config.models import CommonSettings
from stacks.game_streaming.guards import CostGuards
from stacks.game_streaming.host import GameHost
from stacks.game_streaming.network import GameNetwork
from stacks.game_streaming.operations import Operations
from stacks.game_streaming.settings import GameStreamingSettings
from stacks.series import Solution
from stacks.shared.alarms import Alarms
from stacks.shared.solution import SolutionStack


class GameStreamingStack(SolutionStack):
    """A lasting address, the instance behind it, the documents to operate it, and the guards of its cost."""

    def __init__(
        self, scope: Construct, solution: Solution, common: CommonSettings, settings: GameStreamingSettings
    ) -> None:
        super().__init__(scope, solution, common)
        network = GameNetwork(self, "Network", settings)
        host = GameHost(self, "Host", settings, network) if settings.instance else None
        operations = Operations(self, "Operations", settings, host.role if host else None)
        place = settings.domain or network.address
        self.output("PublicAddress", network.address, "Elastic IP address; point your domain here")
        self.output("Dashboard", f"https://{place}/", "Dashboard for starting and streaming games")
        self.output("OidcRedirect", f"https://{place}/oidc/callback", "Redirect address of your provider's client")
        self.output("PackagesBucket", operations.bucket.bucket_name, "Bucket for packages of games")
        for name, secret in operations.secrets.items():
            self.output(f"{name}Secret", secret.ref, "Secret with the latest result of its command")
        if operations.tokens:
            tokens = "; ".join(f"{client} {secret.ref}" for client, secret in operations.tokens.items())
            self.output("GatewayTokenSecrets", tokens, "Secrets of the gateway's clients")
        for name, document in operations.documents.items():
            self.output(f"{name}Document", document, "Systems Manager document; see the README")
        if host:
            alarms = Alarms(self, "Alarms")
            CostGuards(self, "CostGuards", settings, host, alarms, last_look=operations.documents.get("Idle"))
            self._instance(host, settings)

    def _instance(self, host: GameHost, settings: GameStreamingSettings) -> None:
        region, instance = f"--region {self.region}", host.instance.ref
        self.output("InstanceId", instance, "Instance of the appliance")
        self.output(
            "Start", f"aws ec2 start-instances {region} --instance-ids {instance}", "Starts the instance after a stop"
        )
        self.output("Shell", f"aws ssm start-session {region} --target {instance}", "Opens a shell without SSH")
        installed = "; ".join(f"{key} {value}" for key, value in settings.installed.items())
        self.output("Installed", installed, "Settings that only a new instance can change")
