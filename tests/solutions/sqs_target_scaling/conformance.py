"""What the rules of tests/conformance cannot know of this solution by themselves."""

from typing import Any

from tests.conformance.limits.largest import COMMON

Json = dict[str, Any]


LARGEST: list[tuple[Json, Json]] = [
    (COMMON, {"network": "endpoints", "zones": 6}),
    (COMMON, {"acceptable_latency_seconds": 302_400, "heartbeat_seconds": 10_800, "max_receives": 10}),
]
"""The largest legal settings: common and the section."""

STATES: tuple[Json, ...] = ({"network": "nat"}, {"network": "endpoints"})
"""States beside the variants' own, in which other changes are possible."""
