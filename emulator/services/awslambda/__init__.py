"""AWS Lambda, by ministack: where functions leave what failed."""

from emulator.core.service import Service
from emulator.services.awslambda import patches

__all__ = ["SERVICE", "patches"]

SERVICE = Service(
    "lambda",
    modelled=("what the role of a function lets Lambda leave in its destination", "events of rules are tried again"),
    not_judged=("permissions that an event source mapping needs, sizes of environments, concurrency",),
)
