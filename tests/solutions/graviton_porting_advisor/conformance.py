"""What the rules of tests/conformance cannot know of this solution by themselves."""

from typing import Any

from tests.conformance.limits.largest import COMMON

Json = dict[str, Any]

LARGEST: list[tuple[Json, Json]] = [
    (
        COMMON,
        {
            "sources": [
                {"location": f"{'o' * 39}/{'r' * 90}{n}", "exclude": [f"{e}{'x' * 95}" for e in range(26)]}
                for n in range(50)
            ],
            "schedule": "rate(1 day)",
            "type_metrics": True,
        },
    ),
]
"""The largest legal settings: common and the section."""
