"""Instances of a group as real processes: the delivered user data boots them, the delivered unit starts them."""

import base64
import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from typing import Any, Self

from emulator.settings import FULL_MODEL
from tryout.deployed import Deployed
from tryout.hosts.metadata import InstanceMetadata
from tryout.hosts.user_data import Boot, Sandbox, Service
from tryout.steps import StepFailedError


def boot(deployed: Deployed, launch_template_id: str, instance_id: str) -> Boot:
    """Runs the user data of the newest version of a launch template, with the rights of the instance's role.

    Raises:
        StepFailedError: the user data ended with another status than 0.
    """
    versions = deployed.client("ec2").describe_launch_template_versions(
        LaunchTemplateId=launch_template_id, Versions=["$Latest"]
    )
    data = versions["LaunchTemplateVersions"][0]["LaunchTemplateData"]
    user_data = base64.b64decode(data["UserData"]).decode()
    metadata = InstanceMetadata(instance_id, deployed.client)
    role = metadata.value("meta-data/iam/security-credentials/")
    credentials = json.loads(metadata.value(f"meta-data/iam/security-credentials/{role}") or "{}")
    environment = deployed.aws.environment() | {
        "AWS_ACCESS_KEY_ID": credentials["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": credentials["SecretAccessKey"],
        "AWS_SESSION_TOKEN": credentials["Token"],
    }
    done = Sandbox(deployed.folder / "disk").run(user_data, environment)
    if done.status != 0:
        raise StepFailedError(f"the user data ended with {done.status}: {done.output[-300:]}")
    return done


class WorkerProcess:
    """The service of one instance: its credentials, its identity and its fate come from the instance's own metadata.

    Attributes:
        instance_id: the instance that it stands for.
        metadata: the instance's metadata service.
    """

    def __init__(self, deployed: Deployed, instance_id: str, service: Service, **variables: str) -> None:
        self.instance_id = instance_id
        self.metadata = InstanceMetadata(instance_id, deployed.client)
        self.metadata.start()
        self._log = deployed.folder / f"{instance_id}.jsonl"
        # No credentials but the role's, and no packages but the delivered ones.
        inherited = {
            name: value
            for name, value in deployed.aws.environment().items()
            if name not in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "PYTHONPATH")
        }
        judged = {"PYTHONPATH": str(FULL_MODEL)}  # its calls, by the whole service model; there is no package in it
        environment = inherited | judged | self.metadata.environment() | service.environment | variables
        program, *arguments = service.command
        alone = ["-s"] if program == sys.executable else []
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [program, *alone, *arguments], env=environment, stdout=log, stderr=subprocess.STDOUT
            )

    def events(self, kind: str | None = None) -> list[dict[str, Any]]:
        """What the worker has logged so far, oldest first; only one kind if named."""
        return [event for event in self._events() if kind in (None, event["event"])]

    @property
    def alive(self) -> bool:
        """Whether the process runs."""
        return self._process.poll() is None

    @property
    def exit_status(self) -> int | None:
        """The process's exit status, None while it runs."""
        return self._process.poll()

    def kill(self) -> None:
        """Ends it as a power failure would: SIGKILL, no farewell."""
        self._process.kill()
        self._process.wait()

    def stop(self) -> None:
        """Ends it and its metadata service. Doing it twice does no harm."""
        if self.alive:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()
        self.metadata.stop()

    def tail(self) -> str:
        """The end of its log."""
        return self._log.read_text(encoding="utf-8", errors="replace")[-300:]

    def _events(self) -> Iterator[dict[str, Any]]:
        for line in self._log.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("{") and line.endswith("}"):
                yield json.loads(line)


class Fleet:
    """The worker processes of a scenario; ends them all at the end."""

    def __init__(self, deployed: Deployed) -> None:
        self._deployed = deployed
        self.workers: list[WorkerProcess] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self, instance_id: str, service: Service, **variables: str) -> WorkerProcess:
        """Starts the service of one more instance."""
        worker = WorkerProcess(self._deployed, instance_id, service, **variables)
        self.workers.append(worker)
        return worker

    def events(self, kind: str) -> list[dict[str, Any]]:
        """What all workers have logged of one kind."""
        return [event for worker in self.workers for event in worker.events(kind)]

    def stop(self) -> None:
        """Ends every worker."""
        for worker in self.workers:
            worker.stop()
