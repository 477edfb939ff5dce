"""The programs that an Ubuntu host with the appliance has: one process that answers the calls of all of them.

A program of the machine is ``CALL`` of ``machine.py``, a few builtins of bash that ask here: an installation calls
forty of them, and forty interpreters would be nearly all that it costs.

The stand-ins accept only command lines that Canonical documents, and only in an order that works; no appliance runs
here. State is a JSON file of the machine. Sources: reference/cmd-ref, appliance-preseed.md and
the how-to pages of canonical/anbox-cloud-docs at 8273b8a, and canonical/ubuntu-pro-client at 9e02305.
"""

import base64
import fnmatch
import io
import json
import os
import signal
import socketserver
import stat
import sys
import threading
import traceback
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

from tryout.scenarios.game_streaming.appliance import Appliance, Caller

Json = dict[str, Any]
UNDOCUMENTED, FAULT = 64, 70
CLASSIC = ("aws-cli", "amazon-ssm-agent")
DAILY = ("apt-daily", "apt-daily-upgrade")
DRIVER = ("linux-modules-nvidia-580-server-aws", "nvidia-headless-no-dkms-580-server", "libnvidia-encode-580-server")


class Undocumented(Exception):  # noqa: N818 - a message for the script's author
    """A command line that no page documents."""


def expect(words: list[str], *shape: str) -> list[str]:
    """The words in the places that the shape leaves open.

    Raises:
        Undocumented: a word differs, or there are more or fewer.
    """
    if len(words) != len(shape) or any(part and word != part for word, part in zip(words, shape, strict=True)):
        raise Undocumented(f"{words}, not {list(shape)}")
    return [word for word, part in zip(words, shape, strict=True) if not part]


def confined(root: Path, caller: Caller) -> None:
    """A snap inherits no open file from outside its home: https://github.com/omnivector-solutions/snap-slurm/issues/84.

    Its home is root's, for whom snapd works without a session.

    Raises:
        Undocumented: it got such a file.
    """
    for number in (0, 1):
        given = caller.open_file(number)
        if stat.S_ISREG(given.stat().st_mode) and not given.resolve().is_relative_to(root / "root"):
            raise Undocumented(f"a confined snap cannot use {given.resolve()}")


