"""The shipped components: AWSTOE runs the commands of a step as one script, whose exit status is that of the step.

https://docs.aws.amazon.com/imagebuilder/latest/userguide/toe-action-modules.html#action-modules-executebash
"""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from stacks.image_pipelines.component import ROOT

FOLDERS = ("components", "documents")
# What the shipped scripts call besides the shell's own commands.
PROGRAMS = ("curl", "dnf", "grep", "install", "nginx", "sshd", "systemctl")


def scripts() -> Iterator[tuple[str, list[str]]]:
    """Each step of a shipped component that runs a shell script, and its commands."""
    for folder in FOLDERS:
        for file in sorted((ROOT / "stacks/image_pipelines" / folder).glob("*.yaml")):
            for phase in yaml.safe_load(file.read_text(encoding="utf-8"))["phases"]:
                for step in phase["steps"]:
                    if step["action"] == "ExecuteBash":
                        yield f"{file.stem}/{step['name']}", step["inputs"]["commands"]


SCRIPTS = dict(scripts())


def run(commands: list[str], path: Path, failing: str | None = None) -> int:
    """Runs a script with programs that do nothing, of which one fails; a redirection goes to nowhere."""
    for program in PROGRAMS:
        file = path / program
        file.write_text(f"#!/bin/sh\nexit {int(program == failing)}\n", encoding="utf-8")
        file.chmod(0o755)
    text = "\n".join(commands).replace("> /etc/ssh/sshd_config.d/10-baseline.conf", "> /dev/null")
    environment = {**os.environ, "PATH": f"{path}:{os.environ['PATH']}"}
    return subprocess.run(["/bin/bash", "-c", text], env=environment, capture_output=True, check=False).returncode


def calls() -> list[tuple[str, str]]:
    """Each step, and each program that it calls first on a line: one of them fails."""
    return [
        (name, command.split()[0])
        for name, commands in SCRIPTS.items()
        for command in commands
        if command.split()[0] in PROGRAMS and "|" not in command
    ]


@pytest.mark.parametrize(("name", "program"), calls())
def test_a_command_that_fails_fails_its_step(name: str, program: str, tmp_path: Path) -> None:
    assert run(SCRIPTS[name], tmp_path) == 0
    assert run(SCRIPTS[name], tmp_path, failing=program) != 0


def test_the_web_server_is_tested_where_systemd_runs_and_where_none_does(tmp_path: Path) -> None:
    """A component runs in an instance and in a container, where no systemd runs."""
    commands = SCRIPTS["web/Serves"]
    assert "/run/systemd/system" in "\n".join(commands)
    for place, asked in ((tmp_path, "systemctl"), (tmp_path / "none", "nginx")):
        here = [command.replace("/run/systemd/system", str(place)) for command in commands]
        assert run(here, tmp_path) == 0 and run(here, tmp_path, failing=asked) != 0
