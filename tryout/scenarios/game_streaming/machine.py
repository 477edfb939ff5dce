"""An Ubuntu host for the delivered scripts: a folder for its disk, stand-ins for its programs, and its boots.

The scripts run for real, in bash. Their programs are ``stand_in.py``, except the AWS CLI and curl, which may be real.
"""

import atexit
import copy
import json
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from tryout.hosts.programs import search_path

Json = dict[str, Any]
HERE = Path(__file__).parent
PROGRAMS = (
    *("snap", "pro", "modprobe", "depmod", "systemctl", "findmnt", "blkid", "nvidia-smi", "node-prepare"),
    *("apt-mark", "dpkg-query", "shutdown"),
    *("anbox-cloud-appliance", "anbox-cloud-appliance.gateway", "anbox-cloud-appliance.amc"),
)
TOKEN = "C1abcdefghijklmnopqrstuvwxyz"  # noqa: S105 - of nobody
MOST_BOOTS = 5
FRESH: Json = {
    "token": TOKEN, "attached": False, "entitled": "yes", "service": "disabled", "attach_ends": 0,
    "snaps": {"amazon-ssm-agent": {"channel": "latest/stable", "held": False}},
    "prepare_ends": [], "prepared": 0, "empty_script": False, "kernel": "6.8.0-1", "modules": "", "driver": False,
    "driver_version": "580.95.05", "gpu": "NVIDIA T4G", "nvidia_ends": 0, "rebooted": False, "rebooting": False,
    "root_source": "/dev/nvme0n1p1", "blank": True, "preseed": {}, "init_ends": 0, "looks": 0, "image": "active",
    "image_after_sync": "active", "gpu_slots": 32, "reachable": True, "unschedulable": False,
    "instances": [], "games": {}, "images": {},
    "built": {}, "bootstrap_ends": "active", "memory_gib": 16, "accounts": {}, "tokens": 0, "identities": [],
    "packages": {}, "daily_work": 0, "lists_locked": 0, "timers": True, "powered_off": False,
    "calls": [], "undocumented": [],
}  # fmt: skip
CALL = """exec 3<>/dev/tcp/127.0.0.1/{port} || exit
printf '%s\\0' $(($# + 6)) {file} $$ $PPID "${{HOME:-}}" "${{AS_USER:-}}" {name} "$@" >&3
IFS= read -r -d '' status <&3 || exit
if [ "$status" = input ]; then
  printf '%s\\0' "$(base64)" >&3
  IFS= read -r -d '' status <&3 || exit
fi
IFS= read -r -d '' output <&3 && IFS= read -r -d '' complaints <&3 || exit
exec 3>&-
printf %s "$complaints" >&2
printf %s "$output"
exit "$status"
"""
"""A stand-in: its process is the one that the scripts start, with their files, and its answer is ``stand_in.py``'s."""


