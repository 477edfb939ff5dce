"""Amazon EventBridge, by ministack."""

import json

from emulator.core.resource import Properties, refusing
from emulator.core.service import Service
from emulator.services.events import patches

__all__ = ["SERVICE", "patches"]

MOST_PATTERN, MOST_TARGETS = 2_048, 5
"""Characters of an event pattern, and targets: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html."""


def _rule_fits(properties: Properties) -> None:
    """Raises ValueError for a pattern that is too long, with words of ours, and for a sixth target.

    https://github.com/aws-cloudformation/cfn-lint/issues/306 has EventBridge's words.
    """
    if len(properties.get("Targets") or []) > MOST_TARGETS:
        raise ValueError("LimitExceededException: The requested resource exceeds the maximum number allowed.")
    pattern = properties.get("EventPattern") or {}
    text = pattern if isinstance(pattern, str) else json.dumps(pattern, separators=(",", ":"))
    if len(text) > MOST_PATTERN:
        raise ValueError(f"LimitExceededException: the event pattern has {len(text)} characters of {MOST_PATTERN}")


SERVICE = Service(
    "events",
    wraps={"AWS::Events::Rule": refusing(_rule_fits)},
    modelled=(
        "pipelines and log groups as targets, events of the services here",
        "deliveries as the target's policy, key or role allows, dead letters of those that are denied",
        "how long a pattern may be, and how many targets a rule of a template has",
    ),
    not_judged=("retries, the age of events", "quotas of rules and invocations"),
)
