"""``python -m stacks credential_guard``: the post's describe checks, each cause by itself, and the hosts."""

import json
from argparse import Namespace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from config.models import CommonSettings
from stacks.__main__ import main
from stacks.credential_guard.commands import findings, hosts
from stacks.credential_guard.settings import CONFIRMATION, CredentialGuardSettings

NOW = datetime.now(UTC)
RIGHT = {
    "InstanceId": "i-1",
    "LaunchTime": NOW - timedelta(days=2),
    "TpmSupport": "v2.0",
    "CurrentInstanceBootMode": "uefi",
    "Platform": "windows",
    "MetadataOptions": {"HttpTokens": "required"},
    "IamInstanceProfile": {"Arn": "arn"},
}


class ParameterNotFound(Exception):  # noqa: N818
    """As the client of Systems Manager calls it."""


class Account:
    """An account in which everything is right, but for what a test changes."""

    class exceptions:  # noqa: N801
        ParameterNotFound = ParameterNotFound

    meta = type("Meta", (), {"region_name": "eu-central-1"})

    def __init__(self, **changed: Any) -> None:
        self.image = {"BootMode": "uefi", "TpmSupport": "v2.0"} | changed.get("image", {})
        kind = {"Hypervisor": "nitro", "SupportedBootModes": ["legacy-bios", "uefi"], "NitroTpmSupport": "supported"}
        self.kind = {name: value for name, value in (kind | changed.get("kind", {})).items() if value is not None}
        self.instances = [RIGHT | changed.get("instance", {})]
        self.zone_type = changed.get("zone_type", "availability-zone")
        self.details = {"reason": "it runs", "uefiLock": changed.get("lock", "2")}
        self.agent = changed.get("agent", "3.3.1.0")
        self.denied = changed.get("denied", ())
        self.offer = changed.get("offer", ("eu-central-1a",))

    def __call__(self, service: str, region: str | None = None, /) -> "Account":
        return self

    def _allowed(self, operation: str) -> None:
        if operation in self.denied:
            raise ClientError({"Error": {"Code": "AccessDenied", "Message": ""}}, operation)

    def get_parameter(self, Name: str) -> Any:  # noqa: N803
        self._allowed("get_parameter")
        if not Name.startswith("/aws/service/"):
            raise ClientError({"Error": {"Code": "AccessDenied", "Message": ""}}, "get_parameter")
        return {"Parameter": {"Value": "ami-1"}}

    def describe_images(self, **_: Any) -> Any:
        self._allowed("describe_images")
        return {"Images": [self.image]}

    def describe_instance_types(self, **_: Any) -> Any:
        self._allowed("describe_instance_types")
        return {"InstanceTypes": [self.kind]}

    def describe_availability_zones(self, **_: Any) -> Any:
        return {"AvailabilityZones": [{"ZoneType": self.zone_type}]}

    def describe_instance_type_offerings(self, Filters: Any, **_: Any) -> Any:  # noqa: N803
        (zone,) = next(one["Values"] for one in Filters if one["Name"] == "location")
        return {"InstanceTypeOfferings": [{}] if zone in self.offer else []}

    def __getattr__(self, operation: str) -> Any:
        def refused(**_: Any) -> None:
            raise ClientError({"Error": {"Code": "AccessDenied", "Message": ""}}, operation)

        return refused

    def get_paginator(self, operation: str) -> Any:
        def paginate(**_: Any) -> Any:
            self._allowed(operation)
            if operation == "describe_instances":
                return [{"Reservations": [{"Instances": [item]}]} for item in self.instances]
            if operation == "describe_subnets":
                return [{"Subnets": [{"AvailabilityZone": f"eu-central-1{letter}"} for letter in "ba"]}]
            if operation == "describe_instance_information":
                return [{"InstanceInformationList": [
                    {"InstanceId": "i-1", "PingStatus": "Online", "AgentVersion": self.agent}
                ]}]  # fmt: skip
            return [{"ComplianceItems": [{
                "ComplianceType": "Custom:CredentialGuard",
                "ResourceId": "i-1",
                "Status": "COMPLIANT",
                "ExecutionSummary": {"ExecutionTime": NOW},
                "Details": self.details,
            }]}]  # fmt: skip

        return type("Paginator", (), {"paginate": staticmethod(paginate)})


def found_in(account: Account, **settings: Any) -> dict[str, tuple[str, str]]:
    looked = findings(CommonSettings(), CredentialGuardSettings(**settings), account)
    return {finding.what: (finding.status, finding.says) for finding in looked}


