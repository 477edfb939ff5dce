"""What the rules of tests/conformance cannot know of this solution by themselves."""

from collections.abc import Mapping
from typing import Any

from tests.guardrails.largest import largest

Json = dict[str, Any]

LARGEST: list[tuple[Json, Json]] = largest()
"""The largest legal settings: common and the section."""

ONE_VALUE_ONLY: Mapping[str, str] = dict.fromkeys(
    ("exempt_principal_arns", "extra_actions", "subnet_tag", "subnets_by_target"),
    "it changes the text of policies only",
)
"""Keys of which no other value is tried, and why."""

ONE_REGION = "once in an organization: policies are global"
"""Why there is one stack in an account, whatever the Region."""
