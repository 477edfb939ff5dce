"""Runs a solution's user data on this machine, inside a folder, as Amazon Linux would run it at the first boot.

The script runs for real, in bash. Its paths below /opt, /etc, /dev/disk and /var/www are moved into the folder; `dnf`,
`systemctl` and `sleep` only write down how they were called; `aws s3 cp` is done by boto3, against AWS_ENDPOINT_URL;
`python3.13` is the Python that runs this. Every other call of `aws` fails. Nothing is installed or written outside the
folder. A scenario may put programs of its own in their place.

    boot = Sandbox(folder).run(user_data, environment)
    service = boot.service("sqs-worker")
    subprocess.Popen(service.command, env=environment | service.environment)
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from threading import Thread

import boto3

from tryout.hosts.programs import search_path

MOVED = re.compile(r"(?<![\w./-])/(?=(?:opt|etc|dev/disk|var/www)/)")
# Paths a script may name without writing there: its interpreter, the installed programs, the bin.
FOREIGN = re.compile(r"(?<![\w.:/@}-])/(?!(?:opt|etc|bin|usr/bin|dev/disk|var/www)/|dev/null\b)\w[\w./-]*")
SEPARATOR = "\x1f"
# What a unit may start, and what stands for it here.
PROGRAMS = {"/usr/bin/python3.13": sys.executable, "/bin/bash": "bash"}
RECORDED = ("dnf", "systemctl", "sleep")


class SandboxError(Exception):
    """The user data, or a unit, does something that the sandbox does not know how to contain."""


@dataclass(frozen=True)
class Service:
    """How systemd would start a unit: its command and the variables it adds, with the paths inside the sandbox."""

    command: list[str]
    environment: dict[str, str]


@dataclass(frozen=True)
class Boot:
    """What one run of the user data left behind. `calls` are the recorded commands, in order, with their arguments."""

    root: Path
    status: int
    output: str
    calls: list[list[str]]

    def path(self, absolute: str) -> Path:
        """Returns where an absolute path of the instance lies in the sandbox; one that was moved already, as it is."""
        moved = Path(absolute)
        return moved if moved.is_relative_to(self.root) else self.root / absolute.lstrip("/")

    def written(self) -> list[str]:
        """Returns the files on the instance, as absolute paths, sorted, without what Python has compiled."""
        files = (path for top in ("opt", "etc") for path in (self.root / top).rglob("*") if path.is_file())
        below = [path for path in files if path.parent.name != "__pycache__"]
        return sorted("/" + path.relative_to(self.root).as_posix() for path in below)

    def variables(self, absolute: str) -> dict[str, str]:
        """Returns the variables in an environment file such as /etc/sqs-worker.env."""
        lines = self.path(absolute).read_text().splitlines()
        return dict(line.split("=", 1) for line in lines if line and not line.startswith(("#", ";")))

    def directives(self, unit: str) -> list[tuple[str, str]]:
        """Returns the directives of an installed service and of its drop-ins, in the order systemd reads them."""
        installed = self.path(f"/etc/systemd/system/{unit}.service")
        files = [installed, *sorted(installed.with_name(f"{unit}.service.d").glob("*.conf"))]
        lines = [line.strip() for file in files for line in file.read_text().splitlines()]
        pairs = [line.partition("=") for line in lines if "=" in line and not line.startswith(("#", ";"))]
        return [(name, value) for name, _, value in pairs]

    def service(self, unit: str) -> Service:
        """Returns how the installed service starts. Raises SandboxError for a program that is not known here."""
        environment: dict[str, str] = {}
        command: list[str] = []
        for name, value in self.directives(unit):
            if name == "ExecStart":
                command = shlex.split(self._moved(value))
            elif name == "Environment":
                environment |= dict(pair.split("=", 1) for pair in shlex.split(self._moved(value)))
            elif name == "EnvironmentFile":
                environment |= self.variables(value)
        if not command or command[0] not in PROGRAMS:
            raise SandboxError(f"{unit} does not start with {' or '.join(PROGRAMS)}: {command}")
        return Service([PROGRAMS[command[0]], *command[1:]], environment)

    def _moved(self, text: str) -> str:
        return MOVED.sub(f"{self.root}/", text)


class Sandbox:
    """A folder that stands for an instance's disk. Running twice in one folder is booting the same instance twice.

    Args:
        programs: shell commands by the name of the program that they stand for; they are recorded too.
        addresses: what looks like a path in the user data and is none, such as the path of a URL.
    """

    def __init__(
        self, root: Path, *, programs: Mapping[str, str] | None = None, addresses: frozenset[str] = frozenset()
    ) -> None:
        self._programs, self._addresses = dict(programs or {}), addresses
        # The folder's name becomes part of a script that need not quote its paths.
        if not re.fullmatch(r"[\w./+-]+", str(root.resolve())):
            raise SandboxError(f"the folder's path has characters that a shell would interpret: {root}")
        self._root = root.resolve()

    def run(self, user_data: str, environment: Mapping[str, str], *, seconds: float = 60) -> Boot:
        """Runs resolved user data with these variables (endpoint, credentials, Region) and waits for its end.

        Raises SandboxError for a placeholder left over and for a path that would be outside, before anything runs.
        """
        commands = "\n".join(line for line in user_data.splitlines() if not line.lstrip().startswith("#"))
        if left := sorted(set(re.findall(r"@[A-Z_]+@", commands))):
            raise SandboxError(f"placeholders without a value: {', '.join(left)}")
        if outside := sorted(set(FOREIGN.findall(commands)) - self._addresses):
            raise SandboxError(f"paths outside of /opt and /etc: {', '.join(outside)}")
        programs, record, scratch = (self._root / name for name in ("programs", "calls", "tmp"))
        for folder in (programs, scratch, self._root / "opt", self._root / "etc" / "systemd" / "system"):
            folder.mkdir(parents=True, exist_ok=True)
        record.write_text("")
        # The AWS CLI's stand-in hands its words over to this process, which has boto3 loaded already.
        requests, answers = self._root / "requests", self._root / "answers"
        for pipe in (requests, answers):
            pipe.unlink(missing_ok=True)
            os.mkfifo(pipe)
        aws = Thread(target=_answer, args=(requests, answers, dict(environment)), daemon=True)
        aws.start()
        python, log = shlex.quote(sys.executable), shlex.quote(str(record))
        # Each word ends with a unit separator, each call with a line.
        note = f'{{ printf \'%s\\037\' "${{0##*/}}" "$@"; echo; }} >>{log}'
        for name in RECORDED:
            _program(programs / name, note)
        _program(programs / "python3.13", f'exec {python} "$@"')
        hand_over = f"printf '%s\\037' \"$@\" >{shlex.quote(str(requests))}"
        wait = f"read -r status message <{shlex.quote(str(answers))}"
        _program(programs / "aws", f'{note}\n{hand_over}\n{wait}\necho "$message" >&2\nexit "$status"')
        for name, command in self._programs.items():
            _program(programs / name, f"{note}\n{command}")
        file = self._root / "user-data.sh"
        file.write_text(MOVED.sub(f"{self._root}/", user_data))
        path = f"{programs}{os.pathsep}{search_path()}"
        variables = {**environment, "PATH": path, "TMPDIR": str(scratch), "HOME": str(scratch)}
        done = subprocess.run(
            ["bash", str(file)],  # noqa: S607 - the machine's bash, wherever it is
            env=variables,
            cwd=scratch,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=seconds,
            check=False,
        )
        requests.write_text("")
        aws.join(timeout=seconds)
        calls = [line.split(SEPARATOR)[:-1] for line in record.read_text().split("\n")[:-1]]
        return Boot(self._root, done.returncode, done.stdout, calls)


def _program(file: Path, line: str) -> None:
    file.write_text(f"#!/bin/sh\n{line}\n")
    file.chmod(0o755)


def _answer(requests: Path, answers: Path, environment: Mapping[str, str]) -> None:
    """Does the AWS CLI's calls one after the other, each answered by a status and a message, until an empty one."""
    while words := requests.read_text().split(SEPARATOR)[:-1]:
        answers.write_text(_aws(words, environment) + "\n")


