"""What runs on an instance of spot_asg: its user data, the unit that stops the application, and the application."""

import io
import json
import os
import re
import signal
import subprocess
import sys
import uuid
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from pathlib import Path

import boto3
import pytest

from stacks.shared.filled import filled, shared_part
from stacks.spot_asg.user_data import shutdown
from tests.shared.instance_metadata import GivenMetadata
from tests.solutions.conftest import CREDENTIALS, REGION
from tests.variants import ROOT
from tryout.hosts.user_data import Boot, Sandbox

USER_DATA = ROOT / "stacks" / "spot_asg" / "user_data"
SCRIPT = USER_DATA / "bootstrap.sh"
FILES = ("app.py", "shutdown.py", "spot-app.service", "spot-shutdown.service")
STATE = "autoscaling/target-lifecycle-state"
PATIENCE = 10


@pytest.fixture(scope="module")
def machine(endpoint: str, tmp_path_factory: pytest.TempPathFactory) -> Boot:
    return booted(endpoint, tmp_path_factory.mktemp("spot-instance"))


@pytest.fixture
def metadata() -> Iterator[GivenMetadata]:
    with GivenMetadata() as server:
        yield server


def booted(endpoint: str, folder: Path, key: str = "files.zip") -> Boot:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as target:
        for name in FILES:
            target.writestr(name, (USER_DATA / name).read_bytes())
    bucket = f"assets-{uuid.uuid4().hex[:8]}"
    keys = {"aws_access_key_id": "testing", "aws_secret_access_key": "testing"}
    s3 = boto3.client("s3", region_name=REGION, endpoint_url=endpoint, **keys)
    s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
    s3.put_object(Bucket=bucket, Key="files.zip", Body=archive.getvalue())
    values = {
        "FILES_URI": f"s3://{bucket}/{key}",
        "PORT": "0",
        "SERVE_SECONDS": "0.3",
        "STOP_SECONDS": "1",
        "REGION": REGION,
    }
    script = filled(SCRIPT, **values, GROUP_INSTANCE=shared_part("group_instance.sh"))
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "TMPDIR") if name in os.environ}
    return Sandbox(folder).run(script, kept | CREDENTIALS | {"AWS_ENDPOINT_URL": endpoint})


# The user data


@pytest.mark.parametrize("command", [["bash", "-n"], ["shellcheck"]])
def test_the_script_is_sound(command: list[str]) -> None:
    checked = subprocess.run([*command, str(SCRIPT)], capture_output=True, text=True, check=False)
    assert checked.stdout + checked.stderr == ""
    assert checked.returncode == 0


def test_every_placeholder_is_documented_and_used_once() -> None:
    documented = re.findall(r"^#   ([A-Z_]+)  ", SCRIPT.read_text(), re.MULTILINE)
    assert documented == re.findall(r"@([A-Z_]+)@", SCRIPT.read_text())


def test_the_instance_has_the_application_and_both_units(machine: Boot) -> None:
    assert machine.status == 0, machine.output
    assert [name for name in machine.written() if name.startswith("/opt")] == [f"/opt/spot-asg/{n}" for n in FILES]
    assert machine.variables("/etc/spot-asg.env") == {"PORT": "0", "SERVE_SECONDS": "0.3", "STOP_SECONDS": "1"}
    assert ("TimeoutStopSec", "1") in machine.directives("spot-app")
    assert ["systemctl", "enable", "--now", "spot-app", "spot-shutdown"] in machine.calls


def test_the_unit_that_has_stopped_the_application_does_not_begin_again(machine: Boot) -> None:
    assert ("Restart", "on-failure") in machine.directives("spot-shutdown")
    assert ("Restart", "always") in machine.directives("spot-app")


def test_a_machine_without_its_files_powers_itself_off(endpoint: str, tmp_path: Path) -> None:
    machine = booted(endpoint, tmp_path / "instance", key="nothing.zip")
    assert machine.status != 0
    assert machine.calls[-1] == ["systemctl", "poweroff"]


# The end of the instance


