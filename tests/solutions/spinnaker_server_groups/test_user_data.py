"""What runs on the instances: the demo page of the server groups, and the installation of the host."""

import json
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from stacks.spinnaker_server_groups.demo_page import user_data
from tests.shared.instance_metadata import GivenMetadata
from tests.variants import ROOT
from tryout.hosts.user_data import Boot
from tryout.scenarios.spinnaker_server_groups.page import page_booted

USER_DATA = ROOT / "stacks" / "spinnaker_server_groups" / "user_data"
PAGE, HOST = USER_DATA / "demo_page.sh", USER_DATA / "host.sh"
ITEMS = {
    "instance-id": "i-0123456789abcdef0",
    "instance-type": "m5.large",
    "instance-life-cycle": "spot",
    "placement/availability-zone": "eu-central-1a",
}


@pytest.fixture
def metadata() -> Iterator[GivenMetadata]:
    with GivenMetadata() as server:
        server.items.update(ITEMS)
        yield server


def booted(folder: Path, metadata: GivenMetadata, programs: dict[str, str] | None = None) -> Boot:
    kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    environment = kept | {"AWS_EC2_METADATA_SERVICE_ENDPOINT": metadata.url}
    return page_booted(folder, user_data(), environment, programs)


@pytest.mark.parametrize("script", [PAGE, HOST])
@pytest.mark.parametrize("command", [["bash", "-n"], ["shellcheck"]])
def test_the_scripts_are_sound(command: list[str], script: Path) -> None:
    checked = subprocess.run([*command, str(script)], capture_output=True, text=True, check=False)
    assert checked.stdout + checked.stderr == ""


# The demo page


def test_the_page_has_the_four_values_and_was_given_them_for_a_token(tmp_path: Path, metadata: GivenMetadata) -> None:
    machine = booted(tmp_path / "instance", metadata)
    assert machine.status == 0, machine.output
    assert metadata.asked == list(ITEMS)
    page = machine.path("/var/www/html/index.html").read_text(encoding="utf-8")
    for name, value in ITEMS.items():
        label = name.rpartition("/")[2]
        assert f"<li>{label}: <b>{value}</b></li>" in page
    assert ["dnf", "-y", "install", "httpd"] in machine.calls
    assert machine.calls[-1] == ["systemctl", "enable", "--now", "httpd"]


def test_values_are_text_and_no_html(tmp_path: Path, metadata: GivenMetadata) -> None:
    metadata.items["instance-type"] = '<script>alert("&")</script>'
    page = booted(tmp_path / "instance", metadata).path("/var/www/html/index.html").read_text(encoding="utf-8")
    assert "<script" not in page and "&lt;script&gt;alert(&quot;&amp;&quot;)&lt;/script&gt;" in page


def test_a_machine_without_httpd_powers_itself_off(tmp_path: Path, metadata: GivenMetadata) -> None:
    machine = booted(tmp_path / "instance", metadata, {"dnf": "exit 1"})
    assert machine.status != 0 and machine.calls[-1] == ["systemctl", "poweroff"]
    assert [call for call in machine.calls if call[0] == "dnf"] == [["dnf", "-y", "install", "httpd"]] * 3


def test_metadata_that_is_not_there_is_no_page(tmp_path: Path, metadata: GivenMetadata) -> None:
    del metadata.items["instance-life-cycle"]
    machine = booted(tmp_path / "instance", metadata)
    assert machine.status != 0 and not machine.path("/var/www/html/index.html").exists()


# The host


CREDENTIALS = [{"name": "prod", "accountId": "123456789012"}]
SUBNETS = [{"type": "aws", "id": "subnet-1", "account": "prod", "purpose": None}]


@pytest.mark.parametrize(
    ("asked", "answers", "status"),
    [
        ("credentials name", {"credentials": CREDENTIALS}, 0),
        ("credentials name", {"credentials": [{"name": "other"}]}, 1),
        ("credentials name", {"credentials": []}, 1),
        ("subnets/aws account", {"subnets/aws": SUBNETS}, 0),
        ("subnets/aws account", {"subnets/aws": []}, 1),  # the account is listed before its role is assumed
        ("subnets/aws account", {}, 1),  # curl fails where Gate refuses
    ],
)
def test_the_installation_waits_until_gate_lists_what_is_the_account_s(
    tmp_path: Path, asked: str, answers: dict[str, object], status: int
) -> None:
    """gate-web, CredentialsController and SubnetController; AmazonSubnet of clouddriver-aws names the account so."""
    (function,) = re.findall(r"^listed\(\) \{.*?^\}\n", HOST.read_text(), re.MULTILINE | re.DOTALL)
    for path, answer in answers.items():
        file = tmp_path / "api" / "v1" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(answer))
    gate = f"curl() {{ cat {tmp_path}/${{4#http://localhost:8084/}} 2>/dev/null || return 22; }}"
    script = f"set -Eeuo pipefail; account_name=prod; {gate}\n{function}\nlisted {asked}"
    done = subprocess.run(["bash", "-c", script], capture_output=True, check=False)  # noqa: S607
    assert done.returncode == status, done.stderr


def test_the_installation_ends_with_what_only_the_managed_role_shows() -> None:
    script = HOST.read_text()
    found = re.findall(r"^retry listed (\S+) (\S+)$", script, re.MULTILINE)
    assert found == [("credentials", "name"), ("subnets/aws", "account")]
    assert script.index("retry listed subnets/aws") < script.index("signal SUCCESS")


@pytest.mark.parametrize("script", [PAGE, HOST])
def test_every_placeholder_is_documented_and_used_once(script: Path) -> None:
    documented = re.findall(r"^#   ([A-Z0-9_]+)  ", script.read_text(), re.MULTILINE)
    assert documented == re.findall(r"@([A-Z0-9_]+)@", script.read_text())


def test_every_placeholder_of_the_host_s_files_has_a_value() -> None:
    used = {name for file in (USER_DATA / "host").iterdir() for name in re.findall(r"@([A-Z_]+)@", file.read_text())}
    replaced = set(re.findall(r's[/|]@([A-Z_]+)""@[/|]\$\w+[/|]g', HOST.read_text()))
    assert used == replaced
