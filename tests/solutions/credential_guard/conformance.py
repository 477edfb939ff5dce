"""What the rules of tests/conformance cannot know of this solution by themselves."""

from collections.abc import Mapping
from typing import Any

from tests.conformance.limits.largest import COMMON

Json = dict[str, Any]
_LONG_VALUE, _LONG_KEY = "v" * 200, "k" * 100

LARGEST: list[tuple[Json, Json]] = [
    (
        COMMON,
        {
            "network": "endpoints",
            "rdp": "instance-connect-endpoint",
            "tag": {"key": _LONG_KEY, "value": _LONG_VALUE},
            "calendars": [f"{n}{'c' * 120}" for n in range(5)],
        },
    ),
]
"""The largest legal settings: common and the section."""

NOT_SHOWN: Mapping[str, str] = {
    "GuardFunctionRole cloudformation:DescribeStacks": "the guard asks before it refuses, so that a rollback passes",
}
"""Why a role needs what no replay of make mutate shows: role and action."""
