"""What the rules of tests/conformance cannot know of this solution by themselves."""

from collections.abc import Mapping
from typing import Any

from tests.guardrails.largest import largest

Json = dict[str, Any]

LARGEST: list[tuple[Json, Json]] = largest(
    zones=[f"us-west-2-lax-1{zone}" for zone in "abcdefghij"],
    zone_ids=[f"usw2-lax1-az{n}" for n in range(10)],
)
"""The largest legal settings: common and the section."""

ONE_VALUE_ONLY: Mapping[str, str] = dict.fromkeys(
    ("exempt_principal_arns", "extra_actions", "subnet_tag", "subnets_by_target", "zone_ids"),
    "it changes the text of policies only",
)
"""Keys of which no other value is tried, and why."""

ONE_REGION = "once in an organization: policies are global"
"""Why there is one stack in an account, whatever the Region."""