class Host:
    """Ubuntu: snaps, Ubuntu Pro, the kernel, and the appliance once it is installed."""

    def __init__(self, root: Path, state: Json) -> None:
        self.root, self.state = root, state

    def snap(self, words: list[str]) -> int:
        """https://snapcraft.io/docs/snap-command-reference."""
        snaps: Json = self.state["snaps"]
        match words:
            case ["list", name]:
                if name not in snaps:
                    print("error: no matching snaps installed", file=sys.stderr)
                    return 1
                print("Name Version Rev Tracking Publisher Notes")
                print(f"{name} 1 1 {snaps[name]['channel']} canonical** {'held' if snaps[name]['held'] else '-'}")
            case ["refresh", "--hold", name] if name in snaps:
                snaps[name]["held"] = True
            case ["refresh", channel, name] if channel.startswith("--channel=") and name in snaps:
                snaps[name]["channel"] = channel.partition("=")[2]
            case ["install", name, "--classic"] if name in CLASSIC:
                snaps[name] = {"channel": "latest/stable", "held": False}
            case ["install", channel, name] if channel.startswith("--channel=") and name not in CLASSIC:
                if name == "lxd" and channel.split("=")[1] < "5.21":
                    raise Undocumented("the appliance needs LXD 5.21")
                snaps[name] = {"channel": channel.partition("=")[2], "held": False}
            case _:
                raise Undocumented(str(words))
        return 0

    def pro(self, words: list[str]) -> int:
        """https://documentation.ubuntu.com/pro-client/en/latest/."""
        match words:
            case ["status", "--format", "json"]:
                service = {"name": "anbox-cloud", "entitled": self.state["entitled"], "status": self.state["service"]}
                print(json.dumps({"attached": self.state["attached"], "services": [{"name": "esm-infra"}, service]}))
                return 0
            case ["attach", "--attach-config", name, "--no-auto-enable"]:
                return self._attach(Path(name))
            case ["enable", "anbox-cloud", "--access-only", "--assume-yes"]:
                if not self.state["attached"] or self.state["service"] == "enabled":
                    return 1
                self.state["service"] = "enabled"
                return 0
        raise Undocumented(str(words))

    def _attach(self, file: Path) -> int:
        if not file.is_relative_to(self.root / "run") or file.stat().st_mode & 0o077:
            raise Undocumented(f"{file} is not a tmpfs file that only root can read")
        key, _, token = file.read_text(encoding="utf-8").strip().partition(": ")
        print(f"attaching with {token}")  # programs may be this careless
        if self.state["attach_ends"]:
            return int(self.state["attach_ends"])
        if (key, token) != ("token", self.state["token"]):
            return 1
        self.state["attached"] = True
        return 0

    def node_prepare(self, words: list[str]) -> int:
        """The printed script: modules for this kernel, and NVIDIA's driver, which a loaded nouveau prevents."""
        expect(words)
        packages: dict[str, bool] = self.state["packages"]
        if self.state["daily_work"] or self.state["lists_locked"] or any(packages.values()):
            # apt-get update does not wait for the lists' lock; apt-get install -y changes no held package.
            self.state["lists_locked"] = max(0, self.state["lists_locked"] - 1)
            return 100
        self.state["prepared"] += 1
        status = self.state["prepare_ends"].pop(0) if self.state["prepare_ends"] else 0
        if status == 0:
            packages.update(dict.fromkeys(DRIVER, False))
            self.state["modules"] = self.state["kernel"]
            self.state["driver"] = True
        return int(status)

    def nvidia_smi(self, words: list[str]) -> int:
        """It needs the driver, and a boot after its installation."""
        if not self.state["driver"] or not self.state["rebooted"]:
            print("NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver.")
            return 9
        match words:
            case ["-L"]:
                print(f"GPU 0: {self.state['gpu']} (UUID: GPU-00000000-0000-0000-0000-000000000000)")
            case ["--query-gpu=driver_version", "--format=csv,noheader"]:
                print(self.state["driver_version"])
            case _:
                raise Undocumented(str(words))
        return int(self.state["nvidia_ends"])

    def modprobe(self, words: list[str]) -> int:
        """A module of another kernel does not load."""
        expect(words, "binder_linux")
        return 0 if self.state["modules"] == self.state["kernel"] else 1

    def systemctl(self, words: list[str]) -> int:
        """A reboot ends the calling shell at once."""
        if words == ["reboot"]:
            self.state["rebooting"] = True
            return 0
        if words[0] in ("start", "stop") and set(words[1:]) == {f"{name}.timer" for name in DAILY}:
            self.state["timers"] = words[0] == "start"
        elif words == ["show", "--property=ActiveState", "--value", *(f"{name}.service" for name in DAILY)]:
            print("activating" if self.state["daily_work"] else "inactive", "inactive", sep="\n\n")
            if not self.state["timers"]:
                self.state["daily_work"] = max(0, self.state["daily_work"] - 1)
        elif words[0] not in ("daemon-reload", "enable", "start"):
            raise Undocumented(str(words))
        return 0

    def apt_mark(self, words: list[str]) -> int:
        """Only for installed packages: https://manpages.ubuntu.com/manpages/noble/en/man8/apt-mark.8.html."""
        packages: dict[str, bool] = self.state["packages"]
        if words[0] not in ("hold", "unhold") or not words[1:] or set(words[1:]) - set(packages):
            raise Undocumented(str(words))
        packages.update(dict.fromkeys(words[1:], words[0] == "hold"))
        print(*(f"{name} set on {words[0]}." for name in words[1:]), sep="\n")
        return 0

    def dpkg_query(self, words: list[str]) -> int:
        """It exits with 1 if a pattern matches nothing, and lists removed packages with leftover files."""
        expect(words[:2], "--show", "--showformat=${db:Status-Abbrev} ${Package}\\n")
        packages: dict[str, bool] = self.state["packages"]
        print("rc  nvidia-removed")
        for name, held in packages.items():
            if any(fnmatch.fnmatch(name, pattern) for pattern in words[2:]):
                print("hi " if held else "ii ", name)
        return 0 if packages else 1

    def shutdown(self, words: list[str]) -> int:
        """EC2 then stops the instance, by its InstanceInitiatedShutdownBehavior."""
        expect(words, "--poweroff", "+1", "")
        self.state["powered_off"] = True
        return 0

    def depmod(self, words: list[str]) -> int:
        """depmod -a."""
        expect(words, "-a")
        return 0

    def findmnt(self, words: list[str]) -> int:
        """The device of the root."""
        expect(words, "--noheadings", "--output", "SOURCE", "/")
        print(self.state["root_source"])
        return 0

    def blkid(self, words: list[str]) -> int:
        """2: nothing was found on the disk."""
        expect(words, "-p", "")
        return 2 if self.state["blank"] else 0


