"""What the steps of the scenario read: the stack in the embedded account, and the Gate on loopback."""

import json
import os
from typing import Any, Self

import yaml

from tryout.hosts.metadata import InstanceMetadata
from tryout.loaded import stacks
from tryout.scenario import Deployed, Scenario, StepFailedError
from tryout.scenarios.spinnaker_server_groups.clouddriver import Spinnaker
from tryout.scenarios.spinnaker_server_groups.gate import LoopbackGate
from tryout.scenarios.spinnaker_server_groups.user_data import reads_files

Json = dict[str, Any]

TAG = "immutable_metadata"
TOKEN = "spk_of_the_try_out"  # noqa: S105 - of the Gate on loopback


class EmbeddedAccount:
    """The embedded account, as Spinnaker's caches would have it."""

    def __init__(self, deployed: Deployed) -> None:
        self._ec2, self._iam = deployed.client("ec2"), deployed.client("iam")
        self._outputs = deployed.outputs
        self.account, self.region = str(deployed.settings.account_name), deployed.aws.region

    def subnets(self, purpose: str) -> list[tuple[str, str]]:
        """VPC and zone of each subnet with the purpose in its tag; every tag must be JSON, or none is found."""
        found = self._ec2.describe_subnets(Filters=[{"Name": "tag-key", "Values": [TAG]}])["Subnets"]
        return [(each["VpcId"], each["AvailabilityZone"]) for each in found if self._purpose(each) == purpose]

    def security_groups(self) -> dict[str, tuple[str, str]]:
        """Name and VPC of each security group, by its id."""
        found = self._ec2.describe_security_groups()["SecurityGroups"]
        return {each["GroupId"]: (each["GroupName"], each["VpcId"]) for each in found}

    def instance_profiles(self) -> set[str]:
        """Names of the instance profiles."""
        return {each["InstanceProfileName"] for each in self._iam.list_instance_profiles()["InstanceProfiles"]}

    def key_pairs(self) -> set[str]:
        """Names of the key pairs."""
        return {each["KeyName"] for each in self._ec2.describe_key_pairs()["KeyPairs"]}

    def images(self) -> set[str]:
        """The image of the stack."""
        return {self._outputs["ImageId"]}

    @staticmethod
    def _purpose(subnet: Json) -> str:
        (value,) = [tag["Value"] for tag in subnet["Tags"] if tag["Key"] == TAG]
        return str(json.loads(value)["purpose"])


class SpinnakerServerGroupsLooks(Scenario):
    """The stack, the Gate, and the command between them."""

    def __init__(self, deployed: Deployed, variant: str) -> None:
        super().__init__(deployed, variant)
        self.spinnaker = Spinnaker(EmbeddedAccount(deployed), files=reads_files())
        self.gate = LoopbackGate(self.spinnaker, token=TOKEN, login="redirect")
        self.gate.statuses = []
        self.ec2, self.autoscaling = deployed.client("ec2"), deployed.client("autoscaling")
        self.elb = deployed.client("elbv2")

    def __enter__(self) -> Self:
        """Starts the Gate."""
        self.gate.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        """Stops the Gate."""
        self.gate.__exit__()

    def _command(self, *words: str, token: str | None = TOKEN) -> tuple[int, str, str]:
        """Status and output of ``python -m stacks spinnaker_server_groups``, with the Gate's address configured."""
        config = yaml.safe_load(self.deployed.trial.config.read_text(encoding="utf-8"))
        config["solutions"][self.deployed.trial.slug]["gate_url"] = self.gate.url
        file = self.deployed.folder / "with-gate.yaml"
        file.write_text(yaml.safe_dump(config), encoding="utf-8")
        environment = self.deployed.aws.environment() | ({"SPINNAKER_TOKEN": token} if token else {})
        done = stacks((self.deployed.trial.slug, *words, "--config", str(file)), environment)
        return done.returncode, done.stdout, done.stderr

    def _posted(self, *words: str) -> str:
        """The output of a command that must succeed."""
        status, out, err = self._command("post", *words)
        if status:
            raise StepFailedError(f"post {' '.join(words)} ended with {status}: {err.strip()[-300:]}")
        return out

    def _bodies(self, action: str, *words: str) -> list[Json]:
        found: list[Json] = self.deployed.command("bodies", action, *words)
        return found

    def _group(self) -> Json:
        name = self.deployed.outputs["GroupName"]
        found = self.autoscaling.describe_auto_scaling_groups(AutoScalingGroupNames=[name])["AutoScalingGroups"]
        return dict(found[0])

    def _boot_environment(self, metadata: InstanceMetadata) -> dict[str, str]:
        """The environment of the user data: its instance's metadata, and this machine's programs."""
        kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
        return kept | metadata.environment()
