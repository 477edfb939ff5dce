"""Hosts that boot while a deployment waits: the instance's work from its launch to its signal."""

import base64
import json
import shlex
import sys
import tempfile
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from emulator.client import EmbeddedAws
from stacks.game_streaming.contract import DATA_DEVICE, READY
from tryout.hosts.metadata import InstanceMetadata
from tryout.scenarios.game_streaming.machine import Machine, Run

LOOK_SECONDS = 0.3
STACK = "game-streaming"


class Booting(threading.Thread):
    """Looks for a stack that waits for its appliance, and boots its instance once.

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
                instance = self._waiting()
                if instance and instance not in self.machines:
                    self._boot(instance)
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

    def environment(self, instance: str) -> Mapping[str, str]:
        """The environment in which a program calls AWS with the instance's role only."""
        metadata = InstanceMetadata(instance, self._aws.client)
        metadata.start()
        self._metadata.append(metadata)
        role = metadata.value("meta-data/iam/security-credentials/")
        credentials = json.loads(metadata.value(f"meta-data/iam/security-credentials/{role}") or "{}")
        return {
            **self._aws.environment({}),
            **metadata.environment(),
            "AWS_ACCESS_KEY_ID": credentials["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": credentials["SecretAccessKey"],
            "AWS_SESSION_TOKEN": credentials["Token"],
        }

    def _waiting(self) -> str | None:
        """The instance of a stack whose wait condition is pending."""
        formation = self._aws.client("cloudformation")
        for stack in formation.describe_stacks()["Stacks"]:
            if stack["StackName"].endswith(STACK) and stack["StackStatus"].endswith("_IN_PROGRESS"):
                found = formation.describe_stack_resources(StackName=stack["StackName"])["StackResources"]
                by_type = {one["ResourceType"]: one for one in found}
                instance = by_type.get("AWS::EC2::Instance", {}).get("PhysicalResourceId")
                done = by_type.get("AWS::CloudFormation::WaitCondition", {}).get("ResourceStatus")
                if instance and done != "CREATE_COMPLETE":
                    return str(instance)
        return None

    def _boot(self, instance: str) -> None:
        cli = shlex.quote(str(Path(sys.executable).with_name("aws")))
        root = Path(self._folder.name) / instance
        machine = Machine(root, aws=f'exec {cli} "$@"', variables=self.environment(instance))
        self.machines[instance] = machine
        machine.attach_disk(self._data_volume(instance))
        self.runs[instance] = [machine.run(self._user_data(instance)), *machine.boot()]

    def _data_volume(self, instance: str) -> str:
        filters = [{"Name": "attachment.instance-id", "Values": [instance]}]
        volumes = self._aws.client("ec2").describe_volumes(Filters=filters)["Volumes"]
        found = [one["VolumeId"] for one in volumes if one["Attachments"][0]["Device"] == DATA_DEVICE]
        return str(found[0])

    def _user_data(self, instance: str) -> str:
        """The user data in the version of the launch template that the instance was launched from."""
        ec2 = self._aws.client("ec2")
        for template in ec2.describe_launch_templates()["LaunchTemplates"]:
            versions = ec2.describe_launch_template_versions(
                LaunchTemplateId=template["LaunchTemplateId"], Versions=["1"]
            )
            data: dict[str, Any] = versions["LaunchTemplateVersions"][0]["LaunchTemplateData"]
            text = base64.b64decode(data.get("UserData", "")).decode()
            if READY in text:
                return text
        raise LookupError(f"no launch template is that of {instance}")
