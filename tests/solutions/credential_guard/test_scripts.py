"""What the scripts write and say: by their tables, carried out here, and by a strict reading of their PowerShell."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stacks.credential_guard.script import DOCUMENTS, Name, carried, lines
from stacks.credential_guard.settings import CONFIRMATION, CredentialGuardSettings
from stacks.credential_guard.table import DEVICE_GUARD, HOST, LSA, MEMORY_INTEGRITY, POLICY, REBOOT, ROW, VERDICTS
from tests.solutions.credential_guard.powershell import problems, undeclared
from tryout.scenarios.credential_guard.host import WindowsHost, tables_of

SETTINGS = CredentialGuardSettings()
LOCKED = CredentialGuardSettings(uefi_lock=True, uefi_lock_confirmation=CONFIRMATION)
WITH_DMA = CredentialGuardSettings(platform_security="secure-boot-and-dma")
WINDOW = CredentialGuardSettings(reboot="window", window={"day": "SUN"})  # type: ignore[arg-type]
scripts = pytest.mark.parametrize("name", ["apply", "audit"])
ORDER = [
    "Enabled",
    "EnableVirtualizationBasedSecurity",
    "RequirePlatformSecurityFeatures",
    "HyperVEnabled",
    "LsaCfgFlags",
]


def tables(settings: CredentialGuardSettings = SETTINGS, name: Name = "apply") -> dict[str, Any]:
    return tables_of(lines(name, settings))


def there(lsa: int = 2, platform: int = 1) -> dict[tuple[str, str], tuple[str, Any]]:
    """A registry that has all values."""
    found = carried(SETTINGS)["values"]
    data = {"LsaCfgFlags": lsa, "RequirePlatformSecurityFeatures": platform}
    return {(row["path"], row["name"]): ("DWord", data.get(row["name"], row["data"])) for row in found}


# What is written


def test_an_empty_registry_gets_the_values_of_the_post_memory_integrity_first_and_lsa_last() -> None:
    host = WindowsHost()
    assert host.apply(tables()) == 3010
    assert host.written == ORDER
    assert host.registry == {
        (MEMORY_INTEGRITY, "Enabled"): ("DWord", 0),
        (DEVICE_GUARD, "EnableVirtualizationBasedSecurity"): ("DWord", 1),
        (DEVICE_GUARD, "RequirePlatformSecurityFeatures"): ("DWord", 1),
        (DEVICE_GUARD + r"\Capabilities", "HyperVEnabled"): ("DWord", 1),
        (LSA, "LsaCfgFlags"): ("DWord", 2),
    }


def test_where_all_values_are_there_nothing_is_written_and_nothing_reboots() -> None:
    host = WindowsHost(registry=there())
    assert host.apply(tables()) == 0 and host.written == []


def test_a_text_in_place_of_a_number_is_written_again() -> None:
    host = WindowsHost(registry=there() | {(LSA, "LsaCfgFlags"): ("String", "2")})
    assert host.apply(tables()) == 3010
    assert host.written == ["LsaCfgFlags"] and host.registry[LSA, "LsaCfgFlags"] == ("DWord", 2)


@pytest.mark.parametrize("role", [4, 5])
def test_a_domain_controller_is_left_alone(role: int) -> None:
    host = WindowsHost(domain_role=role)
    assert host.apply(tables()) == 0 and host.registry == {}


@pytest.mark.parametrize(
    ("name", "data"),
    [("LsaCfgFlags", 0), ("EnableVirtualizationBasedSecurity", 0), ("HypervisorEnforcedCodeIntegrity", 1)],
)
def test_group_policy_that_says_otherwise_is_not_fought(name: str, data: int) -> None:
    host = WindowsHost(registry={(POLICY, name): ("DWord", data)})
    assert host.apply(tables()) == 0 and host.written == []
    assert host.audit(tables())["Details"]["reason"] == "group policy contradicts"


@pytest.mark.parametrize("name", ["LsaCfgFlags", "HypervisorEnforcedCodeIntegrity"])
def test_group_policy_that_configures_nothing_leaves_the_value_to_us(name: str) -> None:
    """A policy that turns virtualization-based security on and leaves the rest at Not Configured writes 3 there."""
    on = {(POLICY, "EnableVirtualizationBasedSecurity"): ("DWord", 1), (POLICY, name): ("DWord", 3)}
    host = WindowsHost(registry={**on, (MEMORY_INTEGRITY, "Enabled"): ("DWord", 1)})
    assert host.run(tables()) == [3010, 0]
    assert host.registry[MEMORY_INTEGRITY, "Enabled"] == ("DWord", 0) and host.registry[LSA, "LsaCfgFlags"][1] == 2
    assert "EnableVirtualizationBasedSecurity" not in host.written


def test_a_text_among_the_policies_is_none_that_agrees() -> None:
    host = WindowsHost(registry={(POLICY, "LsaCfgFlags"): ("String", "1")})
    assert host.apply(tables()) == 0 and host.written == []


def test_a_value_that_group_policy_sets_is_its_own_and_the_others_are_written() -> None:
    host = WindowsHost(registry={(POLICY, "LsaCfgFlags"): ("DWord", 1)})
    assert host.apply(tables()) == 3010
    assert host.written == ORDER[:-1]


def test_memory_integrity_that_is_locked_is_reported_and_not_written() -> None:
    host = WindowsHost(
        registry={(MEMORY_INTEGRITY, "Enabled"): ("DWord", 1), (MEMORY_INTEGRITY, "Locked"): ("DWord", 1)}
    )
    host.run(tables())
    assert "Enabled" not in host.written
    item = host.audit(tables())
    assert item["Status"] == "NON_COMPLIANT" and "memory integrity" in item["Details"]["reason"]


def test_a_lock_that_is_asked_for_is_written_and_one_that_is_there_stays() -> None:
    host = WindowsHost()
    host.run(tables(LOCKED))
    assert host.registry[LSA, "LsaCfgFlags"] == ("DWord", 1) and host.lock == "1"
    before = len(host.written)
    host.run(tables(SETTINGS))
    assert len(host.written) == before, "1 to 2 cannot work"
    assert host.audit(tables(SETTINGS))["Details"]["uefiLock"] == "1"


# When it reboots


def test_one_reboot_turns_it_on_and_the_second_run_ends_with_zero() -> None:
    host = WindowsHost()
    assert host.run(tables()) == [3010, 0]
    assert host.status == "{2,[1]}"


class Stubborn(WindowsHost):
    """Something on the host takes a value away at every boot."""

    def reboot(self) -> None:
        del self.registry[LSA, "LsaCfgFlags"]
        super().reboot()


def test_a_host_on_which_values_change_back_reboots_twice_at_most() -> None:
    host = Stubborn()
    assert host.run(tables()) == [3010, 3010, 1]
    assert host.run(tables()) == [0], "and not again the next day, when others wait behind it"
    assert host.audit(tables())["Status"] == "NON_COMPLIANT"
    assert host.run(tables(LOCKED)) == [3010, 3010, 1], "other settings are tried anew"


def test_a_host_that_gave_up_and_was_put_right_is_as_any_other() -> None:
    host = Stubborn()
    host.run(tables())
    WindowsHost.reboot(host)
    assert host.run(tables()) == [0] and host.state["gaveUp"] is False


def test_a_host_that_can_never_run_it_reboots_once() -> None:
    host = WindowsHost(secure_boot=False)
    assert host.run(tables()) == [3010, 0]
    assert host.run(tables()) == [0]
    assert host.audit(tables())["Details"]["reason"] == "Secure Boot is off"


def test_a_drift_is_put_right_without_a_reboot_once_it_was_turned_on() -> None:
    host = WindowsHost()
    host.run(tables())
    host.registry[LSA, "LsaCfgFlags"] = ("DWord", 0)
    assert host.run(tables()) == [0]
    assert host.registry[LSA, "LsaCfgFlags"] == ("DWord", 2)


def test_other_settings_are_a_first_time_again() -> None:
    host = WindowsHost()
    host.run(tables())
    assert host.run(tables(LOCKED)) == [3010, 0]


def test_a_drift_reboots_in_the_window_only_and_is_not_forgotten_until_then() -> None:
    host = WindowsHost()
    assert host.run(tables(WINDOW)) == [0] and host.written == ORDER
    assert host.audit(tables(WINDOW))["Details"]["reason"] == "the values are set, but a reboot is pending"
    host.window_open = True
    assert host.run(tables(WINDOW)) == [3010, 0]


def test_never_is_never() -> None:
    host = WindowsHost(window_open=True)
    assert host.run(tables(CredentialGuardSettings(reboot="never"))) == [0]


@given(
    st.dictionaries(
        st.sampled_from(sorted(there())),
        st.tuples(st.sampled_from(["DWord", "String", "QWord"]), st.sampled_from([0, 1, 2, 3, "1", "2"])),
    ),
    st.sampled_from([SETTINGS, LOCKED, WITH_DMA, WINDOW]),
    st.booleans(),
)
def test_whatever_is_there_it_ends_after_two_reboots_and_a_second_run_writes_nothing(
    registry: dict[tuple[str, str], tuple[str, Any]], settings: CredentialGuardSettings, opened: bool
) -> None:
    host = WindowsHost(registry=dict(registry), window_open=opened)
    assert len(host.run(tables(settings))) <= 3
    host.written.clear()
    host.run(tables(settings))
    assert host.written == []


# What it is called


def verdict(device_guard: Any, settings: CredentialGuardSettings = SETTINGS, **more: Any) -> tuple[str, str, str]:
    item = WindowsHost(registry=there(), device_guard=device_guard, **more).audit(tables(settings, "audit"))
    return item["Status"], item["Details"]["state"], item["Details"]["reason"]


@pytest.mark.parametrize(
    ("vbs", "running", "status", "state", "reason"),
    [
        (2, [1], "COMPLIANT", "running", "it runs"),
        (2, [1, 2], "NON_COMPLIANT", "running", "memory integrity"),
        (1, [0], "NON_COMPLIANT", "not running", "enabled but does not run"),
        (2, [2], "NON_COMPLIANT", "not running", "memory integrity runs instead"),
        (2, 1, "COMPLIANT", "running", "it runs"),
        (2, [1, 3, 5], "COMPLIANT", "running", "it runs"),
        (0, None, "NON_COMPLIANT", "not running", "is off"),
        (2, [0], "NON_COMPLIANT", "not running", "without Credential Guard"),
        (7, [0], "NON_COMPLIANT", "unknown", "an unknown status"),
    ],
)
def test_only_running_counts(vbs: int, running: Any, status: str, state: str, reason: str) -> None:
    found = verdict({"vbs": vbs, "running": running, "available": [1, 2]})
    assert found[:2] == (status, state) and reason in found[2]


def test_a_class_that_is_missing_is_unknown_and_not_compliant() -> None:
    assert verdict(None)[:2] == ("NON_COMPLIANT", "unknown")


def test_dma_protection_that_the_instance_does_not_offer_is_named() -> None:
    status, _, reason = verdict({"vbs": 1, "running": [0], "available": [1, 2]}, WITH_DMA)
    assert status == "NON_COMPLIANT" and "DMA protection is not offered by this instance" in reason


def test_dma_protection_that_only_group_policy_requires_is_named_as_well() -> None:
    _, state, reason = verdict({"vbs": 1, "running": [0], "available": [1, 2], "required": [1, 2, 3]})
    assert state == "not running" and "group policy" in reason and "DMA protection is not offered" in reason


def test_what_runs_is_called_running_though_dma_protection_is_missing() -> None:
    status, state, reason = verdict({"vbs": 2, "running": [1], "available": [1, 2]}, WITH_DMA)
    assert (status, state) == ("NON_COMPLIANT", "running") and "DMA protection is not offered" in reason


def test_running_without_the_lock_that_was_asked_for_is_not_compliant() -> None:
    status, state, reason = verdict({"vbs": 2, "running": [1], "available": [1, 2]}, LOCKED, lock="2")
    assert (status, state) == ("NON_COMPLIANT", "running") and "without the UEFI lock" in reason


def test_it_runs_though_nothing_is_configured() -> None:
    """https://github.com/itm4n/PrivescCheck/issues/49: Windows 11 and Server 2025 turn it on by default."""
    host = WindowsHost(device_guard={"vbs": 2, "running": [1], "available": [1, 2]})
    assert host.audit(tables())["Status"] == "COMPLIANT"


