"""What the rules of tests/conformance cannot know of this solution by themselves."""

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
