"""Programs that scenarios start again and again, loaded once: the AWS CLI of hosts, and ``python -m stacks``."""

import os
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from emulator.loaded import Loaded
from emulator.settings import FULL_MODEL
from tryout.hosts.programs import search_path
from tryout.paths import REPOSITORY

# Its calls are judged by the whole service model, whatever PYTHONPATH a caller has: forks have their server's.
_AWS = Loaded("awscli.clidriver", "awscli.handlers", flags=["-P", "-s"], environment={"PYTHONPATH": str(FULL_MODEL)})
_STACKS = Loaded("stacks.program", "boto3", path=[REPOSITORY])


def aws_cli() -> str:
    """The AWS CLI of this environment, as a command of a shell."""
    return f'exec {_AWS.words()} {shlex.quote(str(Path(sys.executable).with_name("aws")))} "$@"'


def path_with_aws(folder: Path) -> str:
    """PATH of a host whose AWS CLI it is, as a program of the folder; it is its root's, who has ``sbin`` in it."""
    folder.mkdir(exist_ok=True)
    program, text = folder / "aws", f"#!/bin/sh\n{aws_cli()}\n"
    if not program.exists() or program.read_text(encoding="utf-8") != text:
        # Another host may run it now: what is run must not be written to.
        with tempfile.NamedTemporaryFile("w", dir=folder, prefix="aws-", encoding="utf-8", delete=False) as beside:
            beside.write(text)
        Path(beside.name).chmod(0o755)
        Path(beside.name).replace(program)
    return f"{folder}{os.pathsep}{search_path()}"


def stacks(words: Sequence[str], environment: Mapping[str, str]) -> "subprocess.CompletedProcess[str]":
    """Runs ``python -m stacks WORDS`` and keeps what it prints."""
    return _STACKS.run_module("stacks", words, environment, REPOSITORY)
