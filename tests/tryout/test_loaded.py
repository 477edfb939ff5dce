"""The AWS CLI of hosts: a fork, whose calls are judged as those of scripts are."""

import os
import subprocess
from pathlib import Path

import pytest

from tryout.loaded import path_with_aws

SET = "autoscaling set-instance-health --region us-east-1 --instance-id i-0123456789abcdef0 --health-status"
ENVIRONMENT = {"AWS_ACCESS_KEY_ID": "123456789012", "AWS_SECRET_ACCESS_KEY": "local", "HOME": os.devnull}


def _aws(folder: Path, words: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [folder / "aws", *words.split()],
        env={**ENVIRONMENT, "PATH": path_with_aws(folder), **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("variables", [{}, {"PYTHONPATH": "/nowhere"}])
def test_a_call_that_aws_would_refuse_fails(tmp_path: Path, variables: dict[str, str]) -> None:
    done = _aws(tmp_path, f"{SET} {'x' * 40}", **variables)
    assert done.returncode != 0
    refused = "autoscaling.SetInstanceHealth would be refused: HealthStatus has 40 characters, at most 32"
    assert refused in done.stderr


def test_a_call_that_fits_is_sent(tmp_path: Path) -> None:
    done = _aws(tmp_path, f"{SET} Unhealthy --endpoint-url http://127.0.0.1:9", AWS_MAX_ATTEMPTS="1")
    assert done.returncode != 0 and "Could not connect" in done.stderr


def test_the_program_is_replaced_and_not_written_to_while_a_host_runs_it(tmp_path: Path) -> None:
    program = tmp_path / "aws"
    program.write_text("of an earlier run")
    with program.open() as run:
        path_with_aws(tmp_path)
        assert run.read() == "of an earlier run"
    made = program.stat()
    assert made.st_mode & 0o777 == 0o755
    path_with_aws(tmp_path)
    assert program.stat().st_ino == made.st_ino, "nothing had changed"
    assert list(tmp_path.iterdir()) == [program]


def test_a_host_finds_what_only_root_has_in_its_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """User data runs as root; who tries it out may have no ``sbin``, as on Debian."""
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    assert path_with_aws(tmp_path).split(os.pathsep) == [str(tmp_path), "/usr/bin", "/bin", "/usr/sbin", "/sbin"]
