"""AWS Resource Groups, by ministack: the groups that stand for several capacity reservations."""

from emulator.core.service import Service
from emulator.services.resourcegroups.types import TYPES

SERVICE = Service("resource-groups", types=TYPES)
