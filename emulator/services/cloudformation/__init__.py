"""AWS CloudFormation, by ministack; its types are those of the other packages."""

from emulator.core.service import Service
from emulator.services.cloudformation import patches

__all__ = ["SERVICE", "patches"]

SERVICE = Service(
    "cloudformation",
    modelled=("replacement as AWS does it: created first, deleted in the clean-up", "types that may not change"),
    not_judged=("CreationPolicy, stack policies, service quotas of resources", "throttling, of every service"),
)
