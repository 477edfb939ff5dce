"""AWS Identity and Access Management, by ministack."""

from emulator.core.service import Service
from emulator.services.iam import patches

__all__ = ["SERVICE", "patches"]

SERVICE = Service(
    "iam",
    modelled=("condition keys and resources of the services here", "context keys of SimulatePrincipalPolicy"),
    not_judged=("iam:PassRole, service-linked roles, SCPs",),
)
