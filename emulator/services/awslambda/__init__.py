"""AWS Lambda, by ministack: where functions leave what failed, how large an environment may be."""

import json

from emulator.core.resource import Properties, refusing
from emulator.core.service import Service
from emulator.services.awslambda import patches

__all__ = ["SERVICE", "patches"]

MOST_ENVIRONMENT = 4_096
"""Bytes of all environment variables: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html."""


def _environment_fits(properties: Properties) -> None:
    """Raises ValueError as Lambda refuses a function whose environment is too large."""
    variables = (properties.get("Environment") or {}).get("Variables") or {}
    if len(json.dumps(variables, separators=(",", ":")).encode()) > MOST_ENVIRONMENT:
        raise ValueError(
            "Lambda was unable to configure your environment variables because the environment variables you have "
            "provided exceeded the 4KB limit."
        )


SERVICE = Service(
    "lambda",
    wraps={"AWS::Lambda::Function": refusing(_environment_fits)},
    modelled=(
        "what the role of a function lets Lambda leave in its destination",
        "events of rules are tried again; how large an environment may be",
    ),
    not_judged=("permissions that an event source mapping needs", "quotas of concurrency and of storage for code"),
)
