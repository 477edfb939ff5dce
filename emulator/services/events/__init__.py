"""Amazon EventBridge, by ministack."""

from emulator.core.service import Service
from emulator.services.events import patches

__all__ = ["SERVICE", "patches"]

SERVICE = Service(
    "events",
    modelled=(
        "pipelines and log groups as targets, events of the services here",
        "deliveries as the target's policy, key or role allows, dead letters of those that are denied",
    ),
    not_judged=("retries, the age of events, the length of patterns",),
)
