"""What ``python -m stacks game_streaming`` can do."""

from argparse import Namespace
from collections.abc import Iterator

from config.models import CommonSettings
from stacks.game_streaming.checks import findings_of
from stacks.game_streaming.delivery import (
    deliver,
    email_argument,
    folder_argument,
    name_argument,
    register,
    revoke,
    token,
    validate,
)
from stacks.game_streaming.settings import GameStreamingSettings
from stacks.game_streaming.sizes import SIZES, fit
from stacks.shared.billing import HOURS, MINUTES, BillingUnit, instance_hours
from stacks.shared.command import Answer, Command
from stacks.shared.preflight import Clients, Finding, common_findings

COST_NOTE = (
    "The hours are those of an instance that never stops; streamed data is billed by the gigabyte. Canonical "
    "bills Ubuntu Pro with Anbox Cloud, or the Marketplace bills its image."
)
ALARMS, IDLE_ALARMS, HOURS_ALARMS = 2, 4, 1
METRICS_OF_THE_INSTANCE, METRICS_OF_IDLE = 3, 2
LOOK_MINUTES = 5


def idle_month(common: CommonSettings, settings: GameStreamingSettings) -> Iterator[BillingUnit]:
    """The billing units of a month in which nobody plays and nothing stops the instance."""
    yield BillingUnit("public_ipv4_hour", HOURS, "the address, also without an instance")
    yield BillingUnit("secret_month", len(settings.clients) + (0 if settings.oidc else 1), "secrets of the stack")
    if not settings.instance:
        return
    yield instance_hours(settings.instance_type, HOURS, "the appliance")
    yield BillingUnit("gp3_gib_month", settings.root_gib + settings.data_gib, "its volumes, also while it is stopped")
    alarms = ALARMS + (IDLE_ALARMS if settings.idle_minutes else 0) + (HOURS_ALARMS if settings.hours else 0)
    yield BillingUnit("alarm_month", alarms, "alarms")
    metrics = METRICS_OF_THE_INSTANCE + (METRICS_OF_IDLE if settings.idle_minutes else 0)
    yield BillingUnit("custom_metric_month", metrics, "metrics of the games")
    requests = float(MINUTES)
    if settings.idle_minutes:
        looks = MINUTES / LOOK_MINUTES
        requests += looks
        yield BillingUnit("lambda_request", looks, "Idle")
        yield BillingUnit("get_metric_data_metric", 2 * looks, "Idle")
    yield BillingUnit("put_metric_data_request", requests, "the instance reports its games, Idle its looks")
    if settings.hours:
        times = HOURS / 24 * (2 if settings.hours.start else 1)
        yield BillingUnit("scheduler_invocation", times, "stops and starts, once a day each")


def findings(common: CommonSettings, settings: GameStreamingSettings, clients: Clients) -> Iterator[Finding]:
    """Finds what would stop a deployment, the installation, or a game."""
    yield from common_findings(common, clients, zones=1, by_name="zone")
    yield from findings_of(common, settings, clients)


def _sessions(options: Namespace, common: CommonSettings, settings: GameStreamingSettings, clients: Clients) -> Answer:
    """How many sessions of the settings' game fit on each size; without an account."""
    found = {name: fit(name, settings.session.demand, settings.data_gib) for name in SIZES}
    rows = [
        (name, str(size.vcpus), str(size.memory_gib), str(found[name].sessions), _limit(name, settings))
        for name, size in SIZES.items()
    ]
    data = {name: {"sessions": each.sessions, "limits": dict(each.limits)} for name, each in found.items()}
    demand = settings.session
    notes = [
        f"A session: {demand.cpus} vCPUs, {demand.memory_gb}GB, {demand.disk_gb}GB of disk, "
        f"{demand.gpu_slots} GPU slots; {settings.data_gib} GiB for games."
    ]
    return Answer(("type", "vCPUs", "GiB", "sessions", "limited by"), rows, data, notes)


def _limit(name: str, settings: GameStreamingSettings) -> str:
    found = fit(name, settings.session.demand, settings.data_gib)
    return "; ".join(found.short) or found.limit


def sessions_table() -> str:
    """The README's table of sizes, for the post's game on a volume that is large enough."""
    post = GameStreamingSettings()
    demand = post.session.demand
    rows = []
    for name, size in SIZES.items():
        found = fit(name, demand, 10_000)
        rows.append(f"| `{name}` | {size.vcpus} | {size.memory_gib} | {size.gpus} | {found.sessions} | {found.limit} |")
    head = (
        "| type | vCPUs | GiB | T4G | sessions of the post's game | limited by |\n| --- | --- | --- | --- | --- | --- |"
    )
    return "\n".join([head, *rows]) + "\n"


README_TABLES = {"sessions": sessions_table}
COMMANDS = (
    Command("sessions", "how many sessions fit on each size", _sessions),
    Command("validate", "check a game's APK and manifest; without an account", validate, folder_argument),
    Command("deliver", "check a game, deliver it, and wait until it is ready or has failed", deliver, folder_argument),
    Command("admit", "admit a user to the dashboard", register, email_argument),
    Command("token", "make a client's token for the stream gateway; the old one ends", token, name_argument),
    Command("revoke", "end a client's token for the stream gateway", revoke, name_argument),
)
