"""The user data: as a text, and run in a sandbox against an AWS on loopback."""

from __future__ import annotations

import json
import re
import stat
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.solutions.sqs_target_scaling.conftest import USER_DATA, Delivery
from tryout.hosts.user_data import Boot, Sandbox, SandboxError

SCRIPT = USER_DATA / "bootstrap.sh"
UNIT = USER_DATA / "sqs-worker.service"
NAME = r"@([A-Z_]+)@"


@pytest.mark.parametrize("command", [["bash", "-n"], ["shellcheck"]])
def test_the_script_is_sound(command: list[str]) -> None:
    checked = subprocess.run([*command, str(SCRIPT)], capture_output=True, text=True, check=False)
    assert checked.stdout + checked.stderr == ""
    assert checked.returncode == 0


def test_every_placeholder_is_documented_and_used_once_in_one_block() -> None:
    lines = SCRIPT.read_text().splitlines()
    documented = [found[1] for line in lines if (found := re.match(r"#   ([A-Z_]+)  ", line))]
    used = [(number, found[1]) for number, line in enumerate(lines) if (found := re.fullmatch(rf"\w+='{NAME}'", line))]
    assert [*[name for _, name in used], "GROUP_INSTANCE"] == documented == re.findall(NAME, SCRIPT.read_text())
    assert [number for number, _ in used] == list(range(used[0][0], used[0][0] + len(used)))


def test_the_instance_has_what_the_worker_needs(booted: tuple[Delivery, Boot]) -> None:
    delivery, boot = booted
    assert boot.status == 0, boot.output
    assert boot.written() == [
        "/etc/sqs-worker.env",
        "/etc/systemd/system/sqs-worker.service",
        "/etc/systemd/system/sqs-worker.service.d/drain.conf",
        "/opt/sqs-worker/lib/a_library/__init__.py",
        "/opt/sqs-worker/sqs-worker.service",
        "/opt/sqs-worker/worker.py",
    ]
    assert boot.variables("/etc/sqs-worker.env") == {
        "QUEUE_URL": delivery.queue,
        "QUEUE_NAME": delivery.name,
        "RESULTS_TABLE": delivery.name,
        "METRIC_NAMESPACE": "Worker",
        "HOOK_NAME": "drain",
        "HEARTBEAT_SECONDS": "0.3",
        "LONGEST_MESSAGE_SECONDS": "3600",
        "AWS_REGION": "eu-west-1",
    }
    assert ("TimeoutStopSec", "3600") in boot.directives("sqs-worker")


def test_the_packages_are_compiled_because_the_service_may_not_write_there(booted: tuple[Delivery, Boot]) -> None:
    _, boot = booted
    assert list(boot.path("/opt/sqs-worker/lib/a_library/__pycache__").glob("__init__.*.pyc"))


def test_only_root_reads_the_settings_and_everybody_the_program(booted: tuple[Delivery, Boot]) -> None:
    _, boot = booted
    assert stat.S_IMODE(boot.path("/etc/sqs-worker.env").stat().st_mode) == 0o600
    # The service runs as a user made up for it.
    assert boot.path("/opt/sqs-worker/worker.py").stat().st_mode & stat.S_IROTH
    assert boot.path("/opt/sqs-worker/lib/a_library").stat().st_mode & stat.S_IXOTH


def test_packages_come_from_the_distribution_and_assets_from_s3(booted: tuple[Delivery, Boot]) -> None:
    delivery, boot = booted
    options = ["--region", "eu-west-1", "--only-show-errors"]
    assert boot.calls[0] == ["dnf", "-y", "install", "python3.13"]
    downloads = [[*call[:4], *call[5:]] for call in boot.calls if call[0] == "aws"]
    assert downloads == [
        ["aws", "s3", "cp", f"s3://{delivery.name}/worker.zip", *options],
        ["aws", "s3", "cp", f"s3://{delivery.name}/libraries.zip", *options],
    ]
    assert [call[1:] for call in boot.calls if call[0] == "systemctl"] == [
        ["daemon-reload"],
        ["enable", "--now", "sqs-worker"],
    ]
    assert list((boot.root / "tmp").iterdir()) == []


def test_the_unit_starts_the_delivered_worker_with_its_libraries(booted: tuple[Delivery, Boot]) -> None:
    _, boot = booted
    service = boot.service("sqs-worker")
    assert service.command[1:] == [str(boot.path("/opt/sqs-worker/worker.py"))]
    assert service.environment["PYTHONPATH"] == str(boot.path("/opt/sqs-worker/lib"))
    assert service.environment["HOOK_NAME"] == "drain"


def test_a_second_run_gives_the_same_instance(booted: tuple[Delivery, Boot]) -> None:
    delivery, first = booted
    second = delivery.boot(first.root)
    assert (second.status, second.written()) == (0, first.written())


def test_a_failing_download_powers_the_machine_off(deliver: Callable[..., Delivery], tmp_path: Path) -> None:
    delivery = deliver(assets=("libraries.zip",))
    boot = delivery.boot(tmp_path / "instance")
    assert boot.status != 0
    assert boot.calls[-1] == ["systemctl", "poweroff"]
    assert [call for call in boot.calls if call[0] == "sleep"] == [["sleep", seconds] for seconds in ("10", "20")]
    assert f"while downloading s3://{delivery.name}/worker.zip; powering off" in boot.output
    assert "/etc/sqs-worker.env" not in boot.written()


# The sandbox


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("queue='@QUEUE_URL@'", "@QUEUE_URL@"),
        ("touch /var/lib/worker", "/var/lib/worker"),
        ("rm -rf /home", "/home"),
        ('echo x >"/srv/x"', "/srv/x"),
    ],
)
def test_the_sandbox_refuses_what_it_cannot_contain(line: str, problem: str, tmp_path: Path) -> None:
    with pytest.raises(SandboxError, match=re.escape(problem)):
        Sandbox(tmp_path).run(f"#!/bin/bash\n{line}\n", {})
    assert list(tmp_path.iterdir()) == []


def test_other_calls_of_the_aws_cli_fail_loudly(tmp_path: Path) -> None:
    boot = Sandbox(tmp_path).run("aws sts get-caller-identity\n", {})
    assert boot.status == 252
    assert "not known here: aws sts get-caller-identity" in boot.output


def test_the_sandbox_moves_paths_and_leaves_addresses(tmp_path: Path) -> None:
    lines = ["echo s3://bucket/etc/key >/etc/a", 'echo "A=/opt/b" >>/etc/a', "exit 3"]
    boot = Sandbox(tmp_path).run("\n".join(lines), {})
    assert boot.path("/etc/a").read_text() == f"s3://bucket/etc/key\nA={boot.root}/opt/b\n"
    assert boot.status == 3


def test_the_unit_is_hardened_and_still_reaches_the_network() -> None:
    text = UNIT.read_text()
    directives = dict(line.split("=", 1) for line in text.splitlines() if "=" in line and not line.startswith("#"))
    assert directives["DynamicUser"] == directives["NoNewPrivileges"] == directives["PrivateTmp"] == "yes"
    assert directives["ProtectSystem"] == "strict"
    assert {"AF_INET", "AF_INET6"} <= set(directives["RestrictAddressFamilies"].split())
    assert "PrivateNetwork" not in directives
    assert "IPAddressDeny" not in directives
    assert (directives["Restart"], directives["KillSignal"]) == ("always", "SIGTERM")
    assert json.loads(directives["RestartSec"]) > 0