def test_before_and_after_are_both_told_after_the_reboot() -> None:
    host = WindowsHost()
    host.run(tables())
    item = host.audit(tables(name="audit"))
    assert (item["Details"]["before"], item["Details"]["after"]) == ("{0,[0]}", "{2,[1]}")


# The tables


@pytest.mark.parametrize("rules", [HOST, ROW, REBOOT, VERDICTS])
def test_every_table_ends_with_a_line_that_always_holds_and_has_no_other(rules: Any) -> None:
    assert not rules[-1].when and all(rule.when for rule in rules[:-1])


@scripts
def test_the_script_carries_the_tables_once_and_names_no_value_beside_them(name: Name) -> None:
    text = "\n".join(lines(name, SETTINGS))
    assert tables(SETTINGS, name) == json.loads(json.dumps(carried(SETTINGS)))
    for row in carried(SETTINGS)["values"]:
        assert text.count(f'"name": "{row["name"]}"') == 1
    for file in ("common", name):
        source = (DOCUMENTS / f"{file}.ps1").read_text(encoding="utf-8")
        assert not [value for value in ORDER[1:] if value in source], "a value that no table decides"


def test_values_are_written_in_one_place_as_dwords_and_no_key_is_wiped() -> None:
    source = (DOCUMENTS / "apply.ps1").read_text(encoding="utf-8")
    assert source.count("New-ItemProperty") == 1 and "-PropertyType DWord -Force" in source
    guarded = "if (-not (Test-Path -LiteralPath $path)) {\n            $null = New-Item -Path $path -Force"
    assert source.count("New-Item -Path $path") == 1 and guarded in source, "-Force empties a key that is there"
    assert "Set-ItemProperty" not in source


