"""What ``python -m stacks gpu_monitoring`` can do."""

import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from config.models import CommonSettings
from stacks.gpu_monitoring.agent import STANDARD_BYTES, read
from stacks.gpu_monitoring.measurements import System
from stacks.gpu_monitoring.settings import GpuMonitoringSettings
from stacks.shared.billing import HOURS, MINUTES, BillingUnit
from stacks.shared.command import Answer, Command
from stacks.shared.preflight import Clients, Finding, account_findings, looked_at

COST_NOTE = "For a month without a tagged instance; the metrics of each instance are billed in addition."
LAMBDAS = Path(__file__).parents[2] / "lambdas"
FLEET_METRICS = 12  # without a dimension: published whatever there is
RUN_BY_US = ("AWS-ConfigureAWSPackage", "AmazonCloudWatch-ManageAgent")


def idle_month(common: CommonSettings, settings: GpuMonitoringSettings) -> Iterator[BillingUnit]:
    """What bills in a month without a tagged instance. Each of those bills its metrics, most of all the agent's."""
    runs = MINUTES / settings.fleet_minutes
    attaching = settings.attach_profile
    yield BillingUnit("alarm_month", 7 + attaching - settings.idle_by_insights, "alarms on one metric")
    yield BillingUnit(
        "metrics_insights_alarm_month", int(settings.idle_by_insights), "alarm; it bills the metrics it sees"
    )
    yield BillingUnit("dashboard_month", 1, "dashboard")
    yield BillingUnit("custom_metric_month", FLEET_METRICS, "metrics of the fleet")
    yield BillingUnit("put_metric_data_request", runs, "Fleet publishes")
    yield BillingUnit("lambda_request", runs + HOURS * attaching, "Fleet, and Attach if it is there")
    advanced = sum(len(settings.configuration(system)) > STANDARD_BYTES for system in ("linux", "windows"))
    yield BillingUnit("advanced_parameter_month", advanced, "configurations above 4 KB")


def findings(common: CommonSettings, settings: GpuMonitoringSettings, clients: Clients) -> Iterator[Finding]:
    """What would stop a deployment, and what would keep tagged instances from reporting."""
    yield from account_findings(common, clients)
    for name in RUN_BY_US:
        yield looked_at(f"document {name}", lambda name=name: _document(name, clients))  # type: ignore[misc]
    yield looked_at("instances", lambda: _instances(settings, clients))


def _document(name: str, clients: Clients) -> Finding:
    ssm = clients("ssm")
    try:
        ssm.describe_document(Name=name)
    except ssm.exceptions.InvalidDocument:
        return Finding(f"document {name}", "problem", "it is not offered here", "Deploy to another Region")
    return Finding(f"document {name}", "ok", "it is there")


def _instances(settings: GpuMonitoringSettings, clients: Clients) -> Finding:
    """Tagged instances, those without a profile among them, and those that Systems Manager does not reach."""
    tag = settings.opt_in
    pages = (
        clients("ec2")
        .get_paginator("describe_instances")
        .paginate(
            Filters=[
                {"Name": f"tag:{tag.key}", "Values": [tag.value]},
                {"Name": "instance-state-name", "Values": ["running"]},
            ]
        )
    )
    found = [item for page in pages for reservation in page["Reservations"] for item in reservation["Instances"]]
    if not found:
        return Finding("instances", "ok", "none runs with the tag yet", f"Tag one with {tag.key}={tag.value}")
    bare = [item["InstanceId"] for item in found if not item.get("IamInstanceProfile")]
    if bare and not settings.attach_profile:
        says = f"{len(bare)} of {len(found)} have no instance profile: {', '.join(bare[:5])}"
        return Finding("instances", "problem", says, "Set attach_profile to true, or use the output AttachProfile")
    online = [{"Key": "PingStatus", "Values": ["Online"]}]  # the list has those of which the connection is lost, too
    pages = clients("ssm").get_paginator("describe_instance_information").paginate(Filters=online)
    managed = {item["InstanceId"] for page in pages for item in page["InstanceInformationList"]}
    away = [item["InstanceId"] for item in found if item["InstanceId"] not in managed | set(bare)]
    if away:
        says = f"Systems Manager does not reach {len(away)} of {len(found)}: {', '.join(away[:5])}"
        return Finding("instances", "problem", says, "Check the SSM Agent, its rights and its way to the service")
    return Finding("instances", "ok", f"{len(found)} run with the tag")


