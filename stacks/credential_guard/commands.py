"""What ``python -m stacks credential_guard`` can do."""

import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from config.models import CommonSettings
from stacks.credential_guard.checks import host_findings, image_findings, place_finding, type_findings
from stacks.credential_guard.script import MACHINE, lines
from stacks.credential_guard.settings import CredentialGuardSettings
from stacks.credential_guard.table import COMPLIANCE_TYPE
from stacks.shared.billing import HOURS, MINUTES, BillingUnit, instance_hours
from stacks.shared.command import Answer, Command
from stacks.shared.preflight import Clients, Finding, account_findings, common_findings

COST_NOTE = "Your own hosts add nothing here; Compliance and State Manager bill nothing for EC2 instances."
LAMBDAS = Path(__file__).parents[2] / "lambdas"
WATCH_MINUTES = 15
METRICS, ALARMS = 4, 4
ROOT_GIB, ENDPOINTS = 30, 2


def idle_month(common: CommonSettings, settings: CredentialGuardSettings) -> Iterator[BillingUnit]:
    """The billing units of a month in which nothing happens."""
    runs = MINUTES / WATCH_MINUTES
    yield BillingUnit("alarm_month", ALARMS, "alarms")
    yield BillingUnit("custom_metric_month", METRICS, "metrics of the hosts")
    yield BillingUnit("put_metric_data_request", runs, "Watch publishes")
    yield BillingUnit("lambda_request", runs, "Watch")
    if not settings.instance_type:
        return
    yield instance_hours(settings.instance_type, HOURS, "Windows instance", system="windows")
    yield BillingUnit("gp3_gib_month", ROOT_GIB, "root volume of the Windows instance")
    if common.vpc:
        return
    if settings.network == "public":
        yield BillingUnit("public_ipv4_hour", HOURS, "public IPv4 address of the Windows instance")
    if settings.network == "nat":
        yield BillingUnit("nat_gateway_hour", HOURS, "NAT gateway")
        yield BillingUnit("public_ipv4_hour", HOURS, "public IPv4 address of the NAT gateway")
    if settings.network == "endpoints":
        yield BillingUnit("interface_endpoint_hour", ENDPOINTS * HOURS, "endpoints of Systems Manager")


def findings(common: CommonSettings, settings: CredentialGuardSettings, clients: Clients) -> Iterator[Finding]:
    """The post's describe checks, before a launch and after it, each cause on its own."""
    if settings.instance_type:
        yield from common_findings(common, clients, zones=1)
        yield from image_findings(settings, clients)
        yield from type_findings(settings.instance_type, clients)
        yield place_finding(common, settings, clients)
    else:
        yield from account_findings(common, clients)
    yield from host_findings(settings, clients)


def hosts(options: Namespace, common: CommonSettings, settings: CredentialGuardSettings, clients: Clients) -> Answer:
    """Judges every host now, with the function's code and the details of its last audit."""
    sys.path.insert(0, str(LAMBDAS))  # the functions' modules
    from credential_guard.watch.fleet import State, judge
    from credential_guard.watch.reading import detailed
    from credential_guard.watch.reading import hosts as running

    found = running(clients("ec2"), (settings.tag.key, settings.tag.value))
    reported = detailed(clients("ssm"), COMPLIANCE_TYPE, [host.id for host in found])
    silent, now = timedelta(hours=2 * settings.audit_hours), datetime.now(UTC)
    worst = [State.NOT_RUNNING, State.SILENT, State.NEW, State.RUNNING]
    verdicts = [judge(host, reported.get(host.id), silent, now) for host in found]
    verdicts.sort(key=lambda verdict: (worst.index(verdict.state), verdict.host.id))
    seen = [(verdict, dict(verdict.audit.details) if verdict.audit else {}) for verdict in verdicts]
    data = [
        {
            "instance": verdict.host.id,
            "state": verdict.state.value,
            "reason": verdict.reason,
            "audited": verdict.audit.at.isoformat() if verdict.audit else None,
            "details": details,
        }
        for verdict, details in seen
    ]
    rows = [
        (verdict.host.id, verdict.state.value, verdict.reason, details.get("before", ""), details.get("after", ""))
        for verdict, details in seen
    ]
    notes = [] if rows else ["\nNo running instance has the tag."]
    ok = not any(verdict.state in (State.NOT_RUNNING, State.SILENT) for verdict in verdicts)
    return Answer(("instance", "state", "reason", "before", "after"), rows, data, notes, ok=ok)


def script(options: Namespace, common: CommonSettings, settings: CredentialGuardSettings, clients: Clients) -> Answer:
    """The PowerShell that hosts run under these settings, without an account."""
    text = lines(options.name, settings, options.root)
    return Answer((), (), {"name": options.name, "lines": text}, lines=text)


def _script_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("name", choices=("apply", "audit"), help="the script to print")
    parser.add_argument("--root", default=MACHINE, help="registry key to use instead of HKLM:, such as HKCU:\\Try")


COMMANDS: tuple[Command, ...] = (
    Command("hosts", "which hosts run Credential Guard, and why the others do not", hosts),
    Command("script", "the PowerShell that hosts run", script, _script_arguments),
)