def _aws(words: list[str], environment: Mapping[str, str]) -> str:
    """Does `aws s3 cp s3://bucket/key file [--region R] [--only-show-errors]` alone, and only against an endpoint."""
    given = shlex.join(words)
    region = environment.get("AWS_REGION", "us-east-1")
    if "--region" in words[:-1]:
        place = words.index("--region")
        region = words[place + 1]
        words = words[:place] + words[place + 2 :]
    words = [word for word in words if word != "--only-show-errors"]
    address = re.fullmatch(r"s3://([^/]+)/(.+)", words[2]) if len(words) == 4 and words[:2] == ["s3", "cp"] else None
    if address is None:
        return f"252 sandbox: this call of the AWS CLI is not known here: aws {given}"  # the CLI's own status for it
    try:
        s3 = boto3.client(
            "s3",
            region_name=region,
            # Named one by one: without them boto3 would go and look for the credentials of whoever runs this.
            endpoint_url=environment["AWS_ENDPOINT_URL"],
            aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
            aws_session_token=environment.get("AWS_SESSION_TOKEN"),
            verify=environment.get("AWS_CA_BUNDLE"),
        )
        s3.download_file(address[1], address[2], words[3])
    except KeyError as missing:
        return f"253 sandbox: the user data's environment lacks {missing}"
    except Exception as fault:  # whatever it is, the script waits for an answer
        return f"1 fatal error: {fault}"
    return "0"
