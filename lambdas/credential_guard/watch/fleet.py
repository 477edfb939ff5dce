"""When a host counts as running Credential Guard, as not running it, or as silent. No AWS in here."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

SETTLING = timedelta(hours=1)
"""After the first launch a host is audited before its first reboot: what is not running yet is no failure. After any
start it is the time for an audit that is due; the agent runs one as soon as it is up (``SetNextScheduledDate`` in
agent/association/model/model.go of https://github.com/aws/amazon-ssm-agent)."""


class State(StrEnum):
    """What a host is, as far as its audits say."""

    RUNNING = "running"
    NOT_RUNNING = "not running"
    SILENT = "silent"
    NEW = "new"


@dataclass(frozen=True)
class Host:
    """A running instance with the tag.

    Attributes:
        launched: when it was started last; first: when it was launched first, for one that is stopped every night is
            new every morning otherwise.
    """

    id: str
    launched: datetime
    first: datetime


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
            return f"started lately: {said or 'not audited yet'}"
        return self.audit.details.get("reason", "") if self.audit else ""


def judge(host: Host, audit: Audit | None, silent: timedelta, now: datetime) -> Verdict:
    """Judges one host. An old audit proves nothing, and neither does one of before the last start.

    Both associations run when a host appears: its first audit may come before Apply has rebooted it, and the next one
    hours later. One that has been stopped for long has its next audit when it starts, and is silent without it,
    however short it is up each time.
    """
    if audit and now - audit.at < silent and audit.at >= host.launched:
        if not audit.compliant and audit.at - host.first < SETTLING:
            return Verdict(host, State.NEW, audit)
        return Verdict(host, State.RUNNING if audit.compliant else State.NOT_RUNNING, audit)
    heard = audit.at if audit else host.first
    waits = now - heard < silent or now - host.launched < SETTLING
    return Verdict(host, State.NEW if waits else State.SILENT, audit)


def values(verdicts: Iterable[Verdict]) -> Iterator[tuple[str, int]]:
    """The metrics of all hosts. A host that is silent is no less a worry than one that says no."""
    states = [verdict.state for verdict in verdicts]
    yield "Hosts", len(states)
    yield "RunningHosts", states.count(State.RUNNING)
    yield "NotRunningHosts", states.count(State.NOT_RUNNING)
    yield "SilentHosts", states.count(State.SILENT)