OURS = (
    "image", "image: boot mode", "image: TPM", "type: hypervisor", "type: boot mode", "type: TPM", "place", "hosts",
    "hosts: TPM", "hosts: boot mode", "hosts: platform", "hosts: IMDSv2", "hosts: profile", "hosts: SSM Agent",
    "UEFI lock",
)  # fmt: skip


def test_where_all_is_right_every_line_says_so() -> None:
    found = found_in(Account(), zone="eu-central-1a")
    assert {name: found[name][0] for name in OURS} == dict.fromkeys(OURS, "ok")


@pytest.mark.parametrize(
    ("changed", "line", "says"),
    [
        ({"image": {"BootMode": None}}, "image: boot mode", "BootMode is None"),
        ({"image": {"BootMode": "uefi-preferred"}}, "image: boot mode", "uefi-preferred"),
        ({"image": {"TpmSupport": None}}, "image: TPM", "TpmSupport is None"),
        ({"kind": {"Hypervisor": "xen"}}, "type: hypervisor", "xen"),
        ({"kind": {"Hypervisor": None}}, "type: hypervisor", "no hypervisor"),
        ({"kind": {"SupportedBootModes": ["legacy-bios"]}}, "type: boot mode", "lacks uefi"),
        ({"kind": {"NitroTpmSupport": "unsupported"}}, "type: TPM", "lacks NitroTPM"),
        ({"zone_type": "local-zone"}, "place", "UEFI boot is not supported"),
        ({"offer": ("eu-central-1b",)}, "place", "eu-central-1a does not offer t3.medium"),
        ({"instance": {"CurrentInstanceBootMode": "legacy-bios"}}, "hosts: boot mode", "1 of 1: i-1"),
        ({"instance": {"TpmSupport": None}}, "hosts: TPM", "1 of 1: i-1"),
        ({"instance": {"Platform": ""}}, "hosts: platform", "i-1"),
        ({"instance": {"MetadataOptions": {"HttpTokens": "optional"}}}, "hosts: IMDSv2", "i-1"),
        ({"instance": {"IamInstanceProfile": None}}, "hosts: profile", "i-1"),
        ({"agent": "2.3.0.0"}, "hosts: SSM Agent", "i-1"),
        ({"lock": "1"}, "UEFI lock", "i-1"),
    ],
)
def test_each_cause_has_a_line_of_its_own_and_the_others_stay_right(
    changed: dict[str, Any], line: str, says: str
) -> None:
    found = found_in(Account(**changed), zone="eu-central-1a")
    assert found[line][0] == "problem" and says in found[line][1]
    assert [name for name in OURS if found[name][0] != "ok"] == [line]


@pytest.mark.parametrize(
    ("denied", "lines"),
    [
        ("describe_images", ("image", "image: boot mode", "image: TPM")),
        ("describe_instance_types", ("type: hypervisor", "type: boot mode", "type: TPM")),
        ("describe_instances", ("hosts", "UEFI lock")),
        ("describe_subnets", ("place",)),
        ("list_compliance_items", ("UEFI lock",)),
    ],
)
def test_what_could_not_be_looked_at_is_never_right(denied: str, lines: tuple[str, ...]) -> None:
    found = found_in(Account(denied=(denied,)))
    assert {found[line][0] for line in lines} == {"unknown"}


@pytest.mark.parametrize("zone", [None, "eu-central-1a"])
def test_the_place_is_the_first_zone_of_cloudformation_unless_one_is_named(zone: str | None) -> None:
    assert found_in(Account(), zone=zone)["place"] == ("ok", "eu-central-1a offers t3.medium")


def test_the_lock_is_said_to_be_for_good() -> None:
    status, says = found_in(Account(), uefi_lock=True, uefi_lock_confirmation=CONFIRMATION)["UEFI lock"]
    assert status == "ok" and "cannot be undone on EC2" in says


def test_hosts_are_shown_with_their_reason_and_a_bad_one_fails_the_command() -> None:
    answer = hosts(Namespace(), CommonSettings(), CredentialGuardSettings(), Account())
    assert answer.ok and answer.data[0]["state"] == "running" and answer.data[0]["reason"] == "it runs"
    silent = Account(instance={"InstanceId": "i-2", "LaunchTime": NOW})
    assert hosts(Namespace(), CommonSettings(), CredentialGuardSettings(), silent).rows[0][1] in ("new", "running")


def test_the_script_is_printed_without_an_account(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["credential_guard", "script", "apply", "--root", "HKCU:\\Try"]) == 0
    printed = capsys.readouterr().out
    assert "$root = 'HKCU:\\Try'" in printed and "HKLM:" not in printed
    assert main(["credential_guard", "script", "audit", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["name"] == "audit"