def fleet(options: Namespace, common: CommonSettings, settings: GpuMonitoringSettings, clients: Clients) -> Answer:
    """Judges every tagged instance now, with your rights, by the rule and the code of the function."""
    sys.path.insert(0, str(LAMBDAS))  # the modules of the functions
    from gpu_monitoring.fleet.reading import machines, readings
    from gpu_monitoring.fleet.waste import Rules, State, judge, values

    now = datetime.now(UTC)
    rules = Rules(settings.idle_percent, settings.idle_hours, timedelta(minutes=settings.silent_minutes))
    found = machines(clients("ec2"), (settings.opt_in.key, settings.opt_in.value))
    reported = readings(clients("cloudwatch"), found, window=rules.silent, horizon=rules.horizon, now=now)
    verdicts = [judge(machine, reported[machine.id], rules, now) for machine in found]
    worst = [State.IDLE, State.SILENT, State.UNSEEN, State.MIG, State.WORKING, State.NEW, State.WITHOUT_GPU]
    verdicts.sort(key=lambda v: (worst.index(v.state), -(v.idle_hours or 0), v.machine.type, v.machine.id))
    data = [
        {
            "instance": verdict.machine.id,
            "type": verdict.machine.type,
            "gpus": verdict.machine.gpus,
            "state": verdict.state.value,
            "utilization": verdict.utilization,
            "memory": verdict.memory_percent,
            "idle_hours": verdict.idle_hours,
            "errors": verdict.errors,
        }
        for verdict in verdicts
    ]
    totals = {value.name: value.value for value in values(verdicts) if value.dimension is None}
    notes = [f"\n{totals['WastedGpus']:g} of {totals['Gpus']:g} GPUs are wasted, {totals['IdleGpus']:g} of them idle."]
    if totals["UnmeasuredGpus"]:
        notes.append(f"The use of {totals['UnmeasuredGpus']:g} is not known: MIG, no driver, or nothing reported.")
    columns = ("instance", "type", "GPUs", "state", "utilization", "memory", "idle hours", "Xid errors")
    rows = [[_shown(value) for value in item.values()] for item in data]
    return Answer(columns, rows, {"instances": data, "fleet": totals}, notes)


def _shown(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:.1f}" if isinstance(value, float) else str(value)


def configuration(options: Namespace, common: CommonSettings, settings: Any, clients: Clients) -> Answer:
    """Checks a file for the agent, or those of the configuration, without an account."""
    systems: tuple[System, ...] = ("linux", "windows") if options.system is None else (options.system,)
    rows, data = [], []
    for system in systems:
        path = options.file or settings.configuration_file(system)
        text, problems = read(path, system)
        size = len(text.encode())
        tier = "advanced" if size > STANDARD_BYTES else "standard"
        data.append({"system": system, "file": str(path), "bytes": size, "tier": tier, "problems": problems})
        rows += [(system, str(size), tier, problem) for problem in problems or ["ok"]]
    return Answer(("system", "bytes", "tier", "found"), rows, data, ok=not any(item["problems"] for item in data))


def _configuration_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--file", type=Path, help="JSON file of the agent; without it: those of the configuration")
    parser.add_argument("--system", choices=("linux", "windows"), help="what the file is for; without it: both")


COMMANDS = (
    Command("fleet", "who works, idles or is silent, and what is wasted now", fleet),
    Command("configuration", "check the agent's configuration", configuration, _configuration_arguments),
)
