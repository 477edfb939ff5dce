"""Programs that scenarios start again and again, loaded once: the AWS CLI of hosts, and ``python -m stacks``."""

import os
import shlex
import subprocess
import sys
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

from emulator.loaded import Loaded
from tryout.paths import REPOSITORY


def aws_cli() -> str:
    """The AWS CLI of this environment, as a command of a shell."""
    return f'exec {_aws().words()} {shlex.quote(str(Path(sys.executable).with_name("aws")))} "$@"'


def path_with_aws(folder: Path) -> str:
    """PATH of a host whose AWS CLI it is, as a program of the folder."""
    folder.mkdir(exist_ok=True)
    program = folder / "aws"
    program.write_text(f"#!/bin/sh\n{aws_cli()}\n", encoding="utf-8")
    program.chmod(0o755)
    return f"{folder}{os.pathsep}{os.environ.get('PATH', os.defpath)}"


def stacks(words: Sequence[str], environment: Mapping[str, str]) -> "subprocess.CompletedProcess[str]":
    """Runs ``python -m stacks WORDS`` and keeps what it prints."""
    return _stacks().run_module("stacks", words, environment, REPOSITORY)


@cache
def _aws() -> Loaded:
    return Loaded("awscli.clidriver", "awscli.handlers")


@cache
def _stacks() -> Loaded:
    return Loaded("stacks.program", "boto3", path=[REPOSITORY])