def watching(machine: Boot, metadata: GivenMetadata) -> "subprocess.Popen[str]":
    """The installed unit as a process; the systemctl that it calls is the sandbox's, which only writes it down."""
    service = machine.service("spot-shutdown")
    path = f"{machine.root / 'programs'}{os.pathsep}{os.environ['PATH']}"
    variables = {"PATH": path, "WATCH_SECONDS": "0.05", "AWS_EC2_METADATA_SERVICE_ENDPOINT": metadata.url}
    return subprocess.Popen(
        service.command, env=service.environment | variables, stdout=subprocess.PIPE, text=True, cwd="/"
    )


def notice(seconds: float) -> str:
    ends = datetime.now(UTC) + timedelta(seconds=seconds)
    return json.dumps({"action": "terminate", "time": ends.strftime("%Y-%m-%dT%H:%M:%SZ")})


def until_stopped(process: "subprocess.Popen[str]", machine: Boot) -> list[dict[str, object]]:
    output, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0
    assert "systemctl\x1fstop\x1fspot-app.service\x1f" in machine.path("/calls").read_text()
    return [json.loads(line) for line in output.splitlines()]


def test_a_termination_gives_requests_in_flight_their_time(machine: Boot, metadata: GivenMetadata) -> None:
    metadata.items[STATE] = "InService"
    process = watching(machine, metadata)
    metadata.items[STATE] = "Terminated"
    _, leaving, stopped = until_stopped(process, machine)
    assert leaving == {"event": "leaving", "reason": "termination", "serving_seconds": 0.3}
    assert stopped == {"event": "stopped", "reason": "termination"}


def test_an_interruption_that_comes_late_leaves_less_time(machine: Boot, metadata: GivenMetadata) -> None:
    metadata.items["spot/instance-action"] = notice(seconds=3)
    leaving = until_stopped(watching(machine, metadata), machine)[1]
    assert leaving["reason"] == "interruption" and leaving["serving_seconds"] == 0


def test_metadata_that_fails_is_asked_again_with_a_new_token(machine: Boot, metadata: GivenMetadata) -> None:
    metadata.failing = True
    process = watching(machine, metadata)
    assert process.stdout is not None
    assert "watching" in process.stdout.readline()
    assert "metadata-failed" in process.stdout.readline()
    metadata.failing, metadata.items[STATE] = False, "Terminated"
    assert until_stopped(process, machine)[-1]["event"] == "stopped"


@pytest.mark.parametrize(
    ("items", "sign"),
    [
        ({}, None),
        ({STATE: "InService"}, None),
        ({"events/recommendations/rebalance": '{"noticeTime": "2026-01-01T12:00:00Z"}'}, None),
        ({STATE: "Terminated"}, "termination"),
        ({STATE: "Terminated", "spot/instance-action": notice(120)}, "interruption"),
    ],
)
def test_only_a_notice_or_a_termination_is_a_sign(
    metadata: GivenMetadata, items: dict[str, str], sign: str | None
) -> None:
    metadata.items.update(items)
    found = shutdown.sign_of_the_end(shutdown.Metadata(metadata.url), datetime.now(UTC).timestamp())
    assert (found[0] if found else None) == sign


# The application


def test_the_application_answers_what_it_has_begun_and_stops() -> None:
    command = [sys.executable, str(USER_DATA / "app.py")]
    process = subprocess.Popen(command, env={"PORT": "0"}, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    port = int(process.stdout.readline().rsplit(" ", 1)[-1])
    slow, quick = (HTTPConnection("127.0.0.1", port, timeout=PATIENCE) for _ in range(2))
    slow.request("GET", "/?seconds=1", headers={"Connection": "close"})
    # Connections are taken in their order: when this one is answered, the slow one was begun.
    quick.request("GET", "/", headers={"Connection": "close"})
    assert quick.getresponse().read() == b"served\n"
    process.send_signal(signal.SIGTERM)
    assert slow.getresponse().read() == b"served\n"
    assert process.wait(PATIENCE) == 0
