"""Amazon EventBridge, by ministack."""

from emulator.core.service import Service
from emulator.services.events import patches

__all__ = ["SERVICE", "patches"]

SERVICE = Service(
    "events",
    modelled=("pipelines and log groups as targets", "events of the services here"),
    not_judged=("resource policies of most targets",),
)
