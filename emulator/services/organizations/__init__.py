"""AWS Organizations, by ministack: policies are stored and attached, and nothing is denied."""

from emulator.core.service import Service
from emulator.services.organizations.types import TYPES

SERVICE = Service(
    "organizations",
    types=TYPES,
    modelled=("policies that are attached and detached by a stack",),
    not_judged=("calls by policies: nothing is denied", "what else attaches and detaches, and changes at once"),
)
