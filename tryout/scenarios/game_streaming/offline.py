"""A host without AWS: its CLI is a stand-in that records calls and answers what the scripts need."""

import itertools
import json
import re
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stacks.game_streaming.contract import DATA_DEVICE, READY, USER_DATA
from stacks.game_streaming.script import OPERATIONS, lines
from stacks.shared.filled import filled
from tryout.scenarios.game_streaming.machine import TOKEN, Machine, Run

VOLUME = "vol-0123456789abcdef0"
VOLUMES = {"Volumes": [
    {"VolumeId": "vol-00000000000000001", "Attachments": [{"Device": "/dev/sda1"}]},
    {"VolumeId": VOLUME, "Attachments": [{"Device": DATA_DEVICE}]},
]}  # fmt: skip
AWS = """
printf '%s\\037' "$@" >>"$ROOT/aws.calls"; echo >>"$ROOT/aws.calls"
case "$1 $2" in
  'ec2 describe-volumes') cat "$ROOT/volumes.json" ;;
  'secretsmanager get-secret-value') echo "$TOKEN" ;;
  'secretsmanager put-secret-value')
    for word in "$@"; do
      case $word in
        arn:*) printf '%s ' "$word" >>"$ROOT/run/secret.values" ;;
        file://*) { cat "${word#file://}"; echo; } >>"$ROOT/run/secret.values" ;;
      esac
    done
    printf 'arn:of:the:secret\\tversion-1\\n' ;;
  's3 cp') cp "$ROOT/bucket/$(basename "$3")" "$4" ;;
esac
"""
CURL = """
for word in "$@"; do address=$word; done
case $address in
  */api/token) echo token ;;
  */instance-id) printf i-0123456789abcdef0 ;;
  */local-ipv4) printf 10.0.0.7 ;;
  *) exit 22 ;;
esac
"""
TOKENS = {"client-1": "arn:token", "client-2": "arn:other"}
SETTINGS = {
    "FILES_URI": "s3://assets/files.zip", "REGION": "eu-central-1", "STACK": "arn:of:the:stack", "LOGICAL_ID": READY,
    "PUBLIC_ADDRESS": "192.0.2.1", "DOMAIN": "", "DATA_DEVICE": DATA_DEVICE, "PRO_SECRET": "ubuntu-pro-token",
    "CHANNEL": "1.30/stable", "DRIVER_SERIES": "580", "OIDC_ISSUER": "", "OIDC_CLIENT_ID": "", "OIDC_AUDIENCE": "",
    "NAMESPACE": "game-streaming",
}  # fmt: skip


@dataclass
class Host:
    """A machine and the calls of its AWS CLI."""

    machine: Machine

    def aws(self, *words: str) -> list[list[str]]:
        """The calls that begin with these words."""
        file = self.machine.root / "aws.calls"
        calls = [line.split("\x1f")[:-1] for line in file.read_text().splitlines()] if file.exists() else []
        return [call for call in calls if call[: len(words)] == list(words)]

    def signals(self) -> list[tuple[str, str]]:
        """Status and stage of each signal."""
        found = [dict(itertools.pairwise(call)) for call in self.aws("cloudformation", "signal-resource")]
        return [(call["--status"], call["--unique-id"].removeprefix("i-0123456789abcdef0-")) for call in found]

    def user_data(self, **changed: str) -> Run:
        """The first boot's user data."""
        return self.machine.run(filled(USER_DATA / "bootstrap.sh", **(SETTINGS | changed)))

    def installed(self, **knobs: Any) -> list[Run]:
        """User data, and the boots of the installation."""
        self.machine.set(**knobs)
        begun = self.user_data()
        assert begun.status == 0, begun.output
        return self.machine.boot()

    def document(self, operation: str, **parameters: str) -> Run:
        """Runs a document as SSM Agent does, after checking the patterns."""
        chosen = OPERATIONS[operation]
        for name, value in parameters.items():
            assert re.fullmatch(chosen.parameters[name].pattern, value), f"{name} is refused"
        text = "\n".join(lines(chosen, registration_secret="arn:link", token_secrets=TOKENS, bucket="bucket"))  # noqa: S106 - an ARN
        for name, value in parameters.items():
            text = text.replace(f"{{{{ {name} }}}}", value)
        assert "{{" not in text and "@" not in re.findall(r"@[A-Z_]+@", text)
        return self.machine.run(text)

    def secrets(self) -> list[str]:
        """What was written to secrets: ARN and value."""
        file = self.machine.root / "run/secret.values"
        return file.read_text().splitlines() if file.exists() else []


def made(root: Path) -> Host:
    """A host on a disk."""
    machine = Machine(root, aws=AWS, curl=CURL, variables={"TOKEN": TOKEN})
    (root / "volumes.json").write_text(json.dumps(VOLUMES))
    (root / "bucket").mkdir()
    with zipfile.ZipFile(root / "bucket/files.zip", "w") as archive:
        for file in sorted((USER_DATA / "host").iterdir()):
            archive.write(file, file.name)
    machine.attach_disk(VOLUME)
    return Host(machine)


def few_looks(host: Host) -> None:
    """Limits each wait to two attempts."""
    archive = host.machine.root / "bucket/files.zip"
    with zipfile.ZipFile(archive) as read:
        files = {name: read.read(name).decode() for name in read.namelist()}
    for attempts in (180, 90, 60):
        files["install.sh"] = files["install.sh"].replace(f"until_true {attempts} ", "until_true 2 ")
    with zipfile.ZipFile(archive, "w") as written:
        for name, text in files.items():
            written.writestr(name, text)


FAILURES: tuple[tuple[dict[str, Any], str, int, str], ...] = (
    ({"attach_ends": 1}, "attach", 1, "pro attach ended with 1"),
    ({"entitled": "no"}, "entitlement", 1, "does not entitle"),
    ({"empty_script": True}, "prepare", 1, "printed nothing"),
    ({"prepare_ends": [3]}, "prepare", 1, "could not be prepared: 3"),
    ({"prepare_ends": [6, 6]}, "prepare", 2, "after the reboot either"),
    ({"driver_version": "570.10"}, "driver", 2, "channel 1.30/stable needs 580"),
    ({"gpu": "NVIDIA T4"}, "driver", 2, "sees no T4G"),
    ({"nvidia_ends": 6}, "driver", 2, "nvidia-smi ended with 6"),
    ({"blank": False}, "init", 2, "is not blank"),
    ({"init_ends": 1}, "status", 2, "the appliance is not ready"),
    ({"image": "error", "image_after_sync": "error"}, "image", 2, "no image is active"),
    ({"gpu_slots": 0}, "node", 2, "no GPU slots"),
    ({"root_source": "@/dev/nvme1n1"}, "data-volume", 1, "is the root volume"),
)
"""Knobs of the stand-ins, the stage that fails, the number of boots until then, and what the log says."""
