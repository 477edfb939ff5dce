"""Starting and stopping the embedded AWS, and that nothing is left behind or reachable from outside."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from emulator.client import REPOSITORY, EmbeddedAws, EmulatorError
from tests.embedded_aws import eventually, gone


def test_it_listens_on_loopback_only(started_aws: EmbeddedAws) -> None:
    port = int(started_aws.endpoint_url.rsplit(":", 1)[-1])
    other = "127.0.0.2" if sys.platform == "linux" else socket.gethostbyname(socket.gethostname())
    for address in {other, "::1"}:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        with socket.socket(family) as probe:
            assert probe.connect_ex((address, port)) != 0, address
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) == 0


def test_a_port_in_use_is_named_with_what_to_do(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(EmulatorError, match=rf"^port {port} on 127\.0\.0\.1 is in use: .*choose another port$"):
            EmbeddedAws(tmp_path, port=port).start()


def test_a_server_that_ends_at_once_shows_the_end_of_its_log(tmp_path: Path) -> None:
    (tmp_path / "tls").write_text("not a folder")
    with pytest.raises(EmulatorError, match=r"(?s)started \(exit status 1\); the end of .*FileExistsError"):
        EmbeddedAws(tmp_path).start()


def test_a_server_that_is_killed_before_it_says_anything_is_said_to_be(
    tmp_path: Path,
) -> None:
    aws = EmbeddedAws(tmp_path, port=1)
    aws.log.parent.mkdir(parents=True, exist_ok=True)
    aws.log.write_text("")
    with pytest.raises(EmulatorError, match=r"ended while it started \(signal 9\); nothing is in .*emulator\.log"):
        aws._wait_until_ready(SimpleNamespace(poll=lambda: -9))  # type: ignore[arg-type]


def test_a_client_sees_none_of_the_users_aws_settings(tmp_path: Path) -> None:
    aws = EmbeddedAws(tmp_path, port=4566)
    environment = aws.environment({"AWS_PROFILE": "work", "AWS_SESSION_TOKEN": "x", "CDK_HOME": "/x", "PATH": "/bin"})
    assert not {"AWS_PROFILE", "AWS_SESSION_TOKEN"} & environment.keys()
    assert environment["PATH"] == "/bin"
    assert environment["AWS_ENDPOINT_URL"] == "https://127.0.0.1:4566"
    assert environment["AWS_ACCESS_KEY_ID"] == "123456789012"
    assert environment["CDK_HOME"] == str(tmp_path / "cdk-home")
    assert environment.items() >= aws.variables().items()


def test_it_ends_when_its_parent_is_killed(tmp_path: Path) -> None:
    script = (
        "import sys, time; from pathlib import Path; from emulator.client import EmbeddedAws\n"
        f"aws = EmbeddedAws(Path({str(tmp_path)!r})); aws.start(); print(aws.pid, flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", script], cwd=REPOSITORY, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        assert not gone(pid)
        os.kill(parent.pid, signal.SIGKILL)
    eventually(lambda: gone(pid), "the server ended")
    assert not (tmp_path / "tmp").exists()


def test_reset_empties_both_halves(aws: EmbeddedAws) -> None:
    ec2, sqs = aws.client("ec2"), aws.client("sqs")
    before = [vpc["VpcId"] for vpc in ec2.describe_vpcs()["Vpcs"]]
    ec2.create_vpc(CidrBlock="10.0.0.0/16")
    sqs.create_queue(QueueName="emptied")
    aws.reset()
    after = ec2.describe_vpcs()["Vpcs"]
    assert [vpc["IsDefault"] for vpc in after] == [True]
    assert len(before) == 1
    assert not sqs.list_queues().get("QueueUrls")


@pytest.mark.parametrize("region", ["us-east-1", "eu-central-1"])
@pytest.mark.parametrize("architecture", ["arm64", "x86_64"])
def test_the_images_that_templates_name_resolve_in_each_region(
    started_aws: EmbeddedAws, region: str, architecture: str
) -> None:
    name = f"/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-{architecture}"
    value = started_aws.client("ssm", region_name=region).get_parameter(Name=name)["Parameter"]["Value"]
    assert value.startswith("ami-")


def test_an_unknown_control_request_is_refused(started_aws: EmbeddedAws) -> None:
    with pytest.raises(EmulatorError, match="refused age-metrics"):
        started_aws.control("age-metrics", minutes=1)


@pytest.mark.parametrize(("ended", "how"), [(-9, r"\(signal 9\)"), (1, r"\(exit status 1\)")])
def test_one_that_has_ended_says_how_and_where_its_log_is(ended: int, how: str, tmp_path: Path) -> None:
    aws = EmbeddedAws(tmp_path, port=1)
    aws.require_running()  # one that was not started has not ended
    aws._process = SimpleNamespace(poll=lambda: ended)  # type: ignore[assignment]
    with pytest.raises(EmulatorError, match=rf"{how}; see .*emulator\.log"):
        aws.require_running()
