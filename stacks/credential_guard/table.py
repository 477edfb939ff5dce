"""Which values are written on a host, when it reboots, and its state afterwards: tables, and how they are read.

The scripts in ``documents`` carry these tables as JSON and read them the same way: the first rule whose conditions all
hold decides. The facts are text; a condition lists the values that it accepts.

- https://learn.microsoft.com/windows/security/identity-protection/credential-guard/configure (values, events)
- https://learn.microsoft.com/windows/security/hardware-security/enable-virtualization-based-protection-of-code-integrity
- https://learn.microsoft.com/windows/client-management/mdm/policy-csp-deviceguard (group policy's copies)
- https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/credential-guard.html (memory integrity stays off)
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

DEVICE_GUARD = r"SYSTEM\CurrentControlSet\Control\DeviceGuard"
MEMORY_INTEGRITY = DEVICE_GUARD + r"\Scenarios\HypervisorEnforcedCodeIntegrity"
LSA = r"SYSTEM\CurrentControlSet\Control\Lsa"
POLICY = r"SOFTWARE\Policies\Microsoft\Windows\DeviceGuard"
COMPLIANCE_TYPE = "Custom:CredentialGuard"
MOST_REBOOTS = 2
NOT_CONFIGURED = 3
"""The choice Not Configured in group policy's lists: it sets nothing (DeviceGuard.admx)."""

Reboot = Literal["first-time", "window", "never"]
Facts = Mapping[str, str]
Condition = Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class Value:
    """A registry value, always a DWord.

    Attributes:
        policy: the name of group policy's copy, which wins at the next refresh; empty: there is none.
        agrees: values of that copy that allow Credential Guard.
        unset: values of that copy that set nothing.
        keep: value that stays as it is, because a running host cannot undo it; None: none.
        lock: name of a value in the same key that means the same if it is 1; empty: none.
    """

    path: str
    name: str
    data: int
    policy: str = ""
    agrees: tuple[int, ...] = ()
    unset: tuple[int, ...] = ()
    keep: int | None = None
    lock: str = ""


def values(*, platform: int, lsa: int) -> tuple[Value, ...]:
    """The values, in the order in which they are written: memory integrity is turned off first, LSA comes last.

    Args:
        platform: 1: Secure Boot; 3: with DMA protection.
        lsa: 2: on; 1: on, and locked in the firmware.
    """
    return (
        Value(
            MEMORY_INTEGRITY, "Enabled", 0, "HypervisorEnforcedCodeIntegrity", (0,), (NOT_CONFIGURED,), lock="Locked"
        ),
        Value(DEVICE_GUARD, "EnableVirtualizationBasedSecurity", 1, "EnableVirtualizationBasedSecurity", (1,)),
        Value(DEVICE_GUARD, "RequirePlatformSecurityFeatures", platform, "RequirePlatformSecurityFeatures", (1, 3)),
        Value(DEVICE_GUARD + r"\Capabilities", "HyperVEnabled", 1),
        Value(LSA, "LsaCfgFlags", lsa, "LsaCfgFlags", (1, 2), (NOT_CONFIGURED,), keep=1 if lsa == 2 else None),
    )


@dataclass(frozen=True)
class Rule:
    """One line of a table.

    Attributes:
        when: conditions, all of which must hold; empty: the rule always holds.
        do: the decision.
        why: the reason, for people.
        compliant: for verdicts: what Compliance gets.
    """

    when: Condition
    do: str
    why: str
    compliant: bool = field(default=False)


def first(rules: Sequence[Rule], facts: Facts) -> Rule:
    """The first rule that holds. The last one in every table always does."""
    return next(rule for rule in rules if all(facts[name] in taken for name, taken in rule.when.items()))


HOST = (
    Rule({"domainController": ["true"]}, "leave", "a domain controller: Microsoft advises against it"),
    Rule({"policy": ["contradicts"]}, "leave", "group policy contradicts, and would win"),
    Rule({}, "go", "values are compared"),
)
"""Whether anything is written on a host."""

ROW = (
    Rule({"policy": ["present"]}, "leave", "group policy sets it"),
    Rule({"locked": ["true"]}, "keep", "it is locked in the firmware, which cannot be undone here"),
    Rule({"kind": ["DWord"], "same": ["true"]}, "in place", "it is right already"),
    Rule({}, "write", "it is missing or differs in type or data"),
)
"""What happens to a value."""

REBOOT = (
    Rule({"changed": ["false"]}, "done", "no value has changed"),
    Rule({"gaveUp": ["true"]}, "wait", "values changed back after two reboots: something else sets them"),
    Rule(
        {"reboots": [str(MOST_REBOOTS)]},
        "give up",
        "values still change back after two reboots: something else sets them",
    ),
    Rule({"mode": ["never"]}, "wait", "reboot is never: reboot the host yourself"),
    Rule({"mode": ["first-time"], "finished": ["true"]}, "wait", "values were corrected; reboot the host yourself"),
    Rule({"mode": ["window"], "window": ["closed"]}, "wait", "it reboots in the next window"),
    Rule({}, "reboot", "values have changed"),
)
"""What happens after writing. Giving up fails the run only once, because a failure keeps Apply from the other hosts."""

