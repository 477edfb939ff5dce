"""Amazon EventBridge, by ministack."""

import json

from emulator.core.resource import Properties, refusing
from emulator.core.service import Service
from emulator.services.events import patches

__all__ = ["SERVICE", "patches"]

MOST_PATTERN = 2_048
"""Characters of an event pattern: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html."""


def _pattern_fits(properties: Properties) -> None:
    """Raises ValueError for a pattern that is too long; the words are ours."""
    pattern = properties.get("EventPattern") or {}
    text = pattern if isinstance(pattern, str) else json.dumps(pattern, separators=(",", ":"))
    if len(text) > MOST_PATTERN:
        raise ValueError(f"LimitExceededException: the event pattern has {len(text)} characters of {MOST_PATTERN}")


SERVICE = Service(
    "events",
    wraps={"AWS::Events::Rule": refusing(_pattern_fits)},
    modelled=(
        "pipelines and log groups as targets, events of the services here",
        "deliveries as the target's policy, key or role allows, dead letters of those that are denied",
        "how long a pattern may be",
    ),
    not_judged=("retries, the age of events", "quotas of rules, targets and invocations"),
)