def call(file: Path, name: str, words: list[str], caller: Caller, shell: int) -> int:
    """One call, noted down with its words; its status."""
    state: Json = json.loads(file.read_text(encoding="utf-8"))
    host, appliance = Host(file.parent, state), Appliance(file.parent, state, caller)
    programs: dict[str, Callable[[list[str]], int]] = {
        **{
            each: getattr(host, each) for each in ("snap", "pro", "modprobe", "systemctl", "depmod", "findmnt", "blkid")
        },
        "apt-mark": host.apt_mark,
        "dpkg-query": host.dpkg_query,
        "shutdown": host.shutdown,
        "nvidia-smi": host.nvidia_smi,
        "node-prepare": host.node_prepare,
        "anbox-cloud-appliance": appliance.command,
        "anbox-cloud-appliance.gateway": appliance.gateway,
        "anbox-cloud-appliance.amc": appliance.amc,
    }
    state["calls"].append([name, *words])
    try:
        if name.startswith("anbox-cloud-appliance"):
            confined(file.parent, caller)
        status = programs[name](words)
    except (Undocumented, appliance.Undocumented) as error:
        print(f"stand-in: not documented: {name} {error}", file=sys.stderr)
        state["undocumented"].append(f"{name} {error}")
        status = UNDOCUMENTED
    file.write_text(json.dumps(state), encoding="utf-8")
    if state.get("rebooting") and name == "systemctl":
        os.kill(shell, signal.SIGKILL)
    return status


def python(words: list[str]) -> int:
    """``python3 -c``, by this interpreter, which runs already.

    Its input comes with the call: it may be what another stand-in prints, which is answered only after this one.
    """
    given, _, code, *arguments = words
    sys.argv, sys.stdin = ["-c", *arguments], io.StringIO(base64.b64decode(given).decode())
    try:
        exec(code, {"__name__": "__main__"})  # noqa: S102 - a program of the scripts
    except SystemExit as end:
        if end.code is None or isinstance(end.code, int):
            return end.code or 0
        print(end.code, file=sys.stderr)
        return 1
    except Exception:
        traceback.print_exc()
        return 1
    return 0


class Calls(socketserver.StreamRequestHandler):
    """Answers a call: fields that end with a zero byte, their number first, for status, output and complaints.

    A status of ``input`` asks for what the call can read, in Base64, and another follows.
    """

    def handle(self) -> None:
        """A fault of ours is a status, too, and its traceback stands in the log of the script."""
        out, err = io.StringIO(), io.StringIO()
        with redirect_stdout(out), redirect_stderr(err):
            try:
                fields = [self._field() for _ in range(int(self._field()))]
                file, process, shell, home, user, name, *words = fields
                caller = Caller(int(process), home, user, self._standard_input)
                interpreted = name == "python3"
                status = python(words) if interpreted else call(Path(file), name, words, caller, int(shell))
            except Exception:
                traceback.print_exc()
                status = FAULT
        for answer in (str(status), out.getvalue(), err.getvalue()):
            self.wfile.write(answer.encode() + b"\0")

    def _standard_input(self) -> bytes:
        self.wfile.write(b"input\0")
        return base64.b64decode(self._field())

    def _field(self) -> str:
        found = bytearray()
        while (byte := self.rfile.read(1)) != b"\0":
            if not byte:
                raise EOFError("the call ended before its last field")
            found += byte
        return found.decode()


def main() -> None:
    """Says its port, and answers one call after the other until whoever started it is gone."""
    with socketserver.TCPServer(("127.0.0.1", 0), Calls) as server:
        print(server.server_address[1], flush=True)
        started_by = sys.stdin
        threading.Thread(target=server.serve_forever, daemon=True).start()
        started_by.read()


if __name__ == "__main__":
    main()
