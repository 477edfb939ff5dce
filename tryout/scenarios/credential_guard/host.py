"""A model of a Windows host: a registry, a firmware that boots it, and the tables of the delivered scripts.

It applies the tables in the documents as the PowerShell around them does; the PowerShell itself is not run
here. Booting is our model: virtualization-based security starts where it is enabled and Secure Boot is on, Credential
Guard where LsaCfgFlags says so, memory integrity where its value is 1.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]
DEVICE_GUARD = r"SYSTEM\CurrentControlSet\Control\DeviceGuard"
LSA = r"SYSTEM\CurrentControlSet\Control\Lsa"


def tables_of(script: Sequence[str]) -> Json:
    """The tables between the two ends of the script's here-string."""
    text = "\n".join(script)
    found: Json = json.loads(text.split("@'\n", 1)[1].split("\n'@", 1)[0])
    return found


def first(rules: Sequence[Json], facts: Mapping[str, str]) -> Json:
    """The first rule whose conditions all hold."""
    return next(rule for rule in rules if all(facts[name] in taken for name, taken in rule["when"].items()))


def _text(condition: bool) -> str:
    return "true" if condition else "false"


@dataclass
class WindowsHost:
    """A host that has booted once and is otherwise untouched.

    Attributes:
        registry: kind and data by path and name.
        device_guard: status, running services, available and required properties of Win32_DeviceGuard; None: the class
            is missing.
        lock: first value of event 14: 1: locked; 2: not locked; 0: off.
        state: the script's state between its runs.
        at, booted: the clock and the boot time, in hours.
    """

    registry: dict[tuple[str, str], tuple[str, Any]] = field(default_factory=dict)
    device_guard: Json | None = field(default_factory=lambda: {"vbs": 0, "running": [0], "available": [1, 2]})
    secure_boot: bool = True
    domain_role: int = 3
    window_open: bool = False
    lock: str = "0"
    state: Json = field(
        default_factory=lambda: {"wanted": "", "reboots": 0, "finished": False, "gaveUp": False, "written": -1}
    )
    at: int = 1
    booted: int = 0
    written: list[str] = field(default_factory=list)

    # What the scripts measure

    def _policy(self, tables: Json, row: Json) -> str:
        kind, data = self.registry.get((tables["policyPath"], row["policy"]), ("absent", None))
        if not row["policy"] or kind == "absent" or (kind == "DWord" and data in row["unset"]):
            return "absent"
        return "present" if kind == "DWord" and data in row["agrees"] else "contradicts"

    def _host(self, tables: Json) -> dict[str, str]:
        policies = [self._policy(tables, row) for row in tables["values"]]
        return {
            "domainController": _text(self.domain_role in (4, 5)),
            "policy": "contradicts" if "contradicts" in policies else "agrees",
        }

    def _action(self, tables: Json, row: Json) -> Json:
        kind, data = self.registry.get((row["path"], row["name"]), ("absent", None))
        beside = self.registry.get((row["path"], row["lock"]), ("absent", None))[1] if row["lock"] else None
        kept = row["keep"] is not None and (kind, data) == ("DWord", row["keep"])
        facts = {
            "policy": self._policy(tables, row),
            "locked": _text(kept or beside == 1),
            "kind": kind,
            "same": _text((kind, data) == ("DWord", row["data"])),
        }
        return first(tables["row"], facts)

    @property
    def status(self) -> str:
        """The status before and after, as the scripts report it."""
        if self.device_guard is None:
            return "unknown"
        services = self.device_guard["running"]
        listed = services if isinstance(services, list) else [services]
        return f"{{{self.device_guard['vbs']},[{','.join(str(one) for one in listed if one is not None)}]}}"

    # What they do

    def apply(self, tables: Json) -> int:
        """Carries out apply.ps1; returns its exit code."""
        self.at += 1
        if first(tables["host"], self._host(tables))["do"] != "go":
            return 0
        wanted = " ".join(f"{row['name']}={row['data']}" for row in tables["values"])
        if self.state["wanted"] != wanted:
            self.state |= {"wanted": wanted, "finished": False, "gaveUp": False, "reboots": 0}
        self.state.setdefault("before", self.status)
        for row in tables["values"]:
            if self._action(tables, row)["do"] == "write":
                self.state["written"] = self.at
                self.registry[row["path"], row["name"]] = ("DWord", row["data"])
                self.written.append(row["name"])
        facts = {
            "changed": _text(self.state["written"] > self.booted),
            "reboots": str(self.state["reboots"]),
            "gaveUp": _text(self.state["gaveUp"]),
            "mode": tables["mode"],
            "finished": _text(self.state["finished"]),
            "window": "open" if self.window_open else "closed",
        }
        following = first(tables["reboot"], facts)["do"]
        if following == "done":
            self.state |= {"finished": True, "gaveUp": False, "reboots": 0}
        if following == "give up":
            self.state["gaveUp"] = True
        if following == "reboot":
            self.state["reboots"] += 1
            return 3010
        return 1 if following == "give up" else 0

    def reboot(self) -> None:
        """Boots with the present values."""
        self.at += 1
        self.booted = self.at
        if self.device_guard is None:
            return
        on = self._is(DEVICE_GUARD, "EnableVirtualizationBasedSecurity", 1)
        dma = self._is(DEVICE_GUARD, "RequirePlatformSecurityFeatures", 3)
        starts = on and self.secure_boot and (not dma or 3 in self.device_guard["available"])
        guarded = [1] if self._is(LSA, "LsaCfgFlags", 1, 2) else []
        checked = [2] if self._is(DEVICE_GUARD + r"\Scenarios\HypervisorEnforcedCodeIntegrity", "Enabled", 1) else []
        if self.lock != "1":  # a lock is permanent
            self.lock = str(self.registry.get((LSA, "LsaCfgFlags"), ("", 0))[1]) if starts else "0"
        running = [*guarded, *checked] if starts else []
        self.device_guard |= {"vbs": 2 if starts else int(on), "running": running or [0]}

    def _is(self, path: str, name: str, *data: int) -> bool:
        return any(self.registry.get((path, name)) == ("DWord", one) for one in data)

    def run(self, tables: Json) -> list[int]:
        """Carries out the apply step as the SSM Agent does: after 3010 it boots and runs it again."""
        codes = [self.apply(tables)]
        while codes[-1] == 3010:
            self.reboot()
            codes.append(self.apply(tables))
        return codes

    def audit(self, tables: Json) -> Json:
        """Carries out audit.ps1; returns the item that it sends to Compliance."""
        guard = self.device_guard or {}
        running = guard.get("running")
        services = [int(one) for one in (running if isinstance(running, list) else [running]) if one is not None]
        missing = any(self._action(tables, row)["do"] == "write" for row in tables["values"])
        facts = {
            **self._host(tables),
            "deviceGuard": "missing" if self.device_guard is None else "there",
            "vbs": str(guard.get("vbs", "unknown")),
            "credentialGuard": _text(1 in services),
            "memoryIntegrity": _text(2 in services),
            "dmaOffered": _text(3 in guard.get("available", [])) if guard else "unknown",
            "dmaRequired": _text(tables["dmaRequired"] or 3 in guard.get("required", [])),
            "lockAsked": _text(tables["lockAsked"]),
            "lock": self.lock,
            "secureBoot": "on" if self.secure_boot else "off",
            "launch": "on",
            "values": "missing" if missing else "there",
            "pending": _text(self.state["written"] > self.booted),
            "event": "none",
        }
        verdict = first(tables["verdicts"], facts)
        details = {
            "state": verdict["do"],
            "reason": verdict["why"],
            "before": self.state.get("before", "not known: no value was written here"),
            "after": self.status,
            "uefiLock": self.lock,
        }
        return {
            "Id": "CredentialGuard",
            "Title": f"Credential Guard: {verdict['do']}",
            "Severity": "INFORMATIONAL" if verdict["compliant"] else "HIGH",
            "Status": "COMPLIANT" if verdict["compliant"] else "NON_COMPLIANT",
            "Details": details,
        }