NO_DMA = "DMA protection is not offered by this instance: require only Secure Boot (platform_security, group policy)"
RUNS: Condition = {"vbs": ["2"], "credentialGuard": ["true"]}
VERDICTS = (
    Rule({"deviceGuard": ["missing"]}, "unknown", "Win32_DeviceGuard cannot be read on this edition of Windows"),
    Rule(
        {**RUNS, "memoryIntegrity": ["true"]},
        "running",
        "it runs, and memory integrity runs with it, which EC2 does not support",
    ),
    Rule({**RUNS, "dmaRequired": ["true"], "dmaOffered": ["false"]}, "running", f"it runs, but {NO_DMA}"),
    Rule(
        {**RUNS, "lockAsked": ["true"], "lock": ["2"]},
        "running",
        "it runs, but without the UEFI lock that uefi_lock requests",
    ),
    Rule(RUNS, "running", "it runs", compliant=True),
    Rule({"domainController": ["true"]}, "not running", "a domain controller is left alone: remove its tag"),
    Rule({"policy": ["contradicts"]}, "not running", "group policy contradicts"),
    Rule({"secureBoot": ["off"]}, "not running", "Secure Boot is off"),
    Rule({"secureBoot": ["legacy"]}, "not running", "the host booted with BIOS: launch a new one from a UEFI image"),
    Rule({"dmaRequired": ["true"], "dmaOffered": ["false"]}, "not running", NO_DMA),
    Rule({"launch": ["off"]}, "not running", "bcdedit shows hypervisorlaunchtype or vsmlaunchtype off"),
    Rule({"memoryIntegrity": ["true"]}, "not running", "memory integrity runs instead, which EC2 does not support"),
    Rule({"values": ["missing"]}, "not running", "values are missing: look at the apply association"),
    Rule({"pending": ["true"]}, "not running", "the values are set, but a reboot is pending"),
    Rule({"event": ["15"]}, "not running", "configured, but the secure kernel does not run (event 15)"),
    Rule({"event": ["16"]}, "not running", "Credential Guard failed to start (event 16)"),
    Rule({"event": ["17"]}, "not running", "its UEFI variable cannot be read (event 17)"),
    Rule({"vbs": ["0"]}, "not running", "virtualization-based security is off"),
    Rule({"vbs": ["1"]}, "not running", "virtualization-based security is enabled but does not run"),
    Rule({"vbs": ["2"]}, "not running", "virtualization-based security runs without Credential Guard"),
    Rule({}, "unknown", "Win32_DeviceGuard has an unknown status"),
)
"""The audit's verdict. Configured and running are independent, and only running counts."""


@dataclass(frozen=True)
class BootEvent:
    """An event that Windows writes at every boot with virtualization-based security."""

    log: str
    provider: str
    id: int


_WININIT, _KERNEL_BOOT = "Microsoft-Windows-Wininit", "Microsoft-Windows-Kernel-Boot"
EVENTS = {
    "started": BootEvent("System", _WININIT, 13),
    "configuration": BootEvent("System", _WININIT, 14),
    "notRunning": BootEvent("System", _WININIT, 15),
    "failed": BootEvent("System", _WININIT, 16),
    "unreadable": BootEvent("System", _WININIT, 17),
    "masterKey": BootEvent(f"{_KERNEL_BOOT}/Operational", _KERNEL_BOOT, 51),
}
"""Further evidence: Credential Guard's own events, in the logs that the page on its configuration names."""


@dataclass(frozen=True)
class Window:
    """When hosts may reboot, in UTC.

    Attributes:
        day: DAILY, or a day of the week in three letters.
        start: minutes since midnight.
    """

    day: str
    start: int
    minutes: int


def is_open(window: Window, weekday: str, minute: int) -> bool:
    """Whether a window is open on a day at a minute since midnight; it may extend past midnight."""
    days = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
    yesterday = days[days.index(weekday) - 1]
    since = minute - window.start
    if since >= 0:
        return since < window.minutes and window.day in ("DAILY", weekday)
    return since + 1_440 < window.minutes and window.day in ("DAILY", yesterday)


def tables(*, platform: int, lsa: int, reboot: Reboot, window: Window | None) -> dict[str, Any]:
    """All tables as the scripts carry them."""
    return {
        "complianceType": COMPLIANCE_TYPE,
        "mode": reboot,
        "window": asdict(window) if window else None,
        "lockAsked": lsa == 1,
        "dmaRequired": platform == 3,
        "policyPath": POLICY,
        "values": [asdict(value) for value in values(platform=platform, lsa=lsa)],
        "host": [asdict(rule) for rule in HOST],
        "row": [asdict(rule) for rule in ROW],
        "reboot": [asdict(rule) for rule in REBOOT],
        "verdicts": [asdict(rule) for rule in VERDICTS],
        "events": {name: asdict(event) for name, event in EVENTS.items()},
    }
