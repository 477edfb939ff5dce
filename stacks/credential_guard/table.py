"""What is written on a host, when it reboots, and what it is called afterwards: tables, and how they are read.

The scripts in ``documents`` carry these tables as JSON and read them the same way: the first rule whose conditions all
hold decides. What they measure is text; a condition names the values that it takes.

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
"""What group policy's lists of choices call Not Configured: it sets nothing (DeviceGuard.admx)."""

Reboot = Literal["first-time", "window", "never"]
Facts = Mapping[str, str]
Condition = Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class Value:
    """A value of the registry, always a DWord.

    Attributes:
        policy: the name of group policy's copy, which wins at its next refresh; empty: there is none.
        agrees: values of that copy that leave Credential Guard possible.
        unset: values of that copy with which group policy sets nothing.
        keep: value that stays as it is, because nothing on a running host can take it back; None: none.
        lock: name of a value beside it that, at 1, means the same; empty: none.
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
    """The values, in the order in which they are written: memory integrity goes off first, LSA comes last.

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
        when: conditions, all of which must hold; none: it always does.
        do: what follows.
        why: for people.
        compliant: of verdicts: what Compliance is told.
    """

    when: Condition
    do: str
    why: str
    compliant: bool = field(default=False)


def first(rules: Sequence[Rule], facts: Facts) -> Rule:
    """The first rule that holds. Every table ends with one that always does."""
    return next(rule for rule in rules if all(facts[name] in taken for name, taken in rule.when.items()))


HOST = (
    Rule({"domainController": ["true"]}, "leave", "a domain controller: Microsoft advises against it"),
    Rule({"policy": ["contradicts"]}, "leave", "group policy says otherwise, and would win"),
    Rule({}, "go", "values are compared"),
)
"""Whether anything is written on a host."""

ROW = (
    Rule({"policy": ["present"]}, "leave", "group policy sets it"),
    Rule({"locked": ["true"]}, "keep", "it is locked in the firmware, which nothing here can take back"),
    Rule({"kind": ["DWord"], "same": ["true"]}, "in place", "it is there"),
    Rule({}, "write", "it is missing, of another kind or another value"),
)
"""What happens to a value."""

REBOOT = (
    Rule({"changed": ["false"]}, "done", "no value has changed"),
    Rule({"gaveUp": ["true"]}, "wait", "values have changed back after two reboots: something else sets them"),
    Rule({"reboots": [str(MOST_REBOOTS)]}, "give up", "values change back after two reboots: something else sets them"),
    Rule({"mode": ["never"]}, "wait", "reboot is never: reboot it yourself"),
    Rule({"mode": ["first-time"], "finished": ["true"]}, "wait", "values were put right again; reboot it yourself"),
    Rule({"mode": ["window"], "window": ["closed"]}, "wait", "it reboots in the next window"),
    Rule({}, "reboot", "values have changed"),
)
"""What follows the writing. Giving up fails the run once: a failure keeps Apply from the hosts after this one."""

NO_DMA = "DMA protection is not offered by this instance: require Secure Boot alone (platform_security, group policy)"
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
        "it runs, but without the UEFI lock that was asked for",
    ),
    Rule(RUNS, "running", "it runs", compliant=True),
    Rule({"domainController": ["true"]}, "not running", "a domain controller is left alone: take its tag off"),
    Rule({"policy": ["contradicts"]}, "not running", "group policy says otherwise"),
    Rule({"secureBoot": ["off"]}, "not running", "Secure Boot is off"),
    Rule({"secureBoot": ["legacy"]}, "not running", "it has booted by BIOS: launch a new one from a UEFI image"),
    Rule({"dmaRequired": ["true"], "dmaOffered": ["false"]}, "not running", NO_DMA),
    Rule({"launch": ["off"]}, "not running", "bcdedit has hypervisorlaunchtype or vsmlaunchtype off"),
    Rule({"memoryIntegrity": ["true"]}, "not running", "memory integrity runs instead, which EC2 does not support"),
    Rule({"values": ["missing"]}, "not running", "the values are not all there: see the apply association"),
    Rule({"pending": ["true"]}, "not running", "the values are there, a reboot is pending"),
    Rule({"event": ["15"]}, "not running", "configured, but the secure kernel does not run (event 15)"),
    Rule({"event": ["16"]}, "not running", "Credential Guard has failed to start (event 16)"),
    Rule({"event": ["17"]}, "not running", "its UEFI variable cannot be read (event 17)"),
    Rule({"vbs": ["0"]}, "not running", "virtualization-based security is off"),
    Rule({"vbs": ["1"]}, "not running", "virtualization-based security is enabled and does not run"),
    Rule({"vbs": ["2"]}, "not running", "virtualization-based security runs without Credential Guard"),
    Rule({}, "unknown", "Win32_DeviceGuard says nothing that is known"),
)
"""What a host is called, by the audit. Configured and running are independent: only running counts."""


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
"""The second witness: Credential Guard's own events, and where the page on its configuration says that they are."""


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
    """Whether a window is open on a day, at so many minutes since midnight; it may go on past midnight."""
    days = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
    yesterday = days[days.index(weekday) - 1]
    since = minute - window.start
    if since >= 0:
        return since < window.minutes and window.day in ("DAILY", weekday)
    return since + 1_440 < window.minutes and window.day in ("DAILY", yesterday)


def tables(*, platform: int, lsa: int, reboot: Reboot, window: Window | None) -> dict[str, Any]:
    """All of it as the scripts carry it."""
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
