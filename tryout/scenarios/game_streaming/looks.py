"""What the scenario's steps share: run documents on the host, let Idle look, make games."""

import json
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

from tryout.scenario import Deployed, Scenario, expect
from tryout.scenarios.game_streaming.booting import Booting
from tryout.scenarios.game_streaming.machine import Machine, Run
from tryout.waits import wait_until

MANIFEST = """name: rocks
video-encoder: gpu
resources: {cpus: 4, memory: 6GB, disk-size: 10GB, gpu-slots: 4}
"""


class GameStreamingLooks(Scenario):
    """The stack, and the host that represents its instance."""

    booting: ClassVar[Booting]

    def __init__(self, deployed: Deployed, variant: str) -> None:
        super().__init__(deployed, variant)
        self.ec2, self.ssm = deployed.client("ec2"), deployed.client("ssm")
        self.secrets = deployed.client("secretsmanager")
        self.instance = deployed.outputs["InstanceId"]
        self.looked = 0

    @classmethod
    def fault(cls) -> Exception | None:
        """Of the hosts that boot, once they may."""
        booting: Booting | None = getattr(cls, "booting", None)
        return booting.fault if booting else None

    def __exit__(self, *_: object) -> None:
        """Stops the hosts."""
        self.booting.end()

    @property
    def machine(self) -> Machine:
        """The machine that represents the instance."""
        wait_until("the end of the boot", lambda: bool(self.booting.fault) or self.instance in self.booting.runs)
        if self.booting.fault:
            raise RuntimeError(f"beside the deployment: {self.booting.fault}") from self.booting.fault
        return self.booting.machines[self.instance]

    def _run(self, operation: str, **parameters: str) -> Run:
        """Runs the deployed document on the machine, as the SSM Agent does."""
        content = json.loads(self.ssm.get_document(Name=self.deployed.outputs[f"{operation}Document"])["Content"])
        script = "\n".join(content["mainSteps"][0]["inputs"]["runCommand"])
        for name, value in parameters.items():
            script = script.replace(f"{{{{ {name} }}}}", value)
        return self.machine.run(script, **dict(self.booting.environment(self.instance)))

    def _described(self) -> dict[str, Any]:
        found = self.ec2.describe_instances(InstanceIds=[self.instance])["Reservations"][0]["Instances"][0]
        return dict(found)

    def _secret_of(self, client: str) -> str:
        named = dict(each.split(" ", 1) for each in self.deployed.outputs["GatewayTokenSecrets"].split("; "))
        return named[client]

    def _game(self, name: str, library: str) -> Path:
        folder = self.deployed.folder / name
        folder.mkdir()
        (folder / "manifest.yaml").write_text(MANIFEST, encoding="utf-8")
        with zipfile.ZipFile(folder / "game.apk", "w") as archive:
            archive.writestr("AndroidManifest.xml", "x")
            archive.writestr(library, "x")
        return folder

    def _last_look(self) -> str:
        """Runs the instance's own check, once for each command in Systems Manager."""
        commands = self.ssm.list_commands(InstanceId=self.instance)["Commands"]
        document = self.deployed.outputs["IdleDocument"]
        asked = sum(command["DocumentName"] == document for command in commands)
        expect(asked == self.looked + 1, f"asked {asked} times, looked {self.looked} times")
        self.looked = asked
        run = self._run("Idle")
        expect(run.status == 0, run.output[-300:])
        return run.output.split(":")[0]

    def _idle(self) -> str:
        return str(self.deployed.invoke("IdleFunction")["verdict"])


def zeros(minutes: int) -> list[dict[str, Any]]:
    """Reports of this many minutes without a game."""
    now = datetime.now(UTC).replace(second=0, microsecond=0)
    return [
        {"MetricName": name, "Value": 0.0, "Timestamp": now - timedelta(minutes=minute)}
        for name in ("RegularInstances", "BaseInstances")
        for minute in range(minutes)
    ]
