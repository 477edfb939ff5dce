"""When a host counts as running Credential Guard, as not running it, or as silent. No AWS in here."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

SETTLING = timedelta(hours=1)
"""After a launch, in which a host is audited before its first reboot: what is not running yet is no failure."""


class State(StrEnum):
    """What a host is, as far as its audits say."""

    RUNNING = "running"
    NOT_RUNNING = "not running"
    SILENT = "silent"
    NEW = "new"


@dataclass(frozen=True)
class Host:
    """A running instance with the tag."""

    id: str
    launched: datetime


@dataclass(frozen=True)
class Audit:
    """What the last audit of a host has reported.

    Attributes:
        compliant: whether Credential Guard runs as it was asked to.
        details: what it saw, the reason among them; empty where nobody has asked for them.
    """

    compliant: bool
    at: datetime
    details: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Verdict:
    """A host, judged."""

    host: Host
    state: State
    audit: Audit | None

    @property
    def reason(self) -> str:
        """Why, in the words of the audit where it counts."""
        if self.state is State.SILENT:
            return f"last audited {self.audit.at:%Y-%m-%d %H:%M} UTC" if self.audit else "never audited"
        if self.state is State.NEW:
            said = self.audit.details.get("reason", "") if self.audit and self.audit.at >= self.host.launched else ""
            return f"launched lately: {said or 'not audited yet'}"
        return self.audit.details.get("reason", "") if self.audit else ""


def judge(host: Host, audit: Audit | None, silent: timedelta, now: datetime) -> Verdict:
    """Judges one host. An old audit proves nothing, and neither does one of before the last start.

    Both associations run when a host appears: its first audit may come before Apply has rebooted it, and the next one
    hours later.
    """
    if audit and now - audit.at < silent and audit.at >= host.launched:
        if not audit.compliant and audit.at - host.launched < SETTLING:
            return Verdict(host, State.NEW, audit)
        return Verdict(host, State.RUNNING if audit.compliant else State.NOT_RUNNING, audit)
    return Verdict(host, State.NEW if now - host.launched < silent else State.SILENT, audit)


def values(verdicts: Iterable[Verdict]) -> Iterator[tuple[str, int]]:
    """The metrics of all hosts. A host that is silent is no less a worry than one that says no."""
    states = [verdict.state for verdict in verdicts]
    yield "Hosts", len(states)
    yield "RunningHosts", states.count(State.RUNNING)
    yield "NotRunningHosts", states.count(State.NOT_RUNNING)
    yield "SilentHosts", states.count(State.SILENT)