@cache
def stand_ins() -> int:
    """The port of what answers for the stand-ins; started once, and it ends with this process."""
    program = [sys.executable, "-m", "tryout.scenarios.game_streaming.stand_in"]
    server = subprocess.Popen(program, cwd=HERE.parents[2], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    atexit.register(server.communicate)
    assert server.stdout
    return int(server.stdout.readline())


@dataclass(frozen=True)
class Run:
    """A script's exit status and output."""

    status: int
    output: str


@dataclass
class Machine:
    """A host.

    Args:
        root: its disk.
        aws: shell commands for the AWS CLI; by default every call is recorded and answers nothing.
        variables: additional environment of every script, for a real AWS CLI.

    Attributes:
        boots: number of boots so far.
    """

    root: Path
    aws: str = ""
    curl: str = ""
    variables: Mapping[str, str] = field(default_factory=dict)
    boots: int = 0

    def __post_init__(self) -> None:
        self.bin = self.root / "stand-ins"
        for folder in (self.bin, self.root / "run", self.root / "root", self.root / "dev/disk/by-id"):
            folder.mkdir(parents=True, exist_ok=True)
        self.state = copy.deepcopy(FRESH)
        calls = {
            name: CALL.format(port=stand_ins(), file=shlex.quote(str(self._file)), name=name)
            for name in (*PROGRAMS, "python3")
        }
        for name in PROGRAMS:
            self.program(name, calls[name])
        # runuser -u ubuntu -- env NAME=VALUE COMMAND...
        self.program("runuser", '[ "$1 $2 $3" = "-u ubuntu --" ] || exit 64; shift 3; AS_USER=ubuntu exec "$@"')
        # With its standard library alone, which is all that the scripts may count on.
        real = f'exec {shlex.quote(sys.executable)} -I -S "$@"'
        self.program("python3", f'[ "${{1:-}}" = -c ] || {real}\nset -- "$(base64)" "$@"\n{calls["python3"]}')
        if self.aws:
            self.program("aws", self.aws)
        if self.curl:
            self.program("curl", self.curl)

    @property
    def _file(self) -> Path:
        return self.root / "state.json"

    @property
    def state(self) -> Json:
        """The stand-ins' state."""
        found: Json = json.loads(self._file.read_text(encoding="utf-8"))
        return found

    @state.setter
    def state(self, value: Json) -> None:
        self._file.write_text(json.dumps(value), encoding="utf-8")

    def set(self, **knobs: Any) -> None:
        """Changes a program's behaviour.

        Raises:
            KeyError: there is no such knob.
        """
        if unknown := set(knobs) - set(FRESH):
            raise KeyError(", ".join(sorted(unknown)))
        self.state = self.state | knobs

    def program(self, name: str, line: str) -> None:
        """Adds a program to the scripts' PATH."""
        file = self.bin / name
        file.write_text(f"#!/bin/bash\n{line}\n", encoding="utf-8")
        file.chmod(0o755)

    def attach_disk(self, volume: str) -> Path:
        """A volume that EC2 has attached appears under its id."""
        disk = self.root / "dev/nvme1n1"
        disk.touch()
        link = self.root / "dev/disk/by-id" / f"nvme-Amazon_Elastic_Block_Store_{volume.replace('-', '', 1)}"
        link.unlink(missing_ok=True)
        link.symlink_to(disk)
        return disk

    def run(self, script: str, **more: str) -> Run:
        """Runs a script like a root service without HOME, with root's PATH."""
        environment = {
            **self.variables,
            "PATH": f"{self.bin}{os.pathsep}{search_path()}",
            "ROOT": str(self.root),
            "PAUSE_SECONDS": "0",
            **more,
        }
        done = subprocess.run(
            ["bash", "-c", script],  # noqa: S607 - the machine's bash, wherever it is
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=300,
            check=False,
        )
        return Run(done.returncode, done.stdout)

    def boot(self, **more: str) -> list[Run]:
        """Boots, and reboots as often as the scripts request; each boot empties /run and removes nouveau."""
        runs: list[Run] = []
        while not runs or self.state["rebooting"]:
            if len(runs) == MOST_BOOTS:
                raise RuntimeError("it does not stop rebooting")
            if self.boots:
                shutil.rmtree(self.root / "run")
                (self.root / "run").mkdir()
                self.set(rebooted=True, rebooting=False, powered_off=False, timers=True)
            self.boots += 1
            runs.append(self.run(f"exec bash {self.root}/opt/game-streaming/host.sh", **more))
        return runs

    def calls(self, *names: str) -> list[list[str]]:
        """The calls of some programs, of all if none is named."""
        return [call for call in self.state["calls"] if not names or call[0] in names]

    def forget(self) -> None:
        """Forgets the calls."""
        self.set(calls=[])

    def texts(self) -> str:
        """Everything on its disk, to search it for a secret; without memory and the stand-ins' state."""
        skipped = (self.root / "run", self.bin)
        files = [path for path in self.root.rglob("*") if path.is_file() and path != self._file]
        kept = [path for path in files if not any(path.is_relative_to(folder) for folder in skipped)]
        return "\n".join(path.read_text(encoding="utf-8", errors="replace") for path in kept)


def install(machine: Machine, user_data: str, files: Sequence[Path] = ()) -> Run:
    """Runs user data; *files* are in place already if no AWS CLI can download them."""
    home = machine.root / "opt/game-streaming"
    home.mkdir(parents=True, exist_ok=True)
    for file in files:
        shutil.copy(file, home)
    return machine.run(user_data)
