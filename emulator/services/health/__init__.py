"""AWS Health: only what it tells EventBridge of reservations that are hardly used."""

from emulator.core.service import Service
from emulator.services.health import events

SERVICE = Service(
    "health",
    controls={"health-underused": events.underused},
    modelled=("events of under-utilized Capacity Reservations, in both shapes",),
    not_judged=("its API, and when AWS sends them",),
)