def test_the_audit_changes_nothing_and_never_reboots() -> None:
    source = "".join((DOCUMENTS / f"{file}.ps1").read_text(encoding="utf-8") for file in ("common", "audit"))
    for forbidden in ("3010", "New-Item", "Set-Content", "Remove-", "Restart-Computer", "shutdown"):
        assert forbidden not in source
    assert source.rstrip().endswith("exit 1") and "exit 0" in source


def test_exit_codes_with_a_meaning_of_their_own_are_left_to_the_agent() -> None:
    source = (DOCUMENTS / "apply.ps1").read_text(encoding="utf-8")
    codes = {line.split()[-1] for line in source.splitlines() if line.strip().startswith("exit ")}
    assert codes == {"0", "1", "3010"} and source.rstrip().endswith("exit 0")


def test_events_are_looked_for_where_the_page_says_that_they_are() -> None:
    """https://learn.microsoft.com/windows/security/identity-protection/credential-guard/configure#event-viewer."""
    events = carried(SETTINGS)["events"]
    assert {event["id"] for event in events.values() if event["log"] == "System"} == {13, 14, 15, 16, 17}
    (key,) = [event for event in events.values() if event["log"] != "System"]
    assert (key["log"], key["provider"], key["id"]) == (
        "Microsoft-Windows-Kernel-Boot/Operational", "Microsoft-Windows-Kernel-Boot", 51,
    )  # fmt: skip
    source = (DOCUMENTS / "audit.ps1").read_text(encoding="utf-8")
    assert all(f"$tables.events.{name}" in source for name in events) and "LogName = $Wanted.log" in source


