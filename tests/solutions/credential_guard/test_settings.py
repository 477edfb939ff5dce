"""What the settings of credential_guard refuse, each with its own reason, and what they derive."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.models import CommonSettings
from stacks.credential_guard.families import LISTED, refused
from stacks.credential_guard.settings import CONFIRMATION, CredentialGuardSettings, RebootWindow
from stacks.credential_guard.table import Window, is_open


def said(**settings: Any) -> dict[str, str]:
    found = CredentialGuardSettings(**settings).problems()
    return {str(problem.path[0]): problem.message for problem in found}


# Types, versions, zones


@pytest.mark.parametrize("instance_type", ["m7i.large", "c5.large", "t3.medium", "r7iz.xlarge", "c7i-flex.large"])
def test_types_on_the_list_of_aws_are_taken(instance_type: str) -> None:
    assert refused(instance_type) is None


@pytest.mark.parametrize(
    ("instance_type", "reason"),
    [
        ("m7i.48xlarge", "list excludes"),
        ("m5.metal", "bare metal"),
        ("m7i.metal-24xl", "bare metal"),
        ("c7a.large", "this family is AMD"),
        ("t3a.medium", "this family is AMD"),
        ("m7g.large", "Graviton"),
        ("c7gn.large", "Graviton"),
        ("m4.large", "on Xen"),
        ("t2.micro", "on Xen"),
        ("m8i.large", "on AWS's list"),
        ("g4dn.xlarge", "on AWS's list"),
        ("C5.LARGE", "write c5.large"),
    ],
)
def test_each_other_type_is_refused_with_its_own_reason(instance_type: str, reason: str) -> None:
    assert reason in said(instance_type=instance_type)["instance_type"]


def test_a_family_that_was_added_to_the_list_is_taken_and_hardware_stays_as_it_is() -> None:
    assert refused("m8i.large", ["m8i"]) is None
    for instance_type in ("m8i.metal-48xl", "m4.large", "m7g.large", "c7a.large"):
        assert refused(instance_type, ["m8i", "m4", "m7g", "c7a"]) is not None


@given(st.sampled_from(sorted(LISTED)), st.sampled_from(["large", "xlarge", "24xlarge"]))
def test_no_listed_family_meets_a_reason_of_another_one(family: str, size: str) -> None:
    assert refused(f"{family}.{size}") is None
    assert refused(f"{family}.metal") is not None


def test_the_image_parameter_is_that_of_the_tpm_images_to_the_letter() -> None:
    base = "/aws/service/ami-windows-latest/TPM-Windows_Server-"
    assert CredentialGuardSettings().image_parameter == f"{base}2022-English-Full-Base"
    for server in ("2016", "2019", "2022", "2025"):
        settings = CredentialGuardSettings(server=server, core=True)
        assert settings.image_parameter == f"{base}{server}-English-Core-Base"


@pytest.mark.parametrize(("server", "says"), [("2016", "12 January 2027"), ("2025", "disagree")])
def test_versions_with_a_doubt_are_taken_with_a_warning(server: Any, says: str) -> None:
    (problem,) = CredentialGuardSettings(server=server).problems()
    assert problem.warning and says in problem.message


def test_the_versions_without_a_doubt_have_no_warning() -> None:
    assert said() == said(server="2019") == {}


# Lock, reboot, tunnel


def test_the_uefi_lock_needs_its_confirmation_to_the_letter() -> None:
    assert "the lock cannot be undone on EC2" in said(uefi_lock=True)["uefi_lock"]
    assert "uefi_lock" in said(uefi_lock=True, uefi_lock_confirmation=CONFIRMATION.upper())
    assert said(uefi_lock=True, uefi_lock_confirmation=CONFIRMATION) == {}
    assert CredentialGuardSettings(uefi_lock=True, uefi_lock_confirmation=CONFIRMATION).lsa == 1
    assert CredentialGuardSettings().lsa == 2


def test_a_window_belongs_to_its_mode() -> None:
    assert "window" in said(reboot="window")
    assert "window" in said(window={"day": "SUN"})
    assert said(reboot="window", window={"day": "SUN"}) == {}


def test_the_schedule_of_a_window_begins_with_it_and_the_audit_has_its_own() -> None:
    settings = CredentialGuardSettings(reboot="window", window=RebootWindow(day="SAT", start="22:30", hours=6))
    assert settings.apply_schedule == "cron(30 22 ? * SAT *)"
    assert CredentialGuardSettings().apply_schedule == "rate(1 day)"
    assert [CredentialGuardSettings(audit_hours=hours).audit_schedule for hours in (1, 6)] == [
        "rate(1 hour)", "rate(6 hours)",
    ]  # fmt: skip
    assert RebootWindow(day="DAILY").schedule == "cron(0 2 ? * * *)"


@pytest.mark.parametrize(
    ("day", "minute", "opened"),
    [
        ("SAT", 22 * 60 + 29, False),
        ("SAT", 22 * 60 + 30, True),
        ("SUN", 4 * 60 + 29, True),
        ("SUN", 4 * 60 + 30, False),
        ("SUN", 23 * 60, False),
        ("SAT", 60, False),
    ],
)
def test_a_window_goes_on_past_midnight_and_no_further(day: str, minute: int, opened: bool) -> None:
    assert is_open(Window("SAT", 22 * 60 + 30, 6 * 60), day, minute) is opened


def test_a_tunnel_by_the_endpoint_needs_an_instance_and_a_vpc_of_its_own() -> None:
    assert "rdp" in said(rdp="instance-connect-endpoint", instance_type=None)
    common = CommonSettings(vpc={"id": "vpc-0123456789abcdef0", "subnet_ids": ["subnet-0123456789abcdef0"]})  # type: ignore[arg-type]
    problems = CredentialGuardSettings(rdp="instance-connect-endpoint").problems_with(common)
    assert "a VPC has only one endpoint" in next(problem.message for problem in problems)


def test_china_has_no_image_for_an_instance_and_hosts_of_ones_own_are_welcome() -> None:
    common = CommonSettings(region="cn-north-1")
    assert [problem.path for problem in CredentialGuardSettings().problems_with(common)] == [("instance_type",)]
    assert list(CredentialGuardSettings(instance_type=None).problems_with(common)) == []
