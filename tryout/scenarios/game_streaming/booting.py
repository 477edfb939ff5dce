"""Hosts that boot while a deployment waits: the instance's work from its launch to its signal."""

import base64
import json
import tempfile
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from emulator.client import EmbeddedAws
from stacks.game_streaming.contract import DATA_DEVICE
from tryout.hosts.metadata import InstanceMetadata
from tryout.loaded import aws_cli
from tryout.scenarios.game_streaming.machine import Machine, Run

LOOK_SECONDS = 0.3
STACK = "game-streaming"
REGIONS = ("us-east-1", "eu-central-1")
"""Where a life deploys: the second is that of a stack in another Region."""


class Booting(threading.Thread):
    """Looks for stacks that wait for their appliance, and boots the instance of each once.

    Attributes:
        machines: the machine of each booted instance.
        runs: user data and boots of each, complete when the last boot has ended, which is after its signal.
        fault: the exception in this thread, if any.
    """

    def __init__(self, aws: EmbeddedAws) -> None:
        super().__init__(daemon=True)
        self._aws, self._ended = aws, threading.Event()
        self._folder = tempfile.TemporaryDirectory(prefix="games-")
        self._metadata: list[InstanceMetadata] = []
        self.machines: dict[str, Machine] = {}
        self.runs: dict[str, list[Run]] = {}
        self.fault: Exception | None = None

    def run(self) -> None:
        """Looks until it is stopped."""
        try:
            while not self._ended.wait(LOOK_SECONDS):
                for instance, region in self._waiting():
                    if instance not in self.machines:
                        self._boot(instance, region)
        except Exception as fault:
            # A thread cannot fail a step; the scenario reads the fault.
            self.fault = fault

    def end(self) -> None:
        """Stops the thread and the metadata of its machines."""
        self._ended.set()
        self.join()
        for metadata in self._metadata:
            metadata.stop()
        self._folder.cleanup()

    def environment(self, instance: str, region: str = "") -> Mapping[str, str]:
        """The environment in which a program calls AWS with the instance's role only."""
        region = region or self._aws.region
        metadata = InstanceMetadata(instance, lambda service: self._client(service, region))
        metadata.start()
        self._metadata.append(metadata)
        role = metadata.value("meta-data/iam/security-credentials/")
        credentials = json.loads(metadata.value(f"meta-data/iam/security-credentials/{role}") or "{}")
        return {
            **self._aws.environment({}),
            **metadata.environment(),
            "AWS_REGION": region,
            "AWS_DEFAULT_REGION": region,
            "AWS_ACCESS_KEY_ID": credentials["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": credentials["SecretAccessKey"],
            "AWS_SESSION_TOKEN": credentials["Token"],
        }

    def _client(self, service: str, region: str) -> Any:
        return self._aws.client(service, region_name=region)

    def _waiting(self) -> Iterator[tuple[str, str]]:
        """The instances of stacks whose wait condition is pending, each with its Region."""
        for region in REGIONS:
            formation = self._client("cloudformation", region)
            for stack in formation.describe_stacks()["Stacks"]:
                if not stack["StackName"].endswith(STACK) or not stack["StackStatus"].endswith("_IN_PROGRESS"):
                    continue
                # By its id, by which CloudFormation knows it after its end, too.
                found = formation.describe_stack_resources(StackName=stack["StackId"])["StackResources"]
                by_type = {one["ResourceType"]: one for one in found}
                instance = by_type.get("AWS::EC2::Instance", {}).get("PhysicalResourceId")
                done = by_type.get("AWS::CloudFormation::WaitCondition", {}).get("ResourceStatus")
                if instance and done != "CREATE_COMPLETE":
                    yield str(instance), region

    def _boot(self, instance: str, region: str) -> None:
        root, ec2 = Path(self._folder.name) / instance, self._client("ec2", region)
        machine = Machine(root, aws=aws_cli(), variables=self.environment(instance, region))
        self.machines[instance] = machine
        machine.attach_disk(_data_volume(ec2, instance))
        self.runs[instance] = [machine.run(_user_data(ec2, instance)), *machine.boot()]


def _data_volume(ec2: Any, instance: str) -> str:
    filters = [{"Name": "attachment.instance-id", "Values": [instance]}]
    volumes = ec2.describe_volumes(Filters=filters)["Volumes"]
    found = [one["VolumeId"] for one in volumes if one["Attachments"][0]["Device"] == DATA_DEVICE]
    return str(found[0])


def _user_data(ec2: Any, instance: str) -> str:
    """Of the instance itself: beside its launch template there may be those of other stacks."""
    found = ec2.describe_instance_attribute(InstanceId=instance, Attribute="userData")["UserData"]
    return base64.b64decode(found["Value"]).decode()