def test_what_another_instance_left_in_an_image_and_what_was_cut_off_counts_for_no_reboot() -> None:
    source = (DOCUMENTS / "common.ps1").read_text(encoding="utf-8")
    assert "if ($kept.instance -ne $state.instance) {\n            return $state" in source
    unreadable = source.partition("} catch {\n        # The number of reboots")[2].partition("}")[0]
    assert "$state.wanted = Get-Wanted" in unreadable and "$state.finished = $true" in unreadable
    saved = (DOCUMENTS / "apply.ps1").read_text(encoding="utf-8")
    assert "($stateFile + '.new') -Value" in saved and "-Destination $stateFile -Force" in saved


# The PowerShell


@scripts
@pytest.mark.parametrize("settings", [SETTINGS, LOCKED, WITH_DMA, WINDOW])
def test_the_scripts_are_of_version_5_1_and_leave_nothing_to_be_filled_in(
    name: Name, settings: CredentialGuardSettings
) -> None:
    text = "\n".join(lines(name, settings))
    assert list(problems(text)) == []
    assert undeclared(text) == [] and "@TABLES@" not in text
    assert text.count("\n'@") == 1, "the here-string ends once"


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ("Test-Path 'a' && Test-Path 'b'", "of version 7"),
        ("Test-Path 'a' || Test-Path 'b'", "of version 7"),
        ("$x = $true ? 1 : 2", "does not parse"),
        ("$x = $null ?? 1", "of version 7"),
        ("if ($true) {", "does not parse"),
        ("Write-Output 'open", "does not parse"),
        ("Get-Registry", "not a known cmdlet"),
        ("New-Item -Paht 'x'", "no parameter -Paht"),
        ("Get-Stored -Kind 'x'", "no parameter -Kind"),
        ("try { Test-Path -LiteralPath 'x' }", "neither catch nor finally"),
        ("$matches = 1", "belongs to PowerShell"),
        ("Write-Output 'gr\u00fcn'", "beyond ASCII"),
        ("@(1) | ForEach-Object -Parallel { $_ }", "of version 7"),
    ],
)
@scripts
def test_a_script_with_any_of_these_is_refused(name: Name, change: str, says: str) -> None:
    text = "\n".join([*lines(name, SETTINGS), change])
    assert any(says in problem for problem in problems(text)), list(problems(text))


def test_a_parameter_that_the_document_does_not_declare_is_found() -> None:
    text = "\n".join([*lines("apply", SETTINGS), "Write-Output '{{ Lock }}'"])
    assert undeclared(text) == ["{{ Lock }}"] and undeclared(text, frozenset({"Lock"})) == []


def test_another_root_keeps_a_trial_away_from_the_machine() -> None:
    text = "\n".join(lines("apply", SETTINGS, r"HKCU:\Software\Try"))
    assert r"$root = 'HKCU:\Software\Try'" in text and "HKLM:" not in text
