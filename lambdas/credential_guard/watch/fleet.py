"""When a host counts as running Credential Guard, as not running it, or as silent. No AWS in here."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

SETTLING = timedelta(hours=1)
"""After its first launch a host is audited before its first reboot, so that not running yet is not a failure. After any
later start it is the time for an audit that is due; the agent runs one at its start (``SetNextScheduledDate`` in
agent/association/model/model.go of https://github.com/aws/amazon-ssm-agent)."""


class State(StrEnum):
    """The state of a host, from its audits."""

    RUNNING = "running"
    NOT_RUNNING = "not running"
    SILENT = "silent"
    NEW = "new"


@dataclass(frozen=True)
class Host:
    """A running instance with the tag.

    Attributes:
        launched: when it was last started; first: when it was first launched, because a host that is stopped every
            night would otherwise be new every morning.
    """

    id: str
    launched: datetime
    first: datetime


@dataclass(frozen=True)
class Audit:
    """What the last audit of a host reported.

    Attributes:
        compliant: whether Credential Guard runs as configured.
        details: what it saw, with the reason; empty if they were not read.
    """

    compliant: bool
    at: datetime
    details: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Verdict:
    """A host with its state."""

    host: Host
    state: State
    audit: Audit | None

    @property
    def reason(self) -> str:
        """Why; in the audit's words if the audit counts."""
        if self.state is State.SILENT:
            return f"last audited {self.audit.at:%Y-%m-%d %H:%M} UTC" if self.audit else "never audited"
        if self.state is State.NEW:
            said = self.audit.details.get("reason", "") if self.audit and self.audit.at >= self.host.launched else ""
            return f"recently started: {said or 'not audited yet'}"
        return self.audit.details.get("reason", "") if self.audit else ""


def judge(host: Host, audit: Audit | None, silent: timedelta, now: datetime) -> Verdict:
    """Judges one host. An old audit proves nothing, nor does one from before the last start.

    Both associations run when a host appears: its first audit may come before Apply has rebooted it, and the next one
    hours later. A host that was stopped for a long time is audited when it starts, and is silent without that audit,
    even if it runs only briefly each time.
    """
    if audit and now - audit.at < silent and audit.at >= host.launched:
        if not audit.compliant and audit.at - host.first < SETTLING:
            return Verdict(host, State.NEW, audit)
        return Verdict(host, State.RUNNING if audit.compliant else State.NOT_RUNNING, audit)
    heard = audit.at if audit else host.first
    waits = now - heard < silent or now - host.launched < SETTLING
    return Verdict(host, State.NEW if waits else State.SILENT, audit)


def values(verdicts: Iterable[Verdict]) -> Iterator[tuple[str, int]]:
    """The metrics of all hosts. A silent host is as much a concern as one that is not running."""
    states = [verdict.state for verdict in verdicts]
    yield "Hosts", len(states)
    yield "RunningHosts", states.count(State.RUNNING)
    yield "NotRunningHosts", states.count(State.NOT_RUNNING)
    yield "SilentHosts", states.count(State.SILENT)
