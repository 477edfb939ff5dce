"""A host whose AWS CLI notes down what it was asked, and answers what the scripts need."""

import itertools
import json
import re
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from stacks.game_streaming.host import DATA_DEVICE, READY, USER_DATA
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
      case $word in file://*) { cat "${word#file://}"; echo; } >>"$ROOT/run/secret.values" ;; esac
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
SETTINGS = {
    "FILES_URI": "s3://assets/files.zip", "REGION": "eu-central-1", "STACK": "arn:of:the:stack", "LOGICAL_ID": READY,
    "PUBLIC_ADDRESS": "192.0.2.1", "DOMAIN": "", "DATA_DEVICE": DATA_DEVICE, "PRO_SECRET": "ubuntu-pro-token",
    "CHANNEL": "1.30/stable", "DRIVER_SERIES": "580", "OIDC_ISSUER": "", "OIDC_CLIENT_ID": "", "OIDC_AUDIENCE": "",
    "NAMESPACE": "game-streaming",
}  # fmt: skip


@dataclass
class Host:
    """A machine and what its AWS CLI was asked."""

    machine: Machine

    def aws(self, *words: str) -> list[list[str]]:
        """The calls that begin so."""
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
        """Runs a document as the SSM Agent does, after it has checked the patterns."""
        chosen = OPERATIONS[operation]
        for name, value in parameters.items():
            assert re.fullmatch(chosen.parameters[name].pattern, value), f"{name} is refused"
        text = "\n".join(lines(chosen, registration_secret="arn:link", token_secret="arn:token", bucket="bucket"))
        for name, value in parameters.items():
            text = text.replace(f"{{{{ {name} }}}}", value)
        assert "{{" not in text and "@" not in re.findall(r"@[A-Z_]+@", text)
        return self.machine.run(text)

    def secrets(self) -> list[str]:
        """What was put into secrets."""
        file = self.machine.root / "run/secret.values"
        return file.read_text().splitlines() if file.exists() else []


@pytest.fixture
def host(tmp_path: Path) -> Host:
    """A host before its first boot."""
    return made(tmp_path)


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


@pytest.fixture
def game(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Makes the folder of a game."""

    def make(manifest: str = MANIFEST, *entries: str, apk: str = "app.apk") -> Path:
        folder = tmp_path_factory.mktemp("game")
        (folder / "manifest.yaml").write_text(manifest)
        with zipfile.ZipFile(folder / apk, "w") as archive:
            for entry in ("AndroidManifest.xml", *(entries or ("lib/arm64-v8a/libgame.so",))):
                archive.writestr(entry, "x")
        return folder

    return make


MANIFEST = """name: genshin
video-encoder: gpu
resources:
  cpus: 10
  memory: 25GB
  disk-size: 40GB
  gpu-slots: 15
features: [enable_virtual_keyboard]
"""
